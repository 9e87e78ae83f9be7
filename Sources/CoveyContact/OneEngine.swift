/// Runs contacts and messages as The ONE does, to the last counter (SEMANTICS.md: the rules, and no code of it).
///
/// The ONE updates every node in every round, and a round is due for every event and every tick. Nearly all of these
/// updates change nothing. This engine runs only those that may: a node is *woken* when something happened that its
/// next update could answer to, and a round in which nobody is awake costs a count. What remains exact is the order:
/// the rounds that were passed over still move the places of the nodes (`OneRoundOrder`).
///
/// An update depends on who is busy, on what the node and its neighbours hold, and on PRoPHET's values. Time alone
/// only takes away: an expired message is refused. So a node sleeps until
/// - a link of it comes up,
/// - it gains a copy, or a neighbour gains one that is for it,
/// - a neighbour loses a copy (and could take it again),
/// - it or a neighbour is no longer busy,
/// - a transfer of it may have ended, or copies of it may have expired.
///
/// With PRoPHET every node that has links and messages is awake, for values are read, and aged, in every round.
package struct OneEngine {
    static let none: Int32 = -1

    let settings: OneSettings
    let changes: [ContactChange]
    let messages: [PlannedMessage]
    let from: [Int]
    let to: [Int]
    let created: [Double]

    var now = 0.0
    /// `now` to the nearest second, a half upwards: the seed of everything that is random in a round.
    var second: Int64 = 0
    var buffers: OneBuffers
    var links: OneLinks
    /// Of no node, with other routers than PRoPHET.
    var predictability: OnePredictability
    let agesAtReads: Bool
    var counters = MessageCounters()

    /// The ways that copies came: each step names the node and the step before it.
    var stepNodes: [Int32] = []
    var stepBefore: [Int32] = []

    /// The link over which a node sends, up or just gone down.
    var sending: [Int32]
    /// The link, always one that is up, over which a node receives.
    var receiving: [Int32]
    /// Messages on their way to each node that it has not received yet, for those created so far.
    var pending: [[Int32]]
    var isDelivered: [Bool]
    var arrivals: [(message: Int, time: Double, path: Int32)] = []

    // Transfers: links that are loaded, and the earliest time at which one of them may be over.
    var loaded: [Int32] = []
    var loadedPlace: [Int32] = []
    var nextFinish = Double.infinity

    // Lives that end.
    var lastCheck: [Double]
    var nextCheck = Double.infinity
    /// Not later than the creation of any message a node holds.
    var earliest: [Double]
    /// What `lastCheck` was before this round looked after all sleeping nodes at once.
    var checkBefore: [Double]
    var checkRound: [Int]

    // The round.
    var order: OneRoundOrder
    var round = 0
    var isInRound = false
    /// The place whose node is being updated.
    var place = 0
    var isAwake: [Bool]
    /// Who is awake for the next round.
    var awake: [Int32] = []
    /// A bit a place: who is awake in this round, and who stands there.
    var places: [UInt64]
    var standing: [Int32]

    // Room for what one update lists, kept from one to the next.
    var offers: [OneOffer] = []

    /// - Throws: `OneMistake`, when a value is out of its bounds or names a host that is not there.
    package init(_ settings: OneSettings, trace: ContactTrace, workload: [PlannedMessage]) throws(OneMistake) {
        try Self.check(settings, trace, workload)
        let nodes = settings.nodes
        self.settings = settings
        changes = trace.changes
        messages = workload
        from = workload.map { Int($0.from) }
        to = workload.map { Int($0.to) }
        created = workload.map { Self.seconds($0.time) }
        var sprays = false
        if case .sprayAndWait = settings.router { sprays = true }
        buffers = OneBuffers(
            nodes: nodes, names: workload.map(\.name), sizes: workload.map(\.size), capacity: settings.buffer,
            sprays: sprays)
        links = OneLinks(nodes: nodes)
        if case .prophet(let rules) = settings.router {
            predictability = OnePredictability(nodes: nodes, rules: rules)
            agesAtReads = true
        } else {
            predictability = OnePredictability(nodes: 0, rules: OneProphet())
            agesAtReads = false
        }
        sending = Array(repeating: Self.none, count: nodes)
        receiving = sending
        pending = Array(repeating: [], count: nodes)
        isDelivered = Array(repeating: false, count: workload.count)
        lastCheck = Array(repeating: 0, count: nodes)
        checkBefore = lastCheck
        checkRound = Array(repeating: -1, count: nodes)
        earliest = Array(repeating: .infinity, count: nodes)
        if settings.ttl != nil { nextCheck = Self.checkInterval }
        order = OneRoundOrder(nodes: nodes, isShuffled: settings.shufflesNodes)
        isAwake = Array(repeating: false, count: nodes)
        places = Array(repeating: 0, count: (nodes + 63) / 64)
        standing = sending
    }

    /// From the start to the end.
    ///
    /// - Parameter progress: told once in 600 simulated seconds how far it is, in seconds.
    package static func run(
        _ settings: OneSettings, trace: ContactTrace, workload: [PlannedMessage],
        progress: (Double) -> Void = { _ in }
    ) throws(OneMistake) -> OneResult {
        var engine = try OneEngine(settings, trace: trace, workload: workload)
        engine.run(progress)
        return engine.result
    }

    private mutating func run(_ progress: (Double) -> Void) {
        var change = 0
        var message = 0
        var told = 0.0
        while now < settings.end {
            if now >= told + 600 {
                told = now
                progress(now)
            }
            let until = now + settings.tick
            while true {
                let changeTime = change < changes.count ? Self.seconds(changes[change].time) : .infinity
                let messageTime = message < messages.count ? created[message] : .infinity
                // At one time the trace goes first.
                guard min(changeTime, messageTime) <= until else { break }
                if changeTime <= messageTime {
                    set(changeTime)
                    apply(changes[change])
                    change += 1
                } else {
                    set(messageTime)
                    create(message)
                    message += 1
                }
                updateAll()
            }
            set(until)
            updateAll()
        }
    }

    package var result: OneResult {
        let delivered = arrivals.map { arrival in
            var path: [UInt32] = []
            var step = arrival.path
            while step >= 0 {
                path.append(UInt32(stepNodes[Int(step)]))
                step = stepBefore[Int(step)]
            }
            return OneDelivery(
                name: messages[arrival.message].name, time: arrival.time,
                latency: arrival.time - created[arrival.message], path: path.reversed())
        }
        return OneResult(counters: counters, delivered: delivered)
    }

    private mutating func set(_ time: Double) {
        now = time
        second = Int64((time + 0.5).rounded(.down))
    }

    // MARK: Events

    private mutating func apply(_ change: ContactChange) {
        let a = Int(change.a)
        let b = Int(change.b)
        let link = links.find(a, b)
        if change.isUp {
            guard link == nil else { return }
            links.connect(a, b)
            while loadedPlace.count < links.loads.count { loadedPlace.append(Self.none) }
            if agesAtReads {
                predictability.meet(a, b, now: now)
                predictability.meet(b, a, now: now)
            }
            wake(a)
            wake(b)
        } else if let link {
            links.disconnect(link)
            guard links.isLoaded(link) else { return }
            let load = links.loads[link]
            receiving[Int(load.receiver)] = Self.none
            wake(Int(load.sender))
            freed(Int(load.receiver))
        }
    }

    private mutating func create(_ message: Int) {
        counters.created += 1
        let node = from[message]
        _ = makeRoom(node, messages[message].size)
        var copies: Int32 = 1
        if case .sprayAndWait(let first) = settings.router { copies = Int32(first) }
        pending[to[message]].append(Int32(message))
        keep(
            node,
            OneCopy(
                message: Int32(message), copies: copies, hops: 0, path: step(node, after: Self.none), received: now))
    }

    // MARK: Rounds

    private mutating func updateAll() {
        order.advance(second: second)
        round += 1
        if now >= nextFinish { wakeSenders() }
        if now >= nextCheck { checkLives() }
        if agesAtReads {
            for node in links.linked { wake(Int(node)) }
        }
        guard !awake.isEmpty else { return }
        order.settle()
        isInRound = true
        var word = places.count
        for node in awake {
            standAt(Int(order.places[Int(node)]), node)
            word = min(word, Int(order.places[Int(node)]) >> 6)
        }
        awake.removeAll(keepingCapacity: true)
        while word < places.count {
            // Later places may be added to this word while its nodes are updated.
            while places[word] != 0 {
                place = word << 6 + places[word].trailingZeroBitCount
                places[word] &= places[word] - 1
                let node = Int(standing[place])
                isAwake[node] = false
                update(node)
            }
            word += 1
        }
        isInRound = false
    }

    /// The node's next update has to be run: in this round when its place is still to come.
    mutating func wake(_ node: Int) {
        guard !isAwake[node] else { return }
        // Who has nothing, or nobody near, does nothing, but for looking after its own transfer.
        guard sending[node] >= 0 || !buffers.isEmpty(node) && links.first[node] >= 0 else { return }
        isAwake[node] = true
        if isInRound, order.places[node] > place {
            standAt(Int(order.places[node]), Int32(node))
        } else {
            awake.append(Int32(node))
        }
    }

    private mutating func standAt(_ place: Int, _ node: Int32) {
        places[place >> 6] |= 1 << UInt64(place & 63)
        standing[place] = node
    }

    private mutating func wakeNeighbours(_ node: Int) {
        var end = links.first[node]
        while end >= 0 {
            wake(Int(links.peer[Int(end)]))
            end = links.next[Int(end)]
        }
    }

    /// A node is no longer busy: it and its neighbours may go on.
    func isBusy(_ node: Int) -> Bool { sending[node] >= 0 || receiving[node] >= 0 }

    mutating func freed(_ node: Int) {
        wake(node)
        wakeNeighbours(node)
    }

    // MARK: One node's update

    private mutating func update(_ node: Int) {
        if sending[node] >= 0 { lookAfterTransfer(node) }
        if settings.ttl != nil, now - lastCheck[node] >= Self.checkInterval, sending[node] < 0 {
            dropExpired(node)
            lastCheck[node] = now
        }
        guard !isBusy(node), !buffers.isEmpty(node), links.first[node] >= 0 else { return }
        if exchangeDeliverables(node) { return }
        route(node)
    }

    private mutating func lookAfterTransfer(_ node: Int) {
        let link = Int(sending[node])
        let load = links.loads[link]
        if isOver(load) {
            complete(link, load)
        } else if !links.isUp[link] {
            counters.aborted += 1
            end(link, load)
        } else {
            return
        }
        if buffers.free(node) < 0 { _ = makeRoom(node, 0) }
    }

    private mutating func complete(_ link: Int, _ load: OneLinks.Load) {
        let message = Int(load.message)
        let sender = Int(load.sender)
        let receiver = Int(load.receiver)
        counters.relayed += 1
        switch settings.router {
        case .sprayAndWait: if buffers.holds(sender, message) { buffers.halve(sender, message) }
        case .firstContact:
            if buffers.holds(sender, message) {
                counters.removed += 1
                lose(sender, at: buffers.place(sender, message))
            }
        case .epidemic, .directDelivery, .prophet: break
        }
        end(link, load)
        if receiver == to[message] {
            guard !isDelivered[message] else { return }
            isDelivered[message] = true
            counters.delivered += 1
            pending[receiver].removeAll { $0 == load.message }
            arrivals.append((message, now, step(receiver, after: load.path)))
        } else {
            keep(
                receiver,
                OneCopy(
                    message: load.message, copies: load.copies / 2, hops: load.hops + 1,
                    path: step(receiver, after: load.path), received: now))
        }
    }

    /// The link carries nothing any more, and neither end is busy with it.
    private mutating func end(_ link: Int, _ load: OneLinks.Load) {
        links.unload(link)
        let moved = loaded.removeLast()
        if moved != Int32(link) {
            loaded[Int(loadedPlace[link])] = moved
            loadedPlace[Int(moved)] = loadedPlace[link]
        }
        sending[Int(load.sender)] = Self.none
        if receiving[Int(load.receiver)] == Int32(link) { receiving[Int(load.receiver)] = Self.none }
        // The sender is being updated and goes on by itself; its neighbours may have waited for it.
        wakeNeighbours(Int(load.sender))
        freed(Int(load.receiver))
    }

    // MARK: Transfers

    /// A transfer is over when less than one byte is left.
    private func isOver(_ load: OneLinks.Load) -> Bool {
        ((load.finish - now) * Double(settings.speed)).rounded(.towardZero) <= 0
    }

    private mutating func wakeSenders() {
        nextFinish = .infinity
        for link in loaded {
            let load = links.loads[Int(link)]
            if isOver(load) { wake(Int(load.sender)) }
            nextFinish = min(nextFinish, earliestFinish(load))
        }
    }

    /// A time before which a transfer is surely not over.
    private func earliestFinish(_ load: OneLinks.Load) -> Double { load.finish - 1.5 / Double(settings.speed) - 1e-6 }

    /// Offers the copy at this place of the sender's order; true when the receiver took it and the transfer began.
    mutating func offer(_ link: Int, _ sender: Int, _ copyPlace: Int, to receiver: Int) -> Bool {
        let copy = buffers.copies[sender][copyPlace]
        let message = Int(copy.message)
        let isDestination = receiver == to[message]
        guard !isBusy(receiver), !buffers.holds(receiver, message), !(isDestination && isDelivered[message]),
            isDestination || !isExpired(message)
        else { return false }
        // The room is made before the last question is asked.
        guard makeRoom(receiver, buffers.sizes[message]) else { return false }
        if settings.router == .firstContact, hasPassed(copy.path, receiver) { return false }
        counters.started += 1
        let load = OneLinks.Load(
            message: copy.message, sender: Int32(sender), receiver: Int32(receiver), copies: copy.copies,
            hops: copy.hops, path: copy.path, finish: now + Double(buffers.sizes[message]) / Double(settings.speed))
        links.load(link, load)
        sending[sender] = Int32(link)
        receiving[receiver] = Int32(link)
        loadedPlace[link] = Int32(loaded.count)
        loaded.append(Int32(link))
        nextFinish = min(nextFinish, earliestFinish(load))
        recallCheck(sender)
        // The sender may be a neighbour whose update in this round is still to come, and nothing takes no time.
        if isOver(load) { wake(sender) }
        return true
    }

    func hasPassed(_ path: Int32, _ node: Int) -> Bool {
        var step = path
        while step >= 0 {
            if stepNodes[Int(step)] == Int32(node) { return true }
            step = stepBefore[Int(step)]
        }
        return false
    }

    private mutating func step(_ node: Int, after before: Int32) -> Int32 {
        stepNodes.append(Int32(node))
        stepBefore.append(before)
        return Int32(stepNodes.count - 1)
    }

    // MARK: Copies

    private mutating func keep(_ node: Int, _ copy: OneCopy) {
        recallCheck(node)
        buffers.put(node, copy)
        let message = Int(copy.message)
        earliest[node] = min(earliest[node], created[message])
        wake(node)
        if settings.router == .firstContact {
            // A neighbour's offer may now cost this node a copy, even one that it refuses in the end.
            wakeNeighbours(node)
        } else if links.find(node, to[message]) != nil {
            wake(to[message])
        }
    }

    mutating func lose(_ node: Int, at place: Int) {
        buffers.remove(node, at: place)
        wakeNeighbours(node)
    }

    /// Drops what was received first until so many bytes are free; false when that cannot be.
    private mutating func makeRoom(_ node: Int, _ size: Int) -> Bool {
        guard size <= buffers.capacity else { return false }
        let sent = sending[node] < 0 ? Self.none : links.loads[Int(sending[node])].message
        while buffers.free(node) < size {
            guard let oldest = buffers.oldest(node, except: sent) else { return false }
            counters.dropped += 1
            lose(node, at: oldest)
        }
        return true
    }
}

