import CoveyCrypto

/// A network epoch as announced in a log (protocol.md §1.10).
package struct Epoch: Hashable, Sendable {
    /// Minutes after which the next is announced at the latest, where an authority is reachable.
    package static let period: Int64 = 7 * 1440

    package let entry: EntryID
    package let log: LogID
    package let sequence: UInt64
    package let announced: Minute
    package let number: UInt32
    package let commit: EpochCommit
    /// Ascending by log.
    package let rows: [CoveredRow]
    package let notes: [NoteHash]
    package let graceDays: UInt16

    init(entry: LogEntry, announcement: EpochAnnouncement) {
        self.entry = entry.id
        log = entry.log
        sequence = entry.sequence
        announced = entry.time
        number = announcement.number
        commit = announcement.commit
        rows = announcement.rows
        notes = announcement.notes
        graceDays = announcement.graceDays
    }

    var place: EntryPlace { EntryPlace(log: log, sequence: sequence, entry: entry) }

    /// The higher number, then the smaller commit, goes first.
    fileprivate static func precedes(_ left: Epoch, _ right: Epoch) -> Bool {
        left.number != right.number ? left.number > right.number : left.commit < right.commit
    }
}

/// Which held epochs to use.
package struct EpochSelection: Hashable, Sendable {
    /// Untainted ones, the preferred first.
    package let clean: [Epoch]
    /// The others, the least bad first.
    package let tainted: [Epoch]

    package var preferred: Epoch? { clean.first ?? tainted.first }

    package func isClean(_ commit: EpochCommit) -> Bool { clean.contains { $0.commit == commit } }

    /// No clean epoch: beacons go short and slow, announcements ask first.
    package var isHold: Bool { clean.isEmpty }
}

/// All announcements met, and which of them carry the number they must.
struct EpochBook: Sendable {
    /// A number that lies farther beyond those below it does not count (`highest(where:)`).
    private static let step: UInt32 = 1024

    private(set) var announced: [Epoch] = []
    private(set) var byEntry: [EntryID: Int] = [:]
    /// Announcements by the number they carry, ascending.
    private var byNumber: [(number: UInt32, index: Int)] = []
    private(set) var byCommit: [EpochCommit: [Int]] = [:]
    /// Notes that announcements name: whoever does not hold them may not hand those keys on.
    private(set) var listed: Set<NoteHash> = []
    fileprivate var validity: [EntryID: Bool] = [:]

    // Those that cannot be told yet, each by the one thing it waits for.
    /// For an entry that is not here.
    private var behindEntries: [CoveredRow: [Int]] = [:]
    /// For entries before one that is here, by its log.
    private var behindGaps: [LogID: [CoveredRow: [Int]]] = [:]
    /// Those that may be told now.
    private var ready: [Int] = []
    /// Logs in whose gaps there may be less since.
    private var grown: Set<LogID> = []

    mutating func add(_ epoch: Epoch) {
        let index = announced.count
        announced.append(epoch)
        byEntry[epoch.entry] = index
        byNumber.insert((epoch.number, index), at: byNumber.partitioningIndex { $0.number > epoch.number })
        byCommit[epoch.commit, default: []].append(index)
        ready.append(index)
        listed.formUnion(epoch.notes)
    }

    /// The highest number that those which `isCovered` lead to, from 0 on by steps of at most `step`: a number farther
    /// beyond those below it is nobody's to count on from, or one announcement could end the numbers.
    fileprivate func highest(where isCovered: (Epoch) -> Bool) -> UInt32 {
        var highest: UInt32 = 0
        var rest = byNumber[...]
        while true {
            let reach = highest.addingReportingOverflow(Self.step)
            let most = reach.overflow ? .max : reach.partialValue
            let within = rest.prefix(upTo: rest.partitioningIndex { $0.number > most })
            guard let next = within.last(where: { isCovered(announced[$0.index]) }) else { return highest }
            highest = next.number
            rest = rest.suffix(from: rest.partitioningIndex { $0.number > next.number })
        }
    }

