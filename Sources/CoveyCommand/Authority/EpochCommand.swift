import ArgumentParser
import CoveyCore
import CoveyCrypto

struct EpochCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "epoch",
        abstract: "Announce a new network key; due every week, so that devices know they are up to date.")

    @OptionGroup var act: LoggedAct

    private struct Announced: Answer {
        let epoch: UInt32
        let handed: HandOver.Outcome

        var text: String { "announced epoch \(epoch)\n\(handed.text)" }
    }

    func run() throws {
        let directory = try act.open()
        let file = try act.file(otherwise: "epoch.log")
        var book = directory.book
        guard book.authority.signsAlone() else {
            let now = CalendarText.now
            let draft = try book.draftEpoch(now: now, random: SystemRandom())
            return try directory.send(draft, book, beside: file, now: now).show(asJSON: act.answer.json)
        }
        let entry = try book.announce(now: CalendarText.now, random: SystemRandom())
        try directory.keep(book)
        try act.hand.over(
            [entry.signed], epochs: Array(book.epochs.suffix(1)), of: directory, file: file, act.answer
        ) { Announced(epoch: entry.epochNumber, handed: $0) }
    }
}

extension LogEntry {
    /// Of an announcement.
    var epochNumber: UInt32 {
        guard case .epochAnnounce(let announcement) = payload else { preconditionFailure("an announcement announces") }
        return announcement.number
    }
}
