import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyNode
import CoveySync

/// A member that speaks for itself, frame by frame: it has a device, a certificate and the epoch keys, and need not keep
/// any rule.
///
/// By itself it behaves: it dials every honest host it reaches, agrees to whatever notes and bundles the other has, takes
/// mail, acknowledges it, reconciles, and passes mail on. What it does otherwise its conducts say.
final class Insider: Resident {
    /// What a member knows of the mesh. It stops growing with its revocation.
    private struct Knowledge {
        var membership: Membership
        /// What it shows of the log.
        var heads: [CoveredRow]
        var entries: [LogEntry]
        var epochs: [(entry: EntryID, keys: EpochKeys)]
    }

    private enum Attempt {
        case dialling
        case initiating(Initiator)
        case responding(Responder)
    }

    /// A connection on its way to being a link.
    private struct Call {
        let host: Host
        let deadline: UInt64
        var attempt = Attempt.dialling
        var packets = PacketBuffer()
    }

    /// A connection on which no link is meant to come.
    private struct RawCall {
        let host: Host
        var bytes: [UInt8]
        let deadline: UInt64
        /// A byte at a time, when `dribble` says so.
        let isSlow: Bool
        var isUp = false
    }

    private struct Target {
        var next: UInt64 = 0
        var pause = InsiderBounds.redial.lowerBound
        var tries = 0
    }

    private unowned let world: World
    let host: Host
    let identity: DeviceIdentity
    let random: SeededRandom
    private let conducts: [any Conduct]
    private let context: LinkContext
    private var knowledge: Knowledge
    private(set) var now = Now(uptime: 0, wall: 0)
    private var nextTick: UInt64 = 0
    private var lastConnection: UInt32 = 0
    private var calls: [ConnectionID: Call] = [:]
    private var rawCalls: [ConnectionID: RawCall] = [:]
    private var targets: [Int: Target] = [:]
    /// In the order in which they came up.
    private(set) var links: [InsiderLink] = []
    private(set) var held: [EnvelopeID: [UInt8]] = [:]
    private var sets: [Namespace: KnownSet] = [:]
    private var wishes: [Effect] = []

    init(in world: World, on host: Host, _ conducts: [any Conduct]) {
        guard let identity = world.identity(of: host) else { preconditionFailure("an insider is enrolled") }
        self.world = world
        self.host = host
        self.identity = identity
        self.conducts = conducts
        random = SeededRandom(seed: world.seed, stream: "insider \(host.index) at \(world.time.simulated)")
        context = LinkContext(mesh: world.founding.mesh, transport: .stream, key: identity.link)
        knowledge = Self.knowledge(of: host, in: world)
        for namespace in Priority.allCases.map(Namespace.mail) {
            sets[namespace] = KnownSet(namespace, seed: random.nextWord())
        }
        let store = world.store(of: host)
        for record in store.known().held {
            if let bytes = store.envelope(record.id), let envelope = try? Envelope(parsing: bytes) { keep(envelope) }
        }
    }

    // MARK: What it knows

    private static func knowledge(of host: Host, in world: World) -> Knowledge {
        guard let patron = world.patron(of: host) else {
            let membership = world.membership
            return Knowledge(
                membership: membership, heads: membership.heads, entries: world.logEntries,
                epochs: world.epochs.map { ($0.entry, EpochKeys($0.key)) })
        }
        let (membership, entries, epochs) = patron.knowledge
        // Of each log the last entry that it may show: a certificate that was given in secret is not among them.
        let heads = membership.heads.map { head in
            entries.last { $0.log == head.log && $0.sequence <= head.sequence }.map {
                CoveredRow(log: $0.log, sequence: $0.sequence, id: $0.id)
            } ?? head
        }
        return Knowledge(
            membership: membership, heads: heads, entries: entries,
            epochs: epochs.map { ($0.entry, EpochKeys($0.key)) })
    }

    private func learn() {
        if !isRevoked { knowledge = Self.knowledge(of: host, in: world) }
    }

    /// Whether the authority has revoked it: nobody tells it more of the mesh then.
    var isRevoked: Bool { world.membership.isRevoked(identity.id) }

    var minute: Minute { world.minute }

    /// The keys of the newest epoch it has.
    var epochKeys: EpochKeys? { knowledge.epochs.last?.keys }

