import ArgumentParser
import CoveyCore
import CoveyCrypto

struct RenewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "renew", abstract: "Give a device another certificate before its own expires.")

    @Argument(help: "The device, by label or by at least six digits of its id.")
    var device: String

    @Option(help: "Days that the certificate is good for, 1 to 400.")
    var days: Int?

    @Option(name: .shortAndLong, help: "Where to write the log file, when no node is named.")
    var output: String?

    @OptionGroup var hand: HandOver
    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var answer: OutputOptions

    private struct Renewed: Answer {
        let device: String
        let label: String
        let expires: String
        let handed: HandOver.Outcome

        var text: String { "renewed \(label) (\(LogText.short(device))) until \(expires)\n\(handed.text)" }
    }

    func run() throws {
        let days = try Days.certificate(days)
        let directory = try authority.open()
        let found = try directory.book.device(named: device)
        let file = output ?? "\(LogText.short(found.id.hex)).log"
        try hand.check(file)
        var book = directory.book
        guard book.authority.signsAlone(granting: found.certificate.capabilities) else {
            let now = CalendarText.now
            let draft = try book.draftRenewal(found, days: days, now: now)
            return try directory.send(draft, book, to: HandOver.file(beside: file, .draft), now: now)
                .show(asJSON: answer.json)
        }
        let entry = try book.renew(found, days: days, now: CalendarText.now)
        try directory.keep(book)
        let handed = try hand.over([entry.signed], epochs: [], of: directory, file: file)
        let certificate = try book.device(named: found.id.hex).certificate
        try Renewed(
            device: found.id.hex, label: certificate.label, expires: CalendarText.utc(certificate.notAfter),
            handed: handed
        ).show(asJSON: answer.json)
        if let complaint = handed.complaint { throw complaint }
    }
}
