import CoveyCore
import CoveyCrypto
import Foundation
import Testing

@testable import CoveyCommand

/// Who is kept out, and what becomes of their mail (protocol.md §1.6, §1.9).
@Suite("covey suspend, revoke-self and quarantine")
final class ExclusionTests {
    let program: CoveyProgram

    init() throws {
        program = try CoveyProgram()
        try program.found()
    }

    deinit { program.remove() }

    @Test("two members keep a lost device out, one alone is told how many are missing, and an officer lets it in again")
    func suspension() throws {
        try program.enrol("ana", "ben", "lost")
        let ana = try program.node("ana")
        let ben = try program.node("ben", "--peer", ana.address)
        _ = try ben.node.line(.log, containing: "linked to")
        try program.succeed("log", "import", "lost.log", "--home", "ana")
        _ = try ben.node.line(.log, containing: "logAccepted")
        try program.fail("suspend", "ana", "--reason", "lost", "--home", "ana", status: 1, saying: "revoke-self")
        try program.fail("suspend", "lost", "--reason", "gone", "--home", "ana", status: 64, saying: "retired, lost")
        try program.fail("suspend", "cy", "--reason", "lost", "--home", "ana", status: 1, saying: "cy")

        let first = try program.succeed("suspend", "lost", "--reason", "lost", "--home", "ana").output
        #expect(first.contains("not yet: one more member must ask"))
        #expect(try program.succeed("contacts", "--home", "ana").output.contains("a member asks to keep it out"))
        try program.fail(
            "suspend", "lost", "--reason", "lost", "--home", "ana", status: 1, saying: "one at a time", "days")
        _ = try ben.node.line(.log, containing: "\"event\":\"suspendLearnt\"")
        let second = try program.succeed("suspend", "lost", "--reason", "lost", "--json", "--home", "ben").json()
        #expect(second["missing"] as? Int == 0)
        #expect(second["suspendedUntil"] != nil)
        #expect(second["staleness"] as? String == "fresh")
        #expect(try program.succeed("contacts", "--home", "ben").output.contains("suspended until"))
        #expect(try program.succeed("status", "--home", "ben").output.contains("1, named by covey contacts"))
        #expect(try program.succeed("doctor", "--home", "ben").output.contains("lost is suspended"))

        try program.fail(
            "authority", "verdict", "lost", "--lift", "--authority", "desk", status: 1, saying: "named with --node")
        try program.fail(
            "authority", "verdict", "lost", "--confirm", "--authority", "desk", "--node", "ben/control.sock", status: 1,
            saying: "nothing against lost")
        let lifted = try program.succeed(
            "authority", "verdict", "lost", "--lift", "--authority", "desk", "--node", "ben/control.sock"
        ).output
        #expect(lifted.contains("ana (") && lifted.contains("ben ("))
        #expect(lifted.contains("lifted: ") && lifted.contains("asked that lost ("))
        #expect(try !program.succeed("contacts", "--home", "ben").output.contains("suspended until"))
        _ = try ana.node.line(.log, containing: "accepted entry 5")
        #expect(try !program.succeed("contacts", "--home", "ana").output.contains("suspended until"))
        #expect(try ana.node.stop() == 0)
        #expect(try ben.node.stop() == 0)
    }

