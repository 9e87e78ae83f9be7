/// Whose rules a run followed.
package enum Semantics: String, Codable, Hashable, Sendable {
    /// Ours: things happen when they happen.
    case own
    /// The ONE's: things happen on its ticks, in its order.
    case theONE = "the-one"
}

/// What one run found: `result.json`. The same scenario, seed and build give the same bytes, `cost` apart.
package struct RunResult: Codable, Hashable, Sendable {
    /// The schema this code writes and reads.
    package static let schema = 1

    package var schema = RunResult.schema
    /// The scenario's name.
    package var name: String
    package var about: String?
    package var seed: UInt64
    package var level: DetailLevel
    package var semantics: Semantics
    /// Which key encapsulation the hosts used; nil where there is no cryptography.
    package var kem: String?
    /// What ran: a version, and whether it was compiled for release.
    package var build: String?
    /// What the seed chose among the scenario's ranges, in the scenario's order.
    package var options: [NamedText] = []
    /// The command that runs exactly this again.
    package var replay: String?
    /// Hex.
    package var scenarioHash: String
    /// Hex, over everything that happened, in order.
    package var traceDigest: String
    package var hosts: Int
    package var simulatedSeconds: Double
    /// Why the run ended before the scenario did; nil when it did not.
    package var stopped: String?

    package var counters = Counters()
    /// All messages first, under the name `all`, then one row a class in the order of classes.
    package var delivery: [ClassDelivery] = []
    /// Copies handed over beyond the one delivered, for each delivered message: (relayed - delivered) / delivered.
    package var overhead: Double?
    package var bytesByFrame: [Tally] = []
    package var bytesByLink: [Tally] = []
    package var reconciliation: Reconciliation?
    package var interning: [InterningCounter] = []
    package var bufferMaxima: [BufferMaximum] = []
    package var fairness: [Fairness] = []
    /// Whatever else was measured: energy, airtime, degrees.
    package var measures: [Measure] = []
    package var assertions: [AssertionResult] = []
    /// Sentences a reader must know to read the figures rightly.
    package var notes: [String] = []
    package var cost = Cost()

    package init(
        name: String, seed: UInt64, level: DetailLevel, semantics: Semantics = .own, kem: String? = nil,
        scenarioHash: String, traceDigest: String, hosts: Int, simulatedSeconds: Double
    ) {
        self.name = name
        self.seed = seed
        self.level = level
        self.semantics = semantics
        self.kem = kem
        self.scenarioHash = scenarioHash
        self.traceDigest = traceDigest
        self.hosts = hosts
        self.simulatedSeconds = simulatedSeconds
    }

    /// Nothing that had to hold failed, and the run reached its end.
    package var succeeded: Bool { stopped == nil && !assertions.contains { $0.verdict == .failed } }
}

/// A name and what stands beside it.
package struct NamedText: Codable, Hashable, Sendable {
    package var name: String
    package var text: String

    package init(name: String, text: String) {
        self.name = name
        self.text = text
    }
}

/// Messages and copies, counted as The ONE's message statistics count them.
package struct Counters: Codable, Hashable, Sendable {
    /// Messages.
    package var created = 0
    /// Transfers begun.
    package var started = 0
    /// Transfers completed.
    package var relayed = 0
    /// Transfers cut short.
    package var aborted = 0
    /// Copies that had to make room, or outlived their time.
    package var dropped = 0
    /// Copies given up on purpose, for instance after delivery.
    package var removed = 0
    /// Messages that reached their recipient.
    package var delivered = 0
    /// Messages whose time ran out before they were delivered.
    package var expired = 0

    package init() {}
}

/// Something counted under a name, with the bytes it took.
package struct Tally: Codable, Hashable, Sendable {
    package var name: String
    package var count: UInt64
    package var bytes: UInt64

    package init(name: String, count: UInt64, bytes: UInt64) {
        self.name = name
        self.count = count
        self.bytes = bytes
    }
}

/// What finding out the differences between stores cost.
package struct Reconciliation: Codable, Hashable, Sendable {
    /// Frames of digests, summaries and reconciliation, both ways.
    package var bytes: UInt64
    /// Items one side lacked.
    package var differences: UInt64

    package init(bytes: UInt64, differences: UInt64) {
        self.bytes = bytes
        self.differences = differences
    }
}

/// What the world kept once for all hosts. A cheaper run is an honest one only if it says this.
package struct InterningCounter: Codable, Hashable, Sendable {
    /// `envelopes`, `log entries`, `verified certificates`.
    package var name: String
    /// Distinct things kept.
    package var kept: UInt64
    /// Times one of them was asked for again.
    package var reused: UInt64
    /// What those would have taken; nil where the saving is time.
    package var bytesSaved: UInt64?

    package init(name: String, kept: UInt64, reused: UInt64, bytesSaved: UInt64? = nil) {
        self.name = name
        self.kept = kept
        self.reused = reused
        self.bytesSaved = bytesSaved
    }
}

/// The fullest a buffer ever was.
package struct BufferMaximum: Codable, Hashable, Sendable {
    /// `all`, or a class.
    package var name: String
    package var bytes: UInt64
    /// Nil when the buffer has no end.
    package var quota: UInt64?
    package var host: String
    /// Microseconds.
    package var time: UInt64

    package init(name: String, bytes: UInt64, quota: UInt64?, host: String, time: UInt64) {
        self.name = name
        self.bytes = bytes
        self.quota = quota
        self.host = host
        self.time = time
    }
}

/// How evenly something falls on the hosts.
package struct Fairness: Codable, Hashable, Sendable {
    /// `delivery by sender`, `bytes relayed by host`.
    package var name: String
    /// Jain's index: 1 when all have the same, 1/n when one has it all.
    package var jain: Double

    /// Nil shares, or none at all, are even.
    package init(name: String, shares: [Double]) {
        var sum = 0.0
        var squares = 0.0
        for share in shares {
            sum += share
            squares += share * share
        }
        self.name = name
        jain = squares > 0 ? sum * sum / (Double(shares.count) * squares) : 1
    }
}

package struct Measure: Codable, Hashable, Sendable {
    package var name: String
    package var quantity: Quantity

    package init(name: String, quantity: Quantity) {
        self.name = name
        self.quantity = quantity
    }
}

/// What the run took from the machine; the one part that differs between two runs of a seed.
package struct Cost: Codable, Hashable, Sendable {
    package var cpuSeconds = 0.0
    /// The process's largest resident size; nil where it was not asked for.
    package var peakBytes: UInt64?

    package init() {}
}
