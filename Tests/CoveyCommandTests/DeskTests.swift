import ArgumentParser
import CoveyCore
import CoveyNode
import Foundation
import Testing

@testable import CoveyCommand

/// What a desk checks before it signs, what it asks, and what it says when something is left to do.
@Suite("covey authority: checks, questions, and next steps")
final class DeskTests {
    let program: CoveyProgram

    init() throws { program = try CoveyProgram() }
    deinit { program.remove() }

    /// Asks with an invitation of `desk`, and does not enrol.
    private func ask(_ name: String, as home: String? = nil, replacing old: String? = nil) throws {
        let home = home ?? name
        try program.succeed(
            arguments: ["authority", "invite", name, "-o", "\(home).invite", "--authority", "desk"]
                + (old.map { ["--replaces", $0] } ?? []))
        try program.succeed("device", "request", "\(home).invite", "-o", "\(home).request", "--home", home)
    }

    private func sign(_ name: String, _ more: String...) throws -> [String: Any] {
        try program.succeed(
            arguments: ["authority", "sign", "\(name).request", "--authority", "desk", "--json"] + more
        ).json()
    }

    private func kinds(of file: String) throws -> [ObjectType] {
        let file = try CoveyFile(parsing: program.bytes(of: file))
        return try file.log(of: file.mesh).map { try ObjectType(of: $0) }
    }

    @Test("a place where no file can be made is refused before anything is signed, and after it the way out is named")
    func places() throws {
        try program.found()
        try program.enrol("ana")
        try program.write("no directory", to: "file")
        for place in ["nowhere/x.log", "file/x.log"] {
            try program.fail(
                "authority", "revoke", "ana", "--reason", "lost", "-o", place, "--authority", "desk", status: 73,
                saying: "cannot create \(place)")
        }
        #expect(try !program.succeed("authority", "log", "--authority", "desk").output.contains("revoked"))
        // So long a name that it is free, and still cannot be written.
        let long = String(repeating: "x", count: 250) + ".log"
        try program.fail(
            "authority", "revoke", "ana", "--reason", "lost", "-o", long, "--authority", "desk", status: 73,
            saying: "it is signed and kept in desk", "covey authority log -o FILE")
        try program.fail(
            "authority", "revoke", "ana", "--reason", "lost", "--authority", "desk", status: 1,
            saying: "revoked already", "covey authority log -o FILE")
    }

    @Test(
        "what is shorter, alike or shared is said: the days of a certificate, labels, and the files of a box of devices"
    )
    func said() throws {
        try program.found()
        try program.open("root", "root")
        try program.appointNorth("--days", "100")
        try program.succeed(
            "authority", "ask", "north", "--from", "desk", "-o", "other.authority", "--authority", "other")
        let alike = try program.run([
            "authority", "add", "other.authority", "--yes", "-o", "other.log", "--authority", "root",
        ])
        #expect(alike.status == 0 && alike.complaint.contains("another authority is called north ("))
        let invited = try program.run([
            "authority", "invite", "sensor", "--uses", "2", "-o", "sensor.invite", "--authority", "north",
        ]).output
        #expect(invited.contains("on each of 2 devices") && invited.contains("-o sensor-N.request"))
        let asked = try program.succeed(
            "device", "request", "sensor.invite", "-o", "sensor-1.request", "--home", "one"
        ).output
        #expect(asked.contains("covey authority sign sensor-1.request -o sensor-1.welcome"))
        let signed = try program.run([
            "authority", "sign", "sensor-1.request", "-o", "sensor-1.welcome", "--days", "400", "--authority", "north",
        ])
        #expect(signed.status == 0)
        #expect(signed.complaint.contains("--days is 400, and the certificate is good for 100 days"))
    }

    @Test("what was signed for a new device and could not be written is handed over when it is signed for again")
    func signedAgain() throws {
        try program.found()
        try program.enrol("ana")
        try ask("ana", as: "new", replacing: "ana")
        let long = String(repeating: "x", count: 245) + ".welcome"
        try program.fail(
            "authority", "sign", "new.request", "-o", long, "--replaces", "ana", "--revoke-replaced", "--authority",
            "desk", status: 73, saying: "cannot create")
        let again = try sign("new", "-o", "new.welcome", "--replaces", "ana", "--revoke-replaced")
        #expect((again["handed"] as? [String: Any])?["file"] as? String == "new.log")
        #expect(again["replaced"] as? String == "ana")
        #expect(try kinds(of: "new.log") == [.logEntry, .revokeNote])
        let log = try program.succeed("authority", "log", "--authority", "desk").output
        #expect(log.components(separatedBy: "revoked: superseded").count == 2, "the new device is not revoked")
    }

