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
    /// When the entries of each log were made, ascending.
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
        var times: [LogID: [Minute]] = [:]
        for signed in log {
            guard case .accepted(let intake) = try state.accept(signed, isVerified: false) else { continue }
            for entry in intake.entries {
                entries.append(entry.signed)
                times[entry.log, default: []].append(entry.time)
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
            book.insert(try bundle.verified(of: BundleOwner(certificate), mesh: genesis.meshID, now: now))
        }
        book.settle()
        state.noteSet.sort()
        page.items.sort()
        roster = RosterPage(history: history, state: state)
        book.setJudged()
        self.bundles = page
        self.entries = entries
        self.indices = indices
        self.times = times.sorted { $0.key < $1.key }.map { ($0.key, $0.value.sorted()) }
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

    /// Tells a clock what each entry would have told it: of those that are believed at once the latest says it all.
    func tell(_ clock: inout MeshClock, _ now: Now) {
        for (log, times) in times {
            let isRoot = log == genesis.rootID
            let limit = clock.update(now: now).now.adding(MeshClock.Bounds.entryAhead)
            let believed = isRoot ? times.count : times.partitioningIndex { $0 > limit }
            if believed > 0 { clock.observe(entry: times[believed - 1], of: log, isRoot: isRoot, now: now) }
            for time in times[believed...] { clock.observe(entry: time, of: log, isRoot: isRoot, now: now) }
        }
    }
}

extension [Minute] {
    /// The first index from which on all are `true`; they ascend.
    fileprivate func partitioningIndex(where isBeyond: (Minute) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isBeyond(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
