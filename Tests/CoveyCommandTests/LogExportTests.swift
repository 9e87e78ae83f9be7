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

    @Test("what members ask and the receipts of orders are exported too; an audit lists them, and a node takes them")
    func besideTheLog() throws {
        try program.found()
        try program.enrol("ana", "ben", "cy")
        try program.enrol("van", orgOwned: true)
        let ana = try program.node("ana")
        let van = try program.node("van", "--peer", ana.address)
        _ = try van.node.line(.log, containing: "linked to")
        try program.succeed("suspend", "ben", "--reason", "lost", "--home", "ana")
        try program.succeed(
            "authority", "revoke", "van", "--reason", "lost", "--wipe", "erase", "--yes", "--authority", "desk",
            "--node", "ana/control.sock")
        _ = try ana.node.line(.log, containing: "says that it obeys the order to erase")
        #expect(try van.node.waitForEnd() == 4)
        let written = try program.succeed("log", "export", "-o", "out.log", "--home", "ana").output
        #expect(written.contains(", 1 suspension asked by members, 1 receipt of a wipe order;"))
        #expect(try ana.node.stop() == 0)

        let shown = try program.succeed("log", "verify", "out.log", "--mesh", "ana/mesh").output
        #expect(shown.contains("suspend: ana (") && shown.contains("to keep out ben ("))
        #expect(shown.contains("ordered: erase van (") && shown.contains("that it obeys"))
        #expect(shown.contains("sound"))
        let report = try program.succeed("log", "verify", "out.log", "--mesh", "ana/mesh", "--json").json()
        #expect((report["suspends"] as? [[String: Any]])?.first?["byLabel"] as? String == "ana")
        #expect((report["orders"] as? [[String: Any]])?.first?["done"] != nil)

        let cy = try program.node("cy")
        let imported = try program.succeed("log", "import", "out.log", "--home", "cy").output
        #expect(imported.contains(", 0 refused"))
        #expect(try program.succeed("wipe", "--list", "--home", "cy").output.contains("obeyed on"))
        #expect(try program.succeed("contacts", "--home", "cy").output.contains("a member asks to keep it out"))
        #expect(try cy.node.stop() == 0)
        let desk = try program.succeed("authority", "import", "out.log", "--authority", "desk").output
        #expect(desk.contains("0 refused; 2 left aside"))
    }
}
