import Foundation
import Testing

@Suite("covey log export")
final class LogExportTests {
    let program: CoveyProgram

    init() throws { program = try CoveyProgram() }
    deinit { program.remove() }

    @Test("a running node writes its whole log, which an audit finds sound, and no network key with it")
    func exported() throws {
        try program.found()
        try program.enrol("ana", "ben")
        let ana = try program.node("ana")
        try program.succeed(
            "authority", "revoke", "ben", "--reason", "lost", "--authority", "desk", "--node", "ana/control.sock")
        try program.succeed("authority", "log", "-o", "whole.log", "--authority", "desk")
        let written = try program.succeed("log", "export", "-o", "out.log", "--json", "--home", "ana").json()
        #expect(written["file"] as? String == "out.log")
        let audit = try program.succeed("log", "verify", "out.log", "--mesh", "ana/mesh", "--json").json()
        #expect(audit["isSound"] as? Bool == true)
        #expect(audit["notes"] as? Int == 1)
        let desk = try program.succeed("log", "verify", "whole.log", "--mesh", "ana/mesh", "--json").json()
        #expect(audit["entries"] as? Int == desk["entries"] as? Int)
        #expect(written["objects"] as? Int == (desk["entries"] as? Int).map { $0 + 1 })
        let bytes = Data(try program.bytes(of: "out.log"))
        let epochs = Data(try program.bytes(of: "desk/epochs"))
        #expect(bytes.range(of: epochs.suffix(32)) == nil)
        try program.fail("log", "export", "-o", "out.log", "--home", "ana", status: 73, saying: "exists already")
        #expect(try ana.node.stop() == 0)
        try program.fail("log", "export", "-o", "x.log", "--home", "ana", status: 69, saying: "no node answers")
    }
}
