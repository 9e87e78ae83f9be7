import ArgumentParser
import CoveyCore
import CoveyCrypto
import CoveyNode

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

    func run() throws {
        let directory = try authority.open(isSigning: false)
        let book = directory.book
        if let output {
            return try WrittenLog(output, book.signed, of: book.mesh, next: "covey log import \(output.word)")
                .show(asJSON: answer.json)
        }
        let membership = book.membership
        let lines =
            book.entries.map { entry in
                Line(
                    kind: LogText.kind(of: entry.payload),
                    log: membership.label(of: entry.log).map(Output.harmless) ?? LogText.short(entry.log.hex),
                    sequence: entry.sequence, id: entry.id.hex, time: CalendarText.utc(entry.time),
                    summary: LogText.summary(of: entry.payload, in: membership),
                    mark: membership.mark(of: entry)?.rawValue)
            }
            + book.notes.map { note in
                Line(
                    kind: "revoke-note", log: nil, sequence: nil, id: note.hash.hex,
                    time: CalendarText.utc(note.issued),
                    summary: Output.harmless(note.content.summary(note.hash, in: membership)), mark: nil)
            }
        if answer.json {
            for line in lines { try line.show(asJSON: true) }
        } else {
            try Output.line("mesh \(book.genesis.name) (\(book.mesh.hex))")
            try Output.line(Columns.text(lines.map(\.cells)))
        }
    }
}
