import ArgumentParser
import CoveyCore
import CoveyCrypto

struct AuthorityLogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Show what was signed, or write it to a log file.")

    @Option(name: .shortAndLong, help: "Write a log file instead, for: covey log import FILE.")
    var output: String?

    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var answer: OutputOptions

    private struct Line: Answer {
        let kind: String
        let log: String?
        let sequence: UInt64?
        let id: String
        let time: String
        let summary: String
        /// What keeps an entry that is here from counting.
        let mark: String?

        var text: String { cells.joined(separator: "  ") }
        var cells: [String] {
            [
                log ?? "note", sequence.map(String.init) ?? "", LogText.short(id), time,
                mark.map { "\($0): \(summary)" } ?? summary,
            ]
        }
    }

    private static func mark(of entry: LogEntry, isOnPath: Bool, _ membership: Membership) -> String? {
        guard membership.isFrozen(entry.log) else { return isOnPath ? nil : "dropped" }
        return entry.sequence > membership.grantLimit(of: entry.log) ? "forked" : nil
    }

    func run() throws {
        let directory = try authority.open(isSigning: false)
        let book = directory.book
        if let output {
            return try WrittenLog(output, book.signed, of: book.mesh, next: "covey log import \(output.word)")
                .show(asJSON: answer.json)
        }
        var labels = [book.genesis.rootID: "root"]
        let paths = Dictionary(grouping: book.entries, by: \.log).mapValues { entries in
            Set(book.membership.entryIDs(of: entries[0].log))
        }
        var lines: [Line] = []
        for entry in book.entries {
            if case .authorityAdd(let certificate) = entry.payload {
                labels[certificate.authority] = certificate.content.label
            }
            lines.append(
                Line(
                    kind: LogText.kind(of: entry.payload), log: labels[entry.log] ?? LogText.short(entry.log.hex),
                    sequence: entry.sequence, id: entry.id.hex, time: CalendarText.utc(entry.time),
                    summary: LogText.summary(of: entry.payload),
                    mark: Self.mark(of: entry, isOnPath: paths[entry.log]?.contains(entry.id) ?? false, book.membership)
                ))
        }
        let names = Dictionary(
            book.devices.map { ($0.id, $0.certificate.label) }, uniquingKeysWith: { first, _ in first })
        for note in book.notes {
            let name = names[note.device] ?? "unknown"
            lines.append(
                Line(
                    kind: "revoke-note", log: nil, sequence: nil, id: note.hash.hex,
                    time: CalendarText.utc(note.issued),
                    summary: "device \(name) (\(LogText.short(note.device.hex))) revoked: \(note.reason.word)",
                    mark: nil))
        }
        if answer.json {
            for line in lines { try line.show(asJSON: true) }
        } else {
            try Output.line("mesh \(book.genesis.name) (\(book.mesh.hex))")
            try Output.line(Columns.text(lines.map(\.cells)))
        }
    }
}
