import CoveyCore
import Foundation
import Testing

@testable import CoveyCommand

/// What an authority says of the mesh and of those below it.
@Suite("covey authority policy, checkpoint and revoke-authority")
final class LoggedActTests {
    let program: CoveyProgram

    init() throws { program = try CoveyProgram() }
    deinit { program.remove() }

    @Test("the rules are shown everywhere and changed at the root, by setting, profile or file")
    func policy() throws {
        try program.found()
        try program.open("root", "root")
        let shown = try program.succeed("authority", "policy", "--json", "--authority", "desk").json()
        #expect(shown["number"] as? Int == 1)
        #expect((shown["settings"] as? [String: Int])?["fresh_days"] == 7)
        #expect(try program.succeed("authority", "policy", "--authority", "root").output.contains("stale_days"))
        try program.fail(
            "authority", "policy", "--set", "fresh_days=9", "--authority", "desk", status: 1, saying: "only the root")
        for (setting, word) in [
            ("fresh_days", "NAME=VALUE"), ("fresh=9", "there is no such setting"),
            ("fresh_days=many", "from 1 to 3650"),
            ("stale_days=3", "below fresh_days"),
            ("certificate_life_days=401", "from 7 to 400"), ("bundle_life_days=31", "from 14 to 30"),
            ("relay_while_locked=1", "no node of this version would follow that"),
        ] {
            try program.fail("authority", "policy", "--set", setting, "--authority", "root", status: 64, saying: word)
        }
        try program.fail(
            "authority", "policy", "--profile", "standard", "--authority", "root", status: 1, saying: "says so already")
        try program.fail(
            "authority", "policy", "--profile", "default", "--authority", "root", status: 64, saying: "expedition")
        try program.write("fresh_days = 14\nzone255_forced = true\nduress_allowed = false\n", to: "rules.toml")
        try program.write("fresh_days = 14\n\nfoo = 1\n", to: "wrong.toml")
        try program.fail(
            "authority", "policy", "--from", "wrong.toml", "--authority", "root", status: 64,
            saying: "wrong.toml, line 3", "no such setting")
        let changed = try program.succeed(
            "authority", "policy", "--profile", "expedition", "--from", "rules.toml", "--authority", "root"
        ).output
        #expect(changed.contains("fresh_days: 14, until now 7"))
        #expect(changed.contains("stale_days: 120, until now 30"))
        #expect(changed.contains("zone255_forced: 1, until now 0"))
        try program.succeed("authority", "import", "policy.log", "--authority", "desk")
        let now = try program.succeed("authority", "policy", "--json", "--authority", "desk").json()
        #expect(now["number"] as? Int == 2)
        #expect((now["settings"] as? [String: Int])?["stale_days"] == 120)
        #expect((now["settings"] as? [String: Int])?["epoch_grace_days"] == 30)
    }

    @Test("two of three change the rules by a draft, which says what is new; a node takes it, and an audit is content")
    func drafts() throws {
        try program.found("--root", "2of3")
        try program.open("root-1", "one")
        try program.open("root-2", "two")
        try program.enrol("ana")
        for root in ["one", "two"] { try program.succeed("authority", "import", "ana.log", "--authority", root) }
        let draft = try program.succeed(
            "authority", "policy", "--set", "fresh_days=10", "--authority", "one", "--json"
        ).json()
        #expect(draft["file"] as? String == "policy.draft")
        let doctor = try program.run(["doctor", "--authority", "one", "--home", "nobody"])
        #expect(doctor.status == 0)
        #expect(doctor.output.contains("a draft for place 3"))
        #expect(doctor.complaint.contains("no node answers"))
        let asked = try program.run(["authority", "cosign", "policy.draft", "--authority", "two"], input: "no\n")
        #expect(asked.complaint.contains("fresh_days: 10, until now 7"))
        try program.succeed("authority", "cosign", "policy.draft", "--yes", "--authority", "two")
        try program.succeed("authority", "import", "policy.log", "--authority", "one")
        // A checkpoint goes round as well.
        _ = try program.succeed("authority", "checkpoint", "--authority", "one")
        try program.succeed("authority", "cosign", "checkpoint.draft", "--yes", "--authority", "two")
        let log = try program.succeed("authority", "log", "--authority", "two").output
        #expect(log.contains("checkpoint of 1 device"))
        let ana = try program.node("ana")
        try program.succeed("authority", "log", "-o", "two.log", "--authority", "two")
        try program.succeed("log", "import", "two.log", "--home", "ana")
        try program.succeed("log", "export", "--home", "ana")
        #expect(try program.succeed("log", "verify", "mesh.log", "--mesh", "ana/mesh").output.contains("sound"))
        #expect(try ana.node.stop() == 0)
    }

