import CoveyCore
import CoveyCrypto
import Foundation
import Testing

@testable import CoveyCommand

/// Keys that are apart, and officers who meet by files.
@Suite("covey authority with several officers")
final class CeremonyTests {
    let program: CoveyProgram

    init() throws { program = try CoveyProgram() }
    deinit { program.remove() }

    private func ask(_ name: String, at desk: String = "desk") throws {
        try program.succeed("authority", "invite", name, "-o", "\(name).invite", "--authority", desk)
        try program.succeed("device", "request", "\(name).invite", "-o", "\(name).request", "--home", name)
    }

    private func cosign(_ file: String, _ desk: String) throws -> [String: Any] {
        try program.succeed("authority", "cosign", file, "--yes", "--authority", desk, "--json").json()
    }

    @Test("two of three enrol a device: the draft goes desk, officer, desk, and the welcome is made where it began")
    func enrolment() throws {
        try program.found("--root", "2of3", "--field", "2of3")
        for file in ["root-1", "root-2", "root-3", "recovery-3", "release-1", "field-2", "field-3"] {
            #expect(try program.mode(of: "desk/cold/\(file).key") == 0o600)
        }
        try program.open("field-2", "two")
        try program.open("field-3", "three")
        try ask("ana")
        let draft = try program.succeed(
            "authority", "sign", "ana.request", "-o", "ana.welcome", "--authority", "desk", "--json"
        ).json()
        #expect(draft["file"] as? String == "ana.draft")
        #expect(draft["signed"] as? [Int] == [1])
        #expect(draft["others"] as? [Int] == [2, 3])
        #expect(draft["passes"] as? Int == 2)
        // Without a yes nothing is signed, and what would be signed is said.
        let asked = try program.run(["authority", "cosign", "ana.draft", "--authority", "two"], input: "no\n")
        #expect(asked.status == 1)
        #expect(asked.complaint.contains("enrol the device ana"))
        #expect(asked.complaint.contains("rights: link, send, carry, group-own"))
        #expect(asked.complaint.contains("for 90 days"))
        let own = try Build.hash(of: CoveyProgram.executable.path).hex
        #expect(asked.complaint.contains("its program has SHA-256 \(own): no release is listed here"))
        let digits = try EnrolmentRequest(
            parsing: CoveyFile(parsing: program.bytes(of: "ana.request")).content(.request)
        ).shortString
        #expect(asked.complaint.contains("compare with the device: \(digits)"))
        let yes = try program.run(["authority", "cosign", "ana.draft", "--authority", "two"], input: "yes\n")
        #expect(yes.status == 0, "\(yes.complaint)")
        #expect(yes.output.contains("round 2 of 2"))
        try program.fail(
            "authority", "cosign", "ana.draft", "--yes", "--authority", "two", status: 1, saying: "already",
            "other officers")
        let finished = try cosign("ana.draft", "desk")
        #expect((finished["handed"] as? [String: Any])?["file"] as? String == "ana.log")
        try program.fail(
            "authority", "cosign", "ana.draft", "--yes", "--authority", "desk", "-o", "x.draft", status: 1,
            saying: "in the log already")
        let welcome = try program.succeed(
            "authority", "sign", "ana.request", "-o", "ana.welcome", "--authority", "desk")
        #expect(welcome.output.contains("nothing new for the log"), "ana.log has it all")
        try program.succeed("device", "install", "ana.welcome", "--home", "ana")
        // The third officer was away and catches up with one file.
        try program.succeed("authority", "import", "ana.log", "--authority", "three")
        #expect(try program.succeed("authority", "log", "--authority", "three").output.contains("device ana"))
    }

    @Test("one officer of two revokes a lost device at once, and the new network key goes round")
    func revocation() throws {
        try program.foundPair()
        try ask("ana")
        try program.succeed("authority", "sign", "ana.request", "-o", "ana.welcome", "--authority", "desk")
        _ = try cosign("ana.draft", "two")
        _ = try cosign("ana.draft", "desk")
        let revoked = try program.succeed(
            "authority", "revoke", "ana", "--reason", "lost", "-o", "lost.log", "--authority", "desk", "--json"
        ).json()
        #expect(revoked["newEpoch"] as? Bool == false)
        #expect((revoked["draft"] as? [String: Any])?["file"] as? String == "lost.draft")
        let notes = try CoveyFile(parsing: program.bytes(of: "lost.log"))
        #expect(try notes.log(of: notes.mesh).map { try ObjectType(of: $0) } == [.revokeNote])
        try FileManager.default.removeItem(atPath: program.path("lost.log"))
        _ = try cosign("lost.draft", "two")
        let log = try program.succeed("authority", "log", "--authority", "two").output
        #expect(log.contains("epoch 2"))
        #expect(log.contains("revoked: lost"), "the note came along with the draft")
        // Both confirm it, so that it does not count among what the officer decided alone.
        let verdict = try program.succeed(
            "authority", "verdict", "ana", "--confirm", "-o", "verdict.log", "--authority", "two", "--json"
        ).json()
        #expect(verdict["passes"] as? Int == 1)
        let asked = try program.run(["authority", "cosign", "verdict.draft", "--authority", "desk"], input: "no\n")
        #expect(asked.complaint.contains("confirmed: ana ("))
        #expect(asked.complaint.contains("was revoked as lost"))
        _ = try cosign("verdict.draft", "desk")
        try program.succeed("authority", "import", "verdict.log", "--authority", "two")
        #expect(try program.succeed("authority", "log", "--authority", "two").output.contains("confirmed: ana ("))
    }

