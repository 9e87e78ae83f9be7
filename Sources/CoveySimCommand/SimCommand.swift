import ArgumentParser

@main
struct SimCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "covey-sim", abstract: "Runs whole meshes in one process, with faults from a seed.",
        subcommands: [
            Bench.self,
            CompareCommand.self,
            CompareOneCommand.self,
            CompareOwnCommand.self,
            DigestCommand.self,
            ImportCommand.self,
            MergeCommand.self,
            MinimiseCommand.self,
            OneCommand.self,
            OracleCommand.self,
            ReplayCommand.self,
            ReportCommand.self,
            RunCommand.self,
            SwarmCommand.self,
        ])
}