    /// A log took an entry, or is told how its entries hang together.
    mutating func grew(_ log: LogID, by row: CoveredRow? = nil) {
        if let row, let waiting = behindEntries.removeValue(forKey: row) { ready += waiting }
        if behindGaps[log] != nil { grown.insert(log) }
    }

    /// Rows behind gaps that may be closed now.
    fileprivate mutating func takeGaps() -> [CoveredRow] {
        defer { grown.removeAll() }
        return grown.sorted().flatMap { log in (behindGaps[log] ?? [:]).keys.sorted { $0.sequence < $1.sequence } }
    }

    fileprivate mutating func closeGap(before row: CoveredRow) {
        if let waiting = behindGaps[row.log]?.removeValue(forKey: row) { ready += waiting }
        if behindGaps[row.log]?.isEmpty ?? false { behindGaps[row.log] = nil }
    }

    /// The next that may be told, the oldest first.
    fileprivate mutating func takeReady() -> [Int] {
        defer { ready = [] }
        return ready.sorted()
    }

    fileprivate mutating func record(_ standing: EpochStanding, of index: Int) {
        switch standing {
        case .told(let isValid): validity[announced[index].entry] = isValid
        case .lacksEntry(let row): behindEntries[row, default: []].append(index)
        case .lacksEntriesBefore(let row): behindGaps[row.log, default: [:]][row, default: []].append(index)
        }
    }
}

/// Whether an announcement carries the number it must, or what is missing to tell.
private enum EpochStanding {
    case told(isValid: Bool)
    case lacksEntry(CoveredRow)
    case lacksEntriesBefore(CoveredRow)
}

extension Membership {
    /// Decides which announcements are void: their number must be 1 + the highest among those they cover.
    ///
    /// It can be told when all that an announcement covers is held, and once told never changes. An announcement among
    /// those covered counts as it stands, void or not: whether it is void may hang on entries that nobody holds.
    mutating func resolveEpochs() {
        for row in epochBook.takeGaps() where holdsWhole(row) { epochBook.closeGap(before: row) }
        for index in epochBook.takeReady() {
            epochBook.record(standing(of: epochBook.announced[index]), of: index)
        }
    }

    private func standing(of epoch: Epoch) -> EpochStanding {
        for row in epoch.rows where !holdsWhole(row) {
            return holds(row) ? .lacksEntriesBefore(row) : .lacksEntry(row)
        }
        let highest = highestEpochNumber(within: epoch.rows)
        return .told(isValid: highest < .max && epoch.number == highest + 1)
    }

    private func highestEpochNumber(within rows: [CoveredRow]) -> UInt32 {
        epochBook.highest { isCovered($0.place, by: rows) }
    }

    /// An announcement whose number is right and whose authority had the right to make it; nil for others, and while
    /// something it covers is missing.
    package func epoch(_ entry: EntryID) -> Epoch? {
        guard let index = epochBook.byEntry[entry], epochBook.validity[entry] ?? false else { return nil }
        let epoch = epochBook.announced[index]
        return limits(of: epoch.log) == nil ? nil : epoch
    }

    /// Valid announcements of one commit; nearly always one.
    package func epochs(of commit: EpochCommit) -> [Epoch] {
        (epochBook.byCommit[commit] ?? []).compactMap { epoch(epochBook.announced[$0].entry) }
    }

    /// What number the next announcement carries: it covers `coveredHeads`.
    package var nextEpochNumber: UInt32 { highestEpochNumber(within: coveredHeads) &+ 1 }

    /// Whether a revocation that matters for secrecy is known which an epoch does not cover, or its authority had no
    /// right at that point.
    package func isTainted(_ epoch: Epoch) -> Bool { isTainted(epoch, by: taintingNotes) }

    private func isTainted(_ epoch: Epoch, by notes: [NoteHash]) -> Bool {
        if !counts(epoch.place) { return true }
        for placed in countingRevocations {
            guard isCovered(placed.place, by: epoch.rows) else { return true }
        }
        return notes.contains { !epoch.notes.contains($0) && !isConfirmed($0, within: epoch.rows) }
    }

