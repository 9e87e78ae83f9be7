import CoveyContact
import CoveyCore
import CoveyNode

/// One byte stream between two hosts, as TCP makes it of packets that get lost: late, but in order and whole.
struct Stream {
    /// A part of a stream that is under way: `Occurrence` in less.
    struct Part: BitwiseCopyable {
        var kind: Occurrence.Kind
        var payload: UInt32
    }

    struct Half {
        var host: UInt32
        var id: ConnectionID
        /// The node has it under `id`.
        var isOpen = false
        /// When the last of what was sent here arrives: nothing overtakes it.
        var arrives: UInt64 = 0
        /// When all that was sent here has left.
        var leaves: UInt64 = 0
        /// Came to where it could not go on: behind a cut, or held. The first is the oldest.
        var parked: [Part] = []
        var parkedBytes = 0
        var awaitsDrain = false
        /// Its machine lost power, and knows nothing of it any more.
        var isLost = false
    }

    /// 0 dialled.
    var halves: [2 of Half]
    var route: Route
    var target: UInt32
    var generation: UInt16
    var attempts = 0
    /// The node at the other end has been told.
    var isStanding = false
    /// When its packets began not to get through; `.max` while they do.
    var stalledSince: UInt64 = .max
    var isRetrying = false
}

extension World {
    /// Bit of `Occurrence.half`: a rule threw the part away.
    static let dropped: UInt8 = 2
    /// Bytes of IP and TCP heads on each segment.
    static let streamHead = 40
    /// Streams of one host: what it dials, and the 64 the real driver accepts.
    static let mostSockets = 88

    // MARK: Setting up

    func dial(_ machine: Machine, _ id: ConnectionID, _ address: SocketAddress) {
        report.connections += 1
        let target = hostIndex(at: address).map(UInt32.init) ?? .max
        let stream = addStream(from: machine, id, to: target)
        machine.sockets.append(Machine.Socket(id: id, stream: stream, half: 0))
        // Without any interface the system says so at once.
        let hasNetwork = !machine.ports.isEmpty || machine.links.contains { links[Int($0)].isUp }
        push(
            .dialTimeout, stream, half: 1, to: machine.index,
            at: hasNetwork && target != machine.index ? now + dialTimeout : now)
        if hasNetwork, target != .max, target != machine.index { ask(stream) }
    }

    private func addStream(from machine: Machine, _ id: ConnectionID, to target: UInt32) -> UInt32 {
        let index = freeStreams.popLast() ?? UInt32(streams.count)
        let isNew = index == streams.count
        let stream = Stream(
            halves: [
                Stream.Half(host: machine.index, id: id, isOpen: true), Stream.Half(host: target, id: .accepted(0)),
            ],
            route: .link(0), target: target, generation: isNew ? 0 : streams[Int(index)].generation &+ 1)
        if isNew { streams.append(stream) } else { streams[Int(index)] = stream }
        return index
    }

    /// Sends a SYN; another follows after 1, 3 and 7 s as long as nothing came of it.
    private func ask(_ index: UInt32) {
        let stream = streams[Int(index)]
        let from = stream.halves[0].host
        let pause: UInt64 = 1_000_000 << UInt64(min(stream.attempts, 6))
        streams[Int(index)].attempts += 1
        push(.dial, index, half: 1, to: from, at: now + pause)
        guard let route = route(from, stream.target) else { return }
        streams[Int(index)].route = route
        guard let arrival = sendPacket(60, over: route, from: from) else { return }
        push(.syn, index, half: 0, to: stream.target, at: arrival)
    }

    /// One small packet: when it arrives; nil when it is lost.
    private func sendPacket(_ size: Int, over route: Route, from host: UInt32) -> UInt64? {
        guard let channel = channel(route, of: host) else { return nil }
        let physics = physics(route)
        let (left, _) = occupy(channel, physics, size, of: host, over: route)
        if physics.loses(&channels[channel], &network) || physics.alters(size, &network) { return nil }
        return left + physics.latency(&network)
    }

    func push(
        _ kind: Occurrence.Kind, _ stream: UInt32, half: Int, to host: UInt32, at time: UInt64, payload: UInt32 = 0
    ) {
        wheel.push(
            at: time,
            Occurrence(
                kind: kind, half: UInt8(half), generation: streams[Int(stream)].generation, host: host, subject: stream,
                payload: payload))
    }

