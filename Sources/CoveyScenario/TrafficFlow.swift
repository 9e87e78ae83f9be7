package import CoveyCore

/// What people write to each other: an entry of the traffic.
package struct TrafficFlow: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case poisson(Frequency)
        case periodic(every: TimeSpan)
        /// So many, at moments drawn within a span from `at` on. Without `at` that is drawn from the first half of the run.
        case burst(count: Int, at: TimeSpan?, within: TimeSpan)
        /// Written out, one by one.
        case list([Message])
    }

    package struct Message: Hashable, Sendable {
        package var at: TimeSpan
        package var from: Term
        /// A host, or everyone.
        package var to: Term
        package var bytes: Int
        package var priority: Priority
        package var ttl: TTL
    }

    package enum Size: Hashable, Sendable {
        case constant(Int)
        case uniform(Int, Int)
        case logNormal(median: Int, p99: Int)
    }

    package enum Destination: Hashable, Sendable {
        /// Anybody but oneself.
        case uniform
        /// With this chance somebody of one's own zone, else anybody.
        case sameGroup(Double)
        /// With this chance somebody of another zone, else anybody.
        case otherGroup(Double)
        /// The first hosts get most: the k-th in proportion to 1/kˢ.
        case zipf(Double)
        case broadcast
        case these([Term])
    }

    package var kind: Kind
    package var size: Size
    package var priority: Priority
    package var ttl: TTL
    package var source: [Term]
    package var destination: Destination
    /// Chance that a message is answered, after a drawn time of half an hour on average.
    package var reply: Double

    private enum Word: String, CaseIterable { case poisson, periodic, burst, list }

    static func read(_ item: Item) -> TrafficFlow? {
        item.map { fields in
            let word = fields.required("kind") { $0.choice(Word.self) }
            guard let word else {
                for entry in fields.entries { _ = fields.take(entry.key) }
                return nil
            }
            if word == .list {
                let messages = fields.required("messages") { item -> [Message]? in
                    guard let items = item.list(atMost: ScenarioBounds.messages) else { return nil }
                    let messages = items.compactMap { Message.read($0) }
                    return messages.count == items.count ? messages : nil
                }
                return messages.map {
                    TrafficFlow(
                        kind: .list($0), size: .constant(0), priority: .normal, ttl: .day, source: [.everyone],
                        destination: .uniform, reply: 0)
                }
            }
            let kind = readKind(word, &fields)
            let size = fields.required("size") { Size.read($0) }
            let priority = fields.optional("priority") { $0.priority() }
            // The drafts call it class.
            let asClass = fields.optional("class") { $0.priority() }
            if priority != nil, asClass != nil { fields.item.problem("has priority and class; they are the same") }
            let ttl = fields.required("ttl") { $0.ttl() }
            let source = fields.optional("src") { $0.terms() } ?? [.everyone]
            let destination = fields.required("dst") { Destination.read($0) }
            let reply = fields.optional("reply") { $0.probability() } ?? 0
            guard let kind, let size, let ttl, let destination else { return nil }
            return TrafficFlow(
                kind: kind, size: size, priority: priority ?? asClass ?? .normal, ttl: ttl, source: source,
                destination: destination, reply: reply)
        }
    }

    private static func readKind(_ word: Word, _ fields: inout Fields) -> Kind? {
        switch word {
        case .poisson:
            return fields.required("rate") { $0.parsed({ Frequency($0) }, "how often, such as 3/h or 15/day/node") }
                .map { .poisson($0) }
        case .periodic:
            guard let every = fields.required("every", { $0.span() }) else { return nil }
            guard every > .zero else {
                fields.item.problem("every is no time")
                return nil
            }
            return .periodic(every: every)
        case .burst:
            let count = fields.required("count") { $0.integer(1...ScenarioBounds.messages) }
            let at = fields.optional("at") { $0.span() }
            let within = fields.optional("within") { $0.span() } ?? .hours(1)
            return count.map { .burst(count: $0, at: at, within: within) }
        case .list: return nil
        }
    }

    var yaml: YAMLValue {
        var entries: [(String, YAMLValue?)]
        switch kind {
        case .list(let messages):
            return .map([("kind", .text("list")), ("messages", .list(messages.map(\.yaml)))])
        case .poisson(let rate): entries = [("kind", .text("poisson")), ("rate", .text(rate))]
        case .periodic(let every): entries = [("kind", .text("periodic")), ("every", .text(every))]
        case .burst(let count, let at, let within):
            entries = [
                ("kind", .text("burst")), ("count", .text(count)), ("at", at.map { .text($0) }),
                ("within", within == .hours(1) ? nil : .text(within)),
            ]
        }
        entries += [
            ("size", size.yaml), ("priority", .text(priority.word)), ("ttl", .text(ttl.span)),
            ("src", source == [.everyone] ? nil : source.yaml), ("dst", destination.yaml),
            ("reply", reply == 0 ? nil : .text(reply)),
        ]
        return .map(entries)
    }
}

extension TrafficFlow.Message {
    /// `[6h, a.0, b.3, 700, normal, 3d]`: when, from, to, bytes, priority, lifetime.
    static func read(_ item: Item) -> Self? {
        guard let items = item.list(atMost: 6) else { return nil }
        guard items.count == 6 else {
            item.problem("is [when, from, to, bytes, priority, ttl]")
            return nil
        }
        guard let at = items[0].span(), let from = items[1].host(), let to = items[2].term(),
            let bytes = items[3].integer(0...ScenarioBounds.messageBytes), let priority = items[4].priority(),
            let ttl = items[5].ttl()
        else { return nil }
        if case .group = to {
            items[2].problem("is a host or all")
            return nil
        }
        return Self(at: at, from: from, to: to, bytes: bytes, priority: priority, ttl: ttl)
    }

