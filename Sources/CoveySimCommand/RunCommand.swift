import ArgumentParser
import CoveyReport
import CoveyScenario

/// `covey-sim run simulations/03-mule-motorbike.yaml --seed 7 --out found --html`
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a scenario with one seed, and say what held.",
        discussion: """
            The status is 0 when all that is asserted held, 1 when something did not or when something held that the \
            file does not expect yet, and 64 when the file is not understood.
            """)

    @Argument(help: "A scenario file.")
    var file: String

    @Option(help: "Decides all that is left to chance. Without it: the file's.")
    var seed: UInt64?

    @OptionGroup var choice: RunChoice

    @Option(help: ArgumentHelp("Where result.json and recording.json go.", valueName: "dir"))
    var out: String?

    @Flag(help: "Also write report.html there.")
    var html = false

    @Flag(help: "Also write junit.xml there.")
    var junit = false

    @Flag(name: .customLong("no-recording"), help: "Write result.json alone.")
    var isWithoutRecording = false

    @Option(help: ArgumentHelp("Write a line for each event of the nodes there; full level only.", valueName: "file"))
    var trace: String?

    @Flag(help: "No progress and no summary.")
    var quiet = false

    @Flag(help: "Print the result as JSON instead of the summary.")
    var json = false

    func validate() throws {
        if out == nil, html || junit || isWithoutRecording {
            throw ValidationError("--html, --junit and --no-recording need --out DIR")
        }
        if html, isWithoutRecording {
            throw ValidationError("--html draws the recording that --no-recording leaves out")
        }
    }

    func run() throws {
        try Complaint.told {
            let scenario = try ScenarioFile.read(file).scenario
            if trace != nil, choice.level(of: scenario) != .full {
                throw ValidationError("--trace is of nodes: it needs --level full")
            }
            var options = choice.options
            options.records = out != nil && !isWithoutRecording
            options.keepsTrace = trace != nil
            var outcome = try WatchedRun.run(scenario, seed: seed, options: options, isQuiet: quiet || json)
            outcome.result.replay = choice.replay(file, seed: outcome.result.seed)
            let result = outcome.result
            if let trace { try ResultFile.write(Array((outcome.trace.joined(separator: "\n") + "\n").utf8), to: trace) }
            if let out { try write(outcome, to: out) }
            if json {
                print(String(decoding: try ResultFile.encoded(result, pretty: true), as: UTF8.self))
            } else if !quiet {
                print(RunSummary(result: result).text)
            }
            guard result.isAsExpected else { throw ExitCode(Complaint.Status.failed) }
        }
    }

    private func write(_ outcome: ScenarioRun.Outcome, to folder: String) throws {
        try Folder.make(folder)
        try ResultFile.write(outcome.result, to: folder + "/result.json")
        if let recording = outcome.recording { try ResultFile.write(recording, to: folder + "/recording.json") }
        if html {
            let page = try ReportPage.html(outcome.result, outcome.recording)
            try ResultFile.write(Array(page.utf8), to: folder + "/report.html")
        }
        if junit { try ResultFile.write(Array(JUnit.document([outcome.result]).utf8), to: folder + "/junit.xml") }
    }
}