    @Test("a checkpoint confirms first what enough keys revoked, so that its set is of devices that are members")
    func checkpoint() throws {
        try program.found()
        try program.enrol("ana", "ben", "cy")
        try program.succeed("authority", "revoke", "cy", "--reason", "lost", "-o", "lost.log", "--authority", "desk")
        let said = try program.succeed("authority", "checkpoint", "--authority", "desk").output
        #expect(said.contains("confirmed: cy (") && said.contains("was revoked as lost"))
        #expect(said.contains("checkpoint: no log below, 2 devices in the set"))
        let again = try program.succeed("authority", "checkpoint", "--authority", "desk").output
        #expect(!again.contains("confirmed") && again.contains("2 devices in the set"))
        let handed = try CoveyFile(parsing: program.bytes(of: "checkpoint.log"))
        #expect(try handed.log(of: handed.mesh).count == 2, "the verdict goes with the checkpoint")
        try program.succeed("authority", "log", "-o", "all.log", "--authority", "desk")
        #expect(try program.succeed("log", "verify", "all.log", "--mesh", "desk/mesh").output.contains("sound"))
    }

    @Test("where several officers sign, a checkpoint names who is revoked without a verdict, and the way to one")
    func checkpointOfSeveral() throws {
        try program.foundPair(enrolling: "ana")
        try program.succeed(
            "authority", "revoke", "ana", "--reason", "retired", "-o", "ana.note.log", "--authority", "desk")
        let begun = try program.run(["authority", "checkpoint", "-o", "one.log", "--authority", "desk"])
        #expect(begun.status == 0)
        #expect(begun.output.contains("1 device in the set"))
        #expect(begun.complaint.contains("covey authority verdict ana --confirm, and then another checkpoint"))
        try program.succeed("authority", "log", "-o", "all.log", "--authority", "desk")
        try program.succeed("authority", "import", "all.log", "--authority", "two")
        let asked = try program.run(["authority", "cosign", "one.draft", "--authority", "two"], input: "no\n")
        #expect(asked.complaint.contains("revoked, and in the set as no verdict says so: ana ("))
    }

