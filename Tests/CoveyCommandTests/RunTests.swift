import CoveyCrypto
import Foundation
import Testing

@testable import CoveyCommand

@Suite("covey run")
final class RunTests {
    let program: CoveyProgram

    init() throws {
        program = try CoveyProgram()
        try program.found()
    }

    deinit { program.remove() }

    @Test("two nodes on one machine write to each other, and end cleanly")
    func conversation() throws {
        try program.enrol("ana", "ben")
        let ana = try program.node("ana")
        let ben = try program.node("ben", "--peer", ana.address)
        let follow = try RunningProgram(program, ["inbox", "--follow", "--json", "--home", "ana"])
        for (from, to, text) in [("ben", "ana", "hello ana"), ("ana", "ben", "hello ben")] {
            let sent = try program.run(["send", to, "--json", "--home", from], input: text + "\n")
            #expect(sent.status == 0, "\(sent.complaint)")
        }
        let toAna = try follow.line(.output, containing: "hello ana")
        let message = try #require(JSONSerialization.jsonObject(with: Data(toAna.utf8)) as? [String: Any])
        #expect(message["label"] as? String == "ben")
        #expect(message["text"] as? String == "hello ana")
        _ = try ben.node.line(.log, containing: "a message from ana")
        #expect(try program.succeed("inbox", "--home", "ben").output.contains("ana: hello ben"))

        let status = try program.succeed("status", "--json", "--home", "ana").json()
        #expect(status["meshName"] as? String == "Harbour")
        #expect(status["inbox"] as? Int == 1)
        #expect(try program.succeed("contacts", "--home", "ana").output.contains("ben"))
        #expect(try program.succeed("log", "show", "--home", "ben").output.contains("epoch 1"))
        #expect(try program.mode(of: "ana/control.sock") == 0o600)
        for secret in ["hello ana", "hello ben"] {
            #expect(try !ana.node.text(of: .log).contains(secret), "what people write is in no log")
            #expect(try !ben.node.text(of: .log).contains(secret))
        }

        try program.fail("run", "--home", "ana", status: 75, saying: "already running, pid", "--home")
        try program.fail("device", "install", "ana.welcome", "--home", "ana", status: 75, saying: "already running")
        #expect(try ana.node.stop() == 0)
        #expect(try ben.node.stop() == 0)
        #expect(try follow.waitForEnd() == 75, "whoever followed is told")
        try program.fail("status", "--home", "ana", status: 69, saying: "no node answers")
    }

    @Test("status and doctor are of the program that runs the node, and say when another one asks")
    func programs() throws {
        try program.enrol("ana")
        let ana = try program.node("ana")
        let own = try Build.hash(of: CoveyProgram.executable.path).hex
        let before = try program.succeed("status", "--json", "--home", "ana").json()
        #expect(before["build"] as? String == own && before["askingBuild"] as? String == own)
        #expect(before["release"] == nil)
        try program.open("release", "releases")
        try program.succeed(
            "release", "sign", CoveyProgram.executable.path, "--version", "1.0", "--source", "ab12", "--recipe",
            "ana.invite", "-o", "1.0.log", "--authority", "releases")
        try program.succeed("log", "import", "1.0.log", "--home", "ana")
        #expect(try program.succeed("status", "--json", "--home", "ana").json()["release"] as? String == "1.0")
        #expect(try program.succeed("doctor", "--home", "ana").output.contains("nothing needs looking after"))

        // Bytes behind its end change nothing of what a program does.
        let other = URL(fileURLWithPath: program.path("other"))
        try FileManager.default.copyItem(at: CoveyProgram.executable, to: other)
        let end = try FileHandle(forWritingTo: other)
        try end.seekToEnd()
        try end.write(contentsOf: Data("another".utf8))
        try end.close()
        let asked = try program.run(["status", "--home", "ana"], of: other)
        #expect(asked.output.contains("release 1.0"))
        #expect(asked.output.contains("runs another program (\(own.prefix(12))) than the one that asks"))
        let json = try program.run(["status", "--json", "--home", "ana"], of: other).json()
        #expect(json["release"] as? String == "1.0" && json["build"] as? String == own)
        #expect(json["askingBuild"] as? String != own)
        let found = try program.run(["doctor", "--json", "--home", "ana"], of: other).json()
        let findings = try #require(found["findings"] as? [[String: Any]])
        #expect(findings.map { $0["kind"] as? String } == ["program"])
        let advice = try #require(findings.first?["advice"] as? String)
        #expect(advice.contains("start it again: covey run"))
        #expect(try ana.node.stop() == 0)
    }

