import ArgumentParser
import CoveyReport
import CoveyScenario

extension SeedRange: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension Shard: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

/// `covey-sim swarm simulations/03-mule-motorbike.yaml --seeds 1..200`
struct SwarmCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swarm", abstract: "Run many seeds on all processors, and cut down those that fail.",
        discussion: """
            Every seed is a process of its own, so that one that dies takes no other with it. DIR keeps a folder \
            seed-N with result.json for each, and sweep.json for all; covey-sim merge puts sweeps of several machines \
            together. A seed that fails is cut down and kept, with the reason and the command that replays it, where \
            later runs find it. The status is 1 when a seed failed.
            """)

    @Argument(help: "A scenario file.")
    var file: String

    @Option(help: ArgumentHelp("Which seeds, both ends too.", valueName: "a..b"))
    var seeds: SeedRange

    @OptionGroup var choice: RunChoice

    @Option(help: "How many at once. Without it: as many as there are processors.")
    var jobs: Int?

    @Option(help: ArgumentHelp("The part of this machine, such as 3/8.", valueName: "i/n"))
    var shard = Shard.whole

    @Option(help: "No further seed is begun, or cut down, after so long.")
    var minutes: Double?

    @Option(help: ArgumentHelp("Where results go. Without it: found/NAME.", valueName: "dir"))
    var out: String?

    @Option(help: ArgumentHelp("Where failing seeds are kept.", valueName: "dir"))
    var keep = "simulations/seeds"

    @Option(help: "How many failing seeds are cut down; of the others the command is told.")
    var shrink = 3

    @Option(name: .customLong("shrink-minutes"), help: "How long cutting down one of them may take.")
    var shrinkMinutes = 10.0

    @Option(help: ArgumentHelp("Write the verdicts as JUnit XML to this file.", valueName: "file"))
    var junit: String?

    @Flag(help: "No progress and no table.")
    var quiet = false

    func validate() throws {
        guard (jobs ?? 1) >= 1 else { throw ValidationError("--jobs is at least 1") }
        guard shrink >= 0 else { throw ValidationError("--shrink is not negative") }
    }

    func run() throws {
        try Complaint.told {
            let scenario = try ScenarioFile.read(file).scenario
            let place = out ?? "found/\(scenario.name)"
            let runs = shard.seeds(of: seeds.seeds).map { seed in
                SeedRun(file: file, seed: seed, choice: choice, folder: "\(place)/seed-\(seed)")
            }
            for run in runs { try Folder.make(run.folder) }
            let until = minutes.map { Clock.seconds + $0 * 60 }
            let endings = try ran(runs, scenario, until: until)
            let results = endings.compactMap { run, ending in result(run, ending, scenario) }
            let sweep = SweepResult(results)
            try ResultFile.write(sweep, to: place + "/sweep.json")
            if let junit { try ResultFile.write(Array(JUnit.document(results).utf8), to: junit) }
            if !quiet {
                print(sweep.table(), terminator: "")
                let left = runs.count - endings.count
                if left > 0 { print("\(left) of \(runs.count) seeds were not begun: the time was up") }
            }
            let failing = endings.filter { Failure($0.ending) != nil }
            try keepSeeds(failing.map(\.run), scenario, until: until)
            guard results.allSatisfy(\.isAsExpected) else { throw ExitCode(Complaint.Status.failed) }
        }
    }

    /// In the order of the seeds; without those that were not begun.
    private func ran(
        _ runs: [SeedRun], _ scenario: Scenario, until: Double?
    ) throws -> [(run: SeedRun, ending: SeedRun.Ending)] {
        var bar = ProgressBar(scenario.name, total: Double(runs.count), isQuiet: quiet)
        defer { bar.finish() }
        var endings: [Int: SeedRun.Ending] = [:]
        var failed = 0
        try Children.run(
            count: runs.count, atOnce: jobs ?? Children.processors, arguments: { runs[$0].arguments() },
            output: { runs[$0].output }, mayStart: { until.map { Clock.seconds < $0 } ?? true }
        ) { index, end in
            let ending = try runs[index].ending(end)
            if case .refused(let why) = ending {
                StandardError.tell(why)
                throw ExitCode(Complaint.Status.usage)
            }
            if Failure(ending) != nil { failed += 1 }
            endings[index] = ending
            bar.update(
                Double(endings.count),
                "\(endings.count) of \(runs.count) seeds" + (failed > 0 ? ", \(failed) failed" : ""))
        }
        return endings.sorted { $0.key < $1.key }.map { (runs[$0.key], $0.value) }
    }

    /// A run that died has a result too: that it died.
    private func result(_ run: SeedRun, _ ending: SeedRun.Ending, _ scenario: Scenario) -> RunResult? {
        switch ending {
        case .ran(let result): return result
        case .refused: return nil
        case .trapped(let how):
            var result = RunResult(
                name: scenario.name, seed: run.seed, level: choice.level(of: scenario), semantics: choice.semantics,
                scenarioHash: ScenarioRun.hash(scenario), traceDigest: "", hosts: scenario.hostCount,
                simulatedSeconds: scenario.duration.seconds)
            result.stopped = how
            result.replay = choice.replay(file, seed: run.seed)
            return result
        }
    }

    private func keepSeeds(_ failing: [SeedRun], _ scenario: Scenario, until: Double?) throws {
        for (number, run) in failing.enumerated() {
            let replay = choice.replay(file, seed: run.seed)
            let left = until.map { ($0 - Clock.seconds) / 60 } ?? .infinity
            guard number < shrink, left > 0 else {
                print("seed \(run.seed) failed: \(replay)")
                continue
            }
            let path = "\(keep)/\(scenario.name)-\(run.seed).yaml"
            try Folder.make(keep)
            try Folder.temporary { folder in
                var shrinking = Shrinking(
                    file: file, seed: run.seed, choice: choice, folder: folder, minutes: min(shrinkMinutes, left),
                    isQuiet: quiet)
                do {
                    let found = try shrinking.run(assertion: nil, kept: path)
                    try ScenarioFile.write(found.text, to: path)
                    print("seed \(run.seed) failed: \(found.reason)\n  \(found.summary)\n  kept: \(path)\n  \(replay)")
                } catch let refusal as Shrinking.Refusal {
                    print("seed \(run.seed) failed: \(replay)\n  not cut down: \(refusal)")
                }
            }
        }
    }
}
