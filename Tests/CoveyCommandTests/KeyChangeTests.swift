import CoveyCore
import CoveyCrypto
import Foundation
import Testing

@testable import CoveyCommand

/// Keys that change, keys that are lost, forks that are decided, and releases, with files as people have them.
@Suite("covey authority rotate, recover, recover-fork and replace-keys; covey release")
final class KeyChangeTests {
    let program: CoveyProgram

    init() throws { program = try CoveyProgram() }
    deinit { program.remove() }

    private func epoch(_ file: String, at desk: String) throws {
        try program.succeed("authority", "epoch", "-o", file, "--authority", desk)
    }

    private func entries(_ file: String) throws -> [LogEntry] {
        let file = try CoveyFile(parsing: program.bytes(of: file))
        return try file.log(of: file.mesh).map { try LogEntry(parsing: $0, mesh: file.mesh) }
    }

    @Test("one key alone changes to the one it promised, again and again; the old one signs nothing more")
    func alone() throws {
        try program.found()
        try FileManager.default.copyItem(atPath: program.path("desk"), toPath: program.path("thief"))
        try program.succeed("authority", "rotate", "-o", "one.log", "--authority", "desk")
        #expect(try program.mode(of: "desk/authority.old") == 0o600)
        #expect(try program.mode(of: "desk/authority.key") == 0o600)
        #expect(try program.bytes(of: "desk/authority.old") == program.bytes(of: "thief/authority.key"))
        #expect(!FileManager.default.fileExists(atPath: program.path("desk/authority.next")))
        try epoch("epoch.log", at: "desk")
        try program.succeed("authority", "rotate", "-o", "two.log", "--authority", "desk")
        try epoch("again.log", at: "desk")
        let log = try program.succeed("authority", "log", "--authority", "desk").output
        #expect(log.contains("new keys of authority"))
        try program.succeed("log", "verify", "desk/log", "--mesh", "desk/mesh")
        // Who copied the directory before learns that it is behind.
        try program.succeed("authority", "import", "one.log", "--authority", "thief")
        try program.fail(
            "authority", "epoch", "-o", "stolen.log", "--authority", "thief", status: 1, saying: "changed its keys")
    }

    @Test("two of three change their keys by a draft; each takes its part of the following ones")
    func shared() throws {
        try program.found("--field", "2of3")
        try program.open("field-2", "two")
        try program.open("field-3", "three")
        let draft = try program.succeed(
            "authority", "rotate", "-o", "rotate.log", "--authority", "desk", "--json"
        ).json()
        #expect(draft["file"] as? String == "rotate.draft")
        #expect(draft["missing"] as? Int == 2)
        try program.fail(
            "authority", "rotate", "--take", "desk/cold/field-2.key", "--authority", "two", status: 1,
            saying: "no part of the keys that follow")
        try program.succeed("authority", "rotate", "--take", "desk/cold/next-2.key", "--authority", "two")
        try program.succeed("authority", "cosign", "rotate.draft", "--yes", "--authority", "two")
        try program.succeed("authority", "import", "rotate.log", "--authority", "desk")
        // The new keys sign what comes next, together.
        try epoch("next.log", at: "two")
        try program.succeed("authority", "cosign", "next.draft", "--yes", "--authority", "desk")
        // The third was away, and takes its part late.
        try program.succeed("authority", "import", "rotate.log", "next.log", "--authority", "three")
        try program.fail(
            "authority", "epoch", "-o", "third.log", "--authority", "three", status: 1, saying: "rotate --take")
        let doctor = try program.run(["doctor", "--authority", "three", "--home", "nobody"])
        #expect(doctor.output.contains("covey authority rotate --take FILE --authority three"))
        #expect(!doctor.output.contains("destroy"), "the keys of three still open its part")
        try program.succeed("authority", "rotate", "--take", "desk/cold/next-3.key", "--authority", "three")
        try epoch("third.log", at: "three")
        try program.succeed("authority", "import", "next.log", "--authority", "two")
        try program.succeed("authority", "cosign", "third.draft", "--yes", "--authority", "two")
    }