    /// Gives a line its turn on a channel. Returns when its last bit has left, and on a shared medium by which transmission.
    func occupy(
        _ channel: Int, _ physics: Physics, _ size: Int, of host: UInt32, over route: Route
    ) -> (left: UInt64, transmission: UInt32) {
        if physics.quality.isShared {
            let left = occupyAir(host, medium(route), channel, physics, size)
            return (left, lastTransmission)
        }
        let airtime = physics.airtime(size)
        let end = max(now, channels[channel].busyUntil) + airtime
        channels[channel].busyUntil = physics.silence(after: airtime, endingAt: end)
        return (end, 0)
    }

    // MARK: Arriving

    func happen(_ occurrence: Occurrence) {
        let index = occurrence.subject
        guard streams[Int(index)].generation == occurrence.generation,
            streams[Int(index)].halves[0].isOpen || streams[Int(index)].halves[1].isOpen
        else {
            if occurrence.kind == .data { payloads.release(occurrence.payload) }
            return
        }
        switch occurrence.kind {
        case .dial:
            if !streams[Int(index)].isStanding, streams[Int(index)].halves[0].isOpen { ask(index) }
        case .syn: synArrived(index)
        case .synAck: synAckArrived(index)
        case .reset: resetArrived(index, half: Int(occurrence.half))
        case .ack, .data, .fin:
            arrive(
                Stream.Part(kind: occurrence.kind, payload: occurrence.payload), index, from: Int(occurrence.half & 1),
                isDropped: occurrence.half & Self.dropped != 0)
        case .dialTimeout: failDial(index)
        case .drained:
            let half = streams[Int(index)].halves[Int(occurrence.half)]
            if half.isOpen { turn(machines[Int(half.host)], .drained(half.id)) }
        case .retry: retry(index)
        case .streamTimeout:
            if occurrence.payload == UInt32(truncatingIfNeeded: streams[Int(index)].stalledSince) {
                breakStream(index)
            }
        case .deadline, .datagram, .committed, .script, .sample, .hour, .stick:
            preconditionFailure("\(occurrence.kind) is nothing of a stream")
        }
    }

    private func synArrived(_ index: UInt32) {
        let stream = streams[Int(index)]
        let (from, to) = (stream.halves[0].host, stream.target)
        guard stream.halves[0].isOpen, !stream.isStanding, passage(stream.route, from, to) == .free else { return }
        let machine = machines[Int(to)]
        guard machine.answers else { return }
        guard machine.resident != nil, machine.sockets.count < Self.mostSockets else {
            if let arrival = sendPacket(40, over: stream.route, from: to) {
                push(.reset, index, half: 1, to: from, at: arrival)
            }
            return
        }
        guard let arrival = sendPacket(60, over: stream.route, from: to) else { return }
        push(.synAck, index, half: 1, to: from, at: arrival)
    }

    private func synAckArrived(_ index: UInt32) {
        let stream = streams[Int(index)]
        let (from, to) = (stream.halves[0].host, stream.target)
        guard stream.halves[0].isOpen, !stream.isStanding, passage(stream.route, to, from) == .free else { return }
        streams[Int(index)].isStanding = true
        // The other end's system has the connection now, whenever its process hears of it.
        let physics = physics(stream.route)
        let arrival = now + physics.latency(&network)
        streams[Int(index)].halves[0].arrives = arrival
        push(.ack, index, half: 0, to: to, at: arrival)
        turn(machines[Int(from)], .connected(stream.halves[0].id))
    }

    private func failDial(_ index: UInt32) {
        let half = streams[Int(index)].halves[0]
        guard !streams[Int(index)].isStanding, half.isOpen else { return }
        let machine = machines[Int(half.host)]
        endHalf(index, 0)
        turn(machine, .dialFailed(half.id))
    }

    private func resetArrived(_ index: UInt32, half sender: Int) {
        let stream = streams[Int(index)]
        let receiver = 1 - sender
        guard passage(stream.route, stream.halves[sender].host, stream.halves[receiver].host) == .free else { return }
        if !stream.isStanding { return failDial(index) }
        tellClosed(index, receiver)
    }

    /// A part comes to the other end, if it may.
    private func arrive(_ part: Stream.Part, _ index: UInt32, from sender: Int, isDropped: Bool) {
        let (from, to, route, isQueued) = streams.withUnsafeBufferPointer { streams in
            (
                streams[Int(index)].halves[sender].host, streams[Int(index)].halves[1 - sender].host,
                streams[Int(index)].route, !streams[Int(index)].halves[sender].parked.isEmpty
            )
        }
        if isDropped {
            park(part, index, sender)
            return stall(index)
        }
        guard !isQueued else { return park(part, index, sender) }
        switch passage(route, from, to) {
        case .free:
            if !machines[Int(to)].answers {
                stall(index)
                return park(part, index, sender)
            }
            if part.kind == .data, isRuined(part.payload, at: to) { return repeatLater(part, index, sender) }
            deliver(part, index, from: sender)
            // It came, but its sender does not hear so.
            if passage(streams[Int(index)].route, to, from) == .cut { stall(index) }
        case .held: park(part, index, sender)
        case .cut:
            park(part, index, sender)
            stall(index)
        }
    }

