import ArgumentParser
import CoveyScenario
import Glibc

/// `covey-sim import draft.json -o simulations/x.yaml`
struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Read a scenario in any spelling we know and write it in ours.",
        discussion: "What was taken for something else is told on standard error, each with its line.")

    @Argument(help: "A scenario file, YAML or JSON.")
    var file: String

    @Option(name: .shortAndLong, help: "Where to write it. Without it: standard output.")
    var output: String?

    func run() throws {
        do throws(ScenarioProblems) {
            let reading = try ScenarioFile.read(file)
            for note in reading.notes { tell("\(note)") }
            let text = ScenarioWriter.write(reading.scenario)
            if let output {
                try ScenarioFile.write(text, to: output)
            } else {
                print(text, terminator: "")
            }
        } catch {
            tell("\(error)")
            throw ExitCode(1)
        }
    }

    private func tell(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