    @Test("a revocation that never reached the node is urgent, and comes along with the next act, whose key spreads")
    func revokedByFile() throws {
        try program.enrol("ana", "ben", "cy")
        let ana = try program.node("ana")
        let cy = try program.node("cy", "--peer", ana.address)
        _ = try cy.node.line(.log, containing: "linked to")
        for name in ["ben", "cy"] { try program.succeed("log", "import", "\(name).log", "--home", "ana") }
        try program.succeed(
            "authority", "revoke", "ben", "--reason", "retired", "-o", "gone.log", "--authority", "desk")
        let found = try program.run(["doctor", "--authority", "desk", "--home", "ana"])
        #expect(found.status == 1)
        #expect(found.output.contains("urgent  the node lacks 1 revocation of"))
        #expect(!found.output.contains("entries of the authority's log"))
        try program.succeed("authority", "epoch", "--authority", "desk", "--node", "ana/control.sock")
        _ = try cy.node.line(.log, containing: "learnt epoch 2")
        #expect(try program.succeed("contacts", "--home", "cy").output.contains("revoked (retired)"))
        let shown = try program.succeed("contacts", "ben", "--home", "cy").output
        #expect(shown.contains("rights") && shown.contains("link, send") && shown.contains("field ("))
        #expect(shown.contains("as retired by field, suspect since"))
        let detail = try program.succeed("contacts", "ben", "--home", "cy", "--json").json()
        let note = try #require((detail["notes"] as? [[String: Any]])?.first)
        #expect(note["by"] as? String == "field" && note["reason"] as? String == "retired" && note["decision"] == nil)
        #expect(try program.succeed("contacts", "cy", "--home", "cy").output.contains("this device"))
        try program.fail("contacts", "dan", "--home", "cy", status: 1, saying: "no device is called")
        let log = try program.succeed("log", "show", "--home", "cy").output
        #expect(log.contains("field:1") && log.contains("device ben (") && log.contains("revoked: retired, by field"))
        #expect(try !program.succeed("log", "show", "--after", "0", "--home", "cy").output.contains("revoked"))
        let status = try program.succeed("status", "--home", "cy").output
        #expect(status.contains("heard") && status.contains("ago: fresh until"))
        let healed = try program.run(["doctor", "--authority", "desk", "--home", "ana"])
        #expect(!healed.output.contains("the node lacks"))
        #expect(try ana.node.stop() == 0)
        #expect(try cy.node.stop() == 0)
    }

    @Test("what a node did not take is written beside a file that is there, never over it")
    func numbered() throws {
        try program.enrol("ben")
        try program.write("mine", to: "gone.log")
        let outcome = try program.run([
            "authority", "revoke", "ben", "--reason", "lost", "-o", "gone.log", "--authority", "desk", "--node",
            "none.sock",
        ])
        #expect(outcome.status == 69)
        #expect(outcome.output.contains("wrote gone-2.log"))
        #expect(try program.bytes(of: "gone.log") == Array("mine".utf8))
        let file = try CoveyFile(parsing: program.bytes(of: "gone-2.log"))
        #expect(try file.log(of: file.mesh).count == 2)
    }

    @Test("a device leaves by its own key: the others learn it, and it says of itself that it is no member")
    func leaving() throws {
        try program.enrol("ana", "ben")
        let ana = try program.node("ana")
        let ben = try program.node("ben", "--peer", ana.address)
        _ = try ana.node.line(.log, containing: "linked to")
        let no = try program.run(["revoke-self", "--home", "ben"], input: "no\n")
        #expect(no.status == 1)
        #expect(no.complaint.contains("leaves the mesh Harbour for good: retired"))
        #expect(try program.succeed("status", "--json", "--home", "ben").json()["revoked"] == nil)
        let yes = try program.succeed("revoke-self", "--yes", "--home", "ben").output
        #expect(yes.contains("told one neighbour"))
        _ = try ana.node.line(.log, containing: "\"event\":\"noteLearnt\"")
        _ = try ben.node.line(.log, containing: "no member any more")
        #expect(try program.succeed("status", "--home", "ben").output.contains("this device is revoked (retired)"))
        try program.fail("send", "ana", "still here?", "--home", "ben", status: 1, saying: "revoked")
        try program.fail("send", "ben", "still there?", "--home", "ana", status: 1, saying: "revoked")
        try program.fail("revoke-self", "--yes", "--home", "ben", status: 1, saying: "revoked already")
        #expect(try program.succeed("contacts", "--home", "ana").output.contains("revoked"))
        #expect(try ana.node.stop() == 0)
        #expect(try ben.node.stop() == 0)
        let again = try program.node("ben")
        _ = try again.node.line(.log, containing: "no member any more")
        #expect(try again.node.stop() == 0)
    }

