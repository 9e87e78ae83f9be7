import ArgumentParser
import CoveyCore

/// An act that stands in the log for itself: a policy, a checkpoint, the revocation of an authority. Signed here where enough
/// keys are, else begun as a draft that goes round.
struct LoggedAct {
    let authority: AuthorityOptions
    let hand: HandOver
    let output: String
    let answer: OutputOptions

    private struct Signed: Answer {
        let act: [String]
        let sequence: UInt64
        /// What to do after it.
        let next: String?
        let handed: HandOver.Outcome

        var text: String { (act + [handed.text] + (next.map { [$0] } ?? [])).joined(separator: "\n") }
    }

    /// - Parameters:
    ///   - next: what somebody has to do after it.
    ///   - payload: what is signed, as the authority's book has it; it may ask before.
    func run(next: String? = nil, _ payload: (AuthorityBook, Minute) throws -> LogPayload) throws {
        let directory = try authority.open()
        try hand.check(output)
        var book = directory.book
        let now = CalendarText.now
        let payload = try payload(book, now)
        let act = DraftText.lines(payload, in: book.membership)
        guard book.authority.signsAlone() else {
            return try directory.send(
                try book.draft(payload, now: now), book, to: HandOver.file(beside: output, .draft), now: now
            ).show(asJSON: answer.json)
        }
        let entry = try book.act(payload, now: now)
        try directory.keep(book)
        let handed = try hand.over([entry.signed], epochs: [], of: directory, file: output)
        try Signed(act: act, sequence: entry.sequence, next: next, handed: handed).show(asJSON: answer.json)
        if let complaint = handed.complaint { throw complaint }
    }
}