    /// Of all epochs that were announced.
    package var epochCommits: [EpochCommit] { epochBook.announced.map(\.commit) }

    /// Sorts the epochs whose keys are held. One without a valid announcement is of no use and left out.
    package func select(held commits: some Sequence<EpochCommit>) -> EpochSelection {
        let notes = taintingNotes
        var clean: [Epoch] = []
        var tainted: [Epoch] = []
        for commit in commits {
            let known = epochs(of: commit)
            // Of two announcements of one key the better counts.
            if let best = known.filter({ !isTainted($0, by: notes) }).min(by: Epoch.precedes) {
                clean.append(best)
            } else if let best = known.min(by: Epoch.precedes) {
                tainted.append(best)
            }
        }
        return EpochSelection(clean: clean.sorted(by: Epoch.precedes), tainted: tainted.sorted(by: Epoch.precedes))
    }

    /// Of held epochs those whose keys are still handed on and taken: not one of which a clean successor, held here, was
    /// announced longer ago than its grace. Whoever heard in time has erased that key; it would come back to them.
    package func handable(of held: some Sequence<EpochCommit>, at time: TimeView) -> Set<EpochCommit> {
        let selection = select(held: held)
        let all = selection.clean + selection.tainted
        return Set(
            all.filter { epoch in
                let since = selection.clean.filter { $0.number > epoch.number }.map(\.announced).min()
                return since.map { time.now <= $0.adding(Int64(epoch.graceDays) * 1440) } ?? true
            }.map(\.commit))
    }

    /// Whether the key of an epoch may be handed on: its announcement is valid, and every entry and note it covers is
    /// held here. To whom is the type's part: only a member that this node validated.
    package func mayHand(_ entry: EntryID, to member: VerifiedMember, at time: TimeView) -> Bool {
        guard let epoch = epoch(entry), isMember(member.device, at: time) else { return false }
        return epoch.rows.allSatisfy(holds) && epoch.notes.allSatisfy(hasNote)
    }

    /// Whether a key that came in EPOCH_KEY is the one of an announcement.
    package func isKey(_ commit: EpochCommit, of entry: EntryID) -> Bool { epoch(entry)?.commit == commit }
}

/// Which epochs are held, and since when a clean successor is: when a key must be erased (protocol.md §1.10).
/// The keys themselves are the caller's.
package struct EpochShelf: Hashable, Sendable {
    package static let most = 32

    /// When a clean epoch of a higher number was first held; nil before. Saved by the caller.
    package private(set) var succeeded: [EpochCommit: Minute?]

    package init(_ saved: [EpochCommit: Minute?] = [:]) { succeeded = saved }

    package var commits: [EpochCommit] { succeeded.keys.sorted() }

    package func holds(_ commit: EpochCommit) -> Bool { succeeded.keys.contains(commit) }

    package mutating func add(_ commit: EpochCommit) {
        if !holds(commit) { succeeded[commit] = .some(nil) }
    }

    /// Marks what has a clean successor, and lets go of what is beyond its grace or one of too many; the caller erases
    /// the keys of the commits returned.
    package mutating func settle(_ membership: Membership, at time: TimeView) -> [EpochCommit] {
        let selection = membership.select(held: commits)
        let newest = selection.clean.first?.number
        var erased: [EpochCommit] = []
        let ordered = (selection.clean + selection.tainted).sorted(by: Epoch.precedes)
        for epoch in ordered {
            if let newest, newest > epoch.number, succeeded[epoch.commit] == .some(nil) {
                succeeded[epoch.commit] = .some(time.now)
            }
            if let since = succeeded[epoch.commit] ?? nil, time.now > since.adding(Int64(epoch.graceDays) * 1440) {
                erased.append(epoch.commit)
            }
        }
        // Beyond the bound those go first whose announcement is void, then the oldest.
        let kept = ordered.map(\.commit).filter { !erased.contains($0) }
        let void = commits.filter { commit in !ordered.contains { $0.commit == commit } }
        erased += (kept + void).dropFirst(Self.most)
        for commit in erased { succeeded.removeValue(forKey: commit) }
        return erased.sorted()
    }
}
