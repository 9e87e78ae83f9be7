import ArgumentParser
import CoveyReport
import CoveyScenario

/// `covey-sim replay simulations/seeds/03-mule-motorbike-17.yaml`
struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Run a seed again, and see that the same happens.",
        discussion: """
            Two runs in two processes have to have one digest; with --digest it is that one, with --trace the events \
            are those of an earlier run --trace. When they differ, the first event in which they do is told, and the \
            status is 1. What the run asserts is told too, and does not decide the status.
            """)

    @Argument(help: "A scenario file, or a seed that was kept.")
    var file: String

    @Option(help: "Decides all that is left to chance. Without it: the file's.")
    var seed: UInt64?

    @OptionGroup var choice: RunChoice

    @Option(help: "The digest of the run that is replayed, as it was printed.")
    var digest: String?

    @Option(help: ArgumentHelp("The events of the run that is replayed; full level only.", valueName: "file"))
    var trace: String?

    /// Events before the first that differs which are told with it.
    private static let shownBefore = 3

    func run() throws {
        try Complaint.told {
            let scenario = try ScenarioFile.read(file).scenario
            let seed = seed ?? scenario.seed
            let isFull = choice.level(of: scenario) == .full
            if trace != nil, !isFull { throw ValidationError("--trace is of nodes: it needs --level full") }
            try Folder.temporary { folder in
                let runs = ["first", "second"].map { name in
                    SeedRun(file: file, seed: seed, choice: choice, folder: "\(folder)/\(name)")
                }
                let results = try runs.map { try result($0, events: trace != nil) }
                let digests = results.map(\.traceDigest)
                print(RunSummary(result: results[0]).text)
                if digests[0] != digests[1] {
                    StandardError.tell("diverged: two runs have digests\n  \(digests[0])\n  \(digests[1])")
                    if isFull {
                        // Again, with their events; what differs once tends to differ again.
                        for run in runs { _ = try result(run, events: true) }
                        tellFirst(try lines(events(of: runs[0])), try lines(events(of: runs[1])))
                    }
                    throw ExitCode(Complaint.Status.failed)
                }
                if let trace {
                    let earlier = try lines(trace)
                    let now = try lines(events(of: runs[0]))
                    if earlier != now {
                        StandardError.tell("diverged from \(trace)")
                        tellFirst(earlier, now)
                        throw ExitCode(Complaint.Status.failed)
                    }
                }
                if let digest, digest != digests[0] {
                    StandardError.tell("diverged: the digest is not \(digest)")
                    throw ExitCode(Complaint.Status.failed)
                }
                print("replayed twice: the same digest" + (trace == nil ? "" : ", and the same events"))
            }
        }
    }

    private func events(of run: SeedRun) -> String { run.folder + "/events" }

    private func result(_ run: SeedRun, events isTraced: Bool) throws -> RunResult {
        switch try run.run(isTraced ? ["--trace", events(of: run)] : []) {
        case .ran(let result): return result
        case .trapped(let how):
            StandardError.tell(how)
            throw ExitCode(Complaint.Status.failed)
        case .refused(let why):
            StandardError.tell(why)
            throw ExitCode(Complaint.Status.usage)
        }
    }

    private func lines(_ path: String) throws -> [Substring] {
        guard let text = Folder.text(path) else { throw ResultFile.Problem.unreadable(path: path) }
        return text.split(separator: "\n")
    }

    /// `time in µs, host, kind, bytes, hash`, and the same of the other.
    private func tellFirst(_ one: [Substring], _ other: [Substring]) {
        let same = zip(one, other).prefix { $0 == $1 }.count
        guard same < max(one.count, other.count) else {
            StandardError.tell("with their events written down, the two agree")
            return
        }
        StandardError.tell("the first event that differs is number \(same + 1) (time in µs, host, kind, bytes, hash):")
        for line in one[max(0, same - Self.shownBefore)..<same] { StandardError.tell("    \(line)") }
        StandardError.tell("  - \(same < one.count ? one[same] : "the run is over")")
        StandardError.tell("  + \(same < other.count ? other[same] : "the run is over")")
    }
}