    @Test("a desk learns of a revocation from the node before it announces: a key that does not cover it is no new one")
    func learnt() throws {
        try program.enrol("ana", "ben")
        let ana = try program.node("ana")
        let ben = try program.node("ben", "--peer", ana.address)
        _ = try ana.node.line(.log, containing: "linked to")
        try program.succeed("revoke-self", "--reason", "lost", "--yes", "--home", "ben")
        _ = try ana.node.line(.log, containing: "\"event\":\"noteLearnt\"")
        #expect(try ben.node.stop() == 0)
        let before = try program.run(["doctor", "--authority", "desk", "--home", "ana"])
        #expect(before.output.contains("the network key is known to a former member"))
        #expect(before.output.contains("urgent  desk lacks a revocation that the node has"))
        #expect(before.output.contains("covey log export -o FILE.log, then covey authority import FILE.log"))
        let node = "ana/control.sock"
        let announced = try program.run(["authority", "epoch", "--authority", "desk", "--node", node])
        #expect(announced.status == 0)
        #expect(announced.complaint.contains("took in a revocation that the node has and desk lacked"))
        #expect(try program.succeed("authority", "log", "--authority", "desk").output.contains("revoked: lost"))
        let after = try program.run(["doctor", "--authority", "desk", "--home", "ana"])
        #expect(!after.output.contains("known to a former member"))
        #expect(!after.output.contains("desk lacks"))
        #expect(try ana.node.stop() == 0)
    }

    @Test("a device that leaves alone tells the first that it meets")
    func leavingAlone() throws {
        try program.enrol("ana", "ben")
        let ben = try program.node("ben")
        let left = try program.succeed("revoke-self", "--reason", "superseded", "--yes", "--home", "ben").output
        #expect(left.contains("nobody is linked now: leave the node running"))
        let ana = try program.node("ana", "--peer", ben.address)
        _ = try ana.node.line(.log, containing: "\"event\":\"noteLearnt\"")
        #expect(try ana.node.stop() == 0)
        #expect(try ben.node.stop() == 0)
    }

    @Test(
        "a letter that comes after its sender was revoked is in quarantine, marked or hidden by the reason; one that was read before is marked in the inbox",
        arguments: ["lost", "compromised"])
    func late(reason: String) throws {
        try program.enrol("ana", "ben", "cy", "dee")
        var ana = try program.node("ana")
        var ben = try program.node("ben", "--peer", ana.address)
        _ = try ana.node.line(.log, containing: "linked to")
        try program.succeed("send", "ana", "early", "--home", "ben")
        _ = try ana.node.line(.log, containing: "a message from ben")
        #expect(try ana.node.stop() == 0)
        #expect(try ben.node.stop() == 0)

        // Two hands between them: a letter is dropped by whoever had it from the revoked device itself.
        let cy = try program.node("cy")
        var dee = try program.node("dee", "--peer", cy.address, "--log-level", "debug")
        _ = try cy.node.line(.log, containing: "linked to")
        ben = try program.node("ben", "--peer", cy.address)
        try program.succeed("send", "ana", "late", "--home", "ben")
        _ = try dee.node.line(.log, containing: "took envelope")
        for node in [ben.node, cy.node, dee.node] { #expect(try node.stop() == 0) }

        ana = try program.node("ana")
        try program.succeed(
            "authority", "revoke", "ben", "--reason", reason, "--since", "2026-01-01", "--authority", "desk", "--node",
            "ana/control.sock")
        dee = try program.node("dee", "--peer", ana.address)
        _ = try ana.node.line(.log, containing: "went into quarantine")

        let status = try program.succeed("status", "--json", "--home", "ana").json()
        #expect(status["inbox"] as? Int == 1)
        #expect(status["quarantined"] as? Int == 1)
        #expect(try program.succeed("status", "--home", "ana").output.contains("1 message, apart from the inbox"))
        let inbox = try program.succeed("inbox", "--home", "ana").output
        let mark = reason == "lost" ? "sender since revoked: lost" : "sender was compromised at that time"
        #expect(inbox.contains("ben (\(mark)): early"))
        #expect(!inbox.contains("late"))
        let shown = try program.run(["quarantine", "--home", "ana"])
        #expect(shown.status == 0)
        let all = try program.succeed("quarantine", "--all", "--json", "--home", "ana").json()
        #expect(all["text"] as? String == "late")
        #expect(all["revoked"] as? String == reason)
        if reason == "lost" {
            #expect(shown.output.contains("ben (came after its sender was revoked: lost): late"))
            #expect(all["standing"] as? String == "quarantined")
        } else {
            #expect(shown.output.isEmpty)
            #expect(shown.complaint.contains("1 of compromised senders are hidden"))
            #expect(all["standing"] as? String == "hidden")
        }
        #expect(try program.succeed("quarantine", "--home", "dee").output == "nothing is in quarantine\n")
        #expect(try ana.node.stop() == 0)
        #expect(try dee.node.stop() == 0)
    }
}
