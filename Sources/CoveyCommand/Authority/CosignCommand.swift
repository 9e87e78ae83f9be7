import ArgumentParser
import CoveyControl
import CoveyCore
import CoveyCrypto
import CoveyNode

struct CosignCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cosign", abstract: "Sign a draft that another officer began.")

    @Argument(help: "The draft.")
    var draft: String

    @Option(name: .shortAndLong, help: "Where to write it when more must sign; over itself without this.")
    var output: String?

    @Option(help: "A key file besides the directory's own: of next keys, or cold ones.")
    var key: [String] = []

    @Flag(help: "Sign without asking.")
    var yes = false

    @OptionGroup var hand: HandOver
    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var answer: OutputOptions

    private struct Finished: Answer {
        let act: [String]
        let handed: HandOver.Outcome
        let next: String?
        /// What is left to do for the others who signed.
        let elsewhere: String?

        private enum CodingKeys: String, CodingKey { case act, handed, next }

        var text: String {
            (["signed by enough keys: \(act.first ?? "")", handed.text] + [next, elsewhere].compactMap(\.self))
                .joined(separator: "\n")
        }
    }

    func run() throws {
        let directory = try authority.open()
        let file = try CoveyFile(at: draft)
        let (read, basis) = try Complaint.about(draft) { try Draft.read(file, of: directory.book.mesh) }
        let logFile = HandOver.free(HandOver.file(beside: draft))
        try hand.check(logFile)
        let place = output ?? draft
        let isSame = Disk.isSame(place, draft)
        if !isSame { try Disk.checkNew(place) }
        var book = directory.book
        // What it stands on comes along: an officer who was away catches up on the way.
        _ = try book.take(basis)
        if case .entry = read.content, !read.isOfColdKeys { try hand.update(&book, of: directory.path) }
        let now = CalendarText.now
        try book.examine(read, now: now)
        guard !read.isOfColdKeys || !key.isEmpty else {
            throw Complaint(.usage, "the cold keys sign this draft; name the file of yours with --key FILE")
        }
        let lines = DraftText.lines(read, in: book.membership)
        try Confirmation.ask(lines + DraftText.dropped(by: read, in: book), "Sign this?", yes: yes)
        var others: [SigningPrivateKey] = []
        for path in key { others += try AuthorityDirectory.keys(path, of: book.mesh) }
        let signed = try book.cosign(read, now: now, others: others)
        guard try book.progress(of: signed).isComplete else {
            return try directory.write(signed, book, to: place, replacing: isSame).show(asJSON: answer.json)
        }
        let finished = try book.finish(signed)
        try directory.keep(book)
        var epochs: [Welcome.Epoch] = []
        var leading: [Signed] = []
        if case .entry(let entry) = finished {
            epochs = book.epochs.filter { $0.entry == entry.id }
            // Whoever is added may hold no log.
            if case .authorityAdd = entry.payload { leading = book.leading(to: entry.id) }
        }
        try hand.over(
            [finished.signed], epochs: epochs, leading: leading, of: directory, file: logFile, answer
        ) {
            Finished(
                act: lines, handed: $0, next: next(read, logFile, hasKey: !epochs.isEmpty, $0),
                elsewhere: elsewhere(read, $0.file))
        }
    }

    /// A desk that does not know that the draft it signed was completed keeps its place, and may be told to give it up.
    private func elsewhere(_ draft: Draft, _ log: String?) -> String? {
        guard case .entry = draft.content, !draft.isOfColdKeys else { return nil }
        let file = log.map(\.word) ?? "FILE.log, from covey log export -o FILE.log"
        return "every other officer who signed it imports it: covey authority import \(file) --authority DIR"
    }

    private func next(
        _ draft: Draft, _ log: String, hasKey: Bool, _ handed: HandOver.Outcome
    ) -> String? {
        let epoch = "next: covey authority epoch, so that nobody shares a network key with it any more"
        let replaced = "next, where the new keys are: covey authority import \(log.word), and covey authority epoch"
        let key =
            "next, at the desk that began it, which alone has the new network key: covey authority import \(log.word), and there, to its own node: covey log import \(log.word) --authority DIR"
        switch draft.content {
        case .note(let note): return note.taints ? epoch : nil
        case .entry(.act(.authorityRevoke), _, _): return epoch
        case .entry(.act(.epochAnnounce), _, _): return hasKey ? nil : key
        case .entry(.act(.authorityRotate(let rotation)), _, _): return rotation.branch == nil ? nil : replaced
        case .entry(.act(.recoverFork(let recovery)), _, _): return recovery.newKeys == nil ? nil : replaced
        case .entry(.issue(_, let requests), _, _):
            guard !requests.isEmpty else { return nil }
            return
                "next, where the device was invited: covey authority import the log, and covey authority sign its request again, for the welcome"
        case .entry(.addAuthority, _, _): return handed.forNewcomer
        case .entry(.act, _, _): return nil
        }
    }
}

struct WithdrawCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "withdraw",
        abstract: "Forget that you signed a draft, when every copy of it is destroyed.",
        discussion: """
            A desk signs one act for each place of the log. When a draft will never be finished, this frees its place.
            A copy that is finished after all would be a second act there, and freeze the log for everybody. So would one \
            that is complete already, at another desk: then import its log instead, covey authority import. With --node a \
            running node is asked whether it has it.
            """)

    @Flag(help: "Nobody completed it, and every copy is destroyed; do not ask.")
    var yes = false

    @Option(help: "The control socket of a running node, which may know the act that was completed.")
    var node: String?

    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var answer: OutputOptions

    private struct Withdrawn: Answer {
        let sequence: UInt64
        let entry: String

        var text: String { "withdrew the draft for place \(sequence); the place is free again" }
    }

    func run() throws {
        let directory = try authority.open()
        var book = directory.book
        guard let line = book.record.open(in: book.id) else {
            throw Complaint(.failed, "nothing that was signed here waits for other officers")
        }
        if let node, try Self.isTaken(line, of: book.id, at: ControlClient(path: node)) {
            throw Complaint(
                .failed,
                "place \(line.sequence) of the log is taken at the node: that draft is complete, or another act stands there; nothing was withdrawn; import the log instead: \(HandOver.importing(directory.path))"
            )
        }
        try Confirmation.ask(
            [
                "you signed a draft for place \(line.sequence) of the log on \(CalendarText.utc(line.signed))",
                "if another officer completed it, another act in its place freezes the log; import its log instead: covey authority import FILE --authority \(directory.path.word)",
            ],
            "Is it certain that nobody completed it, and is every copy of it destroyed?", yes: yes,
            refused: "nothing was withdrawn")
        book.withdraw(line.entry)
        try directory.keep(book)
        try Withdrawn(sequence: line.sequence, entry: line.entry.hex).show(asJSON: answer.json)
    }

    /// A frozen log's head stays before the fork, so the entry itself is looked for as well.
    private static func isTaken(_ line: SigningRecord.Line, of log: LogID, at client: ControlClient) throws -> Bool {
        let heads = try client.call(LogHeads()).heads
        if heads.contains(where: { $0.log.bytes == log.array && $0.sequence >= line.sequence }) { return true }
        return try client.exportLog(after: .entry(0)).contains { LogEntry.id(of: $0) == line.entry }
    }
}