    var yaml: YAMLValue {
        .list([.text(at), .text(from), .text(to), .text(bytes), .text(priority.word), .text(ttl.span)])
    }
}

extension TrafficFlow.Size {
    private enum Distribution: String, CaseIterable { case const, uniform, lognormal }

    /// `300` alone is a constant.
    static func read(_ item: Item) -> Self? {
        if item.value.text != nil { return item.messageBytes().map { .constant($0) } }
        return item.map { fields in
            guard let distribution = fields.required("dist", { $0.choice(Distribution.self) }) else { return nil }
            switch distribution {
            case .const: return fields.required("v") { $0.messageBytes() }.map { .constant($0) }
            case .uniform:
                let low = fields.required("min") { $0.messageBytes() }
                let high = fields.required("max") { $0.messageBytes() }
                guard let low, let high else { return nil }
                guard low <= high else {
                    fields.item.problem("min is above max")
                    return nil
                }
                return .uniform(low, high)
            case .lognormal:
                let median = fields.required("median") { $0.messageBytes() }
                let p99 = fields.required("p99") { $0.messageBytes() }
                guard let median, let p99 else { return nil }
                guard median > 0, median <= p99 else {
                    fields.item.problem("median is above 0 and not above p99")
                    return nil
                }
                return .logNormal(median: median, p99: p99)
            }
        }
    }

    var yaml: YAMLValue {
        switch self {
        case .constant(let bytes): .text(ByteCount(bytes))
        case .uniform(let low, let high):
            .map([("dist", .text("uniform")), ("min", .text(ByteCount(low))), ("max", .text(ByteCount(high)))])
        case .logNormal(let median, let p99):
            .map([("dist", .text("lognormal")), ("median", .text(ByteCount(median))), ("p99", .text(ByteCount(p99)))])
        }
    }
}

extension TrafficFlow.Destination {
    static func read(_ item: Item) -> Self? {
        if case .list = item.value.content { return item.terms().map { .these($0) } }
        guard let text = item.word() else { return nil }
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        let number = parts.count == 2 ? Double(parts[1]) : nil
        if parts.count == 2, number == nil {
            item.problem("“\(parts[1])” is not a number")
            return nil
        }
        func chance(_ make: (Double) -> Self) -> Self? {
            let chance = number ?? 1
            guard (0...1).contains(chance) else {
                item.problem("\(chance) is not a probability")
                return nil
            }
            return make(chance)
        }
        switch parts.first {
        case "uniform": return .uniform
        case "broadcast": return .broadcast
        case "sameGroup": return chance { .sameGroup($0) }
        case "otherGroup": return chance { .otherGroup($0) }
        case "zipf":
            let exponent = number ?? 1
            guard (0...10).contains(exponent) else {
                item.problem("the exponent \(exponent) is not within 0 … 10")
                return nil
            }
            return .zipf(exponent)
        default: return item.terms().map { .these($0) }
        }
    }

    var yaml: YAMLValue {
        func withChance(_ word: String, _ number: Double) -> YAMLValue {
            .text(number == 1 ? word : "\(word):\(Numeral.text(number))")
        }
        return switch self {
        case .uniform: .text("uniform")
        case .sameGroup(let chance): withChance("sameGroup", chance)
        case .otherGroup(let chance): withChance("otherGroup", chance)
        case .zipf(let exponent): withChance("zipf", exponent)
        case .broadcast: .text("broadcast")
        case .these(let terms): terms.yaml
        }
    }
}

extension Priority {
    var word: String {
        switch self {
        case .emergency: "emergency"
        case .urgent: "urgent"
        case .normal: "normal"
        case .bulk: "bulk"
        }
    }
}

extension TTL {
    var span: TimeSpan { .hours(Int64(hours)) }

    /// The shortest that is no shorter, or the longest there is.
    static func atLeast(_ span: TimeSpan) -> TTL { allCases.first { $0.span >= span } ?? .twoWeeks }
}

extension Item {
    /// `normal`, `2`, or `P2` as the drafts have it.
    func priority() -> Priority? {
        guard let text = word() else { return nil }
        if let priority = Priority.allCases.first(where: { $0.word == text || "\($0.rawValue)" == text }) {
            return priority
        }
        if text.hasPrefix("P"), let number = UInt8(text.dropFirst()), let priority = Priority(rawValue: number) {
            note("class \(text) is priority \(priority.word)")
            return priority
        }
        problem("“\(text)” is not a priority" + nearest(text, Priority.allCases.map(\.word)))
        return nil
    }

    /// A lifetime of the protocol; another one is rounded up to the next (protocol.md, TTL).
    func ttl() -> TTL? {
        guard let span = span() else { return nil }
        let ttl = TTL.atLeast(span)
        if ttl.span != span { note("a lifetime of \(span) is \(ttl.span): the protocol's are 1h, 6h, 1d, 3d, 7d, 14d") }
        return ttl
    }

    func messageBytes() -> Int? {
        guard let count = bytes() else { return nil }
        guard count.bytes <= ScenarioBounds.messageBytes else {
            problem("\(count) is more than \(ScenarioBounds.messageBytes) bytes")
            return nil
        }
        return count.bytes
    }
}