    @Test("two officers who announce at once: the second draft is not signed, and can be withdrawn")
    func parallel() throws {
        try program.foundPair()
        try program.succeed("authority", "epoch", "-o", "one.log", "--authority", "desk")
        try program.succeed("authority", "epoch", "-o", "two.log", "--authority", "two")
        try program.fail(
            "authority", "cosign", "one.draft", "--yes", "--authority", "two", status: 1,
            saying: "signed another act for place 2", "withdraw")
        try program.fail(
            "authority", "epoch", "-o", "again.log", "--authority", "two", status: 1, saying: "place 2", "not finished")
        try program.succeed("authority", "withdraw", "--yes", "--authority", "two")
        _ = try cosign("one.draft", "two")
        try program.succeed("authority", "import", "one.log", "--authority", "desk")
        try program.fail(
            "authority", "cosign", "two.draft", "--yes", "--authority", "desk", status: 1, saying: "moved on", "anew")
    }

    @Test("a root adds an authority below, which enrols devices of its own within its limits")
    func delegation() throws {
        try program.found()
        try program.open("root", "root")
        try program.askNorth()
        try program.fail(
            "authority", "epoch", "-o", "early.log", "--authority", "north", status: 1, saying: "does not know")
        let added = try program.succeed(
            "authority", "add", "north.authority", "--yes", "-o", "north.log", "--devices", "1", "--days", "400",
            "--zone", "3",
            "--authority", "root")
        #expect(added.output.contains("authority north"))
        try program.succeed("authority", "import", "north.log", "--authority", "north")
        try ask("ana", at: "north")
        try program.fail(
            "authority", "sign", "ana.request", "-o", "ana.welcome", "--zone", "4", "--authority", "north", status: 1,
            saying: "grant nothing")
        try program.succeed(
            "authority", "sign", "ana.request", "-o", "ana.welcome", "--zone", "3", "--authority", "north")
        try program.succeed("device", "install", "ana.welcome", "--home", "ana")
        try ask("ben", at: "north")
        try program.fail(
            "authority", "sign", "ben.request", "-o", "ben.welcome", "--zone", "3", "--authority", "north", status: 1,
            saying: "grant nothing")
        try program.succeed(
            "authority", "add", "north", "--renew", "--days", "800", "-o", "again.log", "--authority", "root")
        try program.succeed("authority", "import", "again.log", "--authority", "north")
    }

    @Test("a new authority that has the mesh alone gets all it needs in one file, however long the root's log")
    func delegationToStranger() throws {
        try program.found()
        try program.open("root", "root")
        try FileManager.default.createDirectory(atPath: program.path("stick"), withIntermediateDirectories: false)
        try FileManager.default.copyItem(atPath: program.path("desk/mesh"), toPath: program.path("stick/mesh"))
        try program.succeed(
            "authority", "ask", "north", "--from", "stick", "-o", "north.authority", "--authority", "north")
        let early = try program.run(["doctor", "--authority", "north", "--home", "nobody"])
        #expect(early.output.contains("soon    north is no authority in the log that it holds"))
        #expect(early.output.contains("covey authority import FILE.log --authority DIR"))
        for command in [["invite", "ana", "-o", "ana.invite"], ["epoch", "-o", "early.log"]] {
            try program.fail(
                arguments: ["authority"] + command + ["--authority", "north"], status: 1,
                saying: ["does not know this authority", "covey authority import FILE.log --authority DIR"])
        }
        try program.succeed("authority", "policy", "--set", "fresh_days=9", "--authority", "root")
        let added = try program.succeed(
            "authority", "add", "north.authority", "--yes", "-o", "north.log", "--authority", "root"
        ).output
        #expect(added.contains("next, at that authority: covey authority import north.log --authority DIR"))
        try program.succeed("authority", "import", "north.log", "--authority", "north")
        try ask("ana", at: "north")
        try program.succeed("authority", "sign", "ana.request", "-o", "ana.welcome", "--authority", "north")
        try program.succeed("device", "install", "ana.welcome", "--home", "ana")
        let well = try program.run(["doctor", "--authority", "north", "--home", "nobody"])
        #expect(!well.output.contains("is no authority"))
        // Once it has fallen behind, what is renewed brings it up to date as well.
        try program.succeed("authority", "policy", "--set", "fresh_days=10", "--authority", "root")
        try program.succeed("authority", "log", "-o", "whole.log", "--authority", "root")
        try program.succeed(
            "authority", "add", "north", "--renew", "--days", "800", "-o", "again.log", "--authority", "root")
        try program.succeed("authority", "import", "again.log", "--authority", "north")
    }

