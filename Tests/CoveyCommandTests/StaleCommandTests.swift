import CoveyCore
import CoveyCrypto
import Foundation
import Testing

@testable import CoveyCommand

/// protocol.md §1.9: what is withheld is said before it is asked for.
@Suite("Commands under a log that is not fresh")
final class StaleCommandTests {
    let program: CoveyProgram

    init() throws { program = try CoveyProgram() }
    deinit { program.remove() }

    /// A mesh whose authority announced its network key so many days ago, and was silent since.
    private func found(daysAgo days: Int64) throws {
        let then = CalendarText.now.adding(-days * 1440)
        let path = program.path("desk")
        try AuthorityDirectory.found(path, name: "Harbour", profile: .standard, random: SystemRandom(), now: then)
        let directory = try AuthorityDirectory(path)
        var book = directory.book
        try book.announce(now: then, random: SystemRandom())
        try directory.keep(book)
    }

    @Test(
        "one line on the standard error names the grade and what is withheld, and JSON carries the grade",
        arguments: [("stale", 10 as Int64, "no first contacts"), ("stranded", 40, "what is written waits")])
    func banner(grade: String, days: Int64, withheld: String) throws {
        try found(daysAgo: days)
        try program.enrol("ana", "ben")
        let ben = try program.node("ben")
        for command in [
            ["inbox"], ["announcements"], ["suspend", "ana", "--reason", "lost"], ["send", "ana", "hello"],
            ["wipe", "ana", "--mode", "lock", "-o", "x.draft", "--yes"], ["release", "show"],
        ] {
            let outcome = try program.run(command + ["--json", "--home", "ben"])
            let first = try #require(outcome.complaint.split(separator: "\n").first, "\(command)")
            #expect(first.hasPrefix("covey: the log is \(grade), no authority was heard of since"), "\(first)")
            #expect(first.contains(withheld) && first.contains("covey doctor"))
            guard !["inbox", "wipe", "release"].contains(command[0]) else { continue }
            if command[0] == "send", grade == "stale" {
                #expect(outcome.status == 1)
                #expect(outcome.complaint.contains("for the first time"))
            } else {
                #expect(outcome.status == 0, "\(outcome.complaint)")
                #expect(try outcome.json()["staleness"] as? String == grade)
            }
        }
        if grade == "stranded" {
            let kept = try program.run(["send", "ana", "hello", "--home", "ben"])
            #expect(kept.output.contains("it waits until an authority is heard of"))
        }
        #expect(try program.run(["doctor", "--home", "ben"]).output.contains("no authority has been heard of for"))
        #expect(try program.succeed("status", "--home", "ben").output.contains("the log is \(grade)"))
        #expect(try ben.node.stop() == 0)
    }
}
