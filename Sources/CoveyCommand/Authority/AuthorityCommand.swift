import ArgumentParser
import CoveyCore
import Glibc

struct AuthorityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "authority", abstract: "Found a mesh, enrol and revoke devices.",
        subcommands: [
            InitCommand.self, InviteCommand.self, SignCommand.self, RenewCommand.self, RevokeCommand.self,
            EpochCommand.self, AuthorityLogCommand.self,
        ])
}

struct AuthorityOptions: ParsableArguments {
    @Option(name: .customLong("authority"), help: "The authority's directory (or COVEY_AUTHORITY).")
    var directory: String?

    func path() throws -> String {
        if let directory { return directory }
        if let named = getenv("COVEY_AUTHORITY"), named.pointee != 0 { return String(cString: named) }
        throw Complaint(.usage, "which authority? name its directory with --authority DIR or COVEY_AUTHORITY")
    }

    func open() throws -> AuthorityDirectory { try AuthorityDirectory(path()) }
}
