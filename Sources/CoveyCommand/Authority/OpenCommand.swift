import ArgumentParser
import CoveyControl
import CoveyCore
import CoveyCrypto
import CoveyNode
import CoveyUV

struct OpenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "open", abstract: "Make an officer's directory from a key that was handed out.")

    @Argument(help: "The key file.")
    var key: String

    @Option(help: "A folder with the mesh and the log: an authority's directory, or copies of those two files.")
    var from: String

    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var answer: OutputOptions

    private struct Opened: Answer {
        let directory: String
        let authority: String
        let keys: [Int]
        let needed: Int

        var text: String {
            """
            \(directory) acts for authority \(LogText.short(authority)) with \(DraftText.keys(keys)); \(needed) must sign
            destroy the key file it was made from
            """
        }
    }

    func run() throws {
        let path = try authority.path()
        try AuthorityDirectory.join(path, keyFile: key, from: from)
        let book = try AuthorityDirectory(path).book
        let keys = book.authority.keys.current
        try Opened(directory: path, authority: book.id.hex, keys: keys.numbers, needed: keys.threshold)
            .show(asJSON: answer.json)
    }
}

struct AuthorityImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take into this directory what others signed.")

    @Argument(help: "Log files.")
    var files: [String]

    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var answer: OutputOptions

    private struct Imported: Answer {
        let new: Int
        let waiting: Int
        let refused: [String]
        /// What only nodes keep.
        let aside: Int
        /// Of network keys that waited here until their announcement was signed by enough.
        let began: [UInt32]
        /// What froze a log with this.
        let forks: [FindingEntry]
        let next: String

        private enum CodingKeys: String, CodingKey { case new, waiting, refused, aside, began, forks }

        var text: String {
            let epochs = began.map {
                "the network key of epoch \($0) is here, and nowhere else until your own node has it; next: \(next)"
            }
            let frozen = forks.map { "\(Output.harmless($0.text))\n\(Output.harmless($0.advice))" }
            var counts = "\(new) new, \(waiting) wait for entries that are missing, \(refused.count) refused"
            if aside > 0 { counts += "; \(aside) left aside: what members ask and receipts of orders only nodes keep" }
            return ([counts] + epochs + frozen).joined(separator: "\n")
        }
    }

    func run() throws {
        let directory = try authority.open(isSigning: false)
        var book = directory.book
        var objects: [Signed] = []
        for path in files {
            let file = try CoveyFile(at: path)
            objects += try Complaint.about(path) { try file.log(of: book.mesh) }
        }
        let taken = try book.take(objects)
        let before = Set(directory.book.epochs.map(\.entry))
        let began = Set(book.epochs.map(\.entry)).subtracting(before)
        let known = Set(directory.book.openForks.map(\.log))
        let forks = book.openForks.filter { !known.contains($0.log) }
        try directory.keep(book)
        let names = CommandNames(of: book.membership)
        try Imported(
            new: taken.new, waiting: taken.waiting, refused: taken.refused, aside: taken.aside,
            began: book.entries.filter { began.contains($0.id) }.map(\.epochNumber),
            forks: forks.map { FindingEntry(Finding(of: $0, in: book.membership, names)) },
            next: "covey log import \(files.map(\.word).joined(separator: " ")) --authority \(directory.path.word)"
        ).show(asJSON: answer.json)
        guard taken.refused.isEmpty else {
            throw Complaint(.failed, "refused: \(taken.refused.joined(separator: "; "))")
        }
        guard taken.waiting == 0 else {
            throw Complaint(.failed, "entries before these are missing; import the whole log, then sign")
        }
        guard forks.isEmpty else {
            throw Complaint(.failed, "what was taken in shows two histories of one log; decide which one stands")
        }
    }
}
