import ArgumentParser
import CoveyCore
import CoveyCrypto

struct ReplaceKeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replace-keys",
        abstract: "Give an authority below this one new keys, when its own are lost or stolen.",
        discussion: """
            Writes a directory for it with new keys. Who has the old ones signs nothing more that counts, as soon as a \
            device has heard of it. When its log is forked, --branch names the last entry that is to stand. What the cold \
            keys decided stays decided.
            """)

    @Argument(help: "The authority, by label or by at least six digits of its id.")
    var name: String

    @Option(help: "The directory to make for it.")
    var to: String

    @OptionGroup var change: KeyChange

    @OptionGroup var act: LoggedAct

    private struct Replaced: Answer {
        let authority: String
        let directory: String
        let shared: Bool
        let handed: HandOver.Outcome

        var text: String {
            "\(directory) acts for authority \(LogText.short(authority)) with new keys: take it there\n\(handed.text)"
                + (shared ? "\n" + HandOut.text(directory) : "")
        }
    }

    func run() throws {
        let shape = try change.shape()
        let directory = try act.open()
        let file = try act.file(otherwise: "replace-keys.log")
        try AuthorityDirectory.checkFree(to)
        let now = CalendarText.now
        var book = directory.book
        let child = try book.authorityBelow(named: name) { book.membership.authority($0)?.content.parent == book.id }
        let last = try change.last(of: child, in: book)
        let new = try book.newKeys(of: child, shape, random: SystemRandom())
        guard book.authority.signsAlone() else {
            let place = try HandOver.freeDraft(beside: file)
            let draft = try book.cosign(
                book.draftReplacement(of: child, branch: last, by: new, now: now), now: now, others: new.current.keys)
            _ = try AuthorityDirectory.make(to, new, in: directory.book)
            try directory.write(draft, book, to: place).show(asJSON: act.answer.json)
            if new.isShared, !act.answer.json { try Output.line(HandOut.text(to)) }
            return
        }
        let entry = try book.replaceKeys(of: child, branch: last, by: new, now: now)
        // A log that holds the change without them would bind the authority to keys that nobody has.
        let made = try AuthorityDirectory.make(to, new, in: directory.book)
        try directory.keep(book)
        var taken = made.book
        _ = try taken.take([entry.signed])
        try made.keep(taken)
        try act.hand.over([entry.signed], of: directory, file: file, act.answer) {
            Replaced(authority: child.hex, directory: to, shared: new.isShared, handed: $0)
        }
    }
}
