import ArgumentParser
import Glibc

@main
struct Covey: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "covey",
        abstract: "A closed mesh messenger without servers.",
        version: Build.version,
        subcommands: [
            AuthorityCommand.self, DeviceCommand.self, RunCommand.self, SendCommand.self, InboxCommand.self,
            QuarantineCommand.self, AnnounceCommand.self, AnnouncementsCommand.self, PeersCommand.self,
            StatusCommand.self, DoctorCommand.self, ContactsCommand.self, SuspendCommand.self, RevokeSelfCommand.self,
            LogCommand.self, ReleaseCommand.self, CodeCommand.self, UnlockCommand.self, WipeCommand.self,
            VersionCommand.self,
        ])

    static func main() {
        Hardening.protectSecrets()
        do {
            try checkArguments()
            var command = try parseAsRoot()
            try command.run()
        } catch {
            end(error)
        }
    }

    /// Words that are not text would arrive as others than were typed.
    private static func checkArguments() throws {
        for at in 1..<max(1, Int(CommandLine.argc)) {
            guard let word = CommandLine.unsafeArgv[at], String(validatingCString: word) == nil else { continue }
            throw Complaint(
                .usage,
                "the words of a command are UTF-8 text, and \"\(Output.harmless(String(cString: word)))\" is none")
        }
    }

    /// One line, what to do, and a status. Help and the like are printed as they are.
    private static func end(_ error: any Error) -> Never {
        if error is CleanExit || exitCode(for: error) == .success {
            do { try Output.line(fullMessage(for: error)) } catch { end(error) }
            Glibc.exit(0)
        }
        guard exitCode(for: error) == .validationFailure else {
            let complaint = Complaint(error)
            Output.note(complaint.description)
            Glibc.exit(complaint.status.rawValue)
        }
        var line = message(for: error)
        let hint = fullMessage(for: error).split(separator: "\n").last { $0.contains("--help") }
        if let hint {
            line += "; " + hint.drop { $0 == " " }.replacing("See '", with: "see '").replacing("  ", with: "")
        }
        Output.note(line.split(separator: "\n").joined(separator: " "))
        Glibc.exit(Complaint.Status.usage.rawValue)
    }
}

struct OutputOptions: ParsableArguments {
    @Flag(help: "Answer with JSON, one object a line.")
    var json = false
}