    /// Two spoke at once and nobody understood: what follows waits behind what is said again.
    private func repeatLater(_ part: Stream.Part, _ index: UInt32, _ sender: Int) {
        report.retransmissions += 1
        park(part, index, sender)
        let from = streams[Int(index)].halves[sender].host
        let route = streams[Int(index)].route
        guard let channel = channel(route, of: from) else { return stall(index) }
        let (left, _) = occupy(channel, physics(route), payloads[part.payload].count, of: from, over: route)
        if streams[Int(index)].stalledSince == .max { streams[Int(index)].stalledSince = now }
        streams[Int(index)].isRetrying = true
        push(.retry, index, half: 0, to: 0, at: left + 200_000 + network.below(200_000))
    }

    private func park(_ part: Stream.Part, _ index: UInt32, _ sender: Int) {
        streams[Int(index)].halves[sender].parked.append(part)
        if part.kind == .data { streams[Int(index)].halves[sender].parkedBytes += payloads[part.payload].count }
    }

    func deliver(_ part: Stream.Part, _ index: UInt32, from sender: Int) {
        let receiver = 1 - sender
        let (host, id, isOpen, isLost) = streams.withUnsafeBufferPointer { streams in
            (
                streams[Int(index)].halves[receiver].host, streams[Int(index)].halves[receiver].id,
                streams[Int(index)].halves[receiver].isOpen, streams[Int(index)].halves[receiver].isLost
            )
        }
        let machine = machines[Int(host)]
        switch part.kind {
        case .ack:
            guard machine.resident != nil else { return reset(index, by: receiver) }
            machine.lastAccepted += 1
            let id = ConnectionID.accepted(machine.lastAccepted)
            streams[Int(index)].halves[receiver].id = id
            streams[Int(index)].halves[receiver].isOpen = true
            machine.sockets.append(Machine.Socket(id: id, stream: index, half: receiver))
            // Nobody dials from the port it listens on.
            var source = machines[Int(streams[Int(index)].halves[sender].host)].address
            source.port = 40_000 + UInt16(truncatingIfNeeded: report.connections % 20_000)
            turn(machine, .accepted(id, from: source, isStatic: true))
        case .data:
            let bytes = payloads.take(part.payload)
            if isOpen {
                turn(machine, .received(id, bytes))
            } else if isLost {
                reset(index, by: receiver)
            }
        case .fin:
            if isOpen { tellClosed(index, receiver) } else { endHalf(index, sender) }
        case .deadline, .dial, .syn, .synAck, .reset, .dialTimeout, .drained, .retry, .streamTimeout, .datagram,
            .committed, .script, .sample, .hour, .stick:
            preconditionFailure("\(part.kind) is no part of a stream that stands")
        }
    }

    /// Nobody knows this stream here.
    private func reset(_ index: UInt32, by half: Int) {
        let stream = streams[Int(index)]
        let sender = stream.halves[half].host
        guard let arrival = sendPacket(40, over: stream.route, from: sender) else { return }
        push(.reset, index, half: half, to: stream.halves[1 - half].host, at: arrival)
    }

    // MARK: Sending