    /// Hosts it may do harm to: honest ones within its reach, in order.
    var reach: [Host] {
        world.hosts.filter { $0 != host && world.isHonest($0) && world.reaches(host, $0) }
    }

    var mesh: MeshID { world.founding.mesh }

    var address: SocketAddress { world.address(of: host) }

    // MARK: The door

    var nextDeadline: UInt64? { nextTick }

    func handle(_ event: Event, at now: Now, store: any Store, into effects: inout Effects) {
        self.now = now
        switch event {
        case .deadline: if now.uptime >= nextTick { tick() }
        case .connected(let connection): connected(connection)
        case .received(let connection, let bytes): received(bytes, on: connection)
        case .dialFailed(let connection, _), .closed(let connection): lost(connection)
        // It dials; nobody has a reason to dial it.
        case .accepted(let connection, _, _): wishes.append(.abort(connection))
        case .datagram(let bytes, _, _): for conduct in conducts { conduct.heard(datagram: bytes, of: self) }
        case .endpoints, .drained, .command, .wiped: break
        }
        for link in links where !link.transport.sender.isEmpty {
            let bytes = link.transport.sender.take()
            link.transport.sender.readTally { world.wrote($0, on: link.connection, from: host) }
            wishes.append(.send(link.connection, bytes))
        }
        for wish in wishes { effects.append(wish) }
        wishes.removeAll(keepingCapacity: true)
    }

    private func tick() {
        nextTick = now.uptime + 1_000_000
        for (connection, call) in calls.sorted(by: { $0.key < $1.key }) where now.uptime >= call.deadline {
            abort(connection)
        }
        for (connection, call) in rawCalls.sorted(by: { $0.key < $1.key }) where now.uptime >= call.deadline {
            abort(connection)
        }
        for host in reach { dial(host) }
        for conduct in conducts { conduct.ticked(self) }
    }

    // MARK: Connections

    private func dial(_ other: Host) {
        guard now.uptime >= targets[other.index, default: Target()].next, hasRoom,
            !links.contains(where: { $0.host == other }), !calls.values.contains(where: { $0.host == other })
        else { return }
        learn()
        calls[open(other)] = Call(host: other, deadline: now.uptime + InsiderBounds.handshake)
        postpone(other)
    }

    private func postpone(_ other: Host) {
        var target = targets[other.index, default: Target()]
        target.next = now.uptime + target.pause
        // Whoever is not let in any more has no reason to be patient.
        if !isRevoked { target.pause = min(2 * target.pause, InsiderBounds.redial.upperBound) }
        target.tries += 1
        targets[other.index] = target
    }

    private var hasRoom: Bool { links.count + calls.count + rawCalls.count < InsiderBounds.connections }

    private func open(_ other: Host) -> ConnectionID {
        lastConnection += 1
        let connection = ConnectionID.dialled(lastConnection)
        wishes.append(.dial(connection, world.address(of: other)))
        return connection
    }

    /// Connects to a host, says these bytes, and leaves it at that until the deadline.
    ///
    /// - Parameter duration: microseconds.
    func dial(_ other: Host, saying bytes: [UInt8], for duration: UInt64, slowly isSlow: Bool = false) {
        guard hasRoom else { return }
        rawCalls[open(other)] = RawCall(host: other, bytes: bytes, deadline: now.uptime + duration, isSlow: isSlow)
    }

    /// Connections to a host that no link is meant to come of.
    func rawCalls(to other: Host) -> Int { rawCalls.values.count { $0.host == other } }

    /// Says one more byte on each slow call that stands.
    func dribble() {
        for connection in rawCalls.keys.sorted() {
            guard let call = rawCalls[connection], call.isSlow, call.isUp, let byte = call.bytes.first else { continue }
            rawCalls[connection]?.bytes.removeFirst()
            wishes.append(.send(connection, [byte]))
        }
    }

    func multicast(_ datagram: [UInt8]) { wishes.append(.multicast(datagram)) }

    private func abort(_ connection: ConnectionID) {
        wishes.append(.abort(connection))
        lost(connection)
    }

    private func lost(_ connection: ConnectionID) {
        calls[connection] = nil
        rawCalls[connection] = nil
        links.removeAll { $0.connection == connection }
    }