    @Test("an authority that is revoked keeps what it granted up to the entry that is named, and loses the rest")
    func revoked() throws {
        try program.found()
        try program.open("root", "root")
        try program.appointNorth()
        for name in ["ana", "thief"] {
            try program.succeed("authority", "invite", name, "-o", "\(name).invite", "--authority", "north")
            try program.succeed("device", "request", "\(name).invite", "-o", "\(name).request", "--home", name)
            try program.succeed(
                "authority", "sign", "\(name).request", "-o", "\(name).welcome", "--authority", "north")
        }
        try program.succeed("authority", "log", "-o", "all.log", "--authority", "north")
        try program.succeed("authority", "import", "all.log", "--authority", "root")
        try program.fail(
            "authority", "revoke-authority", "north", "--reason", "compromised", "--yes", "--authority", "desk",
            status: 1, saying: "there is no log of an authority")
        try program.fail(
            "authority", "revoke-authority", "north", "--reason", "compromised", "--last-good", "1", "--since",
            "2026-01-01", "--authority", "root", status: 64, saying: "exclude each other")
        try program.fail(
            "authority", "revoke-authority", "north", "--reason", "compromised", "--last-good", "4", "--yes",
            "--authority", "root", status: 1, saying: "3 entries of its log are known here", "import its log first")
        let no = try program.run(
            [
                "authority", "revoke-authority", "north", "--reason", "compromised", "--last-good", "2", "--authority",
                "root",
            ], input: "no\n")
        #expect(no.status == 1)
        #expect(no.complaint.contains("what it granted counts up to entry 2 of 3"))
        let done = try program.succeed(
            "authority", "revoke-authority", "north", "--reason", "compromised", "--last-good", "2", "--yes",
            "--authority", "root"
        ).output
        #expect(done.contains("revoke the authority north"))
        #expect(done.contains("announced a new network key, epoch 2"))
        #expect(done.contains("covey log import revoke-authority.log --authority root"))
        let shown = try program.succeed("authority", "log", "--authority", "root").output
        #expect(shown.contains("void: device thief (") && !shown.contains("void: device ana"))
        #expect(shown.contains("revoked: compromised, what it granted counts up to entry 2"))
        try program.succeed("authority", "log", "-o", "after.log", "--authority", "root")
        let audit = try program.succeed("log", "verify", "after.log", "--mesh", "desk/mesh", "--json")
        let chains = try #require(try audit.json()["chains"] as? [[String: Any]])
        let north = try #require(chains.first { $0["label"] as? String == "north" })
        #expect(north["grantsUpTo"] as? Int == 2)
        #expect(north["liveDevices"] as? Int == 1)
        // What was decided is said, with who lost by it, and nothing is wrong about it for ever.
        let said = try program.succeed("log", "verify", "after.log", "--mesh", "desk/mesh").output
        let lines = said.split(separator: "\n")
        #expect(lines.last == "sound")
        #expect(!said.contains("WRONG"))
        let dismissed = try #require(lines.first { $0.hasPrefix("dismissed: north (") })
        #expect(dismissed.contains("compromised, by root on "))
        #expect(dismissed.hasSuffix("what it granted counts: up to entry 2"))
        let decided = try #require(lines.first { $0.hasPrefix("decided: ") })
        #expect(decided.contains(" entry 3: the certificate of thief ("))
        #expect(decided.contains(") is void, as north ("))
        #expect(decided.hasSuffix("was dismissed after entry 2"))

        // At its own desk it is told, and signs nothing but revocations; above, nobody is to renew it.
        try program.succeed("authority", "import", "after.log", "--authority", "north")
        let told = try program.run(["doctor", "--authority", "north", "--home", "nobody"])
        #expect(told.status == 1)
        #expect(told.output.contains("urgent  this authority was dismissed on "))
        for command in [["rotate"], ["epoch"], ["invite", "ben", "-o", "ben.invite"], ["renew", "ana"]] {
            try program.fail(
                arguments: ["authority"] + command + ["--authority", "north"], status: 1,
                saying: ["this authority was dismissed on", "(compromised)", "covey authority ask"])
        }
        try program.succeed("authority", "revoke", "ana", "--reason", "retired", "--authority", "north")
        try program.fail(
            "authority", "add", "north", "--renew", "-o", "again.log", "--authority", "root", status: 1,
            saying: "was dismissed", "add another in its place")
        let above = try program.run(["doctor", "--authority", "root", "--home", "nobody"])
        #expect(!above.output.contains("--renew"))
    }

    @Test("below an authority that was dismissed the cause is said, though what appointed it does not count any more")
    func belowDismissed() throws {
        try program.found()
        try program.open("root", "root")
        try program.appointNorth("--depth", "1")
        try program.succeed("authority", "ask", "south", "--from", "north", "-o", "s.authority", "--authority", "south")
        try program.succeed("authority", "add", "s.authority", "--yes", "-o", "s.log", "--authority", "north")
        for desk in ["south", "root"] { try program.succeed("authority", "import", "s.log", "--authority", desk) }
        try program.succeed("authority", "checkpoint", "--authority", "south")
        try program.succeed(
            "authority", "revoke-authority", "north", "--reason", "compromised", "--last-good", "0", "--yes", "-o",
            "gone.log", "--authority", "root")
        try program.succeed("authority", "import", "gone.log", "--authority", "south")
        try program.fail(
            "authority", "checkpoint", "--authority", "south", status: 1,
            saying: "the authority north above this one was dismissed on")
        let doctor = try program.run(["doctor", "--authority", "south", "--home", "nobody"])
        #expect(doctor.output.contains("urgent  the authority north above this one was dismissed on"))
        #expect(!doctor.output.contains("is no authority in the log"), "\(doctor.output)")
    }
}
