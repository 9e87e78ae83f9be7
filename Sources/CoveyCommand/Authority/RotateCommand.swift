import ArgumentParser
import CoveyCore
import CoveyCrypto

struct RotateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Change this authority's keys to those it has promised.",
        discussion: """
            The promised keys are in the directory since it was made; the ones after them are made now. Of keys that \
            several officers hold, the other officers' parts of those are written to the folder cold: each takes its own \
            with --take, and then signs the draft. The keys that signed until now are kept in authority.old: destroy that \
            file when no device is left that has not heard of the change.
            """)

    @Option(help: "The part of the following keys that the officer who began the change handed out.")
    var take: String?

    @Flag(help: "Begin another change, or take the part of another, without asking.")
    var yes = false

    @OptionGroup var act: LoggedAct

    private struct Taken: Answer {
        let directory: String
        let keys: [Int]

        var text: String {
            "\(directory) has \(DraftText.keys(keys)) of the following keys; destroy the file they came in"
        }
    }

    private struct Rotated: Answer {
        let authority: String
        let handed: HandOver.Outcome

        var text: String { "authority \(LogText.short(authority)) acts with its new keys\n\(handed.text)" }
    }

    func run() throws {
        if let take { return try takePart(of: take) }
        let directory = try act.open()
        let file = try act.file(otherwise: "rotate.log")
        if directory.sharesFollowingKeys {
            try Confirmation.ask(
                [
                    "following keys wait in \(directory.path) already, of a change that is not in the log",
                    "with another change they are of no use, and every officer takes a new part",
                ], "Begin another change?", yes: yes, refused: "no other change was begun")
        }
        let (authority, keys) = (directory.book.authority, directory.book.authority.keys)
        let following = SigningKeyset(
            count: keys.next.keyset.keys.count, threshold: keys.next.threshold, random: SystemRandom())
        try act.perform(
            at: directory, file: file, isAlone: authority.signsAlone() && keys.next.isSufficient,
            draft: { book, now in
                let draft = try book.draftRotation(promising: following.keyset, now: now)
                // Following keys that are kept for a draft that is not written take the place of others.
                _ = try HandOver.freeDraft(beside: file)
                try directory.keep(following: following)
                return draft
            },
            sign: { book, now in
                let entry = try book.rotate(promising: following.keyset, now: now)
                // A log that holds the change without them would bind the authority to keys that nobody has.
                try directory.keep(following: following)
                return [entry]
            }, said: { Rotated(authority: $0.book.id.hex, handed: $0.handed) })
    }

    private func takePart(of file: String) throws {
        let path = try act.authority.path()
        let directory = try AuthorityDirectory(path)
        let numbers = try directory.takeFollowing(from: file) {
            try Confirmation.ask(
                [
                    "following keys of another change wait in \(path) already",
                    "they are written over; if that change is the one that is signed, its part is lost here",
                ], "Take these in their place?", yes: yes, refused: "nothing was taken")
        }
        try Taken(directory: path, keys: numbers).show(asJSON: act.answer.json)
    }
}
