import CoveyCore
import CoveyCrypto
import Foundation
import Testing

@testable import CoveyCommand

/// What a desk still does, and what it says, when its log has two branches or its keys are over.
@Suite("covey authority at a forked log, or with keys that were replaced")
final class FrozenDeskTests {
    let program: CoveyProgram

    init() throws { program = try CoveyProgram() }
    deinit { program.remove() }

    /// - Returns: the doctor's words on the fork, which the import gave too.
    @discardableResult
    private func fork(_ desk: String) throws -> String {
        try program.part(desk, from: "\(desk)-copy", right: "\(desk).log", wrong: "\(desk)-copy.log")
        let said = try program.learnOfFork("\(desk)-copy.log", at: desk)
        let doctor = try program.run(["doctor", "--authority", desk, "--home", "nobody"])
        #expect(doctor.output.contains("signed two histories"))
        return said
    }

    @Test("whoever takes in what freezes a log is told so, once")
    func told() throws {
        try program.found()
        let said = try fork("desk")
        #expect(said.contains("1 new"))
        #expect(said.contains("field"))
        #expect(said.contains("signed two histories, parting at entry 1"))
        #expect(said.contains("covey authority recover-fork field --branch"))
        let again = try program.succeed("authority", "import", "desk-copy.log", "--authority", "desk").output
        #expect(!again.contains("two histories"))
    }

    @Test("one key alone revokes a lost device although the log is forked, and is told why no new network key came")
    func revoked() throws {
        try program.found()
        try program.enrol("ana")
        try fork("desk")
        let done = try program.succeed(
            "authority", "revoke", "ana", "--reason", "lost", "-o", "out.log", "--authority", "desk"
        ).output
        #expect(done.contains("revoked ana"))
        #expect(done.contains("wrote out.log"))
        #expect(done.contains("no new network key was announced: the log of this authority is forked"))
        #expect(done.contains("covey authority recover-fork field --branch"))
        #expect(done.contains("after that: covey authority epoch"))
        let file = try CoveyFile(parsing: program.bytes(of: "out.log"))
        #expect(try file.log(of: file.mesh).map { try ObjectType(of: $0) } == [.revokeNote])
        #expect(try program.succeed("authority", "log", "--authority", "desk").output.contains("revoked: lost"))
    }

    @Test("so does one officer of two")
    func revokedByOne() throws {
        try program.foundPair(enrolling: "ana")
        for name in ["desk", "two"] {
            try FileManager.default.copyItem(atPath: program.path(name), toPath: program.path("\(name)-copy"))
        }
        for copy in ["", "-copy"] {
            try program.succeed(
                "authority", "epoch", "-o", "epoch\(copy).log", "--authority", "desk\(copy)")
            try program.succeed(
                "authority", "cosign", "epoch\(copy).draft", "--yes", "--authority", "two\(copy)")
        }
        try program.learnOfFork("epoch.log", "epoch-copy.log", at: "desk")
        let done = try program.succeed(
            "authority", "revoke", "ana", "--reason", "lost", "-o", "out.log", "--authority", "desk"
        ).output
        #expect(done.contains("revoked ana"))
        #expect(done.contains("the log of this authority is forked"))
        #expect(FileManager.default.fileExists(atPath: program.path("out.log")))
        #expect(!FileManager.default.fileExists(atPath: program.path("out.draft")))
    }

    @Test("at a forked root an authority is revoked and a verdict confirmed; a policy or a checkpoint would be void")
    func root() throws {
        try program.found()
        try program.open("root", "root")
        try program.askNorth()
        try program.succeed("authority", "add", "north.authority", "--yes", "--authority", "root")
        try program.enrol("ana")
        try program.succeed("authority", "import", "ana.log", "--authority", "root")
        try fork("root")
        let before = try program.succeed("authority", "log", "--authority", "root").output
        for command in [["policy", "--set", "fresh_days=9"], ["checkpoint"], ["rotate"], ["epoch"]] {
            try program.fail(
                arguments: ["authority"] + command + ["--authority", "root"], status: 1,
                saying: ["the log of this authority is forked", "recover-fork root --branch"])
        }
        #expect(try program.succeed("authority", "log", "--authority", "root").output == before)
        // Below a forked root an authority is still called by its name.
        let done = try program.succeed(
            "authority", "revoke-authority", "north", "--reason", "compromised", "--yes", "--authority", "root"
        ).output
        #expect(done.contains("revoke the authority north"))
        #expect(done.contains("wrote revoke-authority.log"))
        #expect(done.contains("no new network key was announced"))
        try program.succeed("authority", "revoke", "ana", "--reason", "retired", "--authority", "root")
        try program.fail(
            "authority", "verdict", "ana", "--lift", "--authority", "root", status: 1,
            saying: "the log of this authority is forked")
        try program.succeed("authority", "verdict", "ana", "--confirm", "--authority", "root")
    }

