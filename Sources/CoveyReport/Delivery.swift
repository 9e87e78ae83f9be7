/// How one class of messages fared, and how it could have fared at best.
package struct ClassDelivery: Codable, Hashable, Sendable {
    /// `all`, `P1`, ….
    package var name: String
    package var created: Int
    /// Delivered at least once.
    package var delivered: Int
    /// What the oracle could deliver: earliest arrival over the contacts there were.
    package var reachable: Int
    package var delays: DelaySummary?
    package var oracleDelays: DelaySummary?

    /// Delays in microseconds, in any order; `oracle` has those of reachable messages.
    package init(name: String, created: Int, delays: [UInt64], oracle: [UInt64]) {
        self.name = name
        self.created = created
        delivered = delays.count
        reachable = oracle.count
        self.delays = DelaySummary(delays)
        oracleDelays = DelaySummary(oracle)
    }

    /// Delivered of what could be, 0...1; nil when nothing could be.
    package var shareOfOracle: Double? { reachable > 0 ? Double(delivered) / Double(reachable) : nil }
}

/// Seconds.
package struct DelaySummary: Codable, Hashable, Sendable {
    package var mean: Double
    package var p50: Double
    package var p90: Double
    package var p95: Double
    package var p99: Double
    package var maximum: Double

    /// Microseconds, in any order; nil when there are none.
    package init?(_ delays: [UInt64]) {
        guard !delays.isEmpty else { return nil }
        let sorted = delays.sorted()
        // Whole microseconds first: the mean must not depend on the order of a sum.
        var sum: UInt64 = 0
        for delay in sorted { sum += delay }
        mean = Double(sum) / Double(sorted.count) / 1e6
        // The smallest delay that at least this share of the messages did not exceed.
        func quantile(_ percent: Int) -> Double {
            Double(sorted[max(0, (sorted.count * percent + 99) / 100 - 1)]) / 1e6
        }
        p50 = quantile(50)
        p90 = quantile(90)
        p95 = quantile(95)
        p99 = quantile(99)
        maximum = Double(sorted[sorted.count - 1]) / 1e6
    }
}
