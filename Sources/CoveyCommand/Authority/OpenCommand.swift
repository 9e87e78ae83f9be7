import ArgumentParser
import CoveyControl
import CoveyCore
import CoveyCrypto
import CoveyNode
import CoveyUV

struct OpenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "open", abstract: "Make an officer's directory from a key that was handed out.")

    @Argument(help: "The key file.")
    var key: String

    @Option(help: "A folder with the mesh and the log: an authority's directory, or copies of those two files.")
    var from: String

    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var answer: OutputOptions

    private struct Opened: Answer {
        let directory: String
        let authority: String
        let keys: [Int]
        let needed: Int

        var text: String {
            """
            \(directory) acts for authority \(LogText.short(authority)) with \(DraftText.keys(keys)); \(needed) must sign
            destroy the key file it was made from
            """
        }
    }

    func run() throws {
        let path = try authority.path()
        try AuthorityDirectory.join(path, keyFile: key, from: from)
        let book = try AuthorityDirectory(path).book
        let keys = book.authority.keys.current
        try Opened(directory: path, authority: book.id.hex, keys: keys.numbers, needed: keys.threshold)
            .show(asJSON: answer.json)
    }
}

struct AuthorityImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take into this directory what others signed.")

    @Argument(help: "Log files.")
    var files: [String]

    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var answer: OutputOptions

    private struct Imported: Answer {
        let new: Int
        let waiting: Int
        let refused: [String]
        /// What only nodes keep.
        let aside: Int
        /// Of network keys that waited here until their announcement was signed by enough.
        let began: [UInt32]
        /// What froze a log with this.
        let forks: [FindingEntry]
        /// What it means that entries of the authority's own log were new to it; absent where that is nothing strange.
        let oldCopy: FindingEntry?
        let next: String

        private enum CodingKeys: String, CodingKey { case new, waiting, refused, aside, began, forks, oldCopy }

        var text: String {
            let epochs = began.map {
                "the network key of epoch \($0) is here, and nowhere else until your own node has it; next: \(next)"
            }
            let findings = (forks + [oldCopy].compactMap(\.self)).map {
                "\(Output.harmless($0.text))\n\(Output.harmless($0.advice))"
            }
            var counts = "\(new) new, \(waiting) wait for entries that are missing, \(refused.count) refused"
            if aside > 0 { counts += "; \(aside) left aside: what members ask and receipts of orders only nodes keep" }
            return ([counts] + epochs + findings).joined(separator: "\n")
        }
    }

    func run() throws {
        let directory = try authority.open(isSigning: false)
        var book = directory.book
        var objects: [Signed] = []
        for path in files {
            let file = try CoveyFile(at: path)
            objects += try Complaint.about(path) { try file.log(of: book.mesh) }
        }
        let unknown = book.unknownOwn(in: objects)
        let taken = try book.take(objects)
        // Of replaced keys, and of two histories, something else is said; and what was dropped others signed, with keys
        // that are over.
        let isSaidOtherwise = book.areKeysReplaced || book.membership.isFrozen(book.id)
        let path = Set(book.membership.entryIDs(of: book.id))
        let own = isSaidOtherwise ? [] : unknown.filter { path.contains($0.id) }
        let before = Set(directory.book.epochs.map(\.entry))
        let began = Set(book.epochs.map(\.entry)).subtracting(before)
        let known = Set(directory.book.openForks.map(\.log))
        let forks = book.openForks.filter { !known.contains($0.log) }
        try directory.keep(book)
        let names = CommandNames(of: book.membership)
        try Imported(
            new: taken.new, waiting: taken.waiting, refused: taken.refused, aside: taken.aside,
            began: book.entries.filter { began.contains($0.id) }.map(\.epochNumber),
            forks: forks.map { FindingEntry(Finding(of: $0, in: book.membership, names)) },
            oldCopy: own.last.map {
                Self.oldCopy(directory.path, own.count, $0.time, lacked: book.lackedEpoch(now: CalendarText.now))
            },
            next: "covey log import \(files.map(\.word).joined(separator: " ")) --authority \(directory.path.word)"
        ).show(asJSON: answer.json)
        guard taken.refused.isEmpty else {
            throw Complaint(.failed, "refused: \(taken.refused.joined(separator: "; "))")
        }
        guard taken.waiting == 0 else {
            // Where somebody chose a history, what waits may be of another.
            let warning =
                unknown.isEmpty || book.membership.isContested(book.id)
                ? "" : "\(directory.path) may be an old copy, as some of these are of its own log; "
            throw Complaint(
                .failed,
                "\(warning)entries before these are missing; import the whole log of whoever wrote them, as \(AdvisedCommand.writeLog) writes it there, or covey log export -o FILE.log at a node: covey authority import FILE.log --authority \(directory.path.word)"
            )
        }
        guard forks.isEmpty else {
            throw Complaint(.failed, "what was taken in shows two histories of one log; decide which one stands")
        }
    }

    /// A desk that signs alone has signed every entry of its log; so somebody did elsewhere, with these keys.
    private static func oldCopy(
        _ path: String, _ count: Int, _ last: Minute, lacked epoch: UInt32?
    ) -> FindingEntry {
        let entries = count == 1 ? "an entry" : "\(count) entries"
        let key = "; to enrol here, announce a network key first: \(AdvisedCommand.announceEpoch) --authority "
        return FindingEntry(
            kind: "oldCopy", isUrgent: true,
            text: "\(path) is an old copy, or somebody else has its keys: \(entries) of its own log, the last of "
                + "\(CalendarText.utc(last)), came from elsewhere",
            advice: "where there is a newer copy, work in that one and destroy this one, as both would sign two "
                + "histories; where you did not sign these, change the keys: covey authority rotate"
                + (epoch == nil ? "" : key + path.word))
    }
}
