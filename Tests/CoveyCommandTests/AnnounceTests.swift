import CoveyCore
import Foundation
import Testing

@testable import CoveyCommand

/// What people are told of announcements that a revocation touches (protocol.md §1.9, §1.10).
@Suite("covey announce and announcements")
final class AnnounceTests {
    let program: CoveyProgram

    init() throws {
        program = try CoveyProgram()
        try program.found("--field", "1of2")
        try program.enrol("ana", grant: "announce")
        try program.enrol("ben", "lost")
    }

    deinit { program.remove() }

    /// The revocations of a log file alone, as they reach a device before the next network key does.
    private func notes(of log: String, to file: String) throws {
        let whole = try CoveyFile(parsing: program.bytes(of: log))
        let notes = try whole.log(of: whole.mesh).filter { try ObjectType(of: $0) == .revokeNote }
        #expect(notes.count == 1)
        let bytes = CoveyFile.log(notes, mesh: whole.mesh).bytes
        try Data(bytes).write(to: URL(fileURLWithPath: program.path(file)))
    }

    @Test("one that waits for the next network key says why, and is sent under that key")
    func waiting() throws {
        let ana = try program.node("ana")
        for log in ["ben.log", "lost.log"] { try program.succeed("log", "import", log, "--home", "ana") }
        try program.succeed(
            "authority", "revoke", "lost", "--reason", "lost", "-o", "gone.log", "--authority", "desk")
        try notes(of: "gone.log", to: "notes.log")
        try program.succeed("log", "import", "notes.log", "--home", "ana")
        let said = try program.succeed("announce", "meet at the boats", "--home", "ana").output
        #expect(said.contains("number 1 waits: a former member holds the network key"))
        #expect(said.contains("it leaves under the next one"))
        let listed = try program.succeed("announcements", "--home", "ana").output
        #expect(listed.contains("meet at the boats (not sent yet, as a former member holds the network key)"))

        try program.succeed("log", "import", "gone.log", "--authority", "desk", "--home", "ana")
        let ben = try program.node("ben", "--peer", ana.address)
        _ = try ben.node.line(.log, containing: "announcement 1 of ana")
        let sent = try program.succeed("announcements", "--home", "ana").output
        #expect(sent.contains("meet at the boats") && !sent.contains("not sent yet"))
        #expect(try ana.node.stop() == 0)
        #expect(try ben.node.stop() == 0)
    }

    @Test("one whose author's device was in other hands then is left out, and marked when all are shown")
    func compromised() throws {
        let ana = try program.node("ana")
        let ben = try program.node("ben", "--peer", ana.address)
        _ = try ben.node.line(.log, containing: "linked to")
        try program.succeed("announce", "meet at the boats", "--home", "ana")
        _ = try ben.node.line(.log, containing: "announcement 1 of ana")
        let yesterday = CalendarText.utc(CalendarText.now.adding(-1440))
        try program.succeed(
            "authority", "revoke", "ana", "--reason", "compromised", "--since", yesterday, "--authority", "desk",
            "--node", "ben/control.sock")
        #expect(try program.succeed("announcements", "--home", "ben").output == "nothing is announced\n")
        let all = try program.succeed("announcements", "--all", "--home", "ben").output
        #expect(all.contains("meet at the boats (its author's device was in other hands then: look at it again;"))
        // Of the key that it was sent under, too.
        #expect(all.contains("a former member can read this)"))
        #expect(try ana.node.stop() == 0)
        #expect(try ben.node.stop() == 0)
    }
}
