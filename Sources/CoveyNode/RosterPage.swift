import CoveyCore
import CoveyCrypto
import CoveySync

/// Names what a roster took in, the same on every node with the same past: sums of hashes, whatever the order.
///
/// Decisions of the membership follow from what was taken in and not from its order, so nodes that got the same in another
/// order are in one state. Only what waits for something before it, and a log that anybody made branches of, are kept as
/// they were met: from then on the order is in the name. Where bytes lie on a node's disk is no part of the state.
package struct RosterHistory: Hashable, Sendable {
    enum Kind: UInt8 { case entry = 1, note }

    private var first: UInt64
    private var second: UInt64
    private var third: UInt64
    private var fourth: UInt64
    /// Zero as long as the order left no trace.
    private var order = Octets32()

    private init(_ name: Octets32) {
        (first, second, third, fourth) = name.withSpan { bytes in
            (
                bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt64.self),
                bytes.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt64.self),
                bytes.unsafeLoadUnaligned(fromByteOffset: 16, as: UInt64.self),
                bytes.unsafeLoadUnaligned(fromByteOffset: 24, as: UInt64.self)
            )
        }
    }

    init(of genesis: Genesis) { self.init(Octets32(prefixOf: genesis.meshID)) }

    /// One thing that is taken in.
    static func name(_ kind: Kind, _ signed: Signed) -> Octets32 {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1 + signed.bytes.count)
        bytes.append(kind.rawValue)
        bytes += signed.bytes
        return Blake2b.hash(bytes.span.bytes, personal: "covey1:roster")
    }

    /// After a step that led to this membership.
    func adding(_ name: Octets32, _ membership: Membership) -> RosterHistory {
        let other = RosterHistory(name)
        var sum = self
        sum.first &+= other.first
        sum.second &+= other.second
        sum.third &+= other.third
        sum.fourth &+= other.fourth
        if membership.putAside > 0 || membership.isContested {
            var bytes: [UInt8] = []
            bytes.append(order)
            bytes.append(name)
            sum.order = Blake2b.hash(bytes.span.bytes, personal: "covey1:roster")
        }
        return sum
    }
}

/// The membership with what its decisions do not need but others ask for: where each entry stands, and the notes.
///
/// All of it follows from what was taken in.
struct RosterState: Sendable {
    private(set) var membership: Membership
    /// In the order of their ids.
    private(set) var notes: [RevokeNote] = []
    private(set) var suspends: [NoteID: Suspend] = [:]
    /// Of each forked log two entries that prove it, ascending: those with the smallest ids of the first place that two
    /// have, so that everybody ends with the same two.
    private(set) var proofs: [LogID: [EntryID]] = [:]
    private(set) var renewals = RenewalBook()
    /// What left it in the last step, ascending.
    private(set) var renewalsGone: [RenewHash] = []
    /// The notes, the Suspends, the proofs and the requests for renewal, as they are reconciled.
    var noteSet: KnownSet
    /// Where each authority was added.
    private var additions: [AuthorityID: (log: LogID, sequence: UInt64)] = [:]

    init(genesis: Genesis, seed: UInt64) {
        membership = Membership(genesis: genesis)
        noteSet = KnownSet(.notes, seed: seed)
    }

    /// - Parameter isVerified: it was accepted before, in the same order.
    mutating func accept(_ signed: Signed, isVerified: Bool) throws(EntryRefusal) -> EntryOutcome {
        let outcome = try isVerified ? membership.restore(signed) : membership.accept(signed)
        guard case .accepted(let intake) = outcome else { return outcome }
        for entry in intake.entries { index(entry) }
        for note in intake.notes { keep(note) }
        for id in intake.notesGone { drop(note: id) }
        for suspend in intake.suspends { keep(suspend) }
        for id in intake.suspendsGone { drop(suspend: id) }
        if mayChangeForks(intake.entries) { settleProofs() }
        settleRenewals(after: intake.changes, intake.entries.map(\.time))
        return outcome
    }

    mutating func accept(suspend signed: Signed) throws(SuspendRefusal) -> SuspendOutcome {
        let outcome = try membership.accept(suspend: signed)
        if case .accepted(let suspend, _, let dropped) = outcome {
            for id in dropped { drop(suspend: id) }
            keep(suspend)
        }
        return outcome
    }

    mutating func accept(note signed: Signed) throws(NoteRefusal) -> NoteOutcome {
        let outcome = try membership.accept(note: signed)
        if case .accepted(let note, let changes, let dropped) = outcome {
            for id in dropped { drop(note: id) }
            keep(note)
            settleRenewals(after: changes, [])
        }
        return outcome
    }

    mutating func accept(renewal signed: Signed) throws(RenewRefusal) -> RenewOutcome {
        let outcome = try renewals.accept(signed, membership)
        if case .accepted(let request, let dropped) = outcome, let record = renewals[request.device] {
            renewalsGone = dropped.map { [$0] } ?? []
            for hash in renewalsGone { noteSet.remove(ItemID(hash)) }
            noteSet.insert(Item(slot: record.slot, id: ItemID(request.hash), expiry: nil))
        }
        return outcome
    }

    private mutating func settleRenewals(after changes: [MembershipChange], _ times: [Minute]) {
        renewalsGone = renewals.settle(after: changes, times, membership)
        for hash in renewalsGone { noteSet.remove(ItemID(hash)) }
    }

