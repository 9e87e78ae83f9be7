import ArgumentParser
import CoveyCore

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
        /// What to do after it.
        let next: String?
        let handed: HandOver.Outcome

        var text: String { (act + [handed.text] + (next.map { [$0] } ?? [])).joined(separator: "\n") }
    }

    /// The log file, which is not there yet.
    func file(otherwise name: String) throws -> String {
        let file = output ?? name
        try hand.check(file)
        return file
    }

    /// Signs it where enough keys are here, else begins a draft that goes round.
    ///
    /// - Parameters:
    ///   - name: of the log file where none is given.
    ///   - next: what somebody has to do after it.
    ///   - payload: what is signed, as the authority's book has it; it may ask before.
    func run(
        _ name: String, next: String? = nil, _ payload: (AuthorityBook, Minute) throws -> LogPayload
    ) throws {
        let directory = try authority.open()
        let file = try file(otherwise: name)
        var book = directory.book
        let now = CalendarText.now
        let payload = try payload(book, now)
        let act = DraftText.lines(payload, in: book.membership)
        guard book.authority.signsAlone() else {
            return try directory.send(try book.draft(payload, now: now), book, beside: file, now: now)
                .show(asJSON: answer.json)
        }
        let entry = try book.act(payload, now: now)
        try directory.keep(book)
        try hand.over([entry.signed], of: directory, file: file, answer) {
            Signed(act: act, sequence: entry.sequence, next: next, handed: $0)
        }
    }
}
