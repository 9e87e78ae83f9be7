import ArgumentParser
import CoveyControl
import CoveyCore
import CoveyCrypto
import CoveyNode

struct LogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "The membership log, as this node knows it.",
        subcommands: [
            LogShowCommand.self, LogExportCommand.self, LogImportCommand.self, LogVerifyCommand.self,
            LogProveCommand.self,
        ])
}

struct LogShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show the entries accepted here, and the revocations.",
        discussion: """
            An entry that does not count is marked: forked, while nobody has chosen between two histories of its log; dropped, \
            when another one was chosen; void, when its authority was dismissed or had no right to it.
            """)

    @Option(parsing: .unconditional, help: "Only entries after this number, and no revocations.")
    var after: UInt64?

    @OptionGroup var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let client = try node.connect()
        var rows: [[String]] = []
        for entry in try client.logEntries(after: after ?? 0) {
            if output.json { try NodeAnswer(entry) { _ in "" }.show(asJSON: true) }
            let summary = Output.harmless(entry.summary)
            rows.append([
                String(entry.position),
                "\(entry.label.isEmpty ? LogText.short(entry.log.description) : Output.harmless(entry.label)):\(entry.sequence)",
                LogText.short(entry.id.description), CalendarText.local(entry.time),
                entry.mark.map { "\($0): \(summary)" } ?? summary,
            ])
        }
        for note in after == nil ? try client.logNotes() : [] {
            if output.json { try NodeAnswer(note) { _ in "" }.show(asJSON: true) }
            rows.append([
                "", "note", LogText.short(note.hash.description), CalendarText.local(note.issued),
                Output.harmless(note.summary),
            ])
        }
        if !output.json { try Output.line(Columns.text(rows)) }
    }
}

extension ControlClient {
    fileprivate func logEntries(after: UInt64) throws -> [LogEntryLine] {
        var entries: [LogEntryLine] = []
        while true {
            let page = try call(LogList(after: entries.last?.position ?? after))
            entries += page.entries
            guard page.more, !page.entries.isEmpty else { return entries }
        }
    }

    fileprivate func logNotes() throws -> [LogNoteLine] {
        var notes: [LogNoteLine] = []
        while true {
            let page = try call(LogNotes(after: notes.last?.id))
            notes += page.notes
            guard page.more, !page.notes.isEmpty else { return notes }
        }
    }
}

struct LogExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write the whole log to a file, for others to audit or import.",
        discussion: """
            All entries and revocations that this node knows, and behind them what members ask (covey suspend) and the \
            receipts of wipe orders. No key is in it, and no message.
            """)

    @Option(name: .shortAndLong, help: "Where to write the log file.")
    var output = "mesh.log"

    @OptionGroup var node: NodeOptions
    @OptionGroup var answer: OutputOptions

    func run() throws {
        try Disk.checkNew(output)
        let client = try node.connect()
        guard let mesh = MeshID(try client.call(NodeStatus()).mesh.bytes) else { throw ControlClientError.garbled }
        var objects: [Signed] = []
        for mark in [ExportMark.entry(0), .suspend(NoteID()), .receipt(NoteHash())] {
            objects += try client.exportLog(after: mark)
        }
        let genesis = try node.load().home + "/mesh"
        try WrittenLog(
            output, objects, of: mesh, next: "covey log verify \(output.word) --mesh \(genesis.word)"
        ).show(asJSON: answer.json)
    }
}

extension ControlClient {
    /// All that a node has after a mark, page by page: entries and then revocations, or Suspends alone, or receipts alone.
    func exportLog(after mark: ExportMark) throws -> [Signed] {
        var objects: [Signed] = []
        var size = 0
        var mark: String? = mark.text
        repeat {
            let page = try call(LogExport(after: mark))
            for object in page.objects {
                size += object.bytes.count
                guard size <= Disk.Bounds.file, let signed = try? Signed(parsing: object.bytes) else {
                    throw ControlClientError.garbled
                }
                objects.append(signed)
            }
            mark = page.objects.isEmpty ? nil : page.next
        } while mark != nil
        return objects
    }
}

struct LogImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Hand log files to the node, which checks them and passes them on.")

    @Argument(help: "What an authority wrote: files, or images of the codes of one.")
    var file: [String]

    @Option(help: "The authority's own directory, on its own machine: the node gets the keys of new epochs too.")
    var authority: String?

    @OptionGroup var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let files = try CoveyFile.each(at: file)
        for (path, file) in files { _ = try Complaint.about(path) { try file.content(.log) } }
        let client = try node.connect()
        guard let mesh = MeshID(try client.call(NodeStatus()).mesh.bytes) else { throw ControlClientError.garbled }
        let objects = try files.flatMap { path, file in try Complaint.about(path) { try file.log(of: mesh) } }
        var epochs: [Welcome.Epoch] = []
        if let authority {
            let announced = Set(objects.map(LogEntry.id))
            let book = try AuthorityDirectory(authority).book
            guard book.mesh == mesh else {
                throw Complaint(.usage, "the node is of another mesh than \(authority); name a directory of the same")
            }
            epochs = book.epochs.filter { announced.contains($0.entry) }
        }
        let result = try HandOver.submit(objects, epochs: epochs, to: client)
        let answer = NodeAnswer(result) { result in
            let counts = "\(result.accepted) new, \(result.known) known, \(result.refused.count) refused"
            return result.waiting == 0 ? counts : "\(counts), \(result.waiting) waiting"
        }
        try answer.show(asJSON: output.json)
        guard result.refused.isEmpty else {
            throw Complaint(.failed, "the node refused: \(result.refused.joined(separator: "; "))")
        }
        guard result.waiting == 0 else { throw Complaint(.failed, LogSubmitResult.waitingAdvice) }
    }
}
