import ArgumentParser
import CoveyReport
import FoundationEssentials
import Glibc

/// `covey-sim report found/result.json`
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Draw what a run found as one page that opens from a file.",
        discussion: "The recording is looked for beside the result. Without one the page has figures and no pictures.")

    @Argument(help: "A run's result.json.")
    var result: String

    @Option(help: "The run's recording.json. Without it: the one beside the result.")
    var recording: String?

    @Option(name: .shortAndLong, help: "Where to write the page. Without it: report.html beside the result.")
    var output: String?

    @Option(help: "Also write the verdicts as JUnit XML, to this file.")
    var junit: String?

    func run() throws {
        do {
            let found = try ResultFile.readResult(result)
            let beside = sibling("recording.json")
            let path = recording ?? (FileManager.default.fileExists(atPath: beside) ? beside : nil)
            let page = try ReportPage.html(found, try path.map(ResultFile.readRecording))
            let place = output ?? sibling("report.html")
            try ResultFile.write(Array(page.utf8), to: place)
            if let junit { try ResultFile.write(Array(JUnit.document([found]).utf8), to: junit) }
            if path == nil { tell("no recording.json beside \(result): the page has no pictures") }
            print(place)
        } catch let problem as ResultFile.Problem {
            tell("\(problem)")
            throw ExitCode(1)
        }
    }

    private func sibling(_ name: String) -> String {
        guard let slash = result.lastIndex(of: "/") else { return name }
        return result[...slash] + name
    }

    private func tell(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