    @Test("the part of a change that was withdrawn is never gone over to, and no part is written over unasked")
    func withdrawn() throws {
        try program.found("--field", "2of3")
        try program.open("field-2", "two")
        try program.succeed("authority", "rotate", "-o", "one.log", "--authority", "desk")
        try FileManager.default.copyItem(
            atPath: program.path("desk/cold/next-2.key"), toPath: program.path("old-2.key"))
        try program.succeed("authority", "rotate", "--take", "old-2.key", "--authority", "two")
        let taken = try program.bytes(of: "two/authority.next")
        let asked = try program.run(["authority", "rotate", "-o", "own.log", "--authority", "two"], input: "no\n")
        #expect(asked.status == 1)
        #expect(asked.complaint.contains("following keys wait in two already"))
        #expect(try program.bytes(of: "two/authority.next") == taken)
        #expect(!FileManager.default.fileExists(atPath: program.path("own.draft")))

        // A part of another change goes over it only when that is said.
        let withdrawn = try program.succeed("authority", "withdraw", "--yes", "--authority", "desk", "--json").json()
        #expect(withdrawn["sequence"] as? Int == 2)
        let waiting = try program.bytes(of: "desk/authority.next")
        try program.fail(
            "authority", "rotate", "-o", "one.log", "--yes", "--authority", "desk", status: 73, saying: "one.draft")
        #expect(try program.bytes(of: "desk/authority.next") == waiting, "no keys of a change that was not begun")
        #expect(try program.bytes(of: "desk/cold/next-2.key") == program.bytes(of: "old-2.key"))
        try program.succeed("authority", "rotate", "-o", "two.log", "--yes", "--authority", "desk")
        let other = try program.run(
            ["authority", "rotate", "--take", "desk/cold/next-2.key", "--authority", "two"], input: "no\n")
        #expect(other.status == 1)
        #expect(other.complaint.contains("of another change wait in two already"))
        #expect(try program.bytes(of: "two/authority.next") == taken)
        try program.succeed("authority", "cosign", "two.draft", "--yes", "--authority", "two")
        try program.fail(
            "authority", "epoch", "-o", "early.log", "--authority", "two", status: 1, saying: "rotate --take")
        try program.succeed("authority", "log", "--authority", "two")
        try program.fail(
            "authority", "rotate", "--take", "old-2.key", "--authority", "two", status: 1, saying: "was withdrawn")
        try program.succeed("authority", "rotate", "--take", "desk/cold/next-2.key", "--authority", "two")
        try program.succeed("authority", "import", "two.log", "--authority", "desk")
        // The next change is to keys that both have.
        try program.succeed("authority", "rotate", "-o", "three.log", "--authority", "two")
        try program.succeed("authority", "rotate", "--take", "two/cold/next-1.key", "--authority", "desk")
        try program.succeed("authority", "cosign", "three.draft", "--yes", "--authority", "desk")
    }

    @Test("lost keys are replaced by the cold ones, and the old directory is told that it is over")
    func lost() throws {
        try program.found("--recovery", "2of3")
        try program.succeed(
            "authority", "recover", "field", "--key", "desk/cold/recovery-1.key", "--key", "desk/cold/recovery-3.key",
            "--from", "desk", "-o", "new.log", "--authority", "new")
        #expect(try entries("new.log").map(\.payload.kind) == [.recoverFork])
        try epoch("epoch.log", at: "new")
        try program.succeed("authority", "import", "new.log", "epoch.log", "--authority", "desk")
        try program.fail("authority", "epoch", "-o", "old.log", "--authority", "desk", status: 1, saying: "these keys")
        try program.succeed("log", "verify", "new/log", "--mesh", "new/mesh")
        // Another key file is none of these.
        try program.fail(
            "authority", "recover", "root", "--key", "desk/cold/root.key", "--from", "new", "-o", "x.log",
            "--authority", "other", status: 1, saying: "recovery")
    }