    @Test("what one officer alone revokes beyond five is said to be suspended, and who decides")
    func tooMany() throws {
        try program.foundPair()
        for name in ["a", "b", "c", "d", "e", "f"] {
            try ask(name)
            _ = try sign(name, "-o", "\(name).welcome")
            for desk in ["two", "desk"] {
                try program.succeed("authority", "cosign", "\(name).draft", "--yes", "--authority", desk)
            }
        }
        var last: [String: Any] = [:]
        for name in ["a", "b", "c", "d", "e"] {
            last = try program.succeed(
                "authority", "revoke", name, "--reason", "retired", "-o", "\(name)-out.log", "--authority", "desk",
                "--json"
            ).json()
        }
        #expect(last["suspendedUntil"] == nil)
        let sixth = try program.succeed(
            "authority", "revoke", "f", "--reason", "retired", "-o", "f-out.log", "--authority", "desk"
        ).output
        #expect(sixth.contains("suspended for 7 days only f ("))
        #expect(sixth.contains("covey authority verdict f --confirm"))
        #expect(!sixth.contains("revoked f"))
    }

    @Test("an act that nobody named a file for gets a number where its name is taken; a name that was given is refused")
    func numbered() throws {
        try program.found()
        for name in ["epoch.log", "epoch-2.log", "epoch-3.log"] {
            let done = try program.succeed("authority", "epoch", "--authority", "desk").output
            #expect(done.contains("wrote \(name)"))
        }
        try program.fail(
            "authority", "epoch", "-o", "epoch.log", "--authority", "desk", status: 73, saying: "epoch.log")
        try program.succeed("authority", "init", "Pair", "--field", "2of2", "--authority", "one")
        try program.succeed(
            "authority", "open", "one/cold/field-2.key", "--from", "one", "--authority", "two")
        try program.succeed("authority", "checkpoint", "--authority", "one")
        try program.succeed("authority", "cosign", "checkpoint.draft", "--yes", "--authority", "two")
        try program.succeed("authority", "import", "checkpoint.log", "--authority", "one")
        let again = try program.succeed("authority", "checkpoint", "--authority", "one", "--json").json()
        #expect(again["file"] as? String == "checkpoint-2.draft")
    }

    @Test("a revocation beside a wipe order that goes round leaves its draft alone")
    func drafts() throws {
        try program.foundPair()
        try program.succeed("authority", "invite", "van", "--org-owned", "-o", "van.invite", "--authority", "desk")
        try program.succeed("device", "request", "van.invite", "--agree", "-o", "van.request", "--home", "van")
        _ = try sign("van", "-o", "van.welcome")
        for desk in ["two", "desk"] {
            try program.succeed("authority", "cosign", "van.draft", "--yes", "--authority", desk)
        }
        let order = try program.succeed(
            "authority", "revoke", "van", "--reason", "lost", "--wipe", "erase", "--yes", "--authority", "desk",
            "--json"
        ).json()
        let file = try #require(order["file"] as? String)
        let before = try program.bytes(of: file)
        let revoked = try program.succeed(
            "authority", "revoke", "van", "--reason", "lost", "--authority", "desk", "--json"
        ).json()
        let epoch = try #require((revoked["draft"] as? [String: Any])?["file"] as? String)
        #expect(epoch != file)
        #expect(try program.bytes(of: file) == before)
        // Nor does a draft that is signed on go over another file.
        try program.write("mine", to: "notes.txt")
        try program.fail(
            "authority", "cosign", epoch, "-o", "notes.txt", "--yes", "--authority", "two", status: 73,
            saying: "notes.txt exists already")
    }

    @Test("an order to erase is asked for, with the device and what becomes of it")
    func order() throws {
        try program.found()
        try program.enrol("van", orgOwned: true)
        let arguments = [
            "authority", "revoke", "van", "--reason", "lost", "--wipe", "erase", "-o", "van-out.log", "--authority",
            "desk",
        ]
        let asked = try program.run(arguments, input: "no\n")
        #expect(asked.status == 1)
        #expect(asked.complaint.contains("erase the device van ("))
        #expect(try !program.succeed("authority", "log", "--authority", "desk").output.contains("revoked"))
        #expect(try program.run(arguments, input: "yes\n").status == 0)
        try program.fail(
            "authority", "revoke", "van", "--reason", "lost", "--wipe-days", "3", "--authority", "desk", status: 64,
            saying: "--wipe")
    }

