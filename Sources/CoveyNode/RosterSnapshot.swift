import CoveyConversation
package import CoveyCore
package import CoveyCrypto
import CoveySync

/// What many nodes of one mesh start from: the log, the notes and the bundles as one of them holds them, verified once.
///
/// A node that starts from it holds the same tables as all others until something changes. Its store has what came
/// later only; a restart takes the same snapshot again, with that store.
package final class RosterSnapshot {
    package let genesis: Genesis
    let roster: RosterPage
    let bundles: BundlePage
    let epochs: [Welcome.Epoch]
    private let epochKeys: [EpochCommit: (key: EpochKey, keys: EpochKeys)]
    /// In the order of acceptance.
    private let entries: [Signed]
    private let indices: [EntryID: UInt32]
    /// When the entries that tell the time were made, ascending; by log, the root's first.
    private let times: [(log: LogID, times: [Minute])]

    /// - Parameters:
    ///   - log: in an order in which every entry can be accepted.
    ///   - bundles: verified here; one whose device the log does not hold is refused.
    ///   - now: what bundles are held against.
    ///
    /// Throws an `EntryRefusal`, `NoteRefusal`, `Malformed` or `BundleRefusal`.
    package init(
        genesis: Genesis, log: [Signed], notes: [Signed] = [], epochs: [Welcome.Epoch] = [], bundles: [Signed] = [],
        now: Minute, random: any RandomSource
    ) throws {
        self.genesis = genesis
        self.epochs = epochs
        epochKeys = Dictionary(epochs.map { ($0.key.commit, ($0.key, EpochKeys($0.key))) }) { first, _ in first }
        var state = RosterState(genesis: genesis, seed: random.nextWord())
        var history = RosterHistory(of: genesis)
        var entries: [Signed] = []
        var indices: [EntryID: UInt32] = [:]
        var taken: [LogEntry] = []
        for signed in log {
            guard case .accepted(let intake) = try state.accept(signed, isVerified: false) else { continue }
            for entry in intake.entries {
                entries.append(entry.signed)
                taken.append(entry)
                indices[entry.id] = UInt32(entries.count - 1)
            }
            history = history.adding(RosterHistory.name(.entry, signed), state.membership)
        }
        for signed in notes {
            switch NoteKind(of: signed) {
            case .suspend: guard case .accepted = try state.accept(suspend: signed) else { continue }
            case .renewal: guard case .accepted = try state.accept(renewal: signed) else { continue }
            case .revokeNote, .entry, .receipt, .unknown:
                guard case .accepted = try state.accept(note: signed) else { continue }
            }
            history = history.adding(RosterHistory.name(.note, signed), state.membership)
        }
        let page = BundlePage(seed: random.nextWord())
        var book = BundleBook(page, commons: nil)
        for signed in bundles {
            let bundle = try Bundle(signed)
            guard let certificate = state.membership.currentCertificate(bundle.device),
                !state.membership.isRevoked(bundle.device)
            else { throw BundleRefusal.unknownCertificate }
            book.insert(
                try bundle.verified(
                    of: BundleOwner(certificate), mesh: genesis.meshID, now: now,
                    longestLife: state.membership.bundleLife))
        }
        book.settle()
        state.noteSet.sort()
        page.items.sort()
        roster = RosterPage(history: history, state: state)
        book.setJudged(by: history)
        self.bundles = page
        self.entries = entries
        self.indices = indices
        let telling = Dictionary(grouping: taken.filter(state.membership.tellsTime), by: \.log)
        times = telling.map { (log: $0.key, times: $0.value.map(\.time).sorted()) }
            .sorted { ($0.log == genesis.rootID ? 0 : 1, $0.log) < ($1.log == genesis.rootID ? 0 : 1, $1.log) }
    }

    package var membership: Membership { roster.state.membership }

    /// The keys of an epoch that all start with: one copy of them for all nodes.
    func epochKeys(_ commit: EpochCommit) -> (key: EpochKey, keys: EpochKeys)? { epochKeys[commit] }

    /// The position of the last entry.
    var last: UInt64 { UInt64(entries.count) }

    func entry(_ id: EntryID) -> Signed? { indices[id].map { entries[Int($0)] } }

    func entry(at position: UInt64) -> Signed? {
        position >= 1 && position <= UInt64(entries.count) ? entries[Int(position) - 1] : nil
    }

    /// Tells a clock what each entry would have told it.
    func tell(_ clock: inout MeshClock, _ now: Now) {
        for (log, times) in times {
            clock.observe(entries: times, of: log, isRoot: log == genesis.rootID, now: now)
        }
    }
}
