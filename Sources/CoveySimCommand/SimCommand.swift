import ArgumentParser

@main
struct SimCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "covey-sim", abstract: "Runs whole meshes in one process, with faults from a seed.",
        subcommands: [
            Bench.self,
            CompareOneCommand.self,
            CompareOwnCommand.self,
            DigestCommand.self,
            ImportCommand.self,
            OneCommand.self,
            ReportCommand.self,
        ])
}
