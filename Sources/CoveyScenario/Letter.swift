import CoveyContact
package import CoveyCore
import Glibc

/// One message that somebody wants to send, with every choice made.
package struct Letter: Hashable, Sendable {
    /// Microseconds.
    package var at: UInt64
    package var from: UInt32
    /// Nil: everyone.
    package var to: UInt32?
    package var bytes: Int
    package var priority: Priority
    package var ttl: TTL

    package init(at: UInt64, from: UInt32, to: UInt32?, bytes: Int, priority: Priority, ttl: TTL) {
        self.at = at
        self.from = from
        self.to = to
        self.bytes = bytes
        self.priority = priority
        self.ttl = ttl
    }

    /// Microseconds at which its time is over.
    package var expiry: UInt64 { at + UInt64(ttl.hours) * 3_600_000_000 }
}

/// Makes the letters of a scenario from its traffic.
struct Correspondence {
    private let cast: Cast
    private let duration: UInt64
    /// Spans in which there is more or less traffic than usual.
    private let loads: [(from: UInt64, until: UInt64, factor: Double)]

    init(_ scenario: Scenario, _ cast: Cast, _ deeds: [Deed]) {
        self.cast = cast
        duration = UInt64(scenario.duration.microseconds)
        loads = deeds.compactMap { deed in
            if case .load(let factor) = deed.act { (deed.at, deed.until ?? .max, factor) } else { nil }
        }
    }

    /// By time; of one moment in the order of the flows.
    func letters(_ flows: [TrafficFlow], seed: UInt64) -> [Letter] {
        var letters: [Letter] = []
        for (number, flow) in flows.enumerated() {
            var dice = Dice(seed: seed).stream("traffic", UInt64(number))
            write(flow, &dice, into: &letters)
        }
        return letters.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
    }

    private func write(_ flow: TrafficFlow, _ dice: inout Dice, into letters: inout [Letter]) {
        let sources = cast.hosts(flow.source)
        switch flow.kind {
        case .list(let messages):
            for message in messages {
                let to: UInt32? = if case .everyone = message.to { nil } else { cast.host(message.to) }
                letters.append(
                    Letter(
                        at: UInt64(message.at.microseconds), from: cast.host(message.from), to: to,
                        bytes: message.bytes, priority: message.priority, ttl: message.ttl))
            }
        case .poisson(let rate):
            // The densest span decides the pace; elsewhere some are left out.
            let densest = loads.map(\.factor).reduce(1, max)
            let mean = rate.microsecondsBetween / (rate.isPerNode ? Double(sources.count) : 1) / densest
            var time = 0.0
            while letters.count < ScenarioBounds.messages {
                time += -log(1 - dice.unit()) * mean
                guard time < Double(duration) else { break }
                let at = UInt64(time)
                let isWritten = dice.unit() * densest < factor(at: at)
                if isWritten { post(flow, at: at, sources, &dice, into: &letters) }
            }
        case .periodic(let every):
            for at in stride(from: every.microseconds, to: Int64(duration), by: Int(every.microseconds))
            where letters.count < ScenarioBounds.messages {
                post(flow, at: UInt64(at), sources, &dice, into: &letters)
            }
        case .burst(let count, let at, let within):
            let first = at.map { UInt64($0.microseconds) } ?? dice.below(duration / 2 + 1)
            for _ in 0..<count where letters.count < ScenarioBounds.messages {
                let time = first + dice.below(UInt64(within.microseconds) + 1)
                if time < duration { post(flow, at: time, sources, &dice, into: &letters) }
            }
        }
    }

    private func factor(at time: UInt64) -> Double {
        loads.reduce(1) { $1.from <= time && time < $1.until ? $0 * $1.factor : $0 }
    }

    private func post(
        _ flow: TrafficFlow, at: UInt64, _ sources: [UInt32], _ dice: inout Dice, into letters: inout [Letter]
    ) {
        let from = sources[dice.below(sources.count)]
        let recipient = recipient(flow.destination, of: from, &dice)
        let bytes = size(flow.size, &dice)
        let answer = dice.chance(flow.reply)
        let wait = -log(1 - dice.unit()) * 1800e6
        guard let recipient else { return }
        let letter = Letter(
            at: at, from: from, to: recipient == Self.everyone ? nil : recipient, bytes: bytes, priority: flow.priority,
            ttl: flow.ttl)
        letters.append(letter)
        // Whether the question arrived is not known here: the answer is written all the same.
        if answer, let to = letter.to, at + UInt64(wait) < duration {
            letters.append(
                Letter(
                    at: at + UInt64(wait), from: to, to: from, bytes: size(flow.size, &dice), priority: flow.priority,
                    ttl: flow.ttl))
        }
    }

    private static let everyone = UInt32.max

    /// Nil when there is nobody to write to.
    private func recipient(_ destination: TrafficFlow.Destination, of from: UInt32, _ dice: inout Dice) -> UInt32? {
        switch destination {
        case .broadcast: return Self.everyone
        case .uniform: return anybody(but: from, &dice)
        case .sameGroup(let chance):
            let zone = cast.zone(from)
            guard dice.chance(chance), zone.count > 1 else { return anybody(but: from, &dice) }
            return one(of: zone, but: from, &dice)
        case .otherGroup(let chance):
            let own = cast.members[Int(from)].zone
            guard dice.chance(chance), cast.zones.count > 1 else { return anybody(but: from, &dice) }
            // Others are found by trying: a zone of nearly all would take long, so the tries have an end.
            for _ in 0..<1000 {
                let host = UInt32(dice.below(cast.count))
                if cast.members[Int(host)].zone != own { return host }
            }
            return anybody(but: from, &dice)
        case .zipf(let exponent):
            let total = (1...cast.count).reduce(0.0) { $0 + 1 / pow(Double($1), exponent) }
            var rest = dice.unit() * total
            for rank in 1...cast.count {
                rest -= 1 / pow(Double(rank), exponent)
                let host = UInt32(rank - 1)
                if rest < 0 { return host == from ? anybody(but: from, &dice) : host }
            }
            return anybody(but: from, &dice)
        case .these(let terms):
            let hosts = cast.hosts(terms)
            return hosts == [from] ? nil : one(of: hosts, but: from, &dice)
        }
    }

    private func anybody(but from: UInt32, _ dice: inout Dice) -> UInt32? {
        guard cast.count > 1 else { return nil }
        let host = UInt32(dice.below(cast.count - 1))
        return host >= from ? host + 1 : host
    }

    private func one(of hosts: [UInt32], but from: UInt32, _ dice: inout Dice) -> UInt32 {
        while true {
            let host = hosts[dice.below(hosts.count)]
            if host != from { return host }
        }
    }

    private func size(_ size: TrafficFlow.Size, _ dice: inout Dice) -> Int {
        switch size {
        case .constant(let bytes): return bytes
        case .uniform(let low, let high): return low + dice.below(high - low + 1)
        case .logNormal(let median, let p99):
            // 2.3263 standard deviations lie below the 99th percentile.
            let sigma = log(Double(p99) / Double(median)) / 2.326_347_874_040_841
            let radius = (-2 * log(1 - dice.unit())).squareRoot()
            let bytes = Double(median) * exp(sigma * radius * cos(2 * Double.pi * dice.unit()))
            return Int(min(bytes.rounded(), Double(ScenarioBounds.messageBytes)))
        }
    }
}
