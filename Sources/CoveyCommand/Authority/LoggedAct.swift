import ArgumentParser
import CoveyCore
import CoveyCrypto

/// What an authority signs into its log: the options that every such command has, and the whole way of an act that stands
/// there for itself, as a policy, a checkpoint, a verdict or a release.
struct LoggedAct: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: "Where to write the log file, when no node is named; named after the act or the device without this.")
    var output: String?

    @OptionGroup var hand: HandOver
    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var answer: OutputOptions

    private struct Signed: Answer {
        let act: [String]
        let sequence: UInt64
        /// Of the network key that was announced with it.
        let newEpoch: UInt32?
        /// Why none was, where it should have been.
        let hint: String?
        let handed: HandOver.Outcome

        var text: String {
            let epoch = newEpoch.map { ["and announced a new network key, epoch \($0)"] } ?? []
            return (act + epoch + [handed.text] + (hint.map { [$0] } ?? [])).joined(separator: "\n")
        }
    }

    /// The directory that signs, with all that the node knows; refused where that knows its own log better.
    func open() throws -> AuthorityDirectory {
        let directory = try authority.open()
        try hand.update(directory)
        return directory
    }

    /// The log file, which is not there yet.
    ///
    /// - Parameter name: what it is called where nobody says; with a number, where that is taken by another act.
    func file(otherwise name: String) throws -> String {
        let file = output ?? HandOver.free(name, with: .draft)
        try hand.check(file)
        return file
    }

    /// Signs it where enough keys are here, else begins a draft that goes round.
    ///
    /// - Parameters:
    ///   - name: of the log file where none is given.
    ///   - isTainting: whether a new network key is announced with it, or, after a draft, by whoever completes that.
    ///   - payload: what is signed, as the authority's book has it; it may ask, or sign what comes first, before.
    func run(
        _ name: String, isTainting: Bool = false, _ payload: (inout AuthorityBook, Minute) throws -> LogPayload
    ) throws {
        let directory = try open()
        let file = try file(otherwise: name)
        var act: [String] = []
        var sequence: UInt64 = 0
        var newEpoch: UInt32?
        var hint: String?
        try perform(
            at: directory, file: file,
            draft: { book, now in
                let payload = try payload(&book, now)
                return try book.draft(payload, now: now)
            },
            sign: { book, now in
                let known = book.entries.count
                let payload = try payload(&book, now)
                // What had to be said before stands in the log already.
                act = (book.entries[known...].map(\.payload) + [payload]).flatMap {
                    DraftText.lines($0, of: book.id, in: book.membership)
                }
                sequence = try book.act(payload, now: now).sequence
                let entries = Array(book.entries[known...])
                guard isTainting else { return entries }
                let announcement = book.announceWithRevocation(now: now, random: SystemRandom())
                hint = announcement.hint
                newEpoch = announcement.announced.first?.epochNumber
                return entries + announcement.announced
            },
            said: {
                Signed(act: act, sequence: sequence, newEpoch: newEpoch, hint: hint, handed: $0.handed)
            })
    }

    /// What a desk that signs alone has signed, kept and handed over.
    struct Done {
        let entries: [LogEntry]
        /// As it is with them.
        let book: AuthorityBook
        let handed: HandOver.Outcome
    }

    /// The whole way of what stands in the log: signed, kept, handed over and said where enough keys are here, and else
    /// begun as a draft that goes round.
    ///
    /// - Parameters:
    ///   - isAlone: whether enough keys are here, where that is not what is asked of any act.
    ///   - isForNewcomer: whether the file has all that the first entry stands on, for whoever may hold no log.
    ///   - others: keys that sign a draft besides those of the directory.
    ///   - sign: signs into the book, and gives the entries in their order.
    func perform(
        at directory: AuthorityDirectory, file: String, isAlone: Bool? = nil, isForNewcomer: Bool = false,
        cosigning others: [SigningPrivateKey] = [],
        draft: (inout AuthorityBook, Minute) throws -> Draft,
        sign: (inout AuthorityBook, Minute) throws -> [LogEntry], said: (Done) -> some Answer
    ) throws {
        var book = directory.book
        let now = CalendarText.now
        guard isAlone ?? book.authority.signsAlone() else {
            let draft = try draft(&book, now)
            return try directory.send(draft, book, beside: file, now: now, others: others).show(asJSON: answer.json)
        }
        let entries = try sign(&book, now)
        try directory.keep(book)
        let epochs = book.epochs.filter { epoch in entries.contains { $0.id == epoch.entry } }
        let leading = isForNewcomer ? entries.first.map { book.leading(to: $0.id) } : nil
        try hand.over(
            entries.map(\.signed), epochs: epochs, leading: leading ?? [], of: directory, file: file, answer
        ) {
            said(Done(entries: entries, book: directory.book, handed: $0))
        }
    }
}
