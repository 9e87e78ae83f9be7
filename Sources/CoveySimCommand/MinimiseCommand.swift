import ArgumentParser
import CoveyScenario

/// `covey-sim minimise simulations/03-mule-motorbike.yaml --seed 17 -o found.yaml`
struct MinimiseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "minimise", abstract: "Cut a failing run down until nothing more can go.",
        discussion: """
            Faults, hosts, messages and time are taken away as long as the same assertion fails, or the process still \
            dies. What is left is a scenario without chance, with the reason as its first lines.
            """, aliases: ["minimize"])

    @Argument(help: "A scenario file.")
    var file: String

    @Option(help: "The seed that fails. Without it: the file's.")
    var seed: UInt64?

    @OptionGroup var choice: RunChoice

    @Option(help: ArgumentHelp("Which failure to keep. Without it: the first.", valueName: "name"))
    var assertion: String?

    @Option(help: "No further questions after so long.")
    var minutes = 60.0

    @Option(name: .shortAndLong, help: "Where to write what is left. Without it: standard output.")
    var output: String?

    @Flag(help: "No progress.")
    var quiet = false

    func run() throws {
        try Complaint.told {
            let seed = try seed ?? ScenarioFile.read(file).scenario.seed
            try Folder.temporary { folder in
                var shrinking = Shrinking(
                    file: file, seed: seed, choice: choice, folder: folder, minutes: minutes, isQuiet: quiet)
                do {
                    let found = try shrinking.run(assertion: assertion, kept: output)
                    if let output {
                        try ScenarioFile.write(found.text, to: output)
                        print("\(found.reason)\n\(found.summary)\n\(found.runs) runs\n\(output)")
                    } else {
                        print(found.text, terminator: "")
                        StandardError.tell(found.summary)
                    }
                } catch let refusal as Shrinking.Refusal {
                    StandardError.tell("covey-sim: \(refusal)")
                    throw ExitCode(Complaint.Status.failed)
                }
            }
        }
    }
}
