import CoveyContact
import Glibc

/// The ONE's rules once more, word by word and without any thought of speed: every node is updated in every round,
/// lists are shuffled as lists, maps have buckets. What `OneEngine` has to agree with on traces nobody has run before.
final class LiteralOne {
    final class Message {
        let plan: PlannedMessage
        let created: Double
        var received: Double
        var path: [Int]
        var copies: Int

        init(_ plan: PlannedMessage, created: Double, received: Double, path: [Int], copies: Int) {
            self.plan = plan
            self.created = created
            self.received = received
            self.path = path
            self.copies = copies
        }

        func replica() -> Message {
            Message(plan, created: created, received: received, path: path, copies: copies)
        }

        var to: Int { Int(plan.to) }
    }

    final class Link {
        let a: Int
        let b: Int
        var isUp = true
        var message: Message?
        var sender = -1
        var finish = 0.0

        init(_ a: Int, _ b: Int) {
            self.a = a
            self.b = b
        }

        func other(_ node: Int) -> Int { node == a ? b : a }
    }

    final class Node {
        var links: [Link] = []
        var buffer = LiteralMap()
        var sending: [Link] = []
        var lastCheck = 0.0
        var received: Set<String> = []
        var chances: [Int: Double] = [:]
        var aged = 0.0
    }

    let settings: OneSettings
    let nodes: [Node]
    var order: [Int]
    var now = 0.0
    var counters = MessageCounters()
    var delivered: [OneDelivery] = []

    init(_ settings: OneSettings) {
        self.settings = settings
        nodes = (0..<settings.nodes).map { _ in Node() }
        order = Array(0..<settings.nodes)
    }

    static func run(_ settings: OneSettings, _ trace: ContactTrace, _ workload: [PlannedMessage]) -> OneResult {
        let world = LiteralOne(settings)
        var changes = trace.changes[...]
        var plans = workload[...]
        while world.now < settings.end {
            let until = world.now + settings.tick
            while true {
                let change = changes.first.map { Double($0.time) / 1e6 } ?? .infinity
                let plan = plans.first.map { Double($0.time) / 1e6 } ?? .infinity
                if min(change, plan) > until { break }
                world.now = min(change, plan)
                if change <= plan { world.apply(changes.removeFirst()) } else { world.create(plans.removeFirst()) }
                world.updateAll()
            }
            world.now = until
            world.updateAll()
        }
        return OneResult(counters: world.counters, delivered: world.delivered)
    }

    var dice: LiteralRandom { LiteralRandom(seed: Int64((now + 0.5).rounded(.down))) }

    func updateAll() {
        if settings.shufflesNodes { order = dice.shuffled(order) }
        for node in order { update(node) }
    }

    // MARK: Events

    func apply(_ change: ContactChange) {
        let a = Int(change.a)
        let b = Int(change.b)
        let link = nodes[a].links.first { $0.other(a) == b }
        if change.isUp, link == nil {
            let link = Link(a, b)
            nodes[a].links.append(link)
            nodes[b].links.append(link)
            if case .prophet(let rules) = settings.router {
                meet(a, b, rules)
                meet(b, a, rules)
            }
        } else if !change.isUp, let link {
            link.isUp = false
            nodes[a].links.removeAll { $0 === link }
            nodes[b].links.removeAll { $0 === link }
        }
    }

    func create(_ plan: PlannedMessage) {
        counters.created += 1
        _ = makeRoom(Int(plan.from), plan.size)
        var copies = 1
        if case .sprayAndWait(let first) = settings.router { copies = first }
        nodes[Int(plan.from)].buffer.put(
            Message(plan, created: now, received: now, path: [Int(plan.from)], copies: copies))
    }

    // MARK: One update