    func send(_ machine: Machine, _ id: ConnectionID, _ bytes: [UInt8]) {
        guard let socket = machine.socket(id), !bytes.isEmpty else { return }
        let index = socket.stream
        let (to, route) = streams.withUnsafeBufferPointer { streams in
            (streams[Int(index)].halves[1 - socket.half].host, streams[Int(index)].route)
        }
        for tap in taps { tap.heard(stream: bytes, from: machine.host, to: hosts[Int(to)], in: self) }
        let kind = FrameSummary.Kind(stream: bytes)
        report.traffic[Int(kind.rawValue)].count += 1
        report.traffic[Int(kind.rawValue)].bytes += bytes.count
        // What a link carries was told by whoever packed it.
        if kind != .transport { frames.add(FrameLedger.row(of: kind), bytes: bytes.count) }
        var late: UInt64 = 0
        var sent = bytes
        var isSafe = false
        var mark = UInt8(socket.half)
        switch judge(kind, from: machine.index, to: to, size: bytes.count) {
        case .pass, .duplicate: break
        case .deliver: isSafe = true
        case .drop: mark |= Self.dropped
        case .delay(let time): late = time.simulated
        case .corrupt:
            let at = faults.below(sent.count)
            sent[at] ^= UInt8(truncatingIfNeeded: 1 + faults.below(255))
        }
        let physics = physics(route)
        // Without its interface a part waits at what would be the other end, as behind any other cut.
        let channel = channel(route, of: machine.index)
        var at = 0
        while at < sent.count {
            let end = sent.count - at > physics.piece ? at + physics.piece : sent.count
            let piece = at == 0 && end == sent.count ? sent : Array(sent[at..<end])
            var left = now
            var transmission: UInt32 = 0
            var repeats: UInt64 = 0
            if let channel {
                let heads = (piece.count + physics.quality.mtu - 1) / physics.quality.mtu * Self.streamHead
                (left, transmission) = occupy(
                    channel, physics, piece.count + heads, of: machine.index, over: route)
                if !isSafe, !physics.isPerfect(channels[channel]) {
                    repeats = retransmissions(piece.count, physics, channel)
                }
            }
            streams[Int(index)].halves[socket.half].leaves = left
            let arrival = max(
                streams[Int(index)].halves[socket.half].arrives, left + physics.latency(&network) + repeats + late)
            streams[Int(index)].halves[socket.half].arrives = arrival
            push(
                .data, index, half: Int(mark), to: to, at: arrival,
                payload: payloads.keep(piece, transmission: transmission))
            at = end
        }
    }

    /// How much later a piece arrives because segments of it had to be sent again: TCP's shortest time-out, 200 ms, and
    /// double that for each time the same segment is lost. Segments of one piece wait together.
    private func retransmissions(_ size: Int, _ physics: Physics, _ channel: Int) -> UInt64 {
        var latest: UInt64 = 0
        var left = size
        while left > 0 {
            let segment = min(left, physics.quality.mtu)
            left -= segment
            var wait: UInt64 = 0
            var pause: UInt64 = 200_000
            while physics.loses(&channels[channel], &network) || physics.alters(segment, &network) {
                report.retransmissions += 1
                wait += pause
                pause = min(pause * 2, 60_000_000)
                if wait > streamTimeout { break }
            }
            latest = max(latest, wait)
        }
        return latest
    }

    func reportDrained(_ machine: Machine, _ id: ConnectionID) {
        guard let socket = machine.socket(id) else { return }
        let half = streams[Int(socket.stream)].halves[socket.half]
        if half.parkedBytes > options.socketBuffer {
            streams[Int(socket.stream)].halves[socket.half].awaitsDrain = true
            return
        }
        // The writer is told when what has not left fits the system's buffer.
        let slack = physics(streams[Int(socket.stream)].route).airtime(options.socketBuffer)
        push(
            .drained, socket.stream, half: socket.half, to: machine.index,
            at: half.leaves > now + slack ? half.leaves - slack : now)
    }

    // MARK: Ending

    /// The node closes: what was sent arrives first.
    func close(_ machine: Machine, _ id: ConnectionID) {
        guard let socket = machine.socket(id) else { return }
        let stream = streams[Int(socket.stream)]
        if stream.isStanding {
            let latency = physics(stream.route).latency(&network)
            let arrival = max(stream.halves[socket.half].arrives, now + latency)
            streams[Int(socket.stream)].halves[socket.half].arrives = arrival
            push(.fin, socket.stream, half: socket.half, to: stream.halves[1 - socket.half].host, at: arrival)
        }
        endHalf(socket.stream, socket.half)
    }

    /// The node closes at once: the other end learns it as soon as one packet takes, or never.
    func abort(_ machine: Machine, _ id: ConnectionID) {
        guard let socket = machine.socket(id) else { return }
        if streams[Int(socket.stream)].isStanding { reset(socket.stream, by: socket.half) }
        endHalf(socket.stream, socket.half)
    }

    /// The node at this end is told that the stream is over.
    func tellClosed(_ index: UInt32, _ half: Int) {
        let end = streams[Int(index)].halves[half]
        endHalf(index, half)
        if end.isOpen { turn(machines[Int(end.host)], .closed(end.id)) }
    }

    /// This end is gone, whatever the other knows. When both are, the stream is.
    func endHalf(_ index: UInt32, _ half: Int) {
        let end = streams[Int(index)].halves[half]
        guard end.isOpen else { return }
        streams[Int(index)].halves[half].isOpen = false
        machines[Int(end.host)].forget(end.id)
        let other = streams[Int(index)].halves[1 - half]
        // An end that has not been told of yet will be; one that knew and is gone will not.
        if !other.isOpen { freeStream(index) }
    }