    @Test("no directory that holds a device, or part of an authority, is made an authority's")
    func taken() throws {
        try program.found()
        try program.enrol("ana")
        try ask("ben")
        for (command, directory, there) in [
            (["init", "Lagoon"], "ana", "device.key"), (["init", "Lagoon"], "ben", "pending"),
            (["open", "desk/cold/root.key", "--from", "desk"], "ana", "device.key"),
            (["ask", "north", "--from", "desk", "-o", "north.authority"], "ana", "device.key"),
            (["recover", "field", "--key", "desk/cold/recovery.key", "--from", "desk"], "ana", "device.key"),
        ] {
            let before = try? program.bytes(of: directory + "/mesh")
            try program.fail(
                arguments: ["authority"] + command + ["--authority", directory], status: 73,
                saying: ["\(directory)/\(there)"])
            #expect((try? program.bytes(of: directory + "/mesh")) == before)
        }
        try FileManager.default.createDirectory(atPath: program.path("half"), withIntermediateDirectories: false)
        try program.write("somebody's", to: "half/epochs")
        try program.fail(
            "authority", "init", "Lagoon", "--authority", "half", status: 73, saying: "half/epochs")
        // What could not be opened left nothing behind.
        try program.fail(
            "authority", "open", "desk/cold/none.key", "--from", "desk", "--authority", "two", status: 74,
            saying: "none.key")
        try program.open("root", "two")
    }

    @Test("the digits of a new authority are compared before its entry is signed or drafted, and again by who cosigns")
    func digits() throws {
        try program.found("--root", "2of2")
        try program.open("root-1", "one")
        try program.open("root-2", "two")
        let asked = try program.succeed(
            "authority", "ask", "north", "--from", "desk", "-o", "north.authority", "--authority", "north", "--json"
        ).json()
        let digits = try #require(asked["digits"] as? String)
        let add = ["authority", "add", "north.authority", "--authority", "one"]
        let no = try program.run(add, input: "no\n")
        #expect(no.status == 1)
        #expect(no.complaint.contains("compare with the authority: \(digits)"))
        #expect(!FileManager.default.fileExists(atPath: program.path("north.draft")))
        #expect(try program.run(add, input: "yes\n").status == 0)
        let other = try program.run(["authority", "cosign", "north.draft", "--authority", "two"], input: "no\n")
        #expect(other.complaint.contains("compare with the authority: \(digits)"))
    }

    @Test("the key of an epoch that another officer completed is not forgotten in the desk that began it")
    func epochKey() throws {
        try program.foundPair(enrolling: "ana")
        try program.succeed("authority", "sign", "ana.request", "-o", "ana.welcome", "--authority", "desk")
        try program.succeed("device", "install", "ana.welcome", "--home", "ana")
        let ana = try program.node("ana")
        try program.succeed("authority", "epoch", "-o", "epoch.log", "--authority", "desk")
        let done = try program.succeed("authority", "cosign", "epoch.draft", "--yes", "--authority", "two").output
        #expect(done.contains("the desk that began it"))
        #expect(done.contains("covey log import epoch.log --authority DIR"))
        let imported = try program.succeed("authority", "import", "epoch.log", "--authority", "desk").output
        #expect(imported.contains("the network key of epoch 2 is here"))
        #expect(imported.contains("covey log import epoch.log --authority desk"))
        // Its entries alone do not bring the key.
        try program.succeed("authority", "log", "-o", "all.log", "--authority", "desk")
        try program.succeed("log", "import", "all.log", "--home", "ana")
        let urgent = try program.run(["doctor", "--authority", "desk", "--home", "ana"])
        #expect(urgent.status == 1)
        #expect(urgent.output.contains("the node lacks the network key of epoch 2"))
        try program.succeed("log", "import", "epoch.log", "--authority", "desk", "--home", "ana")
        let after = try program.run(["doctor", "--authority", "desk", "--home", "ana"])
        #expect(!after.output.contains("lacks the network key"), "\(after.output)")
        #expect(try ana.node.stop() == 0)
    }

    @Test("a new device takes the old one's place over the network, too, and a desk that needs others says so at once")
    func nearby() throws {
        try program.found()
        try program.enrol("ana")
        let old = try #require(try certificates(in: "ana.log").first)
        let desk = try RunningProgram(
            program,
            [
                "authority", "invite", "ana", "--replaces", "ana", "--nearby", "--listen", "127.0.0.1:0", "--yes", "-o",
                "new.invite", "--authority", "desk",
            ])
        let line = try desk.line(.output, containing: "waiting for ana at ")
        let address = try #require(line.split(separator: " ").last.map(String.init))
        try program.succeed("device", "request", "new.invite", "--nearby", address, "--home", "new")
        #expect(try desk.waitForEnd() == 0)
        let new = try #require(try certificates(in: "new.log").first)
        #expect(new.content.supersedes == old.device)
        #expect(new.content.subject == old.content.subject)
        try program.succeed("authority", "init", "Pair", "--field", "2of2", "--authority", "pair")
        try program.fail(
            "authority", "invite", "ben", "--nearby", "--listen", "127.0.0.1:0", "-o", "ben.invite", "--authority",
            "pair", status: 64, saying: "signs alone")
        #expect(!FileManager.default.fileExists(atPath: program.path("ben.invite")))
    }