    func update(_ index: Int) {
        let node = nodes[index]
        for link in node.sending {
            guard let message = link.message else { continue }
            if isOver(link) {
                complete(link, message)
            } else if !link.isUp {
                counters.aborted += 1
            } else {
                continue
            }
            link.message = nil
            node.sending.removeAll { $0 === link }
            if free(index) < 0 { _ = makeRoom(index, 0) }
        }
        if now - node.lastCheck >= 60, node.sending.isEmpty {
            for message in node.buffer.all where isExpired(message) {
                counters.dropped += 1
                node.buffer.remove(message.plan.name)
            }
            node.lastCheck = now
        }
        if isBusy(index) || node.buffer.all.isEmpty || node.links.isEmpty { return }
        var deliverables: [(Message, Link)] = []
        for message in node.buffer.all {
            for link in node.links where link.other(index) == message.to { deliverables.append((message, link)) }
        }
        for (message, link) in arranged(deliverables, by: \.0) where offer(message, link, from: index) { return }
        for link in node.links {
            let other = link.other(index)
            if isBusy(other) { continue }
            for message in nodes[other].buffer.all where message.to == index {
                if offer(message, link, from: other) { return }
            }
        }
        switch settings.router {
        case .epidemic, .firstContact: flood(index, node.buffer.all)
        case .sprayAndWait: flood(index, node.buffer.all.filter { $0.copies > 1 })
        case .directDelivery: break
        case .prophet(let rules): routeByChance(index, rules)
        }
    }

    func flood(_ index: Int, _ messages: [Message]) {
        let messages = arranged(messages, by: \.self)
        for link in nodes[index].links {
            for message in messages {
                if isBusy(link.other(index)) { break }
                if offer(message, link, from: index) { return }
            }
        }
    }

    func routeByChance(_ index: Int, _ rules: OneProphet) {
        var offers: [(message: Message, link: Link, chance: Double)] = []
        for link in nodes[index].links where !isBusy(link.other(index)) {
            let other = link.other(index)
            for message in nodes[index].buffer.all where nodes[other].buffer.find(message.plan.name) == nil {
                let theirs = chance(other, message.to, rules)
                if theirs > chance(index, message.to, rules) { offers.append((message, link, theirs)) }
            }
        }
        let isFIFO = settings.queue == .fifo
        offers.sort { one, two in
            one.chance == two.chance ? isFIFO && one.message.received < two.message.received : one.chance > two.chance
        }
        for (message, link, _) in offers where offer(message, link, from: index) { return }
    }

    func arranged<Item>(_ items: [Item], by message: (Item) -> Message) -> [Item] {
        switch settings.queue {
        case .random: dice.shuffled(items)
        case .fifo: items.sorted { message($0).received < message($1).received }
        }
    }

    // MARK: Transfers

    func isOver(_ link: Link) -> Bool { ((link.finish - now) * Double(settings.speed)).rounded(.towardZero) <= 0 }

    func isBusy(_ index: Int) -> Bool {
        !nodes[index].sending.isEmpty || nodes[index].links.contains { $0.message != nil }
    }

    func offer(_ message: Message, _ link: Link, from: Int) -> Bool {
        let to = link.other(from)
        let node = nodes[to]
        if isBusy(to) { return false }
        if node.buffer.find(message.plan.name) != nil { return false }
        if message.to == to, node.received.contains(message.plan.name) { return false }
        if isExpired(message), message.to != to { return false }
        if !makeRoom(to, message.plan.size) { return false }
        if settings.router == .firstContact, message.path.contains(to) { return false }
        counters.started += 1
        let replica = message.replica()
        replica.path.append(to)
        link.message = replica
        link.sender = from
        link.finish = now + Double(message.plan.size) / Double(settings.speed)
        nodes[from].sending.append(link)
        return true
    }

    func complete(_ link: Link, _ message: Message) {
        counters.relayed += 1
        let name = message.plan.name
        if let own = nodes[link.sender].buffer.find(name) {
            switch settings.router {
            case .sprayAndWait: own.copies = Int((Double(own.copies) / 2).rounded(.up))
            case .firstContact:
                counters.removed += 1
                nodes[link.sender].buffer.remove(name)
            case .epidemic, .directDelivery, .prophet: break
            }
        }
        let to = link.other(link.sender)
        message.copies /= 2
        message.received = now
        guard message.to == to else { return nodes[to].buffer.put(message) }
        guard nodes[to].received.insert(name).inserted else { return }
        counters.delivered += 1
        delivered.append(
            OneDelivery(name: name, time: now, latency: now - message.created, path: message.path.map(UInt32.init)))
    }

    // MARK: Buffers

    func free(_ index: Int) -> Int { settings.buffer - nodes[index].buffer.all.reduce(0) { $0 + $1.plan.size } }

