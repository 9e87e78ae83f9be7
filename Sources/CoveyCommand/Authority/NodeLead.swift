import CoveyCore
import CoveyCrypto
import CoveyNode

/// What a node knows of all logs, and an authority's book does not.
///
/// What is signed without it may be worth nothing from the start: an epoch that does not cover a revocation is one that the
/// revoked device may have as well (protocol.md §1.10).
struct NodeLead {
    let entries: [Signed]
    let notes: [Signed]

    var isEmpty: Bool { entries.isEmpty && notes.isEmpty }

    var text: String {
        let counts = [(entries.count, "an entry", "entries"), (notes.count, "a revocation", "revocations")]
        return counts.filter { $0.0 > 0 }.map { $0.0 == 1 ? $0.1 : "\($0.0) \($0.2)" }.joined(separator: " and ")
    }

    /// What cannot be taken in stops no act: a thief's many revocations must not keep a desk from answering them.
    func take(into book: inout AuthorityBook, of path: String) throws {
        guard !isEmpty else { return }
        let taken = try book.take(entries + notes)
        guard taken.refused.isEmpty, taken.waiting == 0 else {
            return Output.note(
                "\(path) lacked \(text) that the node has, and cannot take all of them in: what is signed now does not cover the rest; see why: \(HandOver.importing(path))"
            )
        }
        Output.note("took in \(text) that the node has and \(path) lacked")
    }
}
