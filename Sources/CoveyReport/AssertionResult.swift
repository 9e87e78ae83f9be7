/// One thing the scenario asserts, judged.
package struct AssertionResult: Codable, Hashable, Sendable {
    /// As the scenario spells it: `deliveryVsOracle P1`.
    package var name: String
    package var verdict: Verdict
    package var measured: Quantity?
    package var wanted: Wanted?
    package var firstViolation: Violation?
    /// Why it failed, why it may miss, or why nobody could judge it.
    package var because: String?

    package init(
        name: String, verdict: Verdict, measured: Quantity? = nil, wanted: Wanted? = nil,
        firstViolation: Violation? = nil, because: String? = nil
    ) {
        self.name = name
        self.verdict = verdict
        self.measured = measured
        self.wanted = wanted
        self.firstViolation = firstViolation
        self.because = because
    }
}

package enum Verdict: String, Codable, Hashable, Sendable, CaseIterable {
    case passed
    case failed
    /// It missed, and the scenario says it may: `expected: false`.
    case expectedMiss = "expected-miss"
    /// It held, although the scenario does not expect it yet.
    case surprisingPass = "surprising-pass"
    /// The level or the scenario gave nothing to judge it by.
    case notJudged = "not-judged"

    /// The verdict on an assertion that held or did not, and was expected to hold or not.
    package init(held: Bool, expected: Bool) {
        switch (held, expected) {
        case (true, true): self = .passed
        case (true, false): self = .surprisingPass
        case (false, true): self = .failed
        case (false, false): self = .expectedMiss
        }
    }
}

/// A number and what it counts.
package struct Quantity: Codable, Hashable, Sendable {
    package enum Unit: String, Codable, Hashable, Sendable {
        /// 0...1, shown as per cent.
        case share
        case seconds
        case bytes
        case bytesPerSecond = "bytes/s"
        case count
        /// So many times.
        case ratio
        case joules
    }
    package var value: Double
    package var unit: Unit

    package init(_ value: Double, _ unit: Unit) {
        self.value = value
        self.unit = unit
    }
}

/// What a measure must be.
package struct Wanted: Codable, Hashable, Sendable {
    package enum Relation: String, Codable, Hashable, Sendable {
        case atLeast = "at-least"
        case atMost = "at-most"
        case exactly
    }
    package var relation: Relation
    package var quantity: Quantity

    package init(_ relation: Relation, _ value: Double, _ unit: Quantity.Unit) {
        self.relation = relation
        quantity = Quantity(value, unit)
    }

    package func isMet(by measured: Double) -> Bool {
        switch relation {
        case .atLeast: measured >= quantity.value
        case .atMost: measured <= quantity.value
        case .exactly: measured == quantity.value
        }
    }
}

/// Where an assertion first broke.
package struct Violation: Codable, Hashable, Sendable {
    /// Microseconds since the world began.
    package var time: UInt64
    /// Nil when it concerns the whole mesh.
    package var host: String?

    package init(time: UInt64, host: String? = nil) {
        self.time = time
        self.host = host
    }
}