    @Test("cold keys that are apart sign a draft in turn, and what they decide is imported where the new keys are")
    func apart() throws {
        try program.found("--recovery", "2of3")
        try epoch("one.log", at: "desk")
        let begun = try program.succeed(
            "authority", "recover", "field", "--key", "desk/cold/recovery-1.key", "--from", "desk", "-o", "new.log",
            "--keys", "2of3", "--authority", "new"
        ).output
        #expect(begun.contains("wrote new.draft: by the cold keys: new keys of the authority"))
        #expect(begun.contains("signed by key 1; 1 more of the cold keys 2 and 3 must sign"))
        #expect(try program.mode(of: "new/cold/2of3-2.key") == 0o600)
        try program.fail(
            "authority", "epoch", "-o", "early.log", "--authority", "new", status: 1, saying: "these keys")
        func cosign(_ key: String) -> [String] {
            ["authority", "cosign", "new.draft", "--key", "desk/cold/\(key).key", "--authority", "desk"]
        }
        try program.fail(
            "authority", "cosign", "new.draft", "--yes", "--authority", "desk", status: 64, saying: "--key FILE")
        for (key, word) in [("recovery-1", "already"), ("root", "keys are not here")] {
            let refused = try program.run(cosign(key) + ["--yes"])
            #expect(refused.status == 1)
            #expect(refused.complaint.contains(word), "\(refused.complaint)")
        }
        let asked = try program.run(cosign("recovery-3"), input: "no\n")
        #expect(asked.complaint.contains("its log stands up to entry 1 ("))
        #expect(asked.complaint.contains("the last that is known"))
        #expect(asked.complaint.contains("2 of 3 new keys must sign"))
        let done = try program.succeed(arguments: cosign("recovery-3") + ["--yes"]).output
        #expect(done.contains("covey authority import new.log"))
        try program.succeed("authority", "import", "new.log", "--authority", "new")
        try program.succeed(
            "authority", "open", "new/cold/2of3-2.key", "--from", "new", "--authority", "second")
        try epoch("epoch.log", at: "new")
        try program.succeed("authority", "cosign", "epoch.draft", "--yes", "--authority", "second")
        try program.fail("authority", "epoch", "-o", "old.log", "--authority", "desk", status: 1, saying: "these keys")
    }

    @Test("a fork is decided by cold keys that are apart; entries that the draft drops are counted to who signs it")
    func forkApart() throws {
        try program.found("--recovery", "2of2")
        try epoch("first.log", at: "desk")
        try program.part("desk", from: "copy")
        try program.learnOfFork("wrong.log", at: "desk")
        let first = try #require(try entries("first.log").first)
        try program.succeed(
            "authority", "recover-fork", "field", "--branch", String(first.id.hex.prefix(12)), "--yes", "--key",
            "desk/cold/recovery-2.key", "-o", "choice.log", "--authority", "desk")
        let cosign = [
            "authority", "cosign", "choice.draft", "--key", "desk/cold/recovery-1.key", "--authority", "desk",
        ]
        let asked = try program.run(cosign, input: "no\n")
        #expect(asked.complaint.contains("entry 1 ("))
        #expect(asked.complaint.contains("1 after it are dropped"))
        for file in ["right.log", "wrong.log"] {
            let dropped = try #require(try entries(file).first)
            #expect(asked.complaint.contains("entry 2 (\(dropped.id.hex.prefix(12)))"), "\(asked.complaint)")
        }
        try program.succeed(arguments: cosign + ["--yes"])
        try epoch("onward.log", at: "desk")
        #expect(try entries("onward.log").map(\.sequence) == [3])
    }

    /// North, which `root` has added, and a copy of its directory fork its log, and the root learns of it.
    private func forkNorth(_ root: String) throws {
        try program.succeed("authority", "import", "north.log", "--authority", "north")
        try program.part("north", from: "thief")
        try program.learnOfFork("right.log", "wrong.log", at: root)
    }

