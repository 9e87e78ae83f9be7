import CoveyContact
import CoveyCrypto
import CoveyReport

/// Runs a scenario's contacts and messages as The ONE would: its routers, its ticks, its counters.
///
/// The messages' lifetimes, the links' rates and the hosts' buffers are one each in The ONE; the longest, the slowest
/// and the smallest of the scenario's are taken.
struct OneRunner {
    private let expansion: Expansion
    private let router: ContactRouter
    private let contact: ContactRunner
    private(set) var notes = [
        "By the rules of The ONE: one message a tick of 1 s, one rate, one lifetime and one size of buffer."
    ]

    init(_ expansion: Expansion, router: ContactRouter) {
        self.expansion = expansion
        self.router = router
        contact = ContactRunner(expansion, router: router)
        if !ContactRunner.outages(expansion).isEmpty {
            notes.append("Hosts that are off stay in reach: The ONE has none that are.")
        }
    }

    /// - Parameter progress: told how far it is, in simulated microseconds.
    mutating func run(progress: (UInt64) -> Void = { _ in }) throws(ScenarioProblems) -> Run {
        let foreseen = try contact.foresee()
        notes += foreseen.notes
        let trace = ContactTrace(try contact.contacts(), nodes: expansion.cast.count)
        let result: OneResult
        do throws(OneMistake) {
            result = try OneEngine.run(settings, trace: trace, workload: foreseen.messages) { now in
                progress(UInt64(now * 1e6))
            }
        } catch {
            throw ScenarioProblems(expansion.scenario.name, 1, "", "The ONE cannot run this: \(error)")
        }
        var evidence = Evidence(level: .contact, duration: UInt64(expansion.scenario.duration.microseconds))
        evidence.mails = foreseen.mails
        var numbers: [String: Int] = [:]
        for (number, message) in foreseen.messages.enumerated() { numbers[message.name] = number }
        var lines = ""
        for delivery in result.delivered {
            lines += "\(delivery.name) \(delivery.time) \(delivery.path)\n"
            if let number = numbers[delivery.name] {
                evidence.mails[number].delivered = UInt64((delivery.time * 1e6).rounded())
            }
        }
        evidence.relayed = result.counters.relayed
        let counters = Counters(result.counters)
        lines += "\(counters.started) \(counters.relayed) \(counters.aborted) \(counters.dropped) \(counters.removed)\n"
        let bytes = Array(lines.utf8)
        return Run(evidence: evidence, counters: counters, digest: SHA256.hash(bytes.span.bytes).hex)
    }

    private var settings: OneSettings {
        let own = contact.settings()
        let router: OneSettings.Router =
            switch router {
            // Flooding is what The ONE calls epidemic.
            case .flood, .epidemic: .epidemic
            case .direct: .directDelivery
            case .sprayAndWait(let copies): .sprayAndWait(copies: Int(copies))
            case .firstContact: .firstContact
            case .prophet: .prophet(OneProphet())
            }
        return OneSettings(
            nodes: own.nodes, end: Double(own.end) / 1e6, router: router,
            ttl: own.lifetime.map { Int($0 / 60_000_000) }, buffer: own.buffer,
            speed: own.rates.compactMap { $0 }.min() ?? 250_000)
    }
}
