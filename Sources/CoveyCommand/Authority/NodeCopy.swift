import CoveyControl
import CoveyCore
import CoveyCrypto
import CoveyNode

/// What a node has of the logs, as far as an authority's book is compared with it.
struct NodeCopy {
    private let heads: [CoveredRow]
    /// Logs between whose branches nobody has chosen. Their heads stand before the fork, and show nothing of it.
    private let forked: Set<LogID>
    /// All of them; nil where the heads tell enough.
    private let entries: [Signed]?
    private let notes: [RevokeNote]

    init(at client: ControlClient, beside book: AuthorityBook) throws {
        let rows = try client.call(LogHeads()).heads
        heads = try rows.map { head in
            guard let log = LogID(head.log.bytes), let id = EntryID(head.id.bytes) else {
                throw ControlClientError.garbled
            }
            return CoveredRow(log: log, sequence: head.sequence, id: id)
        }
        forked = Set(zip(heads, rows).filter(\.1.isForked).map(\.0.log))
        let isPlain = heads.allSatisfy(book.membership.holds) && forked.isEmpty && book.openForks.isEmpty
        var entries: [Signed] = []
        var notes: [RevokeNote] = []
        for object in try client.exportLog(after: isPlain ? .note(NoteID()) : .entry(0)) {
            if try ObjectType(of: object) == .revokeNote {
                notes.append(try RevokeNote(parsing: object))
            } else {
                entries.append(object)
            }
        }
        (self.entries, self.notes) = (isPlain ? nil : entries, notes)
    }

    /// Whether it has an authority's own log up to an entry that its book does not hold.
    func isAhead(of book: AuthorityBook) -> Bool {
        heads.contains { $0.log == book.id && !book.membership.holds($0) }
    }

    /// Whether it knows two histories of an authority's own log, and the book one.
    func knowsFork(of book: AuthorityBook) -> Bool {
        forked.contains(book.id) && !book.membership.isFrozen(book.id)
    }

    /// What it has besides.
    func lead(over book: AuthorityBook) -> NodeLead {
        let (known, knownNotes) = (Set(book.entries.map(\.id)), Set(book.notes.map(\.id)))
        return NodeLead(
            entries: (entries ?? []).filter { !known.contains(LogEntry.id(of: $0)) },
            notes: notes.filter { !knownNotes.contains($0.id) }.map(\.signed))
    }

    /// What it lacks: an entry that is signed after it could only wait for it, and the key of an epoch that covers a
    /// revocation is handed on by nobody who lacks that. In the order in which they can be accepted.
    func missing(of book: AuthorityBook) -> (entries: [LogEntry], notes: [RevokeNote]) {
        let heldNotes = Set(notes.map(\.id))
        return (missingEntries(of: book), book.notes.filter { !heldNotes.contains($0.id) })
    }

    private func missingEntries(of book: AuthorityBook) -> [LogEntry] {
        if let entries {
            let held = Set(entries.map(LogEntry.id(of:)))
            return book.entries.filter { !held.contains($0.id) }
        }
        let lasts = Dictionary(heads.map { ($0.log, $0.sequence) }, uniquingKeysWith: max)
        return book.entries.filter { $0.sequence > lasts[$0.log] ?? 0 }
    }
}