    private func connected(_ connection: ConnectionID) {
        if let call = rawCalls[connection] {
            rawCalls[connection]?.isUp = true
            if !call.isSlow, !call.bytes.isEmpty { wishes.append(.send(connection, call.bytes)) }
            return
        }
        guard let call = calls[connection], !knowledge.epochs.isEmpty else { return }
        // The newest first; whoever is not heard tries what else there is, and every other time claims to be ahead.
        let tries = max(0, targets[call.host.index, default: Target()].tries - 1)
        let epoch = knowledge.epochs[knowledge.epochs.count - 1 - tries % knowledge.epochs.count]
        var packet: [UInt8] = []
        let first = FirstPayload(isAhead: isRevoked && tries % 2 == 1, slot: BeaconSlot(of: minute).value)
        let initiator = Initiator(context, psk: epoch.keys.psk.key, first: first, random: random, to: &packet)
        calls[connection]?.attempt = .initiating(initiator)
        wishes.append(.send(connection, packet))
        for conduct in conducts { conduct.knocked(packet, of: self) }
    }

    private func received(_ bytes: [UInt8], on connection: ConnectionID) {
        do {
            if let link = links.first(where: { $0.connection == connection }) { return try read(bytes, on: link) }
            calls[connection]?.packets.append(bytes)
            while let packet = try calls[connection]?.packets.next() {
                try step(packet, on: connection)
                if let link = links.last, link.connection == connection {
                    var packets = calls.removeValue(forKey: connection)?.packets ?? PacketBuffer()
                    return try read(packets.takeRest(), on: link)
                }
            }
        } catch {
            // It does not matter who was at fault: it comes again.
            abort(connection)
        }
    }

    private func step(_ packet: HandshakePacket, on connection: ConnectionID) throws {
        guard let call = calls[connection] else { return }
        switch call.attempt {
        case .dialling: throw LinkFault.outOfOrder(packet.kind)
        case .initiating(let initiator) where packet.kind == .first:
            // It is to show itself first.
            let held = knowledge.epochs.map { HeldPSK(epoch: $0.keys.commit, psk: $0.keys.psk.key) }
            let first = try FirstMessage.open(
                packet, context: context, held: held, expecting: initiator.expectation)
            let (bytes, responder) = try first.respond(payload(), random: random)
            calls[connection]?.attempt = .responding(responder)
            wishes.append(.send(connection, bytes))
        case .initiating(let initiator):
            let (bytes, transport) = try initiator.open(packet).finish(payload(), now: now.uptime, random: random)
            wishes.append(.send(connection, bytes))
            begin(connection, call, transport)
        case .responding(let responder):
            begin(connection, call, try responder.open(packet, now: now.uptime, random: random).transport)
        }
    }

    private func payload() throws -> AuthPayload {
        guard let certificate = knowledge.membership.currentCertificate(identity.id),
            let authorities = knowledge.membership.authorityChain(of: certificate.issuer)
        else { throw LinkFault.payloadTooLarge }
        return AuthPayload(
            certificate: certificate.signed, chain: .full(authorities.map(\.signed)), headsDigest: Octets32(),
            rootSequence: 0, rootID: Octets16(),
            epochs: knowledge.epochs.suffix(LinkBounds.epochCommits).map { Octets8(prefixOf: $0.keys.commit) },
            time: minute, timeIsTrusted: true, bootSalt: Octets8())
    }

    private func begin(_ connection: ConnectionID, _ call: Call, _ transport: Transport) {
        guard let peer = world.identity(of: call.host)?.id else { return }
        let link = InsiderLink(connection, with: call.host, transport: transport, own: identity.id, peer: peer)
        link.transport.sender.startTally()
        links.append(link)
        targets[call.host.index]?.pause = InsiderBounds.redial.lowerBound
        for frame in Frame.LogHeads.list(knowledge.heads) { link.say(frame) }
    }

    // MARK: Frames

    private func read(_ bytes: [UInt8], on link: InsiderLink) throws {
        var frames: [(type: FrameType, body: [UInt8])] = []
        try link.transport.receiver.receive(adopting: bytes) { type, body in
            frames.append((type, [UInt8](copying: body)))
        }
        for (type, body) in frames { try receive(type, body, on: link) }
    }

