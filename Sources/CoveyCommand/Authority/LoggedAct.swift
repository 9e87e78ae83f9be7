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

    /// The directory that signs, unless the node knows its log better.
    func open() throws -> AuthorityDirectory {
        let directory = try authority.open()
        try hand.check(directory)
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
    ///   - payload: what is signed, as the authority's book has it; it may ask before.
    func run(
        _ name: String, isTainting: Bool = false, _ payload: (inout AuthorityBook, Minute) throws -> LogPayload
    ) throws {
        let directory = try open()
        let file = try file(otherwise: name)
        var book = directory.book
        let now = CalendarText.now
        let payload = try payload(&book, now)
        let act = DraftText.lines(payload, in: book.membership)
        guard book.authority.signsAlone() else {
            return try directory.send(try book.draft(payload, now: now), book, beside: file, now: now)
                .show(asJSON: answer.json)
        }
        let entry = try book.act(payload, now: now)
        let (announced, hint) =
            isTainting ? book.announceWithRevocation(now: now, random: SystemRandom()) : ([], nil)
        try directory.keep(book)
        try hand.over(
            [entry.signed] + announced.map(\.signed), epochs: book.epochs.suffix(announced.count), of: directory,
            file: file, answer
        ) {
            Signed(act: act, sequence: entry.sequence, newEpoch: announced.first?.epochNumber, hint: hint, handed: $0)
        }
    }
}
