import CoveyCore
import Foundation
import Testing

@testable import CoveyCommand

/// protocol.md §6, with processes on the loopback interface.
@Suite("Orders to lock or erase a device")
final class WipeCommandTests {
    let program: CoveyProgram

    init() throws { program = try CoveyProgram() }
    deinit { program.remove() }

    private func files(of home: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: program.path(home))) ?? []).sorted()
    }

    @Test("a node erases itself by order: receipt, clear line, a status of its own, and nothing is left")
    func erase() throws {
        try program.found()
        try program.enrol("ana")
        try program.enrol("van", orgOwned: true)
        let ana = try program.node("ana")
        try program.write("[log]\nlevel = \"info\"\n", to: "van/covey.toml")
        let van = try program.node("van", "--peer", ana.address)
        _ = try van.node.line(.log, containing: "linked to")
        #expect(try program.succeed("wipe", "--list", "--home", "ana").output.contains("no device was ordered"))
        let revoked = try program.succeed(
            "authority", "revoke", "van", "--reason", "lost", "--wipe", "erase", "--yes", "--authority", "desk",
            "--node",
            "ana/control.sock")
        #expect(revoked.output.contains("ordered it to erase itself"))
        _ = try ana.node.line(.log, containing: "says that it obeys the order to erase")
        #expect(try van.node.waitForEnd() == 4)
        #expect(try van.node.text(of: .log).contains("this device is erased by order"))
        #expect(files(of: "van").isEmpty, "\(files(of: "van"))")
        try program.fail("run", "--home", "van", status: 1, saying: "there is no device")
        let listed = try program.succeed("wipe", "--list", "--home", "ana").output
        #expect(listed.contains("erase") && listed.contains("van") && listed.contains("obeyed on"))
        #expect(try ana.node.stop() == 0)
    }

    @Test("an erase that was cut off is finished by the next start, and files of others stay")
    func cutOff() throws {
        try program.found()
        try program.enrol("van", orgOwned: true)
        // As a crash leaves it: the marker stands, the key is half overwritten.
        try program.write("", to: "van/erasing")
        try program.write("noise", to: "van/device.key")
        try program.write("mine", to: "van/notes.txt")
        try program.fail("status", "--home", "van", status: 4, saying: "an erase by order was begun", "covey run")
        try program.fail("run", "--home", "van", status: 4, saying: "erased by order")
        #expect(files(of: "van") == ["notes.txt"])
    }

    @Test("a node locks itself; the disk alone opens nothing; the authority gives its messages back for reading")
    func lock() throws {
        try program.found("--field", "1of2")
        try program.enrol("ana")
        try program.enrol("van", orgOwned: true)
        let ana = try program.node("ana")
        let van = try program.node("van", "--peer", ana.address)
        _ = try van.node.line(.log, containing: "linked to")
        let sent = try program.run(["send", "van", "--json", "--home", "ana"], input: "the key is under the mat\n")
        #expect(sent.status == 0, "\(sent.complaint)")
        _ = try van.node.line(.log, containing: "a message from ana")
        let key = try program.bytes(of: "van/device.key")
        // The master key, and the private keys behind it.
        let master = key[56..<88]
        try program.succeed(
            "authority", "revoke", "van", "--reason", "lost", "--wipe", "lock", "--yes", "--authority", "desk",
            "--node",
            "ana/control.sock")
        #expect(try van.node.waitForEnd() == 3)
        #expect(try van.node.text(of: .log).contains("locked by order"))
        _ = try ana.node.line(.log, containing: "says that it obeys the order to lock")
        #expect(!files(of: "van").contains("device.key"))
        #expect(try program.mode(of: "van/device.locked") == 0o600)
        for name in files(of: "van") where name != "segments" {
            let bytes = try program.bytes(of: "van/\(name)")
            #expect(Data(bytes).range(of: Data(master)) == nil, "\(name) holds the key")
        }

        for command in [
            ["run"], ["status"], ["inbox"], ["send", "ana", "hello"], ["peers"], ["contacts"], ["doctor"],
            ["device", "request", "van.invite", "-o", "again.request"],
        ] {
            let outcome = try program.run(command + ["--home", "van"])
            #expect(outcome.status == 3, "\(command): \(outcome.complaint)")
            #expect(outcome.complaint.contains("locked by order") && outcome.complaint.contains("covey unlock"))
            #expect(outcome.complaint.split(separator: "\n").count == 1)
        }
        try program.succeed("unlock", "-o", "van.locked", "--home", "van")
        try program.fail("unlock", "0000-1111", "--home", "van", status: 1, saying: "no code for this device")
        try program.succeed("authority", "init", "Elsewhere", "--authority", "other")
        try program.fail(
            "authority", "unlock", "van.locked", "--yes", "--authority", "other", status: 1, saying: "mesh")
        let asked = try program.run(["authority", "unlock", "van.locked", "--authority", "desk"], input: "no\n")
        #expect(asked.status == 1 && asked.complaint.contains("give back for reading: van"))
        let unlocked = try program.succeed(
            "authority", "unlock", "van.locked", "--yes", "-o", "van.codes", "--authority", "desk")
        #expect(unlocked.output.contains("next, on the device: covey unlock van.codes"))
        try program.fail("unlock", "no.codes", "--home", "van", status: 1, saying: "there is no such file: no.codes")
        let codes = String(decoding: try program.bytes(of: "van.codes"), as: UTF8.self)
        let opened = try program.run(["unlock", "-", "--home", "van"], input: codes)
        #expect(opened.status == 0, "\(opened.complaint)")
        #expect(files(of: "van").contains("device.reading") && !files(of: "van").contains("device.locked"))
        #expect(try program.succeed("inbox", "--home", "van").output.contains("ana: the key is under the mat"))
        try program.fail("run", "--home", "van", status: 3, saying: "no member any more", "covey inbox")
        try program.fail("unlock", "-o", "x.locked", "--home", "van", status: 3, saying: "given back for reading")
        #expect(try ana.node.stop() == 0)
    }

    @Test("where two must sign, the order goes round as a draft, and both officers' codes open the device")
    func twoKeys() throws {
        try program.foundPair()
        try program.succeed("authority", "invite", "van", "--org-owned", "-o", "van.invite", "--authority", "desk")
        try program.succeed("device", "request", "van.invite", "--agree", "-o", "van.request", "--home", "van")
        try program.succeed("authority", "sign", "van.request", "-o", "van.welcome", "--authority", "desk")
        for desk in ["two", "desk"] {
            try program.succeed("authority", "cosign", "van.draft", "--yes", "--authority", desk)
        }
        try program.succeed("authority", "sign", "van.request", "-o", "van.welcome", "--authority", "desk")
        try program.succeed("device", "install", "van.welcome", "--home", "van")
        try program.succeed(
            "authority", "revoke", "van", "--reason", "lost", "--wipe", "lock", "--yes", "-o", "order.log",
            "--authority", "desk"
        )
        let asked = try program.run(["authority", "cosign", "order.draft", "--authority", "two"], input: "no\n")
        #expect(asked.complaint.contains("with the order to lock itself, good until"))
        let signed = try program.succeed("authority", "cosign", "order.draft", "--yes", "--authority", "two")
        #expect(signed.output.contains("next: covey authority epoch"))
        let van = try program.node("van")
        try program.succeed("log", "import", "order.log", "--home", "van")
        #expect(try van.node.waitForEnd() == 3)
        try program.succeed("unlock", "-o", "van.locked", "--home", "van")
        try program.succeed("authority", "unlock", "van.locked", "--yes", "-o", "one.codes", "--authority", "desk")
        try program.fail("unlock", "one.codes", "--home", "van", status: 1, saying: "1 more code is needed")
        try program.succeed("authority", "unlock", "van.locked", "--yes", "-o", "two.codes", "--authority", "two")
        try program.succeed("unlock", "one.codes", "two.codes", "--home", "van")
    }

    @Test("two officers' devices give an order by one file; one alone gives none")
    func officers() throws {
        try program.found("--field", "1of2")
        try program.enrol("ana", grant: "wipe-officer")
        try program.enrol("ben", grant: "wipe-officer")
        try program.enrol("own")
        try program.enrol("van", orgOwned: true)
        let ana = try program.node("ana")
        let ben = try program.node("ben", "--peer", ana.address)
        let van = try program.node("van", "--peer", ana.address)
        _ = try van.node.line(.log, containing: "linked to")
        try program.fail(
            "wipe", "own", "--mode", "erase", "-o", "own.draft", "--yes", "--home", "ana", status: 1,
            saying: "has not agreed")
        try program.fail(
            "wipe", "ben", "--mode", "erase", "-o", "x.draft", "--yes", "--home", "van", status: 1,
            saying: "no wipe officer")
        try program.fail("wipe", "van", "--mode", "melt", "-o", "x.draft", "--home", "ana", status: 64, saying: "lock")
        let asked = try program.run(
            ["wipe", "van", "--mode", "erase", "-o", "van.draft", "--home", "ana"], input: "no\n")
        #expect(asked.status == 1 && asked.complaint.contains("erase the device van: lost"))
        #expect(!FileManager.default.fileExists(atPath: program.path("van.draft")))
        let drafted = try program.succeed("wipe", "van", "--mode", "erase", "-o", "van.draft", "--yes", "--home", "ana")
        #expect(drafted.output.contains("signed by ana"))
        try program.fail(
            "wipe", "--sign", "van.draft", "--yes", "--home", "ana", status: 1, saying: "signed it already")
        for wish in [["--sign", "van.draft"], ["--list"]] {
            let outcome = try program.run(["wipe"] + wish + ["--reason", "retired", "--home", "ben"])
            #expect(outcome.status == 64 && outcome.complaint.contains("for a new order"), "\(outcome.complaint)")
        }
        let shown = try program.run(["wipe", "--sign", "van.draft", "--home", "ben"], input: "no\n")
        #expect(shown.status == 1 && shown.complaint.contains("erase the device van"))
        let signed = try program.succeed("wipe", "--sign", "van.draft", "--yes", "--home", "ben")
        #expect(signed.output.contains("signed by ana and ben") || signed.output.contains("signed by ben and ana"))
        #expect(try van.node.waitForEnd() == 4)
        let line = try ben.node.line(.log, containing: "says that it obeys")
        #expect(line.contains("erase"))
        try program.fail("wipe", "--sign", "van.draft", "--yes", "--home", "ben", status: 1, saying: "in force already")
        #expect(try ana.node.stop() == 0)
        #expect(try ben.node.stop() == 0)
    }

    @Test("who is asked can say no; who was not asked can neither be granted the right nor ordered")
    func consent() throws {
        try program.found()
        try program.succeed("authority", "invite", "van", "--org-owned", "-o", "van.invite", "--authority", "desk")
        let refused = try program.run(
            ["device", "request", "van.invite", "-o", "van.request", "--home", "van"], input: "no\n")
        #expect(refused.status == 1)
        #expect(refused.complaint.contains("lock") && refused.complaint.contains("Do you agree?"))
        #expect(!FileManager.default.fileExists(atPath: program.path("van/pending")))
        let agreed = try program.run(
            ["device", "request", "van.invite", "-o", "van.request", "--home", "van"], input: "yes\n")
        #expect(agreed.status == 0)
        try program.succeed("authority", "sign", "van.request", "-o", "van.welcome", "--authority", "desk")
        try program.succeed("authority", "invite", "own", "-o", "own.invite", "--authority", "desk")
        try program.succeed("device", "request", "own.invite", "-o", "own.request", "--home", "own")
        try program.fail(
            "authority", "sign", "own.request", "-o", "own.welcome", "--grant", "org-owned", "--authority", "desk",
            status: 1, saying: "has not agreed", "--org-owned")
        try program.succeed("authority", "sign", "own.request", "-o", "own.welcome", "--authority", "desk")
        try program.fail(
            "authority", "revoke", "own", "--reason", "lost", "--wipe", "erase", "--yes", "--authority", "desk",
            status: 1,
            saying: "did not agree")
        try program.fail(
            "authority", "revoke", "van", "--reason", "lost", "--wipe", "erase", "--yes", "--wipe-days", "31",
            "--authority",
            "desk", status: 64, saying: "1 to 30")
    }
}