    @Test("what the cold keys decided is not decided again")
    func twice() throws {
        try program.found()
        try fork("desk")
        let file = try CoveyFile(parsing: program.bytes(of: "desk.log"))
        let entry = try #require(try file.log(of: file.mesh).first)
        let choose = [
            "authority", "recover-fork", "field", "--branch", String(LogEntry.id(of: entry).hex.prefix(12)), "--key",
            "desk/cold/recovery.key", "--yes", "--authority", "desk",
        ]
        try program.succeed(arguments: choose + ["-o", "choice.log"])
        try program.fail(arguments: choose + ["-o", "again.log"], status: 1, saying: ["said so already"])
    }

    @Test("a desk whose keys were replaced is told that, and its doctor says so")
    func replaced() throws {
        try program.found()
        try program.enrol("ana")
        try program.succeed(
            "authority", "recover", "field", "--key", "desk/cold/recovery.key", "--from", "desk", "-o", "new.log",
            "--authority", "new")
        try program.succeed("authority", "import", "new.log", "--authority", "desk")
        for command in [["epoch"], ["revoke", "ana", "--reason", "lost"]] {
            try program.fail(
                arguments: ["authority"] + command + ["--authority", "desk"], status: 1,
                saying: ["these keys were replaced"])
        }
        let doctor = try program.run(["doctor", "--authority", "desk", "--home", "nobody"])
        #expect(doctor.status == 1)
        #expect(doctor.output.contains("the keys in desk were replaced"))
        #expect(try program.run(["doctor", "--authority", "new", "--home", "nobody"]).status == 0)
    }

    @Test("a draft that was completed is not given up either where a fork has frozen the log at its place")
    func completedBesideAFork() throws {
        try program.foundPair(enrolling: "ana")
        try program.succeed("authority", "sign", "ana.request", "-o", "ana.welcome", "--authority", "desk")
        try program.succeed("device", "install", "ana.welcome", "--home", "ana")
        let ana = try program.node("ana")
        let node = "ana/control.sock"
        for name in ["desk", "two"] {
            try FileManager.default.copyItem(atPath: program.path(name), toPath: program.path("\(name)-copy"))
        }
        try program.succeed("authority", "checkpoint", "--authority", "desk")
        try program.succeed(
            "authority", "cosign", "checkpoint.draft", "--yes", "--authority", "two", "--node", node)
        try program.succeed("authority", "epoch", "-o", "wrong.log", "--authority", "desk-copy")
        try program.succeed("authority", "cosign", "wrong.draft", "--yes", "-o", "wrong.log", "--authority", "two-copy")
        _ = try program.run(["log", "import", "wrong.log", "--home", "ana"])
        let heads = try program.run(["doctor", "--home", "ana"])
        #expect(heads.output.contains("two histories"))
        try program.fail(
            "authority", "withdraw", "--yes", "--node", node, "--authority", "desk", status: 1,
            saying: "place 3 of the log is taken at the node")
        #expect(try ana.node.stop() == 0)
    }

    @Test("what waits in a desk's log file for an entry before it is still there when the desk has signed more")
    func waiting() throws {
        try program.found()
        try FileManager.default.copyItem(atPath: program.path("desk"), toPath: program.path("copy"))
        for (name, file) in [("desk", "desk"), ("copy", "copy-first"), ("copy", "copy-second")] {
            try program.succeed("authority", "epoch", "-o", "\(file).log", "--authority", name)
        }
        let other = try CoveyFile(parsing: program.bytes(of: "copy-second.log"))
        let mesh = other.mesh
        let inTheAir = try #require(try other.log(of: mesh).last)
        let file = program.path("desk/log")
        func objects() throws -> [Signed] {
            try CoveyFile(parsing: [UInt8](Data(contentsOf: URL(filePath: file)))).log(of: mesh)
        }
        let before = try objects()
        try Data(CoveyFile.log(before + [inTheAir], mesh: mesh).bytes).write(to: URL(filePath: file))
        try program.succeed("authority", "epoch", "-o", "third.log", "--authority", "desk")
        #expect(try objects().count == before.count + 2)
        #expect(try objects().contains(inTheAir))
    }

