import ArgumentParser
import CoveyCore
import CoveyCrypto

struct EpochCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "epoch",
        abstract: "Announce a new network key; due every week, so that devices know they are up to date.")

    @Option(name: .shortAndLong, help: "Where to write the log file, when no node is named.")
    var output = "epoch.log"

    @OptionGroup var hand: HandOver
    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var answer: OutputOptions

    private struct Announced: Answer {
        let epoch: UInt32
        let handed: HandOver.Outcome

        var text: String { "announced epoch \(epoch)\n\(handed.text)" }
    }

    func run() throws {
        let directory = try authority.open()
        try hand.check(output)
        var book = directory.book
        guard book.authority.signsAlone() else {
            let now = CalendarText.now
            let draft = try book.draftEpoch(now: now, random: SystemRandom())
            return try directory.send(draft, book, to: HandOver.file(beside: output, .draft), now: now)
                .show(asJSON: answer.json)
        }
        let entry = try book.announce(now: CalendarText.now, random: SystemRandom())
        guard case .epochAnnounce(let announcement) = entry.payload else {
            preconditionFailure("an announcement announces")
        }
        try directory.keep(book)
        let handed = try hand.over(
            [entry.signed], epochs: Array(book.epochs.suffix(1)), of: directory, file: output)
        try Announced(epoch: announcement.number, handed: handed).show(asJSON: answer.json)
        if let complaint = handed.complaint { throw complaint }
    }
}
