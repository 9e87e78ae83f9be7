import CoveyCore
import CoveyCrypto
import Foundation
import Testing

@testable import CoveyCommand

@Suite("covey authority, covey device")
final class AuthorityCommandTests {
    let program: CoveyProgram

    init() throws { program = try CoveyProgram() }
    deinit { program.remove() }

    private func invite(_ name: String) throws {
        try program.succeed("authority", "invite", name, "-o", "\(name).invite", "--authority", "desk")
    }

    private func request(_ name: String) throws {
        try program.succeed("device", "request", "\(name).invite", "-o", "\(name).request", "--home", name)
    }

    private func sign(_ name: String) throws -> [String: Any] {
        try program.succeed(
            "authority", "sign", "\(name).request", "-o", "\(name).welcome", "--authority", "desk", "--json"
        ).json()
    }

    @Test("secrets are readable by their owner alone, and a second founding in the directory is refused")
    func founding() throws {
        try program.found()
        #expect(try program.mode(of: "desk") == 0o700)
        for file in ["authority.key", "log", "mesh", "cold/root.key", "cold/recovery.key", "cold/release.key"] {
            #expect(try program.mode(of: "desk/" + file) == 0o600)
        }
        try program.fail(
            "authority", "init", "Harbour", "--authority", "desk", status: 73, saying: "already", "another directory")
        try program.fail("authority", "log", status: 64, saying: "--authority DIR", "COVEY_AUTHORITY")
        try program.fail("authority", "log", "--authority", "nowhere", status: 1, saying: "covey authority init")
        let log = try program.run(["authority", "log"], environment: ["COVEY_AUTHORITY": program.path("desk")])
        #expect(log.status == 0)
        #expect(log.output.contains("mesh Harbour"))
        #expect(log.output.contains("policy 1"))
    }

    @Test("whoever signs at a terminal compares the digits first; nobody is asked with --yes")
    func compared() throws {
        try program.found()
        for name in ["ana", "ben"] {
            try program.succeed("authority", "invite", name, "-o", "\(name).invite", "--authority", "desk")
            try program.succeed("device", "request", "\(name).invite", "-o", "\(name).request", "--home", name)
        }
        func sign(_ name: String, _ more: String..., typed: String) throws -> CoveyProgram.Outcome {
            try program.run(
                ["authority", "sign", "\(name).request", "-o", "\(name).welcome", "--authority", "desk"] + more,
                typed: typed)
        }
        let refused = try sign("ana", typed: "no\n")
        #expect(refused.status == 1 && refused.output.isEmpty)
        #expect(refused.complaint.contains("does ana's device show the same digits? [yes/no]"))
        #expect(refused.complaint.contains("--withdraw ana ends it); answer yes, or give --yes"))
        #expect(try !program.succeed("authority", "log", "--authority", "desk").output.contains("ana"))
        let signed = try sign("ana", typed: "yes\n")
        #expect(signed.status == 0, "\(signed.complaint)")
        let lines = signed.output.split(separator: "\n")
        let digits = try #require(lines.first { $0.hasPrefix("compare with the device: ") })
        #expect(signed.complaint.contains(digits))
        let scripted = try sign("ben", "--yes", typed: "")
        #expect(scripted.status == 0 && scripted.complaint.isEmpty)
    }

    @Test("while somebody compares the digits other commands work at the desk, and what they sign comes before")
    func comparing() throws {
        try program.found()
        try program.enrol("ana")
        try program.succeed("authority", "invite", "ben", "-o", "ben.invite", "--authority", "desk")
        try program.succeed("device", "request", "ben.invite", "-o", "ben.request", "--home", "ben")
        let terminal = try PseudoTerminal()
        let signing = try RunningProgram(
            program, ["authority", "sign", "ben.request", "-o", "ben.welcome", "--authority", "desk"], at: terminal)
        _ = try signing.line(.log, containing: "ben asks to be enrolled")
        try program.succeed("authority", "renew", "ana", "--authority", "desk")
        try terminal.type("yes\n")
        #expect(try signing.waitForEnd() == 0)
        #expect(try program.succeed("authority", "log", "--authority", "desk").output.contains("device ben ("))
        try program.succeed("device", "install", "ben.welcome", "--home", "ben")
    }

