import ArgumentParser
import CoveyCore
import CoveyCrypto

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

    @Option(name: .shortAndLong, help: "Where to write the log file, when no node is named.")
    var output: String?

    @OptionGroup var hand: HandOver
    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var answer: OutputOptions

    private struct Decided: Answer {
        let device: String
        let label: String
        let notes: Int
        let decision: String
        let handed: HandOver.Outcome

        var text: String {
            "\(decision): \(notes) revocations of \(label) (\(LogText.short(device)))\n\(handed.text)"
        }
    }

    func run() throws {
        let directory = try authority.open()
        var book = directory.book
        let found = try book.device(named: device)
        let file = output ?? "\(LogText.short(found.id.hex)).log"
        try hand.check(file)
        let now = CalendarText.now
        let verdicts = book.verdicts(on: found, decision == .confirm ? .confirmed : .lifted)
        guard !verdicts.isEmpty else {
            throw Complaint(.failed, "there is nothing against \(found.certificate.label) here that could be decided")
        }
        guard book.authority.signsAlone() else {
            let draft = try book.draft(.certRevoke(verdicts), now: now)
            return try directory.send(draft, book, to: HandOver.file(beside: file, .draft), now: now)
                .show(asJSON: answer.json)
        }
        let entry = try book.act(.certRevoke(verdicts), now: now)
        try directory.keep(book)
        let handed = try hand.over([entry.signed], epochs: [], of: directory, file: file)
        try Decided(
            device: found.id.hex, label: found.certificate.label, notes: verdicts.count,
            decision: decision == .confirm ? "confirmed" : "lifted", handed: handed
        ).show(asJSON: answer.json)
        if let complaint = handed.complaint { throw complaint }
    }
}
