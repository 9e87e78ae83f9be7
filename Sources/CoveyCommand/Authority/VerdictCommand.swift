import ArgumentParser
import CoveyCore

struct VerdictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verdict", abstract: "Confirm or lift what was said against a device.")

    enum Decision: String, EnumerableFlag {
        case confirm
        case lift
    }

    @Argument(help: "The device, by label or by at least six digits of its id.")
    var device: String

    @Flag(help: "Whether its revocations stand, or have no effect any more.")
    var decision: Decision

    @OptionGroup var act: LoggedAct

    func run() throws {
        try act.run("verdict.log") { book, _ in
            let found = try book.device(named: device)
            let verdicts = book.verdicts(on: found, decision == .confirm ? .confirmed : .lifted)
            guard !verdicts.isEmpty else {
                throw Complaint(
                    .failed, "there is nothing against \(found.certificate.label) here that could be decided")
            }
            return .certRevoke(verdicts)
        }
    }
}
