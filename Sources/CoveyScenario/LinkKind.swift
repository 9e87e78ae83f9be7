/// What joins two hosts: `adhoc: {kind: ip, rate: 2Mbit, latency: {…}, loss: {…}}`.
package struct LinkKind: Hashable, Sendable {
    package enum Medium: String, CaseIterable, Sendable {
        case ip, serial
        /// All that hear one another share the air.
        case radio
    }

    package enum Latency: Hashable, Sendable {
        case constant(TimeSpan)
        case uniform(TimeSpan, TimeSpan)
        case exponential(mean: TimeSpan)
        case logNormal(median: TimeSpan, p99: TimeSpan)
    }

    package enum Loss: Hashable, Sendable {
        case bernoulli(Double)
        /// Two states with a loss each, and the chance of the change at each packet.
        case gilbert(good: Double, bad: Double, goodToBad: Double, badToGood: Double)
    }

    package var name: String
    package var medium: Medium = .ip
    /// From the first host to the second, and back.
    package var up = BitRate(10_000_000)
    package var down = BitRate(10_000_000)
    package var latency: Latency = .constant(.zero)
    package var loss: Loss = .bernoulli(0)
    /// Bytes of a packet, at most.
    package var mtu: Int? = nil
    /// Part of the time that a sender may be on the air.
    package var duty: Double? = nil
    package var hasMulticast = false
    package var isMetered = false
    package var isShared = false
    package var queue: ByteCount? = nil
    package var reorder = 0.0
    package var duplicate = 0.0
    /// Chance that a packet arrives with a wrong bit.
    package var bitflip = 0.0

    static func read(_ name: String, _ item: Item) -> LinkKind? {
        item.map { fields in
            var link = LinkKind(name: name)
            link.medium = fields.optional("kind") { $0.choice(Medium.self) } ?? .ip
            if let rate = fields.optional("rate", { $0.rate() }) {
                link.up = rate
                link.down = rate
            }
            if let up = fields.optional("up", { $0.rate() }) { link.up = up }
            if let down = fields.optional("down", { $0.rate() }) { link.down = down }
            if !fields.has("rate"), !(fields.has("up") && fields.has("down")) {
                fields.item.problem("lacks “rate” (or “up” and “down”)")
            }
            if let latency = fields.optional("latency", { Latency.read($0) }) { link.latency = latency }
            if let loss = fields.optional("loss", { Loss.read($0) }) { link.loss = loss }
            link.mtu = fields.optional("mtu") { $0.integer(64...1_000_000) }
            // Somebody who may be on the air for less than a microsecond in a second is not on it.
            link.duty = fields.optional("duty") { $0.number(0.000_001...1) }
            link.hasMulticast = fields.flag("multicast")
            link.isMetered = fields.flag("metered")
            link.isShared = fields.flag("shared")
            link.queue = fields.optional("queue") { $0.bytes() }
            link.reorder = fields.optional("reorder") { $0.probability() } ?? 0
            link.duplicate = fields.optional("duplicate") { $0.probability() } ?? 0
            link.bitflip = fields.optional("bitflip") { $0.probability() } ?? 0
            return link
        }
    }

    var yaml: YAMLValue {
        .map([
            ("kind", .text(medium.rawValue)), ("rate", up == down ? .text(up) : nil),
            ("up", up == down ? nil : .text(up)), ("down", up == down ? nil : .text(down)),
            ("latency", latency.yaml), ("loss", loss.yaml), ("mtu", mtu.map { .text($0) }),
            ("duty", duty.map { .text($0) }), ("multicast", hasMulticast ? .text(true) : nil),
            ("metered", isMetered ? .text(true) : nil), ("shared", isShared ? .text(true) : nil),
            ("queue", queue.map { .text($0) }), ("reorder", reorder == 0 ? nil : .text(reorder)),
            ("duplicate", duplicate == 0 ? nil : .text(duplicate)), ("bitflip", bitflip == 0 ? nil : .text(bitflip)),
        ])
    }
}

extension LinkKind.Latency {
    private enum Distribution: String, CaseIterable { case const, uniform, exp, lognormal }

    /// `20ms` alone is a constant.
    static func read(_ item: Item) -> Self? {
        if item.value.text != nil { return item.span().map { .constant($0) } }
        return item.map { fields in
            guard let distribution = fields.required("dist", { $0.choice(Distribution.self) }) else { return nil }
            switch distribution {
            case .const: return fields.required("v") { $0.span() }.map { .constant($0) }
            case .uniform:
                let low = fields.required("min") { $0.span() }
                let high = fields.required("max") { $0.span() }
                guard let low, let high else { return nil }
                guard low <= high else {
                    fields.item.problem("min is above max")
                    return nil
                }
                return .uniform(low, high)
            case .exp: return fields.required("mean") { $0.span() }.map { .exponential(mean: $0) }
            case .lognormal:
                let median = fields.required("median") { $0.span() }
                let p99 = fields.required("p99") { $0.span() }
                guard let median, let p99 else { return nil }
                guard median > .zero, median <= p99 else {
                    fields.item.problem("median is above 0 and not above p99")
                    return nil
                }
                return .logNormal(median: median, p99: p99)
            }
        }
    }

    var yaml: YAMLValue? {
        switch self {
        case .constant(.zero): nil
        case .constant(let span): .text(span)
        case .uniform(let low, let high): .map([("dist", .text("uniform")), ("min", .text(low)), ("max", .text(high))])
        case .exponential(let mean): .map([("dist", .text("exp")), ("mean", .text(mean))])
        case .logNormal(let median, let p99):
            .map([("dist", .text("lognormal")), ("median", .text(median)), ("p99", .text(p99))])
        }
    }
}

extension LinkKind.Loss {
    private enum Model: String, CaseIterable { case bernoulli, gilbert }

    /// `0.05` alone is a Bernoulli loss.
    static func read(_ item: Item) -> Self? {
        if item.value.text != nil { return item.probability().map { .bernoulli($0) } }
        return item.map { fields in
            guard let model = fields.required("model", { $0.choice(Model.self) }) else { return nil }
            switch model {
            case .bernoulli: return fields.required("p") { $0.probability() }.map { .bernoulli($0) }
            case .gilbert:
                let good = fields.required("pGood") { $0.probability() }
                let bad = fields.required("pBad") { $0.probability() }
                let goodToBad = fields.required("g2b") { $0.probability() }
                let badToGood = fields.required("b2g") { $0.probability() }
                guard let good, let bad, let goodToBad, let badToGood else { return nil }
                return .gilbert(good: good, bad: bad, goodToBad: goodToBad, badToGood: badToGood)
            }
        }
    }

    /// Over a long time.
    package var mean: Double {
        switch self {
        case .bernoulli(let p): p
        case .gilbert(let good, let bad, let goodToBad, let badToGood):
            goodToBad + badToGood == 0 ? good : (good * badToGood + bad * goodToBad) / (goodToBad + badToGood)
        }
    }

    var yaml: YAMLValue? {
        switch self {
        case .bernoulli(0): nil
        case .bernoulli(let p): .text(p)
        case .gilbert(let good, let bad, let goodToBad, let badToGood):
            .map([
                ("model", .text("gilbert")), ("pGood", .text(good)), ("pBad", .text(bad)), ("g2b", .text(goodToBad)),
                ("b2g", .text(badToGood)),
            ])
        }
    }
}
