import ArgumentParser
import CoveyReport

/// `covey-sim merge shard-*/sweep.json -o sweep.json`
struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge", abstract: "Put the parts of a sweep together.",
        discussion: """
            Takes sweep.json of swarms and result.json of runs, in any order; a run that stands in two of them counts \
            once. The status is 1 when a run failed, and when two runs of one seed do not agree.
            """)

    @Argument(help: "Sweeps and results.")
    var results: [String]

    @Option(name: .shortAndLong, help: "Where the whole sweep goes.")
    var output: String?

    @Option(help: ArgumentHelp("Write the verdicts as JUnit XML to this file.", valueName: "file"))
    var junit: String?

    @Flag(help: "No table.")
    var quiet = false

    func run() throws {
        try Complaint.told {
            let sweep = SweepResult.merging(try results.map(ResultFile.readAny))
            if let output { try ResultFile.write(sweep, to: output) }
            if let junit {
                try ResultFile.write(Array(JUnit.document(sweep.rows.map(RunResult.init)).utf8), to: junit)
            }
            if !quiet {
                print(sweep.table(), terminator: "")
                for row in sweep.failing { print("seed \(row.seed) failed: \(row.replay ?? row.name)") }
                for row in sweep.divergent {
                    print("seed \(row.seed) diverged: digest \(row.traceDigest): \(row.replay ?? row.name)")
                }
            }
            guard sweep.succeeded, sweep.rows.allSatisfy({ $0.surprisingPasses == 0 }) else {
                throw ExitCode(Complaint.Status.failed)
            }
        }
    }
}

extension RunResult {
    /// As much of a run as a sweep remembers: what failed, by name, and that the rest held.
    fileprivate init(_ row: SweepResult.Row) {
        self.init(
            name: row.name, seed: row.seed, level: row.level, semantics: row.semantics,
            scenarioHash: row.scenarioHash, traceDigest: row.traceDigest, hosts: 0, simulatedSeconds: 0)
        build = row.build
        options = row.options
        replay = row.replay
        stopped = row.stopped
        cost.cpuSeconds = row.cpuSeconds
        assertions = row.failed.map {
            AssertionResult(name: $0, verdict: .failed, because: "see the run's result.json")
        }
        if row.succeeded { assertions.append(AssertionResult(name: "all that is asserted", verdict: .passed)) }
    }
}