// MARK: Lives that end

extension OneEngine {
    /// Seconds from one look of a node at the lives of its copies to the next, at least.
    static let checkInterval = 60.0

    /// Whether less than a whole minute is left.
    func isExpired(_ message: Int) -> Bool { isExpired(created: created[message]) }

    private func isExpired(created: Double) -> Bool {
        guard let ttl = settings.ttl else { return false }
        return ((Double(ttl) * 60 - (now - created)) / 60).rounded(.towardZero) <= 0
    }

    private mutating func dropExpired(_ node: Int) {
        var rest = Double.infinity
        var place = 0
        while place < buffers.copies[node].count {
            let message = Int(buffers.copies[node][place].message)
            if isExpired(message) {
                counters.dropped += 1
                lose(node, at: place)
            } else {
                rest = min(rest, created[message])
                place += 1
            }
        }
        earliest[node] = rest
    }

    /// Nodes whose look is due, and who cannot find anything, have looked; the others are woken for it.
    private mutating func checkLives() {
        nextCheck = .infinity
        for node in 0..<settings.nodes {
            if sending[node] >= 0 {
                // It looks when its transfer is over, in the update that ends it.
                if now - lastCheck[node] < Self.checkInterval {
                    nextCheck = min(nextCheck, lastCheck[node] + Self.checkInterval - 1e-6)
                }
                continue
            }
            if now - lastCheck[node] >= Self.checkInterval {
                if isExpired(created: earliest[node]) {
                    wakeForCheck(node)
                } else {
                    checkBefore[node] = lastCheck[node]
                    checkRound[node] = round
                    lastCheck[node] = now
                }
            }
            // A difference of two times may be rounded up to the interval; be early rather than late.
            nextCheck = min(nextCheck, max(lastCheck[node] + Self.checkInterval - 1e-6, now))
        }
    }

