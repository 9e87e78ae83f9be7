import CoveyCore
import CoveyCrypto
import CoveySync

/// Names what a roster took in, and in which order: a chain of hashes, the same on every node with the same past.
package struct RosterHistory: FixedOctets {
    private var octets = Octets32()
    package init() {}

    enum Kind: UInt8 { case entry = 1, note }

    init(of genesis: Genesis) { self.init(prefixOf: genesis.meshID) }

    func adding(_ kind: Kind, _ signed: Signed, at position: UInt64) -> RosterHistory {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(41 + signed.bytes.count)
        bytes.append(self)
        bytes.append(kind.rawValue)
        bytes.append(u64: position)
        bytes += signed.bytes
        return Blake2b.hash(bytes.span.bytes, personal: "covey1:roster")
    }
}

/// The membership with what its decisions do not need but others ask for: where each entry stands, and the notes.
///
/// All of it follows from what was taken in, and in which order.
struct RosterState: Sendable {
    private(set) var membership: Membership
    private(set) var notes: [RevokeNote] = []
    private(set) var suspends: [SuspendHash: Suspend] = [:]
    /// Of each forked log two entries that prove it, and their positions in the table `log`: those with the smallest ids
    /// of the first place that two have, so that everybody ends with the same two.
    private(set) var proofs: [LogID: [EntryID: UInt64]] = [:]
    private(set) var renewals = RenewalBook()
    /// What left it in the last step, ascending.
    private(set) var renewalsGone: [RenewHash] = []
    /// The notes, the Suspends, the proofs and the requests for renewal, as they are reconciled.
    var noteSet: KnownSet
    /// The position of the last entry in the table `log`.
    var last: UInt64 = 0
    /// Entries and notes taken in.
    private(set) var steps = 0
    private struct Place {
        let id: EntryID
        /// In the table `log`.
        let position: UInt64
        let time: Minute
    }

    /// By log and sequence.
    private var places: [LogID: [UInt64: Place]] = [:]
    /// Entries whose place in the branch that counts is another's: with that one, the proof of a fork.
    private var beside: [LogID: [(sequence: UInt64, place: Place)]] = [:]
    /// Where each authority was added.
    private var additions: [AuthorityID: (log: LogID, sequence: UInt64)] = [:]
    /// Where each certificate was issued.
    private var issues: [CertificateHash: (log: LogID, sequence: UInt64)] = [:]

    init(genesis: Genesis, seed: UInt64) {
        membership = Membership(genesis: genesis)
        noteSet = KnownSet(.notes, seed: seed)
    }

    /// - Parameter isVerified: it was accepted before, in the same order.
    mutating func accept(_ signed: Signed, isVerified: Bool) throws(EntryRefusal) -> EntryOutcome {
        let outcome = try isVerified ? membership.restore(signed) : membership.accept(signed)
        guard case .accepted(let intake) = outcome else { return outcome }
        steps += 1
        for entry in intake.entries {
            last += 1
            index(entry, at: last)
        }
        for note in intake.notes { keep(note) }
        for suspend in intake.suspends { keep(suspend) }
        for hash in intake.suspendsGone { drop(hash) }
        if !beside.isEmpty {
            settlePlaces(after: intake)
            settleProofs(of: intake.entries.map(\.log))
        }
        settleRenewals(after: intake.changes, intake.entries.map(\.time))
        return outcome
    }

    mutating func accept(suspend signed: Signed) throws(SuspendRefusal) -> SuspendOutcome {
        let outcome = try membership.accept(suspend: signed)
        if case .accepted(let suspend, _, let dropped) = outcome {
            steps += 1
            for hash in dropped { drop(hash) }
            keep(suspend)
        }
        return outcome
    }

    mutating func accept(note signed: Signed) throws(NoteRefusal) -> NoteOutcome {
        let outcome = try membership.accept(note: signed)
        if case .accepted(let note, let changes, let dropped) = outcome {
            steps += 1
            for hash in dropped {
                notes.removeAll { $0.hash == hash }
                noteSet.remove(ItemID(hash))
            }
            keep(note)
            settleRenewals(after: changes, [])
        }
        return outcome
    }