    private func certificates(in file: String) throws -> [DeviceCertificate] {
        let file = try CoveyFile(parsing: program.bytes(of: file))
        return try file.log(of: file.mesh).flatMap { object -> [DeviceCertificate] in
            guard try ObjectType(of: object) == .logEntry,
                case .certIssue(let certificates) = try LogEntry(parsing: object, mesh: file.mesh).payload
            else { return [] }
            return certificates
        }
    }

    @Test("options that would do nothing, and times that are to come, are refused")
    func idle() throws {
        try program.found()
        try program.enrol("ana")
        try program.fail(
            "authority", "revoke", "ana", "--reason", "lost", "--since", "2200-01-01", "--authority", "desk",
            status: 64,
            saying: "which is to come")
        for idle in [["--devices", "3"], ["--depth", "1"], ["--grant", "bulk"]] {
            let outcome = try program.run(["authority", "add", "x", "--renew", "--authority", "desk"] + idle)
            #expect(outcome.status == 64)
            #expect(outcome.complaint.contains("--renew leaves rights and limits as they are"))
        }
        try program.fail(
            "authority", "add", "x", "--days", "100000", "--authority", "desk", status: 64, saying: "1 to 65535")
    }

    @Test("signing for a device says that the authority itself is about to end")
    func warned() throws {
        try program.found()
        try program.open("root", "root")
        try program.appointNorth("--days", "100")
        _ = try program.run(["authority", "invite", "ana", "-o", "ana.invite", "--authority", "north"])
        try program.succeed("device", "request", "ana.invite", "-o", "ana.request", "--home", "ana")
        let signed = try program.run(["authority", "sign", "ana.request", "-o", "ana.welcome", "--authority", "north"])
        #expect(signed.status == 0)
        #expect(signed.complaint.contains("covey authority add north --renew"))
    }

    @Test("a desk waits for nobody who would be a second living device of one label")
    func second() throws {
        try program.found()
        try program.enrol("ana")
        try program.succeed(
            "authority", "invite", "ana", "--replaces", "ana", "-o", "new.invite", "--authority", "desk")
        try program.fail(
            "authority", "invite", "ana", "--nearby", "--listen", "127.0.0.1:0", "--authority", "desk", status: 1,
            saying: "there is a device called ana already", "--replaces ana")
    }

