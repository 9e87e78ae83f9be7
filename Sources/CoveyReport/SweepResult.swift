/// Many runs side by side: seeds of one scenario, or shards of a sweep that ran on many machines. Merging depends
/// neither on the order of the parts nor on how they were cut.
package struct SweepResult: Codable, Hashable, Sendable {
    package static let schema = 1

    /// One run, as much as a table shows.
    package struct Row: Codable, Hashable, Sendable {
        package var name: String
        package var scenarioHash: String
        package var level: DetailLevel
        package var semantics: Semantics
        package var build: String?
        package var seed: UInt64
        package var traceDigest: String
        package var succeeded: Bool
        /// Why it ended early.
        package var stopped: String?
        /// Names of the assertions that failed, in the scenario's order.
        package var failed: [String]
        package var expectedMisses: Int
        package var surprisingPasses: Int
        package var options: [NamedText]
        package var replay: String?
        package var created: Int
        package var delivered: Int
        package var reachable: Int
        package var overhead: Double?
        /// Seconds.
        package var p50: Double?
        package var p95: Double?
        package var cpuSeconds: Double

        package init(_ result: RunResult) {
            name = result.name
            scenarioHash = result.scenarioHash
            level = result.level
            semantics = result.semantics
            build = result.build
            seed = result.seed
            traceDigest = result.traceDigest
            succeeded = result.succeeded
            stopped = result.stopped
            failed = result.assertions.filter { $0.verdict == .failed }.map(\.name)
            expectedMisses = result.assertions.count { $0.verdict == .expectedMiss }
            surprisingPasses = result.assertions.count { $0.verdict == .surprisingPass }
            options = result.options
            replay = result.replay
            let all = result.delivery.first { $0.name == "all" }
            created = all?.created ?? result.counters.created
            delivered = all?.delivered ?? result.counters.delivered
            reachable = all?.reachable ?? 0
            overhead = result.overhead
            p50 = all?.delays?.p50
            p95 = all?.delays?.p95
            cpuSeconds = result.cost.cpuSeconds
        }

        /// What makes two rows the same run.
        fileprivate var identity: [String] {
            // Seeds sort as numbers.
            let digits = String(seed)
            let padded = String(repeating: "0", count: 20 - digits.count) + digits
            return [name, scenarioHash, level.rawValue, semantics.rawValue, padded, build ?? ""]
        }
    }

    package var schema = SweepResult.schema
    /// By scenario, level, semantics, seed and build.
    package private(set) var rows: [Row] = []

    package init(_ results: [RunResult] = []) { self.init(rows: results.map(Row.init)) }

    private init(rows: [Row]) {
        // A total order first, so that of two reports of one run the same one stays, wherever it came from.
        let sorted = rows.sorted { a, b in
            let left = a.identity
            let right = b.identity
            if left != right { return left.lexicographicallyPrecedes(right) }
            if a.traceDigest != b.traceDigest { return a.traceDigest < b.traceDigest }
            return a.cpuSeconds < b.cpuSeconds
        }
        for row in sorted {
            if let last = self.rows.last, last.identity == row.identity, last.traceDigest == row.traceDigest {
                continue
            }
            self.rows.append(row)
        }
    }

    package func merged(with other: SweepResult) -> SweepResult { SweepResult(rows: rows + other.rows) }

    package static func merging(_ parts: [SweepResult]) -> SweepResult { SweepResult(rows: parts.flatMap(\.rows)) }

    package var failing: [Row] { rows.filter { !$0.succeeded } }

    /// Seeds whose runs do not agree with one another: same scenario, seed and build, another digest.
    package var divergent: [Row] {
        rows.indices.filter { index in
            (index > 0 && rows[index - 1].identity == rows[index].identity)
                || (index + 1 < rows.count && rows[index + 1].identity == rows[index].identity)
        }.map { rows[$0] }
    }

    package var succeeded: Bool { failing.isEmpty && divergent.isEmpty }

    /// One line a run under a line of names, columns aligned, for a terminal.
    package func table() -> String {
        let head = ["scenario", "level", "seed", "verdict", "delivered", "of oracle", "p50", "p95", "overhead", "cpu"]
        let split = Set(divergent)
        let lines = rows.map { row in
            [
                row.name, row.semantics == .own ? row.level.rawValue : row.semantics.rawValue, String(row.seed),
                split.contains(row) ? "divergent" : row.succeeded ? "passed" : "failed",
                "\(row.delivered)/\(row.created)",
                row.reachable > 0 ? Figure.percent(Double(row.delivered) / Double(row.reachable)) : "–",
                row.p50.map(Figure.seconds) ?? "–", row.p95.map(Figure.seconds) ?? "–",
                row.overhead.map { Figure.decimal($0) } ?? "–", Figure.seconds(row.cpuSeconds),
            ]
        }
        return TextTable.aligned([head] + lines, leading: [0, 1, 3])
    }
}
