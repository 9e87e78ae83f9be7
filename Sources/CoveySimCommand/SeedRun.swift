import CoveyReport
import CoveyScenario
import Glibc

/// One seed in a process of its own, and what is left of it in a folder. Runs that trap are runs that failed.
struct SeedRun {
    enum Ending {
        case ran(RunResult)
        /// The process died; how.
        case trapped(String)
        /// It did not even begin; why.
        case refused(String)
    }

    var file: String
    var seed: UInt64
    var choice: RunChoice
    var folder: String

    var output: String { folder + "/output.txt" }

    /// - Parameter extra: further options of `run`.
    func arguments(_ extra: [String] = []) -> [String] {
        ["run", file, "--seed", "\(seed)"] + choice.arguments + ["--out", folder, "--no-recording", "--quiet"] + extra
    }

    /// Now, and to its end.
    func run(_ extra: [String] = []) throws -> Ending {
        try Folder.make(folder)
        var ending = Ending.refused("it was not run")
        try Children.run(count: 1, atOnce: 1, arguments: { _ in arguments(extra) }, output: { _ in output }) { _, end in
            ending = try self.ending(end)
        }
        return ending
    }

    /// What an end that `Children` told of means.
    func ending(_ end: Children.End) throws -> Ending {
        switch end {
        case .exited(0), .exited(Complaint.Status.failed):
            let path = folder + "/result.json"
            guard Folder.exists(path) else { return .refused(lastLine ?? "it left no result") }
            return .ran(try ResultFile.readResult(path))
        case .exited(let status): return .refused(lastLine ?? "status \(status)")
        case .signalled(let signal):
            // What the run time says of it, as far as the build has words.
            let words = ["Fatal error:", "Precondition failed:", "Assertion failed:"]
            let said = lines.first { line in words.contains { line.contains($0) } }.map { ": \($0)" } ?? ""
            return .trapped("the process died of signal \(signal), \(String(cString: strsignal(signal)))\(said)")
        }
    }

    private var lines: [Substring] { (Folder.text(output) ?? "").split(separator: "\n") }

    private var lastLine: String? { lines.last.map(String.init) }
}

/// What is wrong with a run, as much as has to stay the same while it is cut down.
enum Failure: Hashable, CustomStringConvertible {
    case assertion(String)
    case stopped
    case trapped

    /// The first of a run; nil: it did not fail.
    init?(_ ending: SeedRun.Ending) {
        switch ending {
        case .trapped: self = .trapped
        case .refused: return nil
        case .ran(let result):
            if let first = result.assertions.first(where: { $0.verdict == .failed }) {
                self = .assertion(first.name)
            } else if result.stopped != nil {
                self = .stopped
            } else {
                return nil
            }
        }
    }

    /// Whether a run fails in this way, whatever else it does.
    func isShown(by ending: SeedRun.Ending) -> Bool {
        switch (self, ending) {
        case (.trapped, .trapped): true
        case (.assertion(let name), .ran(let result)):
            result.assertions.contains { $0.name == name && $0.verdict == .failed }
        case (.stopped, .ran(let result)): result.stopped != nil
        case (.trapped, .ran), (.trapped, .refused), (.assertion, .trapped), (.assertion, .refused),
            (.stopped, .trapped), (.stopped, .refused):
            false
        }
    }

    /// In a sentence, with the figures of the run that shows it.
    func reason(_ ending: SeedRun.Ending) -> String {
        switch (self, ending) {
        case (.assertion(let name), .ran(let result)):
            result.assertions.first { $0.name == name }.map(RunSummary.line) ?? name
        case (.stopped, .ran(let result)): result.stopped ?? "stopped"
        case (_, .trapped(let how)): how
        case (_, .refused(let why)): why
        case (.trapped, .ran): description
        }
    }

    var description: String {
        switch self {
        case .assertion(let name): name
        case .stopped: "the run stopped"
        case .trapped: "the process died"
        }
    }
}