    @Test("an invitation for a name that is taken is refused, and so is one over an existing file")
    func invitations() throws {
        try program.found()
        try invite("ana")
        #expect(try program.mode(of: "ana.invite") == 0o600)
        try program.fail(
            "authority", "invite", "ana", "-o", "b.invite", "--authority", "desk", status: 1, saying: "is open already")
        try program.fail(
            "authority", "invite", "ben", "-o", "ana.invite", "--authority", "desk", status: 73,
            saying: "exists already")
        // The refused one left nothing open.
        try invite("ben")
        try program.fail(
            "authority", "invite", "cy", "-o", "c.invite", "--days", "8", "--authority", "desk", status: 64,
            saying: "1 to 7")
        try program.fail(
            "authority", "invite", String(repeating: "x", count: 33), "-o", "c.invite", "--authority", "desk",
            status: 64, saying: "1 to 32 bytes")
    }

    @Test("the same invitation gives the same request, another one waits its turn")
    func requests() throws {
        try program.found()
        try invite("ana")
        try invite("ben")
        try request("ana")
        try program.succeed("device", "request", "ana.invite", "-o", "again.request", "--home", "ana")
        #expect(try program.bytes(of: "ana.request") == program.bytes(of: "again.request"))
        #expect(try program.mode(of: "ana/pending") == 0o600)
        try program.fail(
            "device", "request", "ben.invite", "-o", "ben.request", "--home", "ana", status: 73,
            saying: "another invitation")
    }

    @Test("three devices enrol by files; every welcome is sealed to its own device")
    func three() throws {
        try program.found()
        var devices: [String] = []
        for name in ["ana", "ben", "cy"] {
            try invite(name)
            try request(name)
            let signed = try sign(name)
            devices.append(try #require(signed["device"] as? String))
            let handed = try #require(signed["handed"] as? [String: Any])
            #expect(handed["file"] as? String == "\(name).log")
        }
        #expect(Set(devices).count == 3)
        let log = try program.succeed("authority", "log", "--authority", "desk").output
        for (name, device) in zip(["ana", "ben", "cy"], devices) {
            #expect(log.contains("device \(name) (\(device.prefix(12)))"))
        }
        #expect(
            log.components(separatedBy: "epoch 1").count == 2, "the first device began the first epoch, and only it")
    }

    @Test("an invitation is used once, and a name of a living device is not given twice")
    func once() throws {
        try program.found()
        try invite("ana")
        try request("ana")
        _ = try sign("ana")
        try program.fail(
            "authority", "sign", "ana.request", "-o", "other.welcome", "--authority", "desk", status: 1,
            saying: "was used")
        try program.fail(
            "authority", "invite", "ana", "-o", "other.invite", "--authority", "desk", status: 1,
            saying: "a device called ana")
        try program.succeed("authority", "revoke", "ana", "--reason", "retired", "-o", "r.log", "--authority", "desk")
        try program.succeed("authority", "invite", "ana", "-o", "other.invite", "--authority", "desk")
    }

    @Test("a lost device takes the network key with it: a new one is announced together with the note")
    func revocation() throws {
        try program.found()
        for name in ["ana", "ben"] {
            try invite(name)
            try request(name)
            _ = try sign(name)
        }
        let outcome = try program.succeed(
            "authority", "revoke", "ana", "--reason", "lost", "--since", "2026-01-01", "-o", "lost.log", "--authority",
            "desk", "--json"
        ).json()
        #expect(outcome["newEpoch"] as? Bool == true)
        let file = try CoveyFile(parsing: program.bytes(of: "lost.log"))
        let objects = try file.log(of: file.mesh)
        #expect(try objects.map { try ObjectType(of: $0) } == [.revokeNote, .logEntry])
        let log = try program.succeed("authority", "log", "--authority", "desk").output
        #expect(log.contains("revoked: lost"))
        #expect(log.contains("epoch 2"))
        try program.fail(
            "authority", "revoke", "ana", "--reason", "lost", "--authority", "desk", status: 1,
            saying: "revoked already")
        try program.fail(
            "authority", "revoke", "zoe", "--reason", "lost", "--authority", "desk", status: 1,
            saying: "no device \"zoe\"")
        try program.fail(
            "authority", "revoke", "ben", "--reason", "boredom", "--authority", "desk", status: 64,
            saying: "retired, lost, compromised, superseded, policy")
        try program.fail(
            "authority", "revoke", "ben", "--reason", "lost", "--since", "yesterday", "--authority", "desk", status: 64,
            saying: "RFC 3339")
        let retired = try program.succeed(
            "authority", "revoke", "ben", "--reason", "retired", "-o", "retired.log", "--authority", "desk", "--json"
        ).json()
        #expect(retired["newEpoch"] as? Bool == false)
    }

