import Foundation
import Testing

@testable import CoveyCommand

@Suite("covey authority list, and what a doctor says of quotas and invitations")
final class AuthorityListTests {
    let program: CoveyProgram

    init() throws { program = try CoveyProgram() }
    deinit { program.remove() }

    private func states(_ arguments: String...) throws -> [String: String] {
        let list = try program.succeed(arguments: ["authority", "list", "--json"] + arguments).json()
        let rows = try #require(list["authorities"] as? [[String: Any]])
        return Dictionary(
            uniqueKeysWithValues: rows.compactMap { row in
                guard let label = row["label"] as? String, let state = row["state"] as? String else { return nil }
                return (label, state)
            })
    }

    @Test("each authority is shown with what it may grant, how much of it is used, and how it stands")
    func listed() throws {
        try program.found()
        try program.open("root", "root")
        try program.appointNorth("--devices", "2", "--zone", "3")
        try program.enrol("van", at: "north")
        try program.succeed("authority", "import", "van.log", "--authority", "root")
        let rows = try program.succeed("authority", "list", "--authority", "root").output.components(separatedBy: "\n")
        #expect(rows.count == 7, "two lines for each: \(rows)")
        #expect(rows[0].hasPrefix("root") && rows[0].contains("1 of 1 keys") && rows[0].contains("without end"))
        let north = try #require(rows.firstIndex { $0.hasPrefix("  north") })
        #expect(rows[north].contains("live") && rows[north].contains("1 of 2 devices"))
        #expect(rows[north + 1].hasPrefix("    may grant: link, send") && rows[north + 1].contains("zones: 3;"))
        #expect(try states("--authority", "root") == ["root": "live", "field": "live", "north": "live"])
        let json = try program.succeed("authority", "list", "--json", "--authority", "root").json()
        let row = try #require((json["authorities"] as? [[String: Any]])?.first { $0["label"] as? String == "north" })
        #expect(row["liveDevices"] as? Int == 1 && row["mostDevices"] as? Int == 2 && row["zones"] as? [Int] == [3])

        try program.succeed("authority", "rotate", "-o", "rotate.log", "--authority", "desk")
        try program.succeed(
            "authority", "revoke-authority", "north", "--reason", "compromised", "--yes", "-o", "out.log",
            "--authority",
            "root")
        try program.succeed("authority", "import", "rotate.log", "--authority", "root")
        #expect(try states("--authority", "root") == ["root": "live", "field": "rotated", "north": "revoked"])
        #expect(try program.succeed("authority", "list", "--authority", "root").output.contains("live, keys changed"))
    }

    @Test("a running node shows the authorities of its log, and a log with two histories is marked")
    func node() throws {
        try program.found()
        try program.enrol("ana")
        try program.part("desk", from: "copy")
        let ana = try program.node("ana")
        #expect(try states("--home", "ana") == ["root": "live", "field": "live"])
        try program.succeed("log", "import", "right.log", "wrong.log", "--home", "ana")
        #expect(try states("--home", "ana")["field"] == "forked")
        try program.fail(
            "authority", "list", "--authority", "desk", "--home", "ana", status: 64, saying: "give one of them")
        #expect(try ana.node.stop() == 0)
    }

    @Test("a doctor says which quota is nearly used, and which invitation ends soon")
    func nearlyUsed() throws {
        try program.found()
        try program.open("root", "root")
        try program.appointNorth("--devices", "1")
        func doctor() throws -> String {
            try program.run(["doctor", "--authority", "north", "--home", "nobody"]).output
        }
        #expect(try !doctor().contains("devices that it may have"))
        try program.succeed("authority", "invite", "late", "-o", "late.invite", "--days", "1", "--authority", "north")
        try program.succeed("authority", "invite", "next", "-o", "next.invite", "--authority", "north")
        #expect(try doctor().contains("the invitation of late ends on"))
        #expect(try !doctor().contains("the invitation of next"))
        try program.enrol("van", at: "north")
        #expect(try doctor().contains("north has 1 of the 1 devices that it may have, and can enrol no other"))
    }

    @Test("a doctor says that a counted invitation is used up while its last device waits for the officers")
    func countedOut() throws {
        try program.foundPair()
        try program.succeed(
            "authority", "invite", "sensor", "--uses", "2", "-o", "sensor.invite", "--authority", "desk")
        for name in ["a", "b"] {
            try program.succeed("device", "request", "sensor.invite", "-o", "\(name).request", "--home", name)
            try program.succeed(
                "authority", "sign", "\(name).request", "-o", "\(name).welcome", "--authority", "desk")
            let found = try program.run(["doctor", "--authority", "desk", "--home", "nobody"]).output
            #expect(found.contains("the invitation of sensor is counted out: 2 of 2 devices") == (name == "b"))
            for desk in ["two", "desk"] {
                try program.succeed("authority", "cosign", "\(name).draft", "--yes", "--authority", desk)
            }
        }
    }
}