    private func receive(_ type: FrameType, _ body: [UInt8], on link: InsiderLink) throws {
        switch type {
        case .hello: try receive(Frame.Hello(parsing: body.span.bytes), on: link)
        case .ping: link.say(Frame.Pong(to: try Frame.Ping(parsing: body.span.bytes), time: 0))
        case .digest, .summary, .recon, .reconDone: try receiveSync(type, body, on: link)
        case .data: try receiveData(body, on: link)
        case .dataAck:
            for row in try Frame.DataAck(parsing: body.span.bytes).rows { link.pushed[row.id] = nil }
            settle(link)
        case .want:
            if case .ids(let rows) = try Frame.Want(parsing: body.span.bytes) { give(rows.map(\.id), on: link) }
        case .notHave:
            for namespace in link.wanted.keys.sorted() { link.wanted[namespace] = 0 }
            settle(link)
        case .logGet:
            let get = try Frame.LogGet(parsing: body.span.bytes)
            let entries = knowledge.entries.filter { $0.log == get.log && $0.sequence >= get.from }
            link.transport.sender.append(all: Frame.LogPut(entries.prefix(Int(get.most)).map(\.signed)))
        case .logPut, .notePut, .bundlePut: for conduct in conducts { conduct.took(type, body, of: self) }
        case .bye, .pong, .credit, .join, .forwardJoin, .neighbor, .neighborReply, .shuffle, .shuffleReply, .iHave,
            .graft, .prune, .iDontWant, .offer, .cancel, .vax, .util, .logHeads, .epochKey, .wantCert, .cert,
            .bundleGet, .pairPrekey, .timeRequest, .timeResponse:
            break
        }
    }

    private func receive(_ hello: Frame.Hello, on link: InsiderLink) throws {
        sayHello(link)
        guard !link.isOpen else { return }
        link.isOpen = true
        for body in hello.digests { try receiveSync(.digest, body, on: link) }
        for conduct in conducts { conduct.opened(link, of: self) }
    }

    private func sayHello(_ link: InsiderLink) {
        guard !link.saidHello else { return }
        link.saidHello = true
        let error = conducts.reduce(0) { $0 + $1.clockError }
        let seconds = max(0, Int64(minute.value) * 60 + error)
        link.say(
            Frame.Hello(
                instance: Octets8.random(from: random), clock: min(UInt64(seconds) * 1000, Frame.Hello.mostClock),
                timeIsTrusted: true, epoch: epochKeys?.prefix ?? EpochPrefix(), credits: .init(repeating: 1 << 23)))
    }

    // MARK: Sets

    private func receiveSync(_ type: FrameType, _ body: [UInt8], on link: InsiderLink) throws {
        guard let frame = try SyncFrame(type: type.rawValue, body: body.span.bytes) else { return }
        guard frame.namespace != .notes, frame.namespace != .bundles else {
            // Whatever the other has of these, it agrees.
            if case .digest = frame { link.say(.digest, body) }
            if frame.namespace == .notes { sayHello(link) }
            return
        }
        for conduct in conducts where conduct.answered(frame, on: link, of: self) { return }
        guard var reconciler = link.reconcilers[frame.namespace] else { return }
        if case .digest = frame { forgetRun(frame.namespace, on: link) }
        let steps = try sets[frame.namespace].map { set in
            var set = set
            defer { sets[frame.namespace] = set }
            return try reconciler.receive(frame, set: &set, clock: clock, now: now.uptime)
        }
        link.reconcilers[frame.namespace] = reconciler
        perform(steps ?? [], frame.namespace, link)
    }

    private var clock: SyncClock { SyncClock(own: minute, peer: nil) }

    private func forgetRun(_ namespace: Namespace, on link: InsiderLink) {
        link.wanted[namespace] = nil
        link.pushed = link.pushed.filter { $0.value != namespace }
    }

    private func perform(_ steps: [SyncStep], _ namespace: Namespace, _ link: InsiderLink) {
        for step in steps {
            switch step {
            case .send(let frame):
                guard let type = FrameType(rawValue: frame.type) else { preconditionFailure("20 to 23 are frames") }
                link.say(type, frame.body)
            case .push(let ids): for id in ids { push(EnvelopeID(prefixOf: id), of: namespace, on: link) }
            case .want(let ids):
                link.wanted[namespace, default: 0] += ids.count
                for start in stride(from: 0, to: ids.count, by: Frame.Want.mostRows) {
                    let some = ids[start..<min(start + Frame.Want.mostRows, ids.count)]
                    link.say(Frame.Want.ids(some.map { Frame.Want.Row(id: Octets8(prefixOf: $0)) }))
                }
            case .finished: forgetRun(namespace, on: link)
            }
        }
        settle(link)
    }