    @Test("no node at the socket: what was signed is kept as a file, and said")
    func nodeAway() throws {
        try program.found()
        try invite("ana")
        try request("ana")
        let outcome = try program.run([
            "authority", "sign", "ana.request", "-o", "ana.welcome", "--authority", "desk", "--node", "no.sock",
        ])
        #expect(outcome.status == 69)
        #expect(outcome.complaint.contains("no node answers at no.sock"))
        #expect(outcome.output.contains("covey log import ana.log"))
        #expect(try !program.bytes(of: "ana.welcome").isEmpty)
        #expect(try !program.bytes(of: "ana.log").isEmpty)
    }

    @Test("files that are cut, foreign, newer or of another kind: four sentences")
    func damagedFiles() throws {
        try program.found()
        try invite("ana")
        let invite = try program.bytes(of: "ana.invite")
        func write(_ bytes: [UInt8], _ name: String) throws {
            try Data(bytes).write(to: URL(fileURLWithPath: program.path(name)))
        }
        try write(Array(invite.dropLast(9)), "cut.invite")
        try write(Array("COVEYF02".utf8) + invite.dropFirst(8), "newer.invite")
        try write(invite + [0], "longer.invite")
        var later = invite
        later[44] = 2
        try write(later, "later.invite")
        try write(Array("hello, world: no file of ours, and long enough".utf8), "text.invite")
        try write(Array(invite[..<8]) + [77] + invite[9...], "kind.invite")
        for (name, words) in [
            ("cut", "cut off"), ("longer", "something was added"), ("newer", "newer version"),
            ("later", "newer version"), ("text", "not a covey file"), ("kind", "kind 77"),
        ] {
            try program.fail(
                "device", "request", "\(name).invite", "-o", "x.request", "--home", "x", status: 1,
                saying: "\(name).invite", words)
        }
        try program.fail(
            "authority", "sign", "ana.invite", "-o", "x.welcome", "--authority", "desk", status: 1,
            saying: ".invite file where a .request file is needed")
        try program.fail(
            "device", "request", "none.invite", "-o", "x.request", "--home", "x", status: 74, saying: "no such file")

        try request("ana")
        try program.succeed("authority", "init", "Lagoon", "--authority", "other")
        try program.fail(
            "authority", "sign", "ana.request", "-o", "x.welcome", "--authority", "other", status: 1,
            saying: "ana.request", "another mesh")
    }

    @Test("a log that was cut or altered is not written on")
    func damagedDirectory() throws {
        try program.found()
        let log = try program.bytes(of: "desk/log")
        func put(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: program.path("desk/log"))) }
        try put(log.dropLast(1))
        try program.fail(
            "authority", "log", "--authority", "desk", status: 1, saying: "desk/log", "cut off",
            "put back your copy of the directory")
        var altered = log
        altered[log.count - 100] ^= 1
        try put(altered)
        try program.fail("authority", "log", "--authority", "desk", status: 1, saying: "desk/log", "damaged")
        try put(log)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o644], ofItemAtPath: program.path("desk/authority.key"))
        try program.fail("authority", "log", "--authority", "desk", status: 77, saying: "chmod 600 desk/authority.key")
    }

    @Test("on a clock that stands before the founding nothing is signed")
    func clock() throws {
        let random = SeededRandom(seed: 1, stream: "clock")
        let now = Minute(29_000_000)
        let founding = try Founding.found(name: "Harbour", profile: .standard, random: random, now: now)
        var book = AuthorityBook(genesis: founding.genesis, keys: founding.field)
        for entry in founding.entries { try book.restore(entry.signed) }
        #expect {
            try book.announce(now: Minute(0), random: random)
        } throws: { error in
            "\(error)".contains("1970-01-01T00:00:00Z") && "\(error)".contains("set the clock")
        }
        #expect(book.epochs.isEmpty)
        try book.announce(now: now, random: random)
        #expect(book.epochs.count == 1)
    }

    @Test("old epoch keys are given to new members until the grace of their successor is over")
    func grace() throws {
        let random = SeededRandom(seed: 2, stream: "grace")
        let now = Minute(29_000_000)
        let founding = try Founding.found(name: "Harbour", profile: .standard, random: random, now: now)
        var book = AuthorityBook(genesis: founding.genesis, keys: founding.field)
        for entry in founding.entries { try book.restore(entry.signed) }
        try book.announce(now: now, random: random)
        let later = now.adding(1440)
        try book.announce(now: later, random: random)
        #expect(book.liveEpochs(now: later.adding(30 * 1440)).count == 2)
        #expect(book.liveEpochs(now: later.adding(30 * 1440 + 1)).map(\.entry) == book.epochs.suffix(1).map(\.entry))
    }
}