    @Test("a desk that other officers went on without is behind, which is no alarm, and drafts nothing before it knows")
    func behind() throws {
        try program.foundPair(enrolling: "ana")
        try program.succeed("authority", "sign", "ana.request", "-o", "ana.welcome", "--authority", "desk")
        try program.succeed("device", "install", "ana.welcome", "--home", "ana")
        let ana = try program.node("ana")
        let node = "ana/control.sock"
        try program.succeed("authority", "checkpoint", "--authority", "desk")
        let completed = try program.succeed(
            "authority", "cosign", "checkpoint.draft", "--yes", "--authority", "two", "--node", node
        ).output
        #expect(completed.contains("every other officer who signed it imports it: covey authority import FILE.log"))
        // Its place is not given up, by whoever signed it and was not told.
        let asked = try program.run(["authority", "withdraw", "--authority", "desk"], input: "no\n")
        #expect(asked.complaint.contains("if another officer completed it"))
        #expect(asked.complaint.contains("covey authority import FILE --authority desk"))
        try program.fail(
            "authority", "withdraw", "--yes", "--node", node, "--authority", "desk", status: 1,
            saying: "place 3 of the log is taken at the node", "covey log export -o FILE.log")
        let doctor = try program.run(["doctor", "--authority", "desk", "--home", "ana"])
        #expect(doctor.output.contains("soon    desk is behind the other officers"))
        #expect(doctor.output.contains("if it is complete elsewhere, import its log"))
        #expect(doctor.output.contains("covey authority withdraw --authority desk --node SOCKET"))
        try program.fail(
            "authority", "epoch", "--authority", "desk", "--node", node, status: 1,
            saying: "desk is behind the other officers")
        try program.succeed("log", "export", "-o", "all.log", "--home", "ana")
        try program.succeed("authority", "import", "all.log", "--authority", "desk")
        try program.succeed("authority", "epoch", "--authority", "desk", "--node", node)
        // Of a draft that nobody has completed the node knows nothing.
        try program.succeed("authority", "withdraw", "--yes", "--node", node, "--authority", "desk")
        #expect(try ana.node.stop() == 0)
    }

    @Test("an old copy of a desk signs nothing beside a node that knows better; a revocation goes out all the same")
    func oldCopy() throws {
        try program.found()
        try program.enrol("ana", "ben")
        try FileManager.default.copyItem(atPath: program.path("desk"), toPath: program.path("old"))
        let ana = try program.node("ana")
        let node = "ana/control.sock"
        let healthy = try program.run(["doctor", "--authority", "old", "--home", "ana"])
        #expect(!healthy.output.contains("old copy"))
        try program.succeed("authority", "epoch", "--authority", "desk", "--node", node)
        let doctor = try program.run(["doctor", "--authority", "old", "--home", "ana"])
        #expect(doctor.status == 1)
        #expect(doctor.output.contains("old is an old copy, or somebody else has its keys"))
        for command in [["epoch"], ["renew", "ben"], ["rotate"], ["checkpoint"]] {
            try program.fail(
                arguments: ["authority"] + command + ["--authority", "old", "--node", node], status: 1,
                saying: ["old is an old copy", "covey authority import FILE.log"])
        }
        let revoked = try program.succeed(
            "authority", "revoke", "ben", "--reason", "lost", "--authority", "old", "--node", node
        ).output
        #expect(revoked.contains("revoked ben"))
        #expect(revoked.contains("handed to the node: 1 new"))
        #expect(revoked.contains("no new network key was announced: old is an old copy"))
        #expect(try !program.run(["doctor", "--home", "ana"]).output.contains("two histories"))
        try program.succeed("log", "export", "-o", "all.log", "--home", "ana")
        for desk in ["old", "desk"] {
            let said = try program.succeed("authority", "import", "all.log", "--authority", desk).output
            #expect(said.contains("is an old copy, or somebody else has its keys: an entry") == (desk == "old"))
        }
        try program.succeed("authority", "epoch", "--authority", "old", "--node", node)
        #expect(try !program.run(["doctor", "--home", "ana"]).output.contains("two histories"))
        #expect(try ana.node.stop() == 0)
    }

