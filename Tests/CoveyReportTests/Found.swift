@testable import CoveyReport

/// Runs as a scenario would have left them.
enum Found {
    static func result(seed: UInt64, failing: Bool = false) -> RunResult {
        var result = RunResult(
            name: "split-town", seed: seed, level: .full, kem: "simulated", scenarioHash: "ab12",
            traceDigest: "d\(seed)",
            hosts: 12, simulatedSeconds: 21_600)
        result.counters.created = 40
        result.counters.delivered = 38
        let delays = (1...38).map { UInt64($0) * 1_000_000 }
        result.delivery = [ClassDelivery(name: "all", created: 40, delays: delays, oracle: delays + [90_000_000])]
        result.overhead = 7.25
        result.bytesByFrame = [Tally(name: "DATA", count: 400, bytes: 412_000)]
        result.assertions = [
            AssertionResult(
                name: "deliveryVsOracle", verdict: Verdict(held: !failing, expected: true),
                measured: Quantity(38.0 / 39.0, .share), wanted: Wanted(.atLeast, 0.95, .share),
                firstViolation: failing ? Violation(time: 5_000_000, host: "ana") : nil)
        ]
        result.cost.cpuSeconds = 1.5
        return result
    }

    static func host(_ number: Int) -> Recording.Host { Recording.Host(name: "h\(number)", group: "town") }
}