    @Test("open invitations are shown with what was used of them, and withdrawn one by one")
    func invitations() throws {
        try program.found()
        #expect(
            try program.succeed("authority", "invitations", "--authority", "desk").output == "no invitation is open\n")
        try program.succeed(
            "authority", "invite", "box", "--uses", "3", "-o", "box.invite", "--authority", "desk")
        try ask("ana")
        try program.succeed("device", "request", "box.invite", "-o", "box.request", "--home", "box")
        _ = try sign("box", "-o", "box.welcome")
        let shown = try program.succeed("authority", "invitations", "--authority", "desk").output
        #expect(shown.contains("1 of 3 used") && shown.contains("0 of 1 used"))
        let withdrawn = try program.succeed(
            "authority", "invitations", "--withdraw", "ana", "--authority", "desk", "--json"
        ).json()
        #expect((withdrawn["withdrawn"] as? [String: Any])?["label"] as? String == "ana")
        try program.fail(
            "authority", "invitations", "--withdraw", "ana", "--authority", "desk", status: 1,
            saying: "no invitation of ana is open")
        try program.fail(
            "authority", "sign", "ana.request", "-o", "ana.welcome", "--authority", "desk", status: 1,
            saying: "the invitation of this request was used")
        // Its name is free again.
        try program.succeed("authority", "invite", "ana", "-o", "again.invite", "--authority", "desk")
    }

    @Test("a label of two words, with a slash or a dash is advised as one word, and as a name that a file can have")
    func words() throws {
        try program.found()
        let invited = try program.succeed(
            "authority", "invite", "Ana Maria", "-o", "ana maria.invite", "--authority", "desk"
        ).output
        #expect(invited.contains("covey device request 'ana maria.invite' -o Ana-Maria.request"))
        let asked = try program.succeed(
            "device", "request", "ana maria.invite", "-o", "Ana-Maria.request", "--home", "ana"
        ).output
        #expect(asked.contains("covey authority sign Ana-Maria.request -o Ana-Maria.welcome"))
        #expect(["a/b", "-x", "..", "ünï"].map(\.fileName) == ["a-b", "x", "device", "ünï"])
        #expect(["desk/all.log", "it's"].map(\.word) == ["desk/all.log", "'it'\\''s'"])
    }

    @Test("several log files go to a node at once; what waits for others is a failure, as at a desk")
    func severalLogs() throws {
        try program.found()
        try program.enrol("ana")
        for name in ["one", "two"] {
            try program.succeed("authority", "epoch", "-o", "\(name).log", "--authority", "desk")
        }
        let ana = try program.node("ana")
        let early = try program.run(["log", "import", "two.log", "--home", "ana"])
        #expect(early.status == 1)
        #expect(early.output.contains("1 waiting"))
        #expect(early.complaint.contains("entries before these are missing"))
        let both = try program.succeed("log", "import", "one.log", "two.log", "--home", "ana").output
        #expect(both.contains("0 refused") && !both.contains("waiting"))
        try program.fail(
            "log", "import", "one.log", "ana.invite", "--home", "ana", status: 1,
            saying: "ana.invite", ".invite file where a .log")
        #expect(try ana.node.stop() == 0)
    }

    @Test("a request for an authority that could not be written is written from the same keys; others are not made")
    func askAgain() throws {
        try program.found()
        let long = String(repeating: "x", count: 240) + ".authority-request"
        let ask = ["authority", "ask", "north", "--from", "desk", "--authority", "north", "-o"]
        try program.fail(arguments: ask + [long], status: 73, saying: ["cannot create"])
        try program.succeed("authority", "init", "Lagoon", "--authority", "lagoon")
        try program.fail(
            "authority", "ask", "north", "--from", "lagoon", "--authority", "north", "-o", "other.authority",
            status: 73,
            saying: "choose another directory")
        try program.succeed(arguments: ask + ["north.authority"])
        try program.open("root", "root")
        try program.succeed("authority", "add", "north.authority", "--yes", "-o", "n.log", "--authority", "root")
        try program.succeed("authority", "import", "n.log", "--authority", "north")
        try program.succeed("authority", "epoch", "--authority", "north")
        try program.fail(arguments: ask + ["again.authority"], status: 73, saying: ["choose another directory"])
    }

    @Test("keys that were made for several officers are said to be handed out")
    func handOut() throws {
        try program.found()
        let asked = try program.succeed(
            "authority", "ask", "north", "--keys", "2of3", "--from", "desk", "-o", "north.authority", "--authority",
            "north")
        #expect(asked.output.contains("the keys in north/cold are for one officer each"))
        let recovered = try program.succeed(
            "authority", "recover", "field", "--keys", "2of3", "--key", "desk/cold/recovery.key", "--from", "desk",
            "--authority", "new")
        #expect(recovered.output.contains("the keys in new/cold are for one officer each"))
    }

    @Test("a doctor at a desk without a node sees what a node would see")
    func doctor() throws {
        try program.foundPair(enrolling: "ana")
        try program.succeed("authority", "revoke", "ana", "--reason", "lost", "-o", "lost.log", "--authority", "desk")
        let found = try program.run(["doctor", "--authority", "desk", "--home", "nobody"])
        #expect(found.output.contains("one officer alone revoked ana"))
        #expect(found.output.contains("covey authority verdict ana --confirm"))
    }

    @Test("a doctor asked of a desk and of a node of another mesh says that they do not belong together")
    func strangers() throws {
        try program.found()
        try program.enrol("ana")
        try program.succeed("authority", "init", "Lagoon", "--authority", "other")
        let ana = try program.node("ana")
        try program.fail(
            "doctor", "--authority", "other", "--home", "ana", status: 64, saying: "another mesh than other")
        #expect(try ana.node.stop() == 0)
    }

    @Test("every command that a finding advises is one")
    func advised() throws {
        for command in AdvisedCommand.all(of: "north") {
            let words = "\(command)".split(separator: " ").map(String.init)
            #expect(words.first == "covey")
            #expect(throws: Never.self, "\(command)") { _ = try Covey.parseAsRoot(Array(words.dropFirst())) }
        }
        #expect("\(AdvisedCommand.renew(device: "the old phone"))" == "covey authority renew 'the old phone'")
    }
}
