import ArgumentParser
import CoveyCore
import CoveyNode

struct CheckpointCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint", abstract: "Say where the logs below stand, and which devices are in the set.",
        discussion: """
            What a checkpoint names no later fork of a stolen key can make void, and devices that get it know that they are \
            up to date. Sign one whenever the logs of the authorities below are here (covey authority import).

            A revocation takes a device out of the set once a verdict in the log confirms it. Those that enough keys of an \
            authority signed are confirmed first, where this directory signs alone; the command names those that are left.
            """)

    @OptionGroup var act: LoggedAct

    func run() throws {
        try act.run("checkpoint.log") { book, now in
            if book.authority.signsAlone() { try book.confirmRevocations(now: now) }
            let payload = try book.authority.checkpoint(of: book.membership, now: now)
            let names = CommandNames(of: book.membership)
            let left = book.revokedDevices(in: payload, now: now).map {
                AdvisedCommand.confirm(device: names.name(of: $0)).description
            }
            if !left.isEmpty {
                Output.note(
                    "to take those out of the set who are revoked without a verdict: \(left.joined(separator: ", ")), and "
                        + "then another checkpoint")
            }
            return payload
        }
    }
}