    /// After both of its ends were lost.
    func freeIfOver(_ index: UInt32) {
        let halves = streams[Int(index)].halves
        if !halves[0].isOpen, !halves[1].isOpen { freeStream(index) }
    }

    private func freeStream(_ index: UInt32) {
        for half in 0...1 {
            for part in streams[Int(index)].halves[half].parked where part.kind == .data {
                payloads.release(part.payload)
            }
            streams[Int(index)].halves[half].parked = []
        }
        // Parts under way are known by the generation of a stream that is no more.
        streams[Int(index)].generation &+= 1
        streams[Int(index)].stalledSince = .max
        freeStreams.append(index)
    }

    // MARK: Cut off

    private func stall(_ index: UInt32) {
        guard streams[Int(index)].stalledSince == .max else { return }
        if options.cutClosesStreams { return breakStream(index) }
        streams[Int(index)].stalledSince = now
        stalled.append((index, streams[Int(index)].generation))
        push(
            .streamTimeout, index, half: 0, to: 0, at: now + streamTimeout,
            payload: UInt32(truncatingIfNeeded: now))
    }

    /// Both ends have given up.
    private func breakStream(_ index: UInt32) {
        let generation = streams[Int(index)].generation
        tellClosed(index, 0)
        if streams[Int(index)].generation == generation { tellClosed(index, 1) }
    }

    private func isPassable(_ stream: Stream) -> Bool {
        let (a, b) = (stream.halves[0].host, stream.halves[1].host)
        return passage(stream.route, a, b) != .cut && passage(stream.route, b, a) != .cut && machines[Int(a)].answers
            && machines[Int(b)].answers
    }

    /// A way may have opened: streams that are stalled try again, each when its next retransmission is due. The longer
    /// nothing came through, the longer that may take.
    func passagesOpened() {
        if stalled.isEmpty { return }
        var still: [(index: UInt32, generation: UInt16)] = []
        for (index, generation) in stalled {
            let stream = streams[Int(index)]
            guard stream.generation == generation, stream.stalledSince != .max else { continue }
            still.append((index, generation))
            guard !stream.isRetrying, isPassable(stream) else { continue }
            streams[Int(index)].isRetrying = true
            push(
                .retry, index, half: 0, to: 0, at: now + network.below(min(now - stream.stalledSince, 60_000_000) + 1))
        }
        stalled = still
    }

    /// A way has closed. Streams over it notice when they send; all at once where the interface is gone.
    func passagesClosed() {
        guard options.cutClosesStreams else { return }
        for index in streams.indices {
            let stream = streams[index]
            guard stream.isStanding, stream.halves[0].isOpen || stream.halves[1].isOpen, !isPassable(stream) else {
                continue
            }
            breakStream(UInt32(index))
        }
    }

    private func retry(_ index: UInt32) {
        streams[Int(index)].isRetrying = false
        guard streams[Int(index)].stalledSince != .max, isPassable(streams[Int(index)]) else { return }
        streams[Int(index)].stalledSince = .max
        let generation = streams[Int(index)].generation
        for half in 0...1 where streams[Int(index)].generation == generation { flushParked(index, half) }
    }

    /// Everything that waited arrives, as far as the way is free.
    func flushParked(_ index: UInt32, _ half: Int, most: Int = .max) {
        let generation = streams[Int(index)].generation
        var parts = streams[Int(index)].halves[half].parked
        streams[Int(index)].halves[half].parked = []
        streams[Int(index)].halves[half].parkedBytes = 0
        let later = parts.count > most ? Array(parts[most...]) : []
        if parts.count > most { parts.removeSubrange(most...) }
        for (number, part) in parts.enumerated() {
            guard streams[Int(index)].generation == generation else {
                for part in parts[number...] + later where part.kind == .data { payloads.release(part.payload) }
                return
            }
            deliver(part, index, from: half)
        }
        guard streams[Int(index)].generation == generation else {
            for part in later where part.kind == .data { payloads.release(part.payload) }
            return
        }
        for part in later { park(part, index, half) }
        if later.isEmpty, streams[Int(index)].halves[half].awaitsDrain {
            streams[Int(index)].halves[half].awaitsDrain = false
            let end = streams[Int(index)].halves[half]
            if end.isOpen { turn(machines[Int(end.host)], .drained(end.id)) }
        }
    }
}
