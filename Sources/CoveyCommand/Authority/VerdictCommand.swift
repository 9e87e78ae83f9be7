import ArgumentParser
import CoveyControl
import CoveyCore
import CoveyNode

struct VerdictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verdict", abstract: "Confirm or lift what was said against a device.",
        discussion: """
            What officers said stands in the log. What members asked (covey suspend) only a node knows, named with --node: \
            it can be lifted, and the device is let in again everywhere as soon as that is known there.
            """)

    enum Decision: String, EnumerableFlag {
        case confirm
        case lift
    }

    @Argument(help: "The device, by label or by at least six digits of its id.")
    var device: String

    @Flag(help: "Whether what was said stands, or has no effect any more.")
    var decision: Decision

    @OptionGroup var act: LoggedAct

    func run() throws {
        try act.run("verdict.log") { book, now in
            let found = try book.device(named: device)
            if let node = act.hand.node, decision == .lift {
                let asked = try ControlClient(path: node).exportLog(after: .suspend(NoteID()))
                _ = try book.take(asked)
            }
            let verdicts = book.verdicts(on: found, decision == .confirm ? .confirmed : .lifted, now: now)
            guard !verdicts.isEmpty else {
                throw Complaint(
                    .failed,
                    "there is nothing against \(found.certificate.label) here that could be decided\(decision == .lift && act.hand.node == nil ? "; what members asked a node knows, named with --node" : "")"
                )
            }
            return .certRevoke(verdicts)
        }
    }
}