    @Test("the authority above gives one below it new keys and says which branch stands; the old keys are over")
    func replaced() throws {
        try program.found()
        try program.open("root", "root")
        try program.askNorth()
        try program.succeed("authority", "add", "north.authority", "--yes", "--authority", "root")
        try forkNorth("root")
        try program.fail(
            "authority", "replace-keys", "north", "--to", "new", "--authority", "root", status: 1,
            saying: "name the last entry")
        #expect(!FileManager.default.fileExists(atPath: program.path("new")))
        let right = String(try #require(try entries("right.log").first).id.hex.prefix(12))
        try program.fail(
            "authority", "replace-keys", "root", "--branch", right, "--to", "new", "--authority", "root", status: 1,
            saying: "no authority below this one")
        let replaced = try program.succeed(
            "authority", "replace-keys", "north", "--branch", right, "--yes", "--to", "new", "--authority", "root"
        ).output
        #expect(replaced.contains("new acts for authority"))
        #expect(try entries("replace-keys.log").map(\.payload.kind) == [.authorityRotate])
        try epoch("onward.log", at: "new")
        for old in ["north", "thief"] {
            try program.succeed(
                "authority", "import", "right.log", "wrong.log", "replace-keys.log", "--authority", old)
            try program.fail("authority", "epoch", "-o", "no.log", "--authority", old, status: 1, saying: "these keys")
        }
    }

    @Test("new keys that take in what the old ones signed beside them are no old copy of anything")
    func replacedEarly() throws {
        try program.found()
        try program.open("root", "root")
        try program.appointNorth()
        for file in ["one.log", "two.log", "three.log"] { try epoch(file, at: "north") }
        try program.succeed("authority", "import", "one.log", "--authority", "root")
        try program.succeed(
            "authority", "replace-keys", "north", "--yes", "--to", "new", "-o", "new.log", "--authority", "root")
        let gap = try program.run(["authority", "import", "three.log", "--authority", "new"])
        #expect(gap.status == 1)
        #expect(gap.complaint.contains("entries before these are missing") && !gap.complaint.contains("old copy"))
        let said = try program.succeed("authority", "import", "two.log", "three.log", "--authority", "new").output
        #expect(said.contains("2 new") && !said.contains("old copy"), "\(said)")
        try epoch("onward.log", at: "new")
        // What the new keys sign elsewhere tells a copy of their own.
        try FileManager.default.copyItem(atPath: program.path("new"), toPath: program.path("copy"))
        try epoch("further.log", at: "new")
        let copy = try program.succeed("authority", "import", "further.log", "--authority", "copy").output
        #expect(copy.contains("copy is an old copy"))
    }

    @Test("where the root's keys are apart, new keys for an authority below and its revocation go round as drafts")
    func replacedTogether() throws {
        try program.found("--root", "2of3")
        try program.open("root-1", "one")
        try program.open("root-2", "two")
        try program.askNorth()
        try program.succeed("authority", "add", "north.authority", "--yes", "--authority", "one")
        try program.succeed("authority", "cosign", "north.draft", "--yes", "--authority", "two")
        let added = try program.succeed("authority", "cosign", "north.draft", "--yes", "--authority", "one").output
        #expect(added.contains("next, at that authority: covey authority import north.log --authority DIR"))
        try program.succeed("authority", "import", "north.log", "--authority", "two")
        try forkNorth("one")
        let wrong = String(try #require(try entries("wrong.log").first).id.hex.prefix(12))
        try program.succeed(
            "authority", "replace-keys", "north", "--branch", wrong, "--yes", "--to", "new", "--authority", "one")
        try program.fail(
            "authority", "epoch", "-o", "early.log", "--authority", "new", status: 1, saying: "these keys")
        let asked = try program.run(["authority", "cosign", "replace-keys.draft", "--authority", "two"], input: "no\n")
        #expect(asked.complaint.contains("new keys of the authority north ("))
        #expect(asked.complaint.contains("its log stands up to entry 1 ("))
        let done = try program.succeed("authority", "cosign", "replace-keys.draft", "--yes", "--authority", "two")
        #expect(done.output.contains("covey authority import replace-keys.log"))
        try program.succeed("authority", "import", "replace-keys.log", "--authority", "new")
        try epoch("onward.log", at: "new")

        try program.succeed("authority", "import", "replace-keys.log", "onward.log", "--authority", "one")
        try program.succeed(
            "authority", "revoke-authority", "north", "--reason", "compromised", "--authority", "one")
        let revoked = try program.succeed(
            "authority", "cosign", "revoke-authority.draft", "--yes", "--authority", "two"
        ).output
        #expect(revoked.contains("next: covey authority epoch"))
    }

    @Test("a fork by an old copy of the directory is decided by the cold keys, which name the last entry that stands")
    func fork() throws {
        try program.found()
        try program.part("desk", from: "copy")
        try program.learnOfFork("wrong.log", at: "desk")
        try program.fail("authority", "epoch", "-o", "no.log", "--authority", "desk", status: 1, saying: "void")
        let right = try #require(try entries("right.log").first)
        try program.fail(
            "authority", "recover-fork", "field", "--branch", "0123456789", "--key", "desk/cold/recovery.key",
            "--authority", "desk", status: 1, saying: "no entry")
        // Both entries are named, by the doctor at the desk, and in what the log shows of them.
        let wrong = try #require(try entries("wrong.log").first)
        let doctor = try program.run(["doctor", "--authority", "desk", "--home", "nobody"])
        #expect(doctor.status == 1)
        for entry in [right, wrong] { #expect(doctor.output.contains(entry.id.hex.prefix(12)), "\(doctor.output)") }
        let shown = try program.succeed("authority", "log", "--authority", "desk").output
        #expect(shown.contains(right.id.hex.prefix(12)))
        #expect(shown.components(separatedBy: "forked: ").count == 3, "both branches")
        let choose = [
            "authority", "recover-fork", "field", "--branch", String(right.id.hex.prefix(12)), "--key",
            "desk/cold/recovery.key", "-o", "choice.log", "--authority", "desk",
        ]
        let asked = try program.run(choose, input: "no\n")
        #expect(asked.status == 1)
        #expect(asked.complaint.contains("entry \(wrong.sequence) (\(wrong.id.hex.prefix(12)))"))
        #expect(!asked.complaint.contains("entry \(right.sequence) (\(right.id.hex.prefix(12)))"))
        #expect(try program.run(choose, input: "yes\n").status == 0)
        try epoch("onward.log", at: "desk")
        let log = try program.succeed("authority", "log", "--authority", "desk").output
        #expect(log.contains("chosen by the cold keys"))
        #expect(log.components(separatedBy: "dropped: ").count == 2, "\(log)")
        #expect(!log.contains("forked: "))
        let audit = try program.succeed("log", "verify", "desk/log", "--mesh", "desk/mesh").output
        #expect(audit.contains("decided: ") && audit.contains("was chosen to stand"))
        #expect(audit.contains("sound") && !audit.contains("WRONG"))
        // The copy takes the branch that it was on to be over.
        try program.succeed(
            "authority", "import", "right.log", "choice.log", "onward.log", "--authority", "copy")
        try epoch("copy.log", at: "copy")
    }

    @Test("whoever signs a release after another sees each file, the commit, the recipe and when it may be installed")
    func sharedRelease() throws {
        try program.found("--release", "2of2")
        try program.open("release-1", "one")
        try program.open("release-2", "two")
        try program.write("the program\n", to: "covey.deb")
        try program.write("how to build it\n", to: "recipe")
        try program.succeed(
            "release", "sign", "covey.deb", "--version", "1.0", "--source", "ab12", "--recipe", "recipe", "--soak", "5",
            "-o", "r.log", "--authority", "one")
        let draft = try CoveyFile(parsing: program.bytes(of: "r.draft"))
        guard case .entry(.act(.releaseManifest(let release)), _, _) = try Draft.read(draft, of: draft.mesh).0.content
        else { throw CancellationError() }
        let asked = try program.run(["authority", "cosign", "r.draft", "--authority", "two"], input: "no\n")
        #expect(asked.status == 1)
        let file = try #require(release.artefacts.first)
        for line in [
            "release 1.0", "covey.deb with SHA-256 \(file.sha256.hex)", "commit ab12", "SHA-256 \(release.recipe.hex)",
            "to be installed from \(CalendarText.utc(release.notBefore))",
        ] { #expect(asked.complaint.contains(line), "\(asked.complaint)") }
        try program.succeed("authority", "cosign", "r.draft", "--yes", "--authority", "two")
    }

    @Test("a release is listed, a file is compared with it, and another one is in none; nothing is run")
    func releases() throws {
        try program.found()
        try program.open("release", "releases")
        try program.write("the program\n", to: "covey.deb")
        try program.write("how to build it\n", to: "recipe")
        let none = try program.succeed("release", "show", "--authority", "desk").output
        #expect(none.contains("no release is listed"))
        try program.fail(
            "release", "sign", "covey.deb", "--version", "1.0", "--source", "ab12", "--recipe", "recipe", "-o",
            "r.log", "--authority", "desk", status: 1, saying: "release keys")
        for (more, word) in [(["--soak", "0"], "3 to 365"), (["./covey.deb"], "two files")] {
            try program.fail(
                arguments: [
                    "release", "sign", "covey.deb", "--version", "1.0", "--source", "ab12", "--recipe", "recipe",
                    "--authority", "releases",
                ] + more, status: 64, saying: [word])
        }
        try program.succeed(
            "release", "sign", "covey.deb", "--version", "1.0", "--source", "ab12", "--recipe", "recipe", "-o",
            "1.0.log", "--authority", "releases")
        try program.succeed("authority", "import", "1.0.log", "--authority", "desk")
        let shown = try program.succeed("release", "show", "--authority", "desk", "--json").json()
        let list = try #require(shown["releases"] as? [[String: Any]])
        #expect(list.map { $0["version"] as? String } == ["1.0"])
        #expect(shown["running"] == nil)
        // The invitation names it, and an old program says that it is another.
        try program.succeed("authority", "invite", "ana", "-o", "ana.invite", "--authority", "desk")
        let request = ["device", "request", "ana.invite", "-o", "ana.request", "--home", "ana"]
        try program.fail(
            arguments: request + ["--release", "ana.invite"], status: 1, saying: ["where a .log file is needed"])
        let warned = try program.run(request + ["--release", "1.0.log"])
        #expect(warned.status == 0)
        #expect(warned.complaint.contains("not of release 1.0, which the invitation names"))
        let hash = try Build.hash(of: CoveyProgram.executable.path).hex
        let signed = try program.succeed(
            "authority", "sign", "ana.request", "-o", "ana.welcome", "--authority", "desk"
        ).output
        #expect(signed.contains("its program has SHA-256 \(hash): in no release; the newest is 1.0"))
        // Listed, and not for long enough.
        let early = try program.run(["release", "verify", "covey.deb", "--authority", "desk"])
        #expect(early.status == 75)
        #expect(early.output.contains("covey.deb of release 1.0"))
        try program.write("the program, and more\n", to: "covey.deb")
        try program.fail("release", "verify", "covey.deb", "--authority", "desk", status: 1, saying: "in no release")
        // The running program itself, when a release lists it.
        try program.succeed(
            "release", "sign", CoveyProgram.executable.path, "--version", "1.1", "--source", "ab13", "--recipe",
            "recipe", "-o", "1.1.log", "--authority", "releases")
        let running = try program.succeed("release", "show", "--authority", "releases").output
        #expect(running.contains("this program is of release 1.1"))
        try program.succeed("authority", "import", "1.1.log", "--authority", "desk")
        try program.succeed("authority", "invite", "ben", "-o", "ben.invite", "--authority", "desk")
        let asking = ["device", "request", "ben.invite", "-o", "ben.request", "--home", "ben"]
        try program.fail(
            arguments: asking + ["--release", "1.0.log"], status: 1, saying: ["does not hold the release"])
        let asked = try program.succeed(arguments: asking + ["--release", "1.1.log"]).output
        #expect(asked.contains("this program has SHA-256 \(hash): of release 1.1, which the invitation names"))
        let enrolled = try program.succeed(
            "authority", "sign", "ben.request", "-o", "ben.welcome", "--authority", "desk", "--json"
        ).json()
        #expect(enrolled["program"] as? String == hash)
        #expect(enrolled["release"] as? String == "1.1")
    }
}