    private func settle(_ link: InsiderLink) {
        for namespace in link.reconcilers.keys.sorted() {
            guard var reconciler = link.reconcilers[namespace], reconciler.awaitsTransfers, link.isSettled(namespace),
                var set = sets[namespace]
            else { continue }
            let steps = reconciler.settled(set: &set)
            sets[namespace] = set
            link.reconcilers[namespace] = reconciler
            perform(steps, namespace, link)
        }
    }

    // MARK: Mail

    /// Remembers an envelope as held; false when it is known, or there is no room.
    @discardableResult
    func keep(_ envelope: Envelope) -> Bool {
        let header = envelope.header
        guard held.count < InsiderBounds.held, held[envelope.id] == nil else { return false }
        held[envelope.id] = envelope.bytes
        sets[.mail(header.priority)]?.insert(
            Item(slot: header.slot, id: ItemID(envelope.id), expiry: header.expiry))
        return true
    }

    private func receiveData(_ body: [UInt8], on link: InsiderLink) throws {
        let data = try Frame.Data(parsing: body.span.bytes)
        let envelope = try Envelope(parsing: [UInt8](copying: data.bytes))
        let isNew = keep(envelope)
        link.say(
            Frame.DataAck([
                Frame.DataAck.Row(id: link.transport.shortIDs.shortID(of: envelope.id), status: .stored)
            ]))
        let namespace = Namespace.mail(envelope.header.priority)
        if let wanted = link.wanted[namespace] { link.wanted[namespace] = max(0, wanted - 1) }
        settle(link)
        guard isNew else { return }
        for conduct in conducts { conduct.took(envelope, of: self) }
        for other in links where other !== link && other.isOpen {
            if let handed = handsOn(envelope.id, envelope.bytes) { other.say(handed) }
        }
    }

    private func handsOn(_ id: EnvelopeID, _ bytes: [UInt8]) -> HandedOn? {
        var handed = HandedOn(id: id, bytes: bytes)
        for conduct in conducts {
            guard let next = conduct.handsOn(handed, of: self) else { return nil }
            handed = next
        }
        return handed
    }

    private func push(_ id: EnvelopeID, of namespace: Namespace, on link: InsiderLink) {
        guard let bytes = held[id], let handed = handsOn(id, bytes) else { return }
        link.pushed[link.transport.shortIDs.shortID(of: handed.id)] = namespace
        link.say(handed)
    }

    /// What a WANT names.
    private func give(_ wanted: [Octets8], on link: InsiderLink) {
        var open = wanted.map { ShortID(prefixOf: $0) }
        for namespace in link.reconcilers.keys.sorted() where !open.isEmpty {
            guard var reconciler = link.reconcilers[namespace], var set = sets[namespace] else { continue }
            let found = reconciler.resolve(open, set: &set)
            sets[namespace] = set
            link.reconcilers[namespace] = reconciler
            for id in found.compactMap(\.self) { push(EnvelopeID(prefixOf: id), of: namespace, on: link) }
            open = zip(open, found).filter { $0.1 == nil }.map(\.0)
        }
        if !open.isEmpty { link.say(Frame.NotHave(open.map { Octets8(prefixOf: $0) })) }
    }

    /// An envelope of valid form, with nothing in it.
    func makeEnvelope(_ bucket: Bucket = .bytes512, tag: RecipientTag? = nil, body: [UInt8]? = nil) -> Envelope {
        let header = EnvelopeHeader(
            kind: .pairwise, priority: .normal, ttl: .week, bucket: bucket, zone: .any,
            expiry: .expiry(of: .week, priority: .normal, from: minute), tag: tag ?? .random(from: random),
            purgeCommit: .random(from: random))
        do {
            return try Envelope(
                parsing: header.withSpan { [UInt8](copying: $0) } + (body ?? random.bytes(bucket.bodySize)))
        } catch { preconditionFailure("what is made by the rules is read by them: \(error)") }
    }
}

extension ConnectionID {
    fileprivate static func < (left: ConnectionID, right: ConnectionID) -> Bool {
        switch (left, right) {
        case (.dialled(let one), .dialled(let other)): one < other
        case (.accepted(let one), .accepted(let other)): one < other
        case (.dialled, .accepted): true
        case (.accepted, .dialled): false
        }
    }
}

extension Sequence where Element == ConnectionID {
    fileprivate func sorted() -> [ConnectionID] { sorted { $0 < $1 } }
}