    mutating func accept(renewal signed: Signed) throws(RenewRefusal) -> RenewOutcome {
        let outcome = try renewals.accept(signed, membership)
        if case .accepted(let request, let dropped) = outcome, let record = renewals[request.device] {
            steps += 1
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
        notes.append(note)
        noteSet.insert(Item(slot: note.issued.hour, id: ItemID(note.hash), expiry: nil))
    }

    private mutating func keep(_ suspend: Suspend) {
        suspends[suspend.hash] = suspend
        noteSet.insert(Item(slot: suspend.issued.hour, id: ItemID(suspend.hash), expiry: nil))
    }

    private mutating func drop(_ suspend: SuspendHash) {
        suspends[suspend] = nil
        noteSet.remove(ItemID(suspend))
    }

    /// Brings the proofs up to date after entries of some logs came.
    private mutating func settleProofs(of logs: [LogID]) {
        for log in Set(logs).sorted() where beside[log] != nil {
            guard let fork = membership.forks.first(where: { $0.log == log }) else { continue }
            let others = beside[log, default: []].filter { $0.sequence == fork.sequence }
            var found: [EntryID: UInt64] = [:]
            for id in fork.entries.sorted().prefix(2) {
                // The entry of the branch that counts has no row beside it.
                guard let place = others.first(where: { $0.place.id == id })?.place ?? places[log]?[fork.sequence]
                else {
                    continue
                }
                found[id] = place.position
                noteSet.insert(Item(slot: place.time.hour, id: ItemID(id), expiry: nil))
            }
            for id in proofs[log, default: [:]].keys where found[id] == nil { noteSet.remove(ItemID(id)) }
            proofs[log] = found
        }
    }

    /// Entries of the branch that counts have the places: which that is, a recovery may change.
    private mutating func settlePlaces(after intake: EntryIntake) {
        var logs: Set<LogID> = []
        for change in intake.changes {
            switch change {
            case .frozen(let log, _), .recovered(let log): logs.insert(log)
            case .policy, .authority, .authorityRevoked, .rotated, .issued, .void, .revoked, .suspended, .reinstated,
                .epoch, .checkpoint, .group, .release:
                break
            }
        }
        for entry in intake.entries where beside[entry.log] != nil { logs.insert(entry.log) }
        for log in logs.sorted() where beside[log] != nil {
            let path = membership.entryIDs(of: log)
            var others = beside[log, default: []]
            var own = places[log, default: [:]]
            let sequences = Set(others.map(\.sequence)).union(own.keys.filter { $0 > UInt64(path.count) })
            for sequence in sequences.sorted() {
                let right = sequence <= UInt64(path.count) ? path[Int(sequence) - 1] : nil
                if let held = own[sequence], held.id == right { continue }
                if let displaced = own.removeValue(forKey: sequence) { others.append((sequence, displaced)) }
                guard let at = others.firstIndex(where: { $0.sequence == sequence && $0.place.id == right }) else {
                    continue
                }
                own[sequence] = others.remove(at: at).place
            }
            places[log] = own
            beside[log] = others.isEmpty ? nil : others
        }
    }

    /// Of a forked log the branch that came first keeps its places until another is chosen.
    private mutating func index(_ entry: LogEntry, at position: UInt64) {
        let place = Place(id: entry.id, position: position, time: entry.time)
        if places[entry.log]?[entry.sequence] == nil {
            places[entry.log, default: [:]][entry.sequence] = place
        } else {
            beside[entry.log, default: []].append((entry.sequence, place))
        }
        switch entry.payload {
        case .authorityAdd(let certificate):
            if additions[certificate.authority] == nil {
                additions[certificate.authority] = (entry.log, entry.sequence)
            }
        case .certIssue(let certificates):
            for certificate in certificates where issues[certificate.hash] == nil {
                issues[certificate.hash] = (entry.log, entry.sequence)
            }
        case .policySet, .authorityRotate, .authorityRevoke, .certRevoke, .epochAnnounce, .checkpoint,
            .groupDefinition, .releaseManifest, .recoverFork:
            break
        }
    }

    func position(of sequence: UInt64, in log: LogID) -> UInt64? { places[log]?[sequence]?.position }

    /// Logs of which two entries with one sequence are held.
    var forkedLogs: [LogID] { beside.keys.sorted() }

    /// Entries of a log whose place was taken, ascending.
    func places(beside log: LogID) -> [(sequence: UInt64, position: UInt64)] {
        beside[log, default: []].map { ($0.sequence, $0.place.position) }.sorted { $0 < $1 }
    }

    func issue(of certificate: CertificateHash) -> (log: LogID, sequence: UInt64)? { issues[certificate] }

    func addition(of authority: AuthorityID) -> (log: LogID, sequence: UInt64)? { additions[authority] }
}

/// One state of the roster, which all nodes that came to it by the same history may hold together.
package final class RosterPage {
    /// What the last step did.
    enum Step {
        case entry(EntryOutcome)
        case note(NoteOutcome)
        case suspend(SuspendOutcome)
        case renewal(RenewOutcome)
    }

    struct Mark: Hashable {
        let history: RosterHistory
        let steps: Int
    }

    /// Tells apart the states that one node comes to, and with a history those of all nodes that share pages.
    var mark: Mark { Mark(history: history, steps: state.steps) }

    package fileprivate(set) var history: RosterHistory
    fileprivate(set) var step: Step?
    var state: RosterState

    init(history: RosterHistory, step: Step?, state: RosterState) {
        self.history = history
        self.step = step
        self.state = state
    }

    /// Takes a step. A page that nobody else holds is written over; else a new one is made.
    ///
    /// Whoever has been here before with the same history left a page, and what came of the step; then nothing is
    /// parsed or verified again.
    static func take(
        _ kind: RosterHistory.Kind, _ signed: Signed, at position: UInt64, from page: inout RosterPage,
        _ commons: (any Commons)?, _ step: (inout RosterState) throws -> Step
    ) throws -> Step {
        guard let commons else { return try step(&page.state) }
        let history = page.history.adding(kind, signed, at: position)
        if commons.reusesChecks, let known = commons.page(after: history), let taken = known.step {
            page = known
            return taken
        }
        let waited = page.state.membership.putAside
        let taken: Step
        if isKnownUniquelyReferenced(&page) {
            taken = try step(&page.state)
            guard taken.isAChange || page.state.membership.putAside != waited else { return taken }
            page.history = history
            page.step = taken
        } else {
            var state = page.state
            taken = try step(&state)
            guard taken.isAChange || state.membership.putAside != waited else { return taken }
            page = RosterPage(history: history, step: taken, state: state)
        }
        if let known = commons.page(after: history) { page = known } else { commons.keep(page) }
        return taken
    }
}

extension RosterPage.Step {
    /// What is put aside may be a change too; that is counted by the membership.
    fileprivate var isAChange: Bool {
        switch self {
        case .entry(.accepted), .note(.accepted), .suspend(.accepted), .renewal(.accepted): true
        case .entry(.known), .entry(.held), .note(.known), .note(.held), .suspend(.known), .suspend(.held),
            .renewal(.known):
            false
        }
    }
}
