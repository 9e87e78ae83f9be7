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
        try act.perform(
            at: directory, file: file,
            draft: { book, now in try book.draftEpoch(now: now, random: SystemRandom()) },
            sign: { book, now in [try book.announce(now: now, random: SystemRandom())] },
            said: { Announced(epoch: $0.entries[0].epochNumber, handed: $0.handed) })
    }
}

extension LogEntry {
    /// Of an announcement.
    var epochNumber: UInt32 {
        guard case .epochAnnounce(let announcement) = payload else { preconditionFailure("an announcement announces") }
        return announcement.number
    }
}
