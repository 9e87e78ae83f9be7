import CoveyCore
import Foundation
import Testing

@testable import CoveyCommand

@Suite("covey log prove")
final class LogProveTests {
    let program: CoveyProgram

    init() throws {
        program = try CoveyProgram()
        try program.found()
    }

    deinit { program.remove() }

    @Test("a device's membership is proven to who holds the file mesh alone, by a node or from a log file")
    func proven() throws {
        try program.enrol("ana", "ben")
        let ana = try program.node("ana")
        try program.succeed("log", "import", "ben.log", "--home", "ana")
        try program.fail(
            "log", "prove", "ben", "-o", "ben.proof", "--home", "ana", status: 1, saying: "no checkpoint covers it yet")
        try program.succeed("authority", "checkpoint", "--authority", "desk", "--node", "ana/control.sock")
        let written = try program.succeed("log", "prove", "ben", "-o", "ben.proof", "--home", "ana").output
        #expect(written.contains("wrote ben.proof: ben ("))
        #expect(written.contains("one of 2 devices"))
        #expect(written.contains("covey log verify ben.proof --mesh ana/mesh"))
        try program.fail("log", "prove", "ben", "-o", "ben.proof", "--home", "ana", status: 73, saying: "exists")
        try program.fail("log", "prove", "cy", "-o", "cy.proof", "--home", "ana", status: 1, saying: "covey contacts")
        let shown = try program.succeed("log", "verify", "ben.proof", "--mesh", "desk/mesh").output
        #expect(shown.contains("proven: ben (") && shown.contains("by checkpoint") && shown.contains("good until"))
        #expect(shown.contains("not proven: that it was not revoked, before that time or since"))
        try program.succeed("qr", "show", "ben.proof", "--png", "ben.png")
        #expect(try program.succeed("log", "verify", "ben.png", "--mesh", "desk/mesh").output.contains("proven: ben ("))
        let read = try program.succeed("log", "verify", "ben.proof", "--mesh", "ana/mesh", "--json").json()
        #expect(read["label"] as? String == "ben" && read["devices"] as? Int == 2)
        #expect(read["isExpired"] as? Bool == false)

        try program.succeed("log", "export", "-o", "all.log", "--home", "ana")
        #expect(try ana.node.stop() == 0)
        try program.succeed("log", "prove", "ben", "-o", "again.proof", "--log", "all.log", "--mesh", "ana/mesh")
        #expect(try program.bytes(of: "again.proof") == program.bytes(of: "ben.proof"))
        #expect(try program.bytes(of: "ben.proof").count < 2048)
        try program.fail(
            "log", "prove", "ben", "-o", "x.proof", "--log", "all.log", status: 64, saying: "go together")
        try program.fail(
            "log", "verify", "all.log", "--mesh", "ben.proof", status: 1, saying: "no genesis")
        try program.succeed("authority", "init", "Other", "--authority", "other")
        try program.fail("log", "verify", "ben.proof", "--mesh", "other/mesh", status: 1, saying: "another mesh")
        try program.fail("log", "import", "ben.proof", "--home", "ana", status: 1, saying: ".log file is needed")

        let url = URL(fileURLWithPath: program.path("ben.proof"))
        let bytes = try program.bytes(of: "ben.proof")
        for at in stride(from: 0, to: bytes.count, by: 97) {
            var altered = bytes
            altered[at] ^= 0x10
            try Data(altered).write(to: url)
            let outcome = try program.run(["log", "verify", "ben.proof", "--mesh", "ana/mesh"])
            #expect(outcome.status == 1 && outcome.output.isEmpty, "byte \(at): \(outcome.output)")
            #expect(outcome.complaint.split(separator: "\n").count == 1, "byte \(at): \(outcome.complaint)")
        }
    }

    @Test("who is revoked, or came after the checkpoint, gets no proof, and is told why")
    func refused() throws {
        try program.enrol("ana", "ben")
        try program.succeed("authority", "checkpoint", "-o", "check.log", "--authority", "desk")
        try program.enrol("late")
        try program.succeed("authority", "revoke", "ben", "--reason", "lost", "-o", "gone.log", "--authority", "desk")
        try program.succeed("authority", "log", "-o", "all.log", "--authority", "desk")
        func prove(_ name: String) -> [String] {
            ["log", "prove", name, "-o", "\(name).proof", "--log", "all.log", "--mesh", "desk/mesh"]
        }
        try program.fail(arguments: prove("ben"), status: 1, saying: ["no proof of ben: it is revoked"])
        try program.fail(arguments: prove("late"), status: 1, saying: ["no proof of late: it is not in checkpoint"])
        try program.succeed(arguments: prove("ana"))
    }
}