    private mutating func keep(_ note: RevokeNote) {
        // Of two copies of one wipe order the later is the one that counts.
        notes.removeAll { $0.id == note.id }
        notes.insert(note, at: notes.partitioningIndex { $0.id > note.id })
        noteSet.insert(Item(slot: note.issued.hour, id: ItemID(note.id), expiry: nil))
    }

    private mutating func keep(_ suspend: Suspend) {
        suspends[suspend.id] = suspend
        noteSet.insert(Item(slot: suspend.issued.hour, id: ItemID(suspend.id), expiry: nil))
    }

    private mutating func drop(note id: NoteID) {
        notes.removeAll { $0.id == id }
        noteSet.remove(ItemID(id))
    }

    private mutating func drop(suspend id: NoteID) {
        suspends[id] = nil
        noteSet.remove(ItemID(id))
    }

    /// Whether entries may have made or ended a fork: they came to a log that has branches, or say who signs one.
    private func mayChangeForks(_ entries: [LogEntry]) -> Bool {
        guard membership.isContested || !proofs.isEmpty else { return false }
        return entries.contains { entry in
            switch entry.payload {
            case .authorityAdd, .authorityRotate, .authorityRevoke, .recoverFork, .checkpoint: true
            case .policySet, .certIssue, .certRevoke, .epochAnnounce, .groupDefinition, .releaseManifest:
                membership.isContested(entry.log)
            }
        }
    }

    /// Brings the proofs up to date after entries came. An entry of a parent may have judged those of its children, and
    /// what looked like a fork may be none once the entry before it is here.
    private mutating func settleProofs() {
        var first: [LogID: ForkProof] = [:]
        for fork in membership.forks where first[fork.log] == nil { first[fork.log] = fork }
        for log in Set(first.keys).union(proofs.keys).sorted() {
            let found = first[log].map { Array($0.entries.sorted().prefix(2)) } ?? []
            let known = proofs[log, default: []]
            for id in known where !found.contains(id) { noteSet.remove(ItemID(id)) }
            if let fork = first[log] {
                for id in found where !known.contains(id) {
                    guard let time = membership.time(of: id, at: fork.sequence, in: log) else { continue }
                    noteSet.insert(Item(slot: time.hour, id: ItemID(id), expiry: nil))
                }
            }
            proofs[log] = found.isEmpty ? nil : found
        }
    }

    private mutating func index(_ entry: LogEntry) {
        switch entry.payload {
        case .authorityAdd(let certificate):
            if additions[certificate.authority] == nil {
                additions[certificate.authority] = (entry.log, entry.sequence)
            }
        case .policySet, .authorityRotate, .authorityRevoke, .certIssue, .certRevoke, .epochAnnounce, .checkpoint,
            .groupDefinition, .releaseManifest, .recoverFork:
            break
        }
    }

    func addition(of authority: AuthorityID) -> (log: LogID, sequence: UInt64)? { additions[authority] }
}

/// One state of the roster, which all nodes that took in the same may hold together.
package final class RosterPage {
    /// What a step did.
    enum Step {
        case entry(EntryOutcome, renewalsGone: [RenewHash])
        case note(NoteOutcome, renewalsGone: [RenewHash])
        case suspend(SuspendOutcome)
        case renewal(RenewOutcome, renewalsGone: [RenewHash])
    }

    /// A step that somebody took from here, and where to.
    private struct Taken {
        let step: Step
        let history: RosterHistory
        weak var page: RosterPage?

        /// Where it led to, unless whoever holds that page alone has written it over since.
        var target: RosterPage? { page?.history == history ? page : nil }
    }

    package private(set) var history: RosterHistory
    var state: RosterState
    private var steps: [Octets32: Taken] = [:]

    init(history: RosterHistory, state: RosterState) {
        self.history = history
        self.state = state
    }

    /// Takes a step. A page that nobody else holds is written over; else a new one is made.
    ///
    /// Whoever has been here before and took the same step left what came of it; then nothing is parsed or verified again.
    static func take(
        _ kind: RosterHistory.Kind, _ signed: Signed, from page: inout RosterPage, _ commons: (any Commons)?,
        _ step: (inout RosterState) throws -> Step
    ) throws -> Step {
        guard let commons else { return try step(&page.state) }
        let name = RosterHistory.name(kind, signed)
        if commons.reusesChecks, let taken = page.steps[name], let next = taken.target {
            commons.reuse(next)
            page = next
            return taken.step
        }
        let waited = page.state.membership.putAside
        let taken: Step
        if isKnownUniquelyReferenced(&page) {
            taken = try step(&page.state)
            guard taken.isAChange || page.state.membership.putAside != waited else { return taken }
            page.history = page.history.adding(name, page.state.membership)
            page.steps = [:]
            if let known = commons.page(after: page.history) { page = known } else { commons.keep(page) }
        } else {
            var state = page.state
            taken = try step(&state)
            guard taken.isAChange || state.membership.putAside != waited else { return taken }
            let before = page
            let history = before.history.adding(name, state.membership)
            if let known = commons.page(after: history) {
                page = known
            } else {
                page = RosterPage(history: history, state: state)
                commons.keep(page)
            }
            before.steps[name] = Taken(step: taken, history: history, page: page)
        }
        return taken
    }
}

extension RosterPage.Step {
    /// What is put aside may be a change too; that is counted by the membership.
    fileprivate var isAChange: Bool {
        switch self {
        case .entry(.accepted, _), .note(.accepted, _), .suspend(.accepted), .renewal(.accepted, _): true
        case .entry(.known, _), .entry(.held, _), .note(.known, _), .note(.held, _), .suspend(.known),
            .suspend(.held), .renewal(.known, _):
            false
        }
    }
}