    /// Even without any neighbour.
    private mutating func wakeForCheck(_ node: Int) {
        guard !isAwake[node] else { return }
        isAwake[node] = true
        awake.append(Int32(node))
    }

    /// A node whose update is still to come in this round, and that was said to have looked already, has not: what
    /// just happened to it decides whether it does.
    private mutating func recallCheck(_ node: Int) {
        guard isInRound, checkRound[node] == round, order.places[node] > place else { return }
        lastCheck[node] = checkBefore[node]
        checkRound[node] = -1
        nextCheck = min(nextCheck, now)
        isAwake[node] = true
        standAt(Int(order.places[node]), Int32(node))
    }
}

// MARK: What may be run

extension OneEngine {
    static func seconds(_ microseconds: UInt64) -> Double { Double(microseconds) / 1e6 }

    private static func check(
        _ settings: OneSettings, _ trace: ContactTrace, _ workload: [PlannedMessage]
    ) throws(OneMistake) {
        let nodes = settings.nodes
        guard nodes > 0 else { throw .noNodes }
        guard nodes <= TraceLimits.nodes else { throw .nodes(highest: TraceLimits.nodes) }
        guard settings.end >= 0, settings.end <= Double(TraceLimits.seconds) else { throw .end }
        guard settings.tick >= OneLimits.smallestTick, settings.end / settings.tick <= OneLimits.ticks else {
            throw .tick
        }
        guard settings.speed > 0 else { throw .speed }
        guard (0...OneLimits.buffer).contains(settings.buffer) else { throw .buffer }
        if let ttl = settings.ttl, !(0...OneLimits.ttl).contains(ttl) { throw .ttl }
        if case .sprayAndWait(let copies) = settings.router, !(1...Int(Int32.max)).contains(copies) { throw .copies }
        guard nodes.multipliedReportingOverflow(by: workload.count).partialValue <= OneLimits.heldBits else {
            throw .tooMuch
        }
        var last: UInt64 = 0
        for change in trace.changes {
            guard change.time >= last else { throw .notSorted }
            last = change.time
            let host = max(change.a, change.b)
            guard host < nodes else { throw .contactHost(host, nodes: nodes) }
        }
        last = 0
        // Asked only whether a name is in it, never in what order.
        var names: Set<String> = []
        for message in workload {
            guard message.time >= last else { throw .notSorted }
            last = message.time
            guard max(message.from, message.to) < nodes else { throw .messageHost(message.name, nodes: nodes) }
            guard (0...TraceLimits.messageBytes).contains(message.size) else { throw .messageSize(message.name) }
            guard names.insert(message.name).inserted else { throw .repeatedMessage(message.name) }
        }
    }
}