    @Test("so it does where several sign at the root; one entry alone is refused with the command that gets the rest")
    func delegationByDraft() throws {
        try program.found("--root", "2of2")
        try program.open("root-1", "one")
        try program.open("root-2", "two")
        try FileManager.default.createDirectory(atPath: program.path("stick"), withIntermediateDirectories: false)
        try FileManager.default.copyItem(atPath: program.path("desk/mesh"), toPath: program.path("stick/mesh"))
        try program.succeed(
            "authority", "ask", "north", "--from", "stick", "-o", "north.authority", "--authority", "north")
        try program.succeed("authority", "add", "north.authority", "--yes", "--authority", "one")
        for root in ["two", "one"] { _ = try cosign("north.draft", root) }
        let whole = try CoveyFile(parsing: program.bytes(of: "north.log"))
        let last = try #require(try whole.log(of: whole.mesh).last)
        let alone = CoveyFile.log([last], mesh: whole.mesh).bytes
        try Data(alone).write(to: URL(fileURLWithPath: program.path("alone.log")))
        let refused = try program.run(["authority", "import", "alone.log", "--authority", "north"])
        #expect(refused.status == 1)
        #expect(refused.complaint.contains("covey authority import FILE.log --authority north"))
        #expect(refused.complaint.contains("covey authority log -o FILE.log"))
        try program.succeed("authority", "import", "north.log", "--authority", "north")
        try program.succeed("authority", "epoch", "--authority", "north")
    }

    @Test("what needs two signatures is refused by one key in one line, and takes both of two")
    func privileged() throws {
        try program.found()
        try ask("ana")
        try program.fail(
            "authority", "sign", "ana.request", "-o", "ana.welcome", "--grant", "announce", "--authority", "desk",
            status: 1, saying: "two keys")
        try program.succeed("authority", "init", "Pair", "--field", "1of2", "--authority", "pair")
        try program.succeed("authority", "invite", "ben", "-o", "ben.invite", "--authority", "pair")
        try program.succeed("device", "request", "ben.invite", "-o", "ben.request", "--home", "ben")
        try program.succeed(
            "authority", "sign", "ben.request", "-o", "ben.welcome", "--grant", "announce", "--authority", "pair")
        try program.fail(
            "authority", "init", "X", "--root", "2of4", "--authority", "x", status: 64, saying: "3of4")
        try program.fail("authority", "init", "X", "--root", "two", "--authority", "x", status: 64, saying: "2of3")
    }

    @Test("a counted invitation enrols that many devices and no more, each with a name of its own")
    func counted() throws {
        try program.found()
        try program.succeed(
            "authority", "invite", "sensor", "--uses", "2", "-o", "box.invite", "--authority", "desk")
        for (home, label) in [("a", "sensor"), ("b", "sensor-2")] {
            try program.succeed("device", "request", "box.invite", "-o", "\(home).request", "--home", home)
            let signed = try program.succeed(
                "authority", "sign", "\(home).request", "-o", "\(home).welcome", "--authority", "desk", "--json"
            ).json()
            #expect(signed["label"] as? String == label)
            try program.succeed("device", "install", "\(home).welcome", "--home", home)
        }
        try program.succeed("device", "request", "box.invite", "-o", "c.request", "--home", "c")
        try program.fail(
            "authority", "sign", "c.request", "-o", "c.welcome", "--authority", "desk", status: 1, saying: "was used")
        try program.fail(
            "authority", "invite", "x", "--uses", "65", "-o", "x.invite", "--authority", "desk", status: 64,
            saying: "1 to 64")
    }

    @Test("a new phone takes the place and the name of the old one, which is revoked in the same step")
    func replaced() throws {
        try program.found()
        try ask("ana")
        let old = try program.succeed(
            "authority", "sign", "ana.request", "-o", "ana.welcome", "--authority", "desk", "--json"
        ).json()
        let id = try #require(old["device"] as? String)
        try program.succeed(
            "authority", "invite", "ana", "--replaces", "ana", "-o", "new.invite", "--authority", "desk")
        try program.succeed(
            "device", "request", "new.invite", "--replaces", id, "-o", "new.request", "--home", "new")
        let new = try program.succeed(
            "authority", "sign", "new.request", "-o", "new.welcome", "--revoke-replaced", "--authority", "desk",
            "--json"
        ).json()
        #expect(new["replaced"] as? String == "ana")
        try program.succeed("device", "install", "new.welcome", "--home", "new")
        let log = try program.succeed("authority", "log", "--authority", "desk").output
        #expect(log.contains("revoked: superseded"))
        #expect(!log.contains("epoch 2"), "a device that was replaced is not suspect")
    }
}