    @Test("what a node refused is a sentence for people, in status and in the log, and a code for programs")
    func refusals() throws {
        try program.enrol("ana")
        let ana = try program.node("ana")
        let stranger = Process()
        stranger.executableURL = URL(fileURLWithPath: "/bin/bash")
        let place = ana.address.replacingOccurrences(of: ":", with: "/")
        stranger.arguments = ["-c", "exec 3<>/dev/tcp/\(place); printf 'GET / HTTP/1.1\\r\\n\\r\\n' >&3; cat <&3"]
        try stranger.run()
        let line = try ana.node.line(.log, containing: "\"event\":\"refused\"")
        stranger.waitUntilExit()
        #expect(line.contains("\"cause\":\"packet\"") && line.contains("bytes that are no packets of a mesh"))
        let status = try program.succeed("status", "--json", "--home", "ana").json()
        #expect(status["refusals"] as? [String: Int] == ["packet": 1])
        #expect(
            try program.succeed("status", "--home", "ana").output
                .contains("1 × bytes that are no packets of a mesh, or come out of turn"))
        #expect(try ana.node.stop() == 0)
    }

    @Test("what waited and what was received is there after a restart")
    func restart() throws {
        try program.enrol("ana", "ben")
        // Ben's welcome told of Ana; her keys are still to come.
        let ben = try program.node("ben")
        #expect(try program.succeed("send", "ana", "later", "--home", "ben").output.contains("waits for the recipient"))
        #expect(try ben.node.stop() == 0)
        let ana = try program.node("ana")
        let again = try program.node("ben", "--peer", ana.address)
        _ = try ana.node.line(.log, containing: "a message from ben")
        #expect(try ana.node.stop() == 0)
        let back = try program.node("ana")
        #expect(try program.succeed("inbox", "--home", "ana").output.contains("ben: later"))
        #expect(try back.node.stop() == 0)
        #expect(try again.node.stop() == 0)
    }

    @Test("an officer's node takes a certificate and a revocation through its socket, with the new network key")
    func officer() throws {
        try program.enrol("ana", "ben")
        let ana = try program.node("ana")
        let ben = try program.node("ben", "--peer", ana.address)
        _ = try ben.node.line(.log, containing: "linked to")
        try program.succeed("authority", "invite", "cy", "-o", "cy.invite", "--authority", "desk")
        try program.succeed("device", "request", "cy.invite", "-o", "cy.request", "--home", "cy")
        let signed = try program.succeed(
            "authority", "sign", "cy.request", "-o", "cy.welcome", "--authority", "desk", "--node", "ana/control.sock",
            "--json"
        ).json()
        #expect((signed["handed"] as? [String: Any])?["accepted"] as? Int == 1)
        #expect(try program.succeed("contacts", "--home", "ana").output.contains("cy"))

        let renewed = try program.succeed(
            "authority", "renew", "ben", "--days", "5", "--authority", "desk", "--node", "ana/control.sock", "--json"
        ).json()
        #expect((renewed["handed"] as? [String: Any])?["accepted"] as? Int == 1)
        let announced = try program.succeed(
            "authority", "epoch", "--authority", "desk", "--node", "ana/control.sock", "--json"
        ).json()
        #expect(announced["epoch"] as? Int == 2)
        _ = try ben.node.line(.log, containing: "learnt epoch 2")

        let revoked = try program.succeed(
            "authority", "revoke", "cy", "--reason", "lost", "--authority", "desk", "--node", "ana/control.sock",
            "--json"
        ).json()
        #expect(revoked["newEpoch"] as? Bool == true)
        let status = try program.succeed("status", "--json", "--home", "ana").json()
        #expect(status["epoch"] as? Int == 3)
        #expect(status["isHolding"] as? Bool == false)
        _ = try ben.node.line(.log, containing: "\"event\":\"noteLearnt\"")
        _ = try ben.node.line(.log, containing: "learnt epoch 3")
        #expect(try ana.node.stop() == 0)
        #expect(try ben.node.stop() == 0)
    }

    @Test("a node answers requests for renewal from a directory in which the desk's commands go on working")
    func authorityAtHand() throws {
        try program.enrol("ana")
        let ana = try program.node("ana", "--authority", "desk")
        try program.succeed("authority", "invite", "ben", "-o", "ben.invite", "--authority", "desk")
        let pending = try program.succeed(
            "authority", "renew", "--pending", "--authority", "desk", "--node", "ana/control.sock", "--json"
        ).json()
        #expect((pending["renewed"] as? [String])?.isEmpty ?? false)
        #expect((pending["left"] as? [Any])?.isEmpty ?? false)
        let status = try program.succeed("status", "--json", "--home", "ana").json()
        #expect(status["renewalAsked"] as? Bool == false)
        try program.fail("authority", "renew", "--authority", "desk", status: 64, saying: "--pending")
        try program.fail("authority", "renew", "--pending", "--authority", "desk", status: 64, saying: "--node")
        #expect(try ana.node.stop() == 0)
        try program.succeed("authority", "init", "Other", "--authority", "other")
        try program.fail("run", "--home", "ana", "--authority", "other", status: 1, saying: "another mesh")
    }

    @Test("a log file is handed to a node; what lacks something before it waits, another mesh's is refused by name")
    func imported() throws {
        try program.enrol("ana", "ben", "cy")
        let ana = try program.node("ana")
        func importing(_ file: String) throws -> String {
            try program.succeed("log", "import", file, "--home", "ana").output
        }
        let waiting = try program.run(["log", "import", "cy.log", "--home", "ana"])
        #expect(waiting.status == 1)
        #expect(waiting.output.contains("0 new, 0 known, 0 refused, 1 waiting\n"))
        #expect(waiting.complaint.contains("entries before these are missing"))
        #expect(try importing("ben.log").contains("1 new, 0 known, 0 refused\n"))
        #expect(try importing("cy.log").contains("0 new, 1 known, 0 refused\n"))
        try program.succeed(
            "authority", "revoke", "ben", "--reason", "compromised", "-o", "ben-out.log", "--authority", "desk")
        let taken = try program.succeed(
            "log", "import", "ben-out.log", "--authority", "desk", "--home", "ana", "--json"
        ).json()
        #expect(taken["accepted"] as? Int == 2)
        let status = try program.succeed("status", "--json", "--home", "ana").json()
        #expect(status["epoch"] as? Int == 2)
        try program.succeed("authority", "init", "Lagoon", "--authority", "other")
        try program.succeed("authority", "log", "-o", "other.log", "--authority", "other")
        try program.fail(
            "log", "import", "cy.log", "--authority", "other", "--home", "ana", status: 64,
            saying: "the node is of another mesh than other")
        try program.fail(
            "log", "import", "other.log", "--home", "ana", status: 1, saying: "other.log", "another mesh")
        try program.fail(
            "log", "import", "ben.invite", "--home", "ana", status: 1, saying: ".invite file where a .log")
        #expect(try ana.node.stop() == 0)
    }

    @Test("who writes to nobody is told why: a revoked device, a short id, a text that is too long")
    func unsendable() throws {
        try program.enrol("ben", "ana")
        let ana = try program.node("ana")
        let contacts = try program.succeed("contacts", "--json", "--home", "ana").json()
        let ids = (contacts["contacts"] as? [[String: Any]] ?? []).compactMap { $0["device"] as? String }
        let short = String(try #require(ids.first).prefix(5))
        try program.fail(
            "send", short, "hello", "--home", "ana", status: 1,
            saying: "no device is called \"\(short)\", and an id takes at least six digits")
        try program.fail(
            "send", "ben", String(repeating: "x", count: 14_001), "--home", "ana", status: 1,
            saying: "a text has at most 14000 bytes, this one has 14001; send less at once")
        try program.succeed(
            "authority", "revoke", "ben", "--reason", "lost", "--authority", "desk", "--node", "ana/control.sock")
        try program.fail(
            "send", "ben", "hello", "--home", "ana", status: 1, saying: "that device is revoked (lost)")
        #expect(try ana.node.stop() == 0)
    }

    @Test("a welcome of somebody else, or cut off, is not installed, and the right one still is")
    func welcomes() throws {
        try program.enrol("ana")
        try program.succeed("authority", "invite", "ben", "-o", "ben.invite", "--authority", "desk")
        try program.fail(
            "device", "install", "ana.welcome", "--home", "ben", status: 1, saying: "no request waits",
            "covey device request")
        try program.succeed("device", "request", "ben.invite", "-o", "ben.request", "--home", "ben")
        try program.fail("run", "--home", "ben", status: 1, saying: "waits for the welcome", "covey device install")
        try program.succeed("authority", "sign", "ben.request", "-o", "ben.welcome", "--authority", "desk")
        try program.fail(
            "device", "install", "ana.welcome", "--home", "ben", status: 1, saying: "not made for this device")
        let bytes = try program.bytes(of: "ben.welcome")
        try Data(bytes.dropLast(5)).write(to: URL(fileURLWithPath: program.path("cut.welcome")))
        try program.fail("device", "install", "cut.welcome", "--home", "ben", status: 1, saying: "welcome")
        try program.succeed("device", "install", "ben.welcome", "--home", "ben")
        #expect(try !FileManager.default.contentsOfDirectory(atPath: program.path("ben")).contains("pending"))
        try program.fail("device", "install", "ben.welcome", "--home", "ben", status: 1, saying: "no request waits")
        try program.fail(
            "device", "request", "ben.invite", "-o", "again.request", "--home", "ben", status: 73,
            saying: "holds a device already")
    }

    @Test("where a node cannot start it says why and what to do")
    func cannotStart() throws {
        try program.enrol("ana", "ben")
        try program.fail("run", "--home", "nobody", status: 1, saying: "no device in nobody", "covey device request")
        let ana = try program.node("ana")
        try program.fail(
            "run", "--home", "ben", "--listen", ana.address, "--multicast", "off", status: 73,
            saying: "another program uses the port", "--listen")
        try program.fail(
            "run", "--home", "ben", "--listen", "harbour.example:1", status: 64, saying: "no address", "0.0.0.0")
        try program.fail(
            "run", "--home", "ben", "--listen", "127.0.0.1:0", "--control", "no/such/c.sock", "--multicast", "off",
            status: 73, saying: "no/such/c.sock", "--control")
        #expect(try ana.node.stop() == 0)
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: program.path("ben/mesh")))
        try program.fail("run", "--home", "ben", status: 1, saying: "ben/mesh is no genesis, or a damaged one")
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: program.path("ben/device.key"))
        try program.fail("run", "--home", "ben", status: 77, saying: "chmod 600 ben/device.key")
    }

    @Test("a peer whose name nobody knows costs that peer, not the node")
    func unknownPeer() throws {
        try program.enrol("ana")
        let ana = try program.node("ana", "--peer", "no-such-host.invalid:26117", "--peer", "127.0.0.1:1")
        #expect(try program.succeed("peers", "--home", "ana").output == "no neighbours\n")
        _ = try ana.node.line(.log, containing: "peer 127.0.0.1:1: connection refused; it is tried again")
        _ = try ana.node.line(.log, containing: "peer no-such-host.invalid:26117: its name has no address (")
        let doctor = try program.succeed("doctor", "--home", "ana").output
        #expect(doctor.contains("the configured peer 127.0.0.1:1 is not linked: connection refused"))
        #expect(doctor.contains("peer no-such-host.invalid:26117 is not linked: its name has no address ("))
        #expect(try ana.node.stop() == 0)
    }

    @Test("a peer is found by name too")
    func namedPeer() throws {
        try program.enrol("ana", "ben")
        let ana = try program.node("ana")
        let port = try #require(ana.address.split(separator: ":").last)
        let ben = try program.node("ben", "--peer", "localhost:\(port)")
        _ = try ben.node.line(.log, containing: "linked to")
        #expect(try ben.node.stop() == 0)
        #expect(try ana.node.stop() == 0)
    }
}