    func makeRoom(_ index: Int, _ size: Int) -> Bool {
        if size > settings.buffer { return false }
        while free(index) < size {
            let sent = nodes[index].sending.compactMap { $0.message?.plan.name }
            let candidates = nodes[index].buffer.all.filter { !sent.contains($0.plan.name) }
            // The first of those received first.
            guard let oldest = candidates.min(by: { $0.received < $1.received }) else { return false }
            counters.dropped += 1
            nodes[index].buffer.remove(oldest.plan.name)
        }
        return true
    }

    func isExpired(_ message: Message) -> Bool {
        guard let ttl = settings.ttl else { return false }
        return ((Double(ttl) * 60 - (now - message.created)) / 60).rounded(.towardZero) <= 0
    }

    // MARK: PRoPHET

    func age(_ index: Int, _ rules: OneProphet) {
        guard now != nodes[index].aged else { return }
        let factor = pow(rules.gamma, (now - nodes[index].aged) / rules.unit)
        nodes[index].chances = nodes[index].chances.mapValues { $0 * factor }
        nodes[index].aged = now
    }

    func chance(_ index: Int, _ other: Int, _ rules: OneProphet) -> Double {
        age(index, rules)
        return nodes[index].chances[other] ?? 0
    }

    func meet(_ index: Int, _ other: Int, _ rules: OneProphet) {
        let before = chance(index, other, rules)
        let direct = before + (1 - before) * rules.first
        nodes[index].chances[other] = direct
        age(other, rules)
        for (third, theirs) in nodes[other].chances where third != index {
            let old = chance(index, third, rules)
            nodes[index].chances[third] = old + (1 - old) * direct * theirs * rules.beta
        }
    }
}

/// A hash map with its buckets, as Java's documentation describes it.
struct LiteralMap {
    private var buckets: [[LiteralOne.Message]] = Array(repeating: [], count: 16)
    private var count = 0

    var all: [LiteralOne.Message] { buckets.flatMap { $0 } }

    private func bucket(_ name: String) -> Int {
        var hash: Int32 = 0
        for unit in name.utf16 { hash = hash &* 31 &+ Int32(unit) }
        let mixed = UInt32(bitPattern: hash) ^ UInt32(bitPattern: hash) >> 16
        return Int(mixed) % buckets.count
    }

    func find(_ name: String) -> LiteralOne.Message? { buckets[bucket(name)].first { $0.plan.name == name } }

    mutating func put(_ message: LiteralOne.Message) {
        let place = bucket(message.plan.name)
        if let index = buckets[place].firstIndex(where: { $0.plan.name == message.plan.name }) {
            buckets[place][index] = message
            return
        }
        buckets[place].append(message)
        count += 1
        if buckets[place].count > 8, buckets.count < 64 { double() }
        if Double(count) > 0.75 * Double(buckets.count) { double() }
    }

    mutating func remove(_ name: String) {
        buckets[bucket(name)].removeAll { $0.plan.name == name }
        count -= 1
    }

    private mutating func double() {
        let old = all
        buckets = Array(repeating: [], count: 2 * buckets.count)
        for message in old { buckets[bucket(message.plan.name)].append(message) }
    }
}

/// `java.util.Random`, as its documentation says it.
struct LiteralRandom {
    private var seed: Int64

    init(seed: Int64) { self.seed = (seed ^ 0x5_DEEC_E66D) & ((1 << 48) - 1) }

    mutating func next(_ bits: Int64) -> Int32 {
        seed = (seed &* 0x5_DEEC_E66D &+ 0xB) & ((1 << 48) - 1)
        return Int32(truncatingIfNeeded: seed >> (48 - bits))
    }

    mutating func nextInt(_ bound: Int32) -> Int32 {
        if bound & -bound == bound { return Int32((Int64(bound) * Int64(next(31))) >> 31) }
        var bits: Int32
        var value: Int32
        repeat {
            bits = next(31)
            value = bits % bound
        } while bits &- value &+ (bound - 1) < 0
        return value
    }

    func shuffled<Item>(_ items: [Item]) -> [Item] {
        var dice = self
        var items = items
        var index = items.count
        while index > 1 {
            items.swapAt(index - 1, Int(dice.nextInt(Int32(index))))
            index -= 1
        }
        return items
    }
}
