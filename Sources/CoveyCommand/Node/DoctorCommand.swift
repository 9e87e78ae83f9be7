import ArgumentParser
import CoveyControl
import CoveyCore

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "What is about to go wrong, and what to do about it.",
        discussion: """
            The exit status is 1 when something is urgent. With --authority it looks at a desk too, and needs no node.
            """)

    @Option(help: "An authority's directory: what waits there for other officers, or for the node.")
    var authority: String?

    @OptionGroup var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        var result: FindingsResult
        do {
            let client = try node.connect()
            result = try client.call(NodeExamine())
            // A node knows its own file no better than whoever asks it.
            let build = ReleaseStanding(Build.hash, in: try client.call(ReleaseList()))
            if let finding = build.finding { result.findings.append(finding) }
            if let authority {
                let book = try AuthorityDirectory(authority).book
                result.findings += Self.drafts(book) + (try Self.handover(book, client))
            }
        } catch ControlClientError.noNode(let path) {
            guard let authority else { throw ControlClientError.noNode(path) }
            Output.note("no node answers: this is of the authority's directory alone")
            result = FindingsResult(findings: Self.drafts(try AuthorityDirectory(authority).book))
        }
        try NodeAnswer(result, Self.text).show(asJSON: output.json)
        let urgent = result.findings.count { $0.isUrgent }
        if urgent > 0 { throw Complaint(.failed, "\(urgent) of these are urgent; begin with the first") }
    }

    /// What was signed here and waits for other officers.
    private static func drafts(_ book: AuthorityBook) -> [FindingEntry] {
        guard let open = book.record.open(in: book.id) else { return [] }
        return [
            FindingEntry(
                kind: "draft", isUrgent: false,
                text: "a draft for place \(open.sequence) of the log, signed on \(CalendarText.utc(open.signed)), is "
                    + "not finished: nothing else can be signed there",
                advice: "the other officers sign it (covey authority cosign), or covey authority withdraw")
        ]
    }

    /// What the authority signed and the node does not have.
    private static func handover(_ book: AuthorityBook, _ client: ControlClient) throws -> [FindingEntry] {
        let missing = try HandOver.Missing(of: book, at: client)
        func finding(_ count: Int, _ what: String, isUrgent: Bool) -> [FindingEntry] {
            guard count > 0 else { return [] }
            return [
                FindingEntry(
                    kind: "handover", isUrgent: isUrgent,
                    text: "the node lacks \(count) \(what) of the authority's log",
                    advice: "covey authority log -o FILE.log, and covey log import FILE.log --authority DIR")
            ]
        }
        // Until a node has a revocation, the mesh takes the device for a member.
        return finding(missing.notes.count, "revocations", isUrgent: true)
            + finding(missing.entries.count, "entries", isUrgent: false)
    }

    private static func text(_ result: FindingsResult) -> String {
        guard !result.findings.isEmpty else { return "nothing needs looking after" }
        return result.findings.map { finding in
            "\(finding.isUrgent ? "urgent" : "soon  ")  \(Output.harmless(finding.text))\n"
                + "        \(Output.harmless(finding.advice))"
        }.joined(separator: "\n")
    }
}
