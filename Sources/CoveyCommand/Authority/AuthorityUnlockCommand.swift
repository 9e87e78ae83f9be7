import ArgumentParser
import CoveyCore
import CoveyCrypto

struct AuthorityUnlockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock", abstract: "Give a device that was locked by order back for reading.",
        discussion: "Whoever has the codes and the device reads its messages. It stays revoked.")

    @Argument(help: "The request that the device wrote.")
    var request: String

    @Option(name: .shortAndLong, help: "Where to write the codes, for the device; they are shown without this.")
    var output: String?

    @Option(
        help: "A key file besides the directory's own: keys of this authority from before a rotation, or cold ones.")
    var key: [String] = []

    @Flag(help: "Answer without asking.")
    var yes = false

    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var answer: OutputOptions

    private struct Unlocked: Answer {
        let device: String
        let label: String
        /// Absent when they went into a file.
        let codes: [String]?
        let file: String?
        let needed: Int
        let missing: Int

        var text: String {
            let others =
                missing > 0
                ? ["\(missing) more must come from other officers of this authority; any \(needed) open the device"]
                : []
            let given = codes ?? ["wrote \(file ?? "")"]
            return (given + others + ["next, on the device: covey unlock \(file?.word ?? "CODE")"]).joined(
                separator: "\n")
        }
    }

    func run() throws {
        let directory = try authority.open()
        let book = directory.book
        let file = try CoveyFile(at: request)
        let record = try Complaint.about(request) {
            try LockRecord(parsing: file.content(.lockRecord, of: book.mesh))
        }
        guard let device = book.devices.first(where: { $0.id == record.device }),
            record.isSigned(by: device.certificate.signing, in: book.mesh)
        else {
            throw Complaint(
                .failed,
                "the request is not from a device that this log knows; bring the log up to date: covey authority import FILE"
            )
        }
        let note = book.membership.note(record.note)
        try Confirmation.ask(
            [
                "give back for reading: \(Output.harmless(device.certificate.label)) (\(LogText.short(device.id.hex)))",
                "locked on \(CalendarText.utc(record.locked)) by order \(LogText.short(record.order.hex))",
                note == nil
                    ? "this log does not know the order: import it first, if in doubt" : "the order stands in this log",
                "whoever has the device and the codes reads all its messages",
            ], "Is this the person who may have them?", yes: yes, refused: "no code was given")
        var keys = book.authority.keys.current.keys
        for path in key { keys += try AuthorityDirectory.keys(path, of: book.mesh) }
        let opened = record.codes(for: keys, in: book.mesh)
        guard !opened.codes.isEmpty else {
            throw Complaint(
                .failed,
                "no key here opens this request; it is for the keys that the device's authority, or one above it, had when it was locked: name them with --key"
            )
        }
        let codes = opened.codes.map(\.text)
        if let output { try Disk.create(output, Array((codes.joined(separator: "\n") + "\n").utf8)) }
        try Unlocked(
            device: device.id.hex, label: device.certificate.label, codes: output == nil ? codes : nil, file: output,
            needed: opened.needed, missing: max(0, opened.needed - codes.count)
        ).show(asJSON: answer.json)
    }
}