    @Test("an old copy that a log file brings up to date says so, and enrols nobody before it has announced a key")
    func broughtUp() throws {
        try program.found()
        try program.enrol("ana")
        try FileManager.default.copyItem(atPath: program.path("desk"), toPath: program.path("old"))
        for log in ["one.log", "two.log"] {
            try program.succeed("authority", "epoch", "-o", log, "--authority", "desk")
        }
        try program.succeed("authority", "invite", "ben", "-o", "ben.invite", "--authority", "old")
        try program.succeed("device", "request", "ben.invite", "-o", "ben.request", "--home", "ben")
        let gap = try program.run(["authority", "import", "two.log", "--authority", "old"])
        #expect(gap.status == 1)
        #expect(gap.complaint.contains("old may be an old copy, as some of these are of its own log"))
        let said = try program.succeed("authority", "import", "one.log", "two.log", "--json", "--authority", "old")
        let finding = try #require(try said.json()["oldCopy"] as? [String: Any])
        let (text, advice) = (try #require(finding["text"] as? String), try #require(finding["advice"] as? String))
        #expect(text.contains("old is an old copy, or somebody else has its keys: 2 entries"))
        #expect(advice.contains("covey authority epoch --authority old"))

        let sign = ["authority", "sign", "ben.request", "-o", "ben.welcome", "--authority", "old"]
        let words = ["the network key of epoch 3", "is not in old", "first: covey authority epoch --authority old"]
        try program.fail(arguments: sign, status: 1, saying: words)
        try program.fail(
            arguments: [
                "authority", "invite", "cy", "--nearby", "--listen", "127.0.0.1:0", "-o", "cy.invite", "--authority",
                "old",
            ], status: 1, saying: words)
        let doctor = try program.run(["doctor", "--authority", "old", "--home", "nobody"]).output
        #expect(doctor.contains("nobody can be enrolled there"))
        try program.succeed("authority", "epoch", "--authority", "old")
        try program.succeed(arguments: sign)
        try program.succeed("device", "install", "ben.welcome", "--home", "ben")
    }

    @Test("a fork that only the node knows is taken in before anything is signed, at a copy from before it as well")
    func forkAtTheNode() throws {
        try program.found()
        try program.enrol("ana")
        try FileManager.default.copyItem(atPath: program.path("desk"), toPath: program.path("early"))
        try program.part("desk", from: "thief")
        let ana = try program.node("ana")
        let node = "ana/control.sock"
        for file in ["right.log", "wrong.log"] { _ = try program.run(["log", "import", file, "--home", "ana"]) }
        for (desk, lead) in [("desk", "an entry"), ("early", "2 entries")] {
            let doctor = try program.run(["doctor", "--authority", desk, "--home", "ana"])
            #expect(doctor.output.contains("urgent  \(desk) lacks \(lead) that the node has"), "\(doctor.output)")
            let before = try program.succeed("authority", "log", "--json", "--authority", desk).output
            #expect(!before.contains("forked"))
            let refused = try program.run(["authority", "epoch", "--authority", desk, "--node", node])
            #expect(refused.status == 1)
            #expect(refused.complaint.contains("took in \(lead) that the node has and \(desk) lacked"))
            #expect(refused.complaint.contains("the log of this authority is forked"), "\(refused.complaint)")
            // One on each branch: nothing was signed.
            let log = try program.succeed("authority", "log", "--authority", desk).output
            #expect(log.components(separatedBy: "forked: ").count == 3, "\(log)")
        }
        let revoked = try program.succeed(
            "authority", "revoke", "ana", "--reason", "lost", "--authority", "early", "--node", node
        ).output
        #expect(revoked.contains("handed to the node: 1 new"))
        #expect(try ana.node.stop() == 0)
    }

    @Test("a fork that only the desk knows reaches the node with the next act")
    func forkAtTheDesk() throws {
        try program.found()
        try program.enrol("ana", "ben")
        let ana = try program.node("ana")
        let node = "ana/control.sock"
        try fork("desk")
        try program.succeed("log", "import", "ben.log", "desk.log", "--home", "ana")
        #expect(try !program.run(["doctor", "--home", "ana"]).output.contains("two histories"))
        let desk = try program.run(["doctor", "--authority", "desk", "--home", "ana"]).output
        #expect(desk.contains("the node lacks 1 entry of the authority's log"), "\(desk)")
        try program.succeed("authority", "revoke", "ben", "--reason", "lost", "--authority", "desk", "--node", node)
        #expect(try program.run(["doctor", "--home", "ana"]).output.contains("two histories"))
        let after = try program.run(["doctor", "--authority", "desk", "--home", "ana"]).output
        #expect(!after.contains("the node lacks") && !after.contains("desk lacks"), "\(after)")
        #expect(try ana.node.stop() == 0)
    }
}
