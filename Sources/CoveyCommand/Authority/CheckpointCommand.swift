import ArgumentParser
import CoveyCore

struct CheckpointCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint", abstract: "Say where the logs below stand, and how many devices are live.",
        discussion: """
            What a checkpoint names no later fork of a stolen key can make void, and devices that get it know that they are \
            up to date. Sign one whenever the logs of the authorities below are here (covey authority import).
            """)

    @OptionGroup var act: LoggedAct

    func run() throws {
        try act.run("checkpoint.log") { book, now in
            try book.authority.checkpoint(of: book.membership, now: now)
        }
    }
}
