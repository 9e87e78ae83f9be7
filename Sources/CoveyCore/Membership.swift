import CoveyCrypto

/// Who belongs to the mesh: the state of all membership logs and of the set of RevokeNotes (protocol.md §1.7–1.10).
///
/// It keeps facts (what was signed, and where it stands) and derives every decision from them when asked, so the order in
/// which entries and notes arrived does not matter. It does no I/O and has no clock. Of entries it keeps the ids and what
/// decisions need; the bytes are the caller's to keep (`EntryIntake`) and to find again by `LogID` and sequence.
package struct Membership: Sendable {
    package enum Bounds {
        /// Held entries of one log, and of all logs whose authority is unknown together.
        package static let orphans = 256
        /// Entries kept beside the path of one forked log.
        package static let branchEntries = 256
        /// The same while a choice is known that names a branch which is not all here yet.
        package static let chosenBranchEntries = 65_536
        /// Notes held because device or signer is unknown.
        package static let heldNotes = 256
        /// Single-key notes kept of one key beside confirmed ones: the first by (note_no, hash).
        package static let singleNotes = 256
        /// The same of notes that a device signed about itself: the gravest, then those that suspect it the longest.
        package static let ownNotes = 4
        /// The same of notes that a wipe officer signed with others: the first by (issued, hash).
        package static let officerNotes = 64
        /// Undecided single-key notes of one key that revoke; the others suspend.
        package static let revokingSingles = 5
        /// Minutes a single-key note beyond those suspends.
        package static let suspension: Int64 = 7 * 1440
        /// Suspends held because device or signer is unknown.
        package static let heldSuspends = 64
        /// Suspends kept of one signer: the first by (issued, hash).
        package static let suspendsOfSigner = 8
        /// Suspends of one signer that count in thirty days, and those thirty days in minutes.
        package static let suspendsInMonth = 2
        static let suspendMonth: Int64 = 30 * 1440
        /// Authorities that one below the root may add: an EpochAnnounce names 256 logs in all.
        package static let authoritiesBelow = 64
        /// Heads kept of one log that is unknown yet, as one author's Checkpoints name it, and of all that the author names.
        package static let earlyHeadsOfLog = 8
        package static let earlyHeads = 4096
    }

    package let genesis: Genesis

    var logs: [LogID: AuthorityLog]
    var deviceRecords: [DeviceID: DeviceRecord] = [:]
    private var holders: [CertificateHash: DeviceID] = [:]
    /// The device that first claimed a link key here.
    private var linkClaims: [AgreementPublicKey: DeviceID] = [:]
    /// Of link keys that more than one device claims.
    private(set) var rivalClaims: [AgreementPublicKey: RivalClaims] = [:]
    private var policies: [(place: EntryPlace, policy: Policy)] = []
    /// By whom they dismiss, whatever they are worth: anybody may write any number, about anybody, under any id, and
    /// an AuthorityID is hashed by its first word alone.
    private var authorityRevocations: [Octets16: [PlacedRevocation]] = [:]
    /// Held entries of all logs together.
    private var orphanCount = 0
    /// Entries that nobody known signed yet: of logs, or behind rotations, that are still to come.
    private var strays: [LogEntry] = []
    var noteBook = NoteBook()
    var suspendBook = SuspendBook()
    /// Devices by the hint of their signing key; nil until somebody asks.
    private var signersByHint: [KeyHint: [DeviceID]]?
    var epochBook = EpochBook()
    /// Heads of unknown logs, that Checkpoints beside the path of their own name.
    private(set) var earlyHeads = EarlyHeads()
    /// Times of Checkpoints and EpochAnnounces, by their place.
    private var marks: [(place: EntryPlace, time: Minute)] = []
    private var manifests: [(place: EntryPlace, time: Minute, manifest: ReleaseManifest)] = []
    package private(set) var releaseLog: LogID?
    /// Asked of every certificate, and changed by few entries: of no log from the first of them in an intake until all are
    /// in, and what it was before.
    private var rights: [LogID: Right] = [:]
    private var formerRights: [LogID: Right] = [:]
    private var areRightsKnown = false
    /// The AuthorityRevokes that count, by whom they dismiss; known with the rights.
    private var dismissals: [AuthorityID: [PlacedRevocation]] = [:]
    /// How many entries and notes were ever put aside, as something before them was missing.
    package internal(set) var putAside = 0

    /// `genesis` is verified by whoever pins it.
    package init(genesis: Genesis) {
        self.genesis = genesis
        logs = [
            genesis.rootID: AuthorityLog(
                KeysetStatement(keyset: genesis.root, nextCommit: genesis.nextCommit),
                anchor: LogEntry.anchor(of: genesis.meshID), depth: 0)
        ]
    }

    package var mesh: MeshID { genesis.meshID }

    // MARK: Taking entries

    /// Takes an entry from a peer or a file.
    package mutating func accept(_ signed: Signed) throws(EntryRefusal) -> EntryOutcome {
        try accept(parse(signed), .nothing)
    }

    /// Takes an entry back that was accepted here before, in the same order: its signatures are not verified again.
    package mutating func restore(_ signed: Signed) throws(EntryRefusal) -> EntryOutcome {
        try accept(parse(signed), .everything)
    }

    private func parse(_ signed: Signed) throws(EntryRefusal) -> LogEntry {
        do { return try LogEntry(parsing: signed, mesh: mesh) } catch { throw .malformed(error) }
    }

    private enum Placement { case taken, known, held }

    /// How much of an entry's signatures was verified before.
    private enum Check {
        case nothing
        /// By this statement's keyset, or by the recovery keyset; nothing else need be verified if that is who must sign.
        case signedBy(Int?)
        /// All that is needed where it stands.
        case everything
    }

    private mutating func accept(_ entry: LogEntry, _ check: Check) throws(EntryRefusal) -> EntryOutcome {
        var intake = EntryIntake()
        var effects = Effects()
        switch try take(entry, check, into: &intake, &effects) {
        case .known: return .known
        case .held: return .held
        case .taken: break
        }
        // Entries that waited for this one, and for those.
        var next = 0
        while next < intake.entries.count {
            let taken = intake.entries[next]
            next += 1
            for (follower, check) in followers(of: taken) {
                do { _ = try take(follower, check, into: &intake, &effects) } catch {
                    intake.dropped.append(error)
                }
            }
        }
        settle(&effects, &intake)
        return .accepted(intake)
    }

    private mutating func followers(of entry: LogEntry) -> [(LogEntry, Check)] {
        guard orphanCount > 0 || !strays.isEmpty else { return [] }
        var found: [(LogEntry, Check)] = []
        if let orphans = logs[entry.log]?.orphans[entry.sequence + 1] {
            for orphan in orphans { removeOrphan(orphan.entry) }
            found += orphans.map { ($0.entry, .signedBy($0.keys)) }
        }
        var named: LogID?
        switch entry.payload {
        case .authorityAdd(let certificate): named = certificate.authority
        case .authorityRotate(let rotation): named = rotation.authority
        case .recoverFork(let recovery): named = recovery.log
        case .policySet, .authorityRevoke, .certIssue, .certRevoke, .epochAnnounce, .checkpoint, .groupDefinition,
            .releaseManifest:
            break
        }
        // There, an entry may be what one further up hung in the air for.
        let isBesidePath = orphanCount + strays.count > 0 && !isOnPath(EntryPlace(entry))
        if isBesidePath, let log = logs[entry.log], log.orphanCount > 0 {
            let standing = log.orphans.values.joined()
                .filter { log.tree.isWhole(before: $0.entry.previous, at: $0.entry.sequence) }
                .sorted { ($0.entry.sequence, $0.entry.id) < ($1.entry.sequence, $1.entry.id) }
            for orphan in standing { removeOrphan(orphan.entry) }
            found += standing.map { ($0.entry, .signedBy($0.keys)) }
        }
        if !strays.isEmpty {
            func waits(_ stray: LogEntry) -> Bool {
                (stray.log == named && logs[stray.log] != nil) || stray.previous == entry.id
                    || (stray.log == entry.log && isBesidePath)
            }
            let theirs = strays.filter(waits).sorted { ($0.sequence, $0.id) < ($1.sequence, $1.id) }
            strays.removeAll(where: waits)
            found += theirs.map { ($0, .nothing) }
        }
        if let named, logs[named] != nil, named != entry.log {
            let orphans = logs[named]?.orphans.values.joined().filter { $0.entry.previous == entry.id } ?? []
            for orphan in orphans { removeOrphan(orphan.entry) }
            found += orphans.map { ($0.entry, .signedBy($0.keys)) }
        }
        return found
    }

    private mutating func take(
        _ entry: LogEntry, _ check: Check, into intake: inout EntryIntake, _ effects: inout Effects
    ) throws(EntryRefusal) -> Placement {
        if opensReleaseLog(entry), logs[entry.log] == nil {
            try verifyOpening(entry, check)
            openReleaseLog(entry)
        }
        switch try way(for: entry, check) {
        case .known: return .known
        case .held: return .held
        case .stray: return holdStray(entry)
        case .orphan(let keys): return try holdOrphan(entry, keys: keys)
        case .place(let keys, _):
            place(entry, keys: keys, &intake, &effects)
            return .taken
        }
    }

    private enum Way {
        case known, held, stray
        /// The statement whose keyset signed it; nil when the recovery keyset did.
        case orphan(keys: Int?)
        /// Behind whatever it names, on the path or beside it.
        case place(keys: Int, isAtTip: Bool)
    }

    /// Where an entry belongs, and whether whoever must sign it there did.
    private func way(for entry: LogEntry, _ check: Check) throws(EntryRefusal) -> Way {
        guard let log = logs[entry.log] else { return .stray }
        if log.tree.holds(entry.id, at: entry.sequence) { return .known }
        if log.orphans[entry.sequence]?.contains(where: { $0.entry.id == entry.id }) ?? false { return .held }
        if log.isReleaseLog { try checkRelease(entry) }
        guard let before = log.tree.standing(after: entry.previous, at: entry.sequence - 1) else {
            return try wayApart(for: entry, log, check)
        }
        guard entry.time >= before.time else { throw .timeDecreases }
        if hangsOnKeys(entry), !log.tree.isWhole(before: entry.previous, at: entry.sequence) {
            return try wayApart(for: entry, log, check)
        }
        try checkPolicy(entry)
        do { try verify(entry, log.tree.statement(before.keys), keys: before.keys, check) } catch {
            guard mayChangeHands(log), error == .signatures || error == .nextCommit,
                isByStrangers(entry.signed, log.tree.keysets)
            else { throw error }
            // Its keys may be in an entry of the parent that we have not met.
            return .stray
        }
        let isAtTip = log.tree.isNext(after: entry.previous, at: entry.sequence)
        guard isAtTip || hasRoomBeside(entry, log, check) else { throw .tooManyBranches }
        return .place(keys: before.keys, isAtTip: isAtTip)
    }

    /// Whether somebody above may give a log other keys.
    private func mayChangeHands(_ log: AuthorityLog) -> Bool { !log.isReleaseLog && log.depth > 0 }

    private func hasRoomBeside(_ entry: LogEntry, _ log: AuthorityLog, _ check: Check) -> Bool {
        // What was accepted once comes back, though the choice that made room for it is not awaited any more.
        if case .everything = check { return true }
        // Nor is it when it takes its own place, behind the branch that it made room for.
        if case .recoverFork(let recovery) = entry.payload, recovery.log == entry.log { return true }
        if log.tree.besideCount < Bounds.branchEntries { return true }
        guard log.tree.besideCount < Bounds.chosenBranchEntries else { return false }
        return log.tree.hasUnmetGraft || log.orphans.values.joined().contains { $0.keys == nil }
    }

    /// The way of an entry whose predecessor is not here.
    private func wayApart(
        for entry: LogEntry, _ log: AuthorityLog, _ check: Check
    ) throws(EntryRefusal) -> Way {
        if case .recoverFork(let recovery) = entry.payload, recovery.log == entry.log {
            // Cold keys vouch for it wherever it stands.
            try verify(recovery, in: entry, besides: [], check)
            return .orphan(keys: nil)
        }
        let next = UInt64(log.ids.count) + 1
        let keys = entry.sequence < next ? log.tree.keys(at: entry.sequence) : log.tree.tipKeys
        let keyset = log.tree.statement(keys).keyset
        let isSigned = isSigned(entry, keyset, keys, check)
        // Perhaps signed by keys of a rotation before it.
        guard isSigned || isByStrangers(entry.signed, log.tree.keysets) || log.tree.keysets.count > 1 else {
            throw .signatures
        }
        if entry.sequence == next, entry.log == genesis.rootID || next == 1 {
            // What it stands on is here, and waits, or hangs in the air.
            let isAwaiting =
                log.tree.standing(after: entry.previous, at: entry.sequence - 1) != nil
                || strays.contains { $0.id == entry.previous }
            if isAwaiting { return .stray }
            throw isSigned ? .wrongPrevious : .signatures
        }
        guard isSigned else { return .stray }
        if entry.sequence > next { return .orphan(keys: keys) }
        // The parent may have given the log a new beginning here.
        guard entry.sequence < next, !hangsOnKeys(entry) else { return .stray }
        guard hasRoomBeside(entry, log, check) else { throw .tooManyBranches }
        return .place(keys: keys, isAtTip: false)
    }

    /// Whether only what is before an entry tells if it may stand where it does, or what its certificates are worth there:
    /// their own signatures are held against the keyset that signs the entry.
    private func hangsOnKeys(_ entry: LogEntry) -> Bool {
        switch entry.payload {
        case .policySet, .authorityAdd, .authorityRotate, .recoverFork: true
        case .certIssue(let certificates): certificates.contains { !$0.capabilities.isDisjoint(with: .privileged) }
        case .authorityRevoke, .certRevoke, .epochAnnounce, .checkpoint, .groupDefinition, .releaseManifest: false
        }
    }

    private func checkPolicy(_ entry: LogEntry) throws(EntryRefusal) {
        guard case .policySet(let policy) = entry.payload else { return }
        guard entry.log == genesis.rootID else { throw .policy }
        let tree = logs[entry.log]?.tree
        let isFirst = !policies.contains { known in
            known.place.sequence < entry.sequence
                && tree?.ancestor(at: known.place.sequence, of: entry.previous, at: entry.sequence - 1)
                    == known.place.entry
        }
        guard !isFirst || policy.hash == genesis.policyHash else { throw .policy }
    }

    private mutating func holdStray(_ entry: LogEntry) -> Placement {
        if strays.contains(where: { $0.id == entry.id }) { return .held }
        // Nobody signed for these yet: the newest push out the oldest, so that a flood cannot shut the door for long.
        if strays.count >= Bounds.orphans { strays.removeFirst() }
        strays.append(entry)
        putAside += 1
        return .held
    }

    private mutating func holdOrphan(_ entry: LogEntry, keys: Int?) throws(EntryRefusal) -> Placement {
        guard let log = logs[entry.log] else { return .held }
        if log.orphanCount >= Bounds.orphans {
            // Those nearest to the gap are worth most; one that the recovery keys signed is worth more than they.
            let ordinary = log.orphans.keys.sorted().last { log.orphans[$0]?.contains { $0.keys != nil } ?? false }
            guard let last = ordinary, entry.sequence < last || keys == nil,
                let dropped = log.orphans[last]?.last(where: { $0.keys != nil })
            else { throw .tooManyHeld }
            removeOrphan(dropped.entry)
        }
        logs[entry.log]?.orphans[entry.sequence, default: []].append(Orphan(entry: entry, keys: keys))
        logs[entry.log]?.orphanCount += 1
        orphanCount += 1
        putAside += 1
        return .held
    }

    private mutating func removeOrphan(_ entry: LogEntry) {
        logs[entry.log]?.orphans[entry.sequence]?.removeAll { $0.entry.id == entry.id }
        if logs[entry.log]?.orphans[entry.sequence]?.isEmpty ?? false {
            logs[entry.log]?.orphans[entry.sequence] = nil
        }
        logs[entry.log]?.orphanCount -= 1
        orphanCount -= 1
    }

    /// Whether an entry that is held has everything but the signatures of keys we know of: what it stands on is here.
    package func lacksKnownSigners(_ held: LogEntry) -> Bool {
        guard let tree = logs[held.log]?.tree, strays.contains(where: { $0.id == held.id }),
            tree.standing(after: held.previous, at: held.sequence - 1) != nil
        else { return false }
        return !hangsOnKeys(held) || tree.isWhole(before: held.previous, at: held.sequence)
    }

    // MARK: Who must sign

    private func isSigned(_ entry: LogEntry, _ keyset: Keyset, _ keys: Int, _ check: Check) -> Bool {
        switch check {
        case .everything, .signedBy(keys): return true
        case .nothing, .signedBy: return keyset.approves(entry.signed, as: .logEntry, in: mesh)
        }
    }

    /// Whether an entry has the signatures it needs behind a statement of its log.
    private func verify(
        _ entry: LogEntry, _ statement: KeysetStatement, keys: Int, _ check: Check
    ) throws(EntryRefusal) {
        switch entry.payload {
        case .authorityRotate(let rotation):
            if rotation.authority == entry.log {
                guard rotation.branch == nil else { throw .branch }
                guard commitments(of: statement, entry.log, after: entry.previous).contains(rotation.keyset.commit)
                else {
                    throw .nextCommit
                }
            } else {
                guard rotation.branch != nil else { throw .branch }
            }
            if case .everything = check { return }
            guard entry.signed.isApproved(byAll: [statement.keyset, rotation.keyset], as: .logEntry, in: mesh) else {
                throw .signatures
            }
        case .recoverFork(let recovery):
            try verify(recovery, in: entry, besides: recovery.log == entry.log ? [] : [statement.keyset], check)
        case .policySet, .authorityAdd, .authorityRevoke, .certIssue, .certRevoke, .epochAnnounce, .checkpoint,
            .groupDefinition, .releaseManifest:
            guard isSigned(entry, statement.keyset, keys, check) else { throw .signatures }
        }
    }

    private func verify(
        _ recovery: ForkRecovery, in entry: LogEntry, besides others: [Keyset], _ check: Check
    ) throws(EntryRefusal) {
        guard recovery.recovery.commit == genesis.recoveryCommit else { throw .recoveryCommit }
        guard recovery.log != entry.log || recovery.branch == entry.previous else { throw .branch }
        switch check {
        case .everything, .signedBy(nil): return
        case .nothing, .signedBy: break
        }
        let keysets = [recovery.recovery] + others + (recovery.newKeys.map { [$0.keyset] } ?? [])
        guard entry.signed.isApproved(byAll: keysets, as: .logEntry, in: mesh) else { throw .signatures }
    }

    /// What the keyset after a statement may be: as the statement says, and every AuthorityAdd of the parent that names its
    /// keyset.
    private func commitments(
        of statement: KeysetStatement, _ id: LogID, after previous: EntryID
    ) -> [KeysetCommit] {
        guard let log = logs[id] else { return [] }
        // A first entry tells itself who the parent is.
        let parent = log.grants.first { $0.place.entry == previous }?.place.log ?? log.parent
        let certified = log.grants.filter { $0.place.log == parent && $0.certificate.keyset == statement.keyset }
        return (statement.nextCommit.map { [$0] } ?? []) + certified.map(\.certificate.content.nextCommit)
    }

    // MARK: Releases

    /// The first entry of the release log says which keyset the genesis promised: a rotation of nobody's keys to it.
    private func opensReleaseLog(_ entry: LogEntry) -> Bool {
        guard case .authorityRotate(let rotation) = entry.payload else { return false }
        return entry.sequence == 1 && entry.previous == LogEntry.anchor(of: mesh) && rotation.authority == entry.log
            && rotation.keyset.authorityID == entry.log && rotation.keyset.commit == genesis.releaseCommit
    }

    /// The commitment binds the keyset; that its holders wrote the entry, only their signatures say.
    private func verifyOpening(_ entry: LogEntry, _ check: Check) throws(EntryRefusal) {
        guard case .authorityRotate(let rotation) = entry.payload else { return }
        if case .everything = check { return }
        guard rotation.keyset.approves(entry.signed, as: .logEntry, in: mesh) else { throw .signatures }
    }

    private mutating func openReleaseLog(_ entry: LogEntry) {
        guard case .authorityRotate(let rotation) = entry.payload else { return }
        logs[entry.log] = AuthorityLog(
            KeysetStatement(keyset: rotation.keyset, nextCommit: genesis.releaseCommit),
            anchor: LogEntry.anchor(of: mesh), depth: 1, isReleaseLog: true)
        releaseLog = entry.log
    }

    private func checkRelease(_ entry: LogEntry) throws(EntryRefusal) {
        switch entry.payload {
        case .authorityRotate(let rotation): if rotation.authority != entry.log { throw .foreignKind }
        case .recoverFork(let recovery): if recovery.log != entry.log { throw .foreignKind }
        case .releaseManifest: if entry.sequence == 1 { throw .foreignKind }
        case .policySet, .authorityAdd, .authorityRevoke, .certIssue, .certRevoke, .epochAnnounce, .checkpoint,
            .groupDefinition:
            throw .foreignKind
        }
    }

    /// Releases whose manifests count, in the order of their log.
    package var releases: [Release] {
        guard let releaseLog else { return [] }
        return manifests.filter { counts($0.place) && $0.place.log == releaseLog }
            .sorted { $0.place.sequence < $1.place.sequence }
            .map { Release(entry: $0.place.entry, sequence: $0.place.sequence, time: $0.time, manifest: $0.manifest) }
    }

    // MARK: Facts of an entry

    /// What has to be looked at again once all entries of an intake are in.
    private struct Effects {
        /// Rights of some authority changed: every decision about notes and quotas may have.
        var rights = false
        /// Something was said about branches.
        var paths = false
        var devices: [DeviceID] = []
        var officers = false
        var authorities: [AuthorityID] = []
        var verdicts: [NoteHash] = []
    }

    /// Takes an entry into its log, on the path or beside it. What it says is kept either way, with its place: what counts
    /// is asked of the path.
    private mutating func place(
        _ entry: LogEntry, keys: Int, _ intake: inout EntryIntake, _ effects: inout Effects
    ) {
        var statement: KeysetStatement?
        switch entry.payload {
        case .authorityRotate(let rotation) where rotation.authority == entry.log:
            statement = KeysetStatement(keyset: rotation.keyset, nextCommit: rotation.nextCommit)
            intake.changes.append(.rotated(entry.log))
            effects.authorities.append(entry.log)
            effects.rights = true
        case .recoverFork(let recovery) where recovery.log == entry.log:
            if let new = recovery.newKeys {
                statement = KeysetStatement(keyset: new.keyset, nextCommit: new.nextCommit)
                intake.changes.append(.rotated(entry.log))
                effects.authorities.append(entry.log)
            }
            effects.paths = true
        case .policySet, .authorityAdd, .authorityRotate, .authorityRevoke, .certIssue, .certRevoke, .epochAnnounce,
            .checkpoint, .groupDefinition, .releaseManifest, .recoverFork:
            break
        }
        guard let at = logs.index(forKey: entry.log) else { return }
        let (keyset, isOnPath, isContested) = logs.values[at].insert(entry, keys: keys, statement: statement)
        epochBook.grew(entry.log, by: CoveredRow(log: entry.log, sequence: entry.sequence, id: entry.id))
        if entry.sequence == 1 {
            if settleParent(of: entry.log) { effects.paths = true }
            effects.rights = true
        }
        if isContested { effects.paths = true }
        if effects.paths || effects.rights { forgetRights() }
        intake.entries.append(entry)
        record(entry, keyset, isOnPath, &intake, &effects)
        if effects.paths || effects.rights { forgetRights() }
    }

    private mutating func record(
        _ entry: LogEntry, _ keyset: Keyset, _ isOnPath: Bool, _ intake: inout EntryIntake, _ effects: inout Effects
    ) {
        let place = EntryPlace(entry)
        func tell(_ change: MembershipChange) { if isOnPath { intake.changes.append(change) } }
        switch entry.payload {
        case .policySet(let policy):
            let before = self.policy?.number
            policies.append((place, policy))
            if before.map({ $0 < policy.number }) ?? true { tell(.policy(number: policy.number)) }
        case .authorityAdd(let certificate): add(certificate, entry, keyset, &intake, &effects)
        case .authorityRevoke(let revocation):
            let target = revocation.authority
            authorityRevocations[Octets16(prefixOf: target), default: []].append(
                PlacedRevocation(place: place, revocation: revocation))
            // What makes a word from elsewhere count changes rights itself.
            if isAbove(entry.log, target) {
                effects.rights = true
                intake.changes.append(.authorityRevoked(target))
            }
        case .certIssue(let certificates):
            for certificate in certificates {
                issue(certificate, entry, keyset, isOnPath: isOnPath, &intake, &effects)
            }
        case .certRevoke(let verdicts):
            for verdict in verdicts {
                noteBook.add(verdict, at: place)
                effects.verdicts.append(verdict.note)
            }
        case .epochAnnounce(let announcement):
            epochBook.add(Epoch(entry: entry, announcement: announcement))
            marks.append((place, entry.time))
            tell(.epoch(entry.id))
        case .checkpoint(let checkpoint):
            var early: [PlacedHead] = []
            for row in checkpoint.children where row.log != entry.log {
                let head = PlacedHead(place: place, row: row)
                if let at = logs.index(forKey: row.log) {
                    logs.values[at].checkpointed.append(head)
                    if logs.values[at].tree.isContested { effects.paths = true }
                } else if !isOnPath {
                    // The AuthorityAdd may be one of the entries before it that are still to come.
                    early.append(head)
                }
            }
            earlyHeads.add(early)
            marks.append((place, entry.time))
            if let placed = PlacedCheckpoint(entry) { logs[entry.log]?.record(placed) }
            tell(.checkpoint(entry.log))
        case .groupDefinition(let group): tell(.group(group.group))
        case .releaseManifest(let manifest):
            manifests.append((place, entry.time, manifest))
            if entry.log == releaseLog { tell(.release(version: manifest.version)) }
        case .authorityRotate(let rotation):
            guard rotation.authority != entry.log, let branch = rotation.branch else { return }
            let statement = KeysetStatement(keyset: rotation.keyset, nextCommit: rotation.nextCommit)
            let choice = PlacedChoice(
                place: place, time: entry.time, branch: branch, statement: statement, isCold: false)
            graft(onto: rotation.authority, choice, &intake, &effects)
        case .recoverFork(let recovery):
            guard recovery.log != entry.log else { return }
            let statement = recovery.newKeys.map { KeysetStatement(keyset: $0.keyset, nextCommit: $0.nextCommit) }
            let choice = PlacedChoice(
                place: place, time: entry.time, branch: recovery.branch, statement: statement, isCold: true)
            graft(onto: recovery.log, choice, &intake, &effects)
        }
    }

    private mutating func graft(
        onto child: LogID, _ choice: PlacedChoice, _ intake: inout EntryIntake, _ effects: inout Effects
    ) {
        let parent = choice.place.log
        guard let log = logs[child], log.grants.contains(where: { $0.place.log == parent }) else { return }
        logs[child]?.choices.append(choice)
        // It may turn out to be the parent when the child writes.
        guard log.parent == parent else { return }
        logs[child]?.tree.add(choice)
        epochBook.grew(child)
        effects.paths = true
        effects.authorities.append(child)
        if choice.statement != nil { intake.changes.append(.rotated(child)) }
    }

    private mutating func add(
        _ certificate: AuthorityCertificate, _ entry: LogEntry, _ keyset: Keyset, _ intake: inout EntryIntake,
        _ effects: inout Effects
    ) {
        func void(_ fault: CertificateFault) { intake.changes.append(.void(certificate.hash, fault)) }
        guard let depth = logs[entry.log]?.depth, certificate.parent == entry.log,
            certificate.authority != genesis.rootID, certificate.authority != releaseLog,
            !genesis.isReleaseKeyset(certificate.keyset),
            keyset.approves(certificate.signed, as: .authorityCertificate, in: mesh)
        else { return void(.issuer) }
        guard depth < Int(AuthorityLimits.root.depthLeft) else { return void(.depth) }
        let place = EntryPlace(entry)
        guard isWithinBound(certificate.authority, at: place) else { return void(.authorityQuota) }
        if entry.log != genesis.rootID { logs[entry.log]?.record(certificate.authority, addedAt: place) }
        if logs[certificate.authority] == nil {
            guard certificate.authority == certificate.keyset.authorityID else { return void(.issuer) }
            logs[certificate.authority] = AuthorityLog(
                KeysetStatement(keyset: certificate.keyset, nextCommit: nil), depth: depth + 1)
            logs[certificate.authority]?.checkpointed = earlyHeads.take(certificate.authority)
        }
        effects.authorities.append(certificate.authority)
        logs[certificate.authority]?.grants.append(
            AuthorityGrant(place: place, time: entry.time, certificate: certificate))
        logs[certificate.authority]?.tree.add(anchor: entry.id, time: entry.time)
        epochBook.grew(certificate.authority)
        if settleParent(of: certificate.authority) { effects.paths = true }
        effects.rights = true
        // A renewal may name keys of a rotation that comes after it here.
        if logs[certificate.authority]?.tree.knows(certificate.keyset) ?? false {
            intake.changes.append(.authority(certificate.authority))
        } else {
            void(.issuer)
        }
    }

    /// Whether one of the first authorities that its log adds is named, of which there is no more than a number below the
    /// root. What stands before the entry alone tells, so that everybody finds the same on whatever branch.
    private func isWithinBound(_ authority: AuthorityID, at place: EntryPlace) -> Bool {
        guard let additions = logs[place.log]?.additions, additions.count >= Bounds.authoritiesBelow else {
            return true
        }
        let row = CoveredRow(log: place.log, sequence: place.sequence, id: place.entry)
        var named: Set<AuthorityID> = []
        for addition in additions where addition.place != place && isCovered(addition.place, by: row) {
            if addition.authority == authority { return true }
            named.insert(addition.authority)
            if named.count == Bounds.authoritiesBelow { return false }
        }
        return true
    }

    private mutating func issue(
        _ certificate: DeviceCertificate, _ entry: LogEntry, _ keyset: Keyset, isOnPath: Bool,
        _ intake: inout EntryIntake, _ effects: inout Effects
    ) {
        func void(_ fault: CertificateFault) { intake.changes.append(.void(certificate.hash, fault)) }
        if let fault = formFault(of: certificate, in: entry, keyset) { return void(fault) }
        let device = certificate.device
        let issued = IssuedCertificate(
            certificate: certificate, sequence: entry.sequence, entry: entry.id, time: entry.time)
        if let isNew = deviceRecords[device]?.insert(issued) {
            guard isNew else { return }
        } else {
            deviceRecords[device] = DeviceRecord(issued)
            signersByHint?[KeyHint(of: certificate.signing), default: []].append(device)
            if let first = linkClaims[certificate.link] {
                rivalClaims[certificate.link, default: RivalClaims(first)].devices.append(device)
            } else {
                linkClaims[certificate.link] = device
            }
        }
        holders[certificate.hash] = device
        effects.devices.append(device)
        if certificate.capabilities.contains(.wipeOfficer) { effects.officers = true }
        let right = right(of: entry.log)
        let fault = rightsFault(of: issued, isOnPath: isOnPath, right)
        weigh(issued, fault)
        let issue = Issue(
            device: device, sequence: entry.sequence, time: entry.time, notAfter: certificate.notAfter)
        if let at = logs.index(forKey: entry.log) {
            let issues = logs.values[at].record(issue, serial: certificate.serial)
            if fault == nil, let most = right.limits?.mostDevices, issues > most {
                count(issue, entry.log, most: most)
            }
        }
        if let fault = fault ?? placeFault(of: issued) {
            void(fault)
        } else {
            intake.changes.append(.issued(device, certificate.hash))
        }
    }

    /// Devices whose signing key has a hint; nearly always one.
    mutating func signers(hinted hint: KeyHint) -> [DeviceID] {
        if signersByHint == nil {
            signersByHint = Dictionary(grouping: deviceRecords.keys.sorted()) { device in
                guard let record = deviceRecords[device] else { preconditionFailure("a key of a table is in it") }
                return KeyHint(of: record.signing)
            }
        }
        return signersByHint?[hint] ?? []
    }

    /// Devices with a signing key, ascending; nearly always one.
    func devices(signing key: SigningPublicKey) -> [DeviceID] {
        let hinted = signersByHint.map { $0[KeyHint(of: key)] ?? [] } ?? Array(deviceRecords.keys)
        return hinted.filter { deviceRecords[$0]?.signing == key }.sorted()
    }

    /// What is wrong with a certificate whatever else is in the log but its device's first one; then it is not recorded.
    ///
    /// - Parameter keyset: the one that signed the entry.
    func formFault(
        of certificate: DeviceCertificate, in entry: LogEntry, _ keyset: Keyset
    ) -> CertificateFault? {
        guard certificate.issuer == entry.log else { return .issuer }
        guard certificate.link.isCanonical, certificate.message.isCanonical else { return .keyEncoding }
        if !certificate.capabilities.isDisjoint(with: .privileged) {
            let signers = certificate.signed.signers(
                among: keyset.keys, type: .object(.deviceCertificate), mesh: mesh)
            guard let signers, signers.count >= max(2, keyset.threshold) else { return .privilege }
        }
        if let first = deviceRecords[certificate.device]?.certificates.first?.certificate {
            guard first.deviceHash == certificate.deviceHash else { return .deviceKeys }
        }
        return nil
    }

    /// Whether an entry that its authority signed would be taken at the head of its log, with all that it grants in
    /// force. Changes nothing, and does not depend on the size of the log. False also when that cannot be told without
    /// taking it.
    func willCount(_ entry: LogEntry) -> Bool {
        guard let log = logs[entry.log], log.orphans.isEmpty, !log.isReleaseLog,
            let way = try? way(for: entry, .everything), case .place(_, isAtTip: true) = way
        else { return false }
        switch entry.payload {
        case .policySet, .certRevoke, .epochAnnounce, .checkpoint, .groupDefinition: return true
        case .authorityAdd, .authorityRotate, .authorityRevoke, .releaseManifest, .recoverFork: return false
        case .certIssue(let certificates):
            guard let limits = limits(of: entry.log) else { return false }
            for (index, certificate) in certificates.enumerated() {
                let others = certificates[..<index]
                // The entry is not in its log yet, so the limits are asked by sequence.
                guard formFault(of: certificate, in: entry, log.keyset) == nil,
                    entry.sequence <= grantLimit(of: entry.log), limits.fault(in: certificate.content) == nil,
                    linkClaims[certificate.link] ?? certificate.device == certificate.device,
                    rivalClaims[certificate.link] == nil,
                    !others.contains(where: { $0.device == certificate.device || $0.link == certificate.link })
                else { return false }
            }
            return log.hasRoom(for: certificates.map(\.device), most: limits.mostDevices)
        }
    }

    /// Takes an issue, which its authority had the right to, into the quota of its log.
    private mutating func count(_ issue: Issue, _ log: LogID, most: Int) {
        guard noteBook.revocations[issue.device] == nil else { return }
        guard logs[log]?.quota != nil else { return recount(log) }
        logs[log]?.quota?.take(issue, most: most)
        if logs[log]?.hasStaleQuota ?? false, logs[log]?.isBeyondQuota(issue.device) ?? false { recount(log) }
    }

    /// Brings quotas up to date after devices were revoked or reinstated.
    mutating func recount(after changes: [MembershipChange]) {
        var touched: Set<LogID> = []
        for change in changes {
            let device: DeviceID
            var isRevoked = false
            switch change {
            case .revoked(let revoked): (device, isRevoked) = (revoked, true)
            case .suspended(let other), .reinstated(let other): device = other
            case .policy, .authority, .authorityRevoked, .rotated, .frozen, .recovered, .issued, .void, .epoch,
                .checkpoint, .group, .release:
                continue
            }
            for issued in deviceRecords[device]?.certificates ?? [] {
                // Where everybody fits, one device fewer can wait until somebody does not.
                if isRevoked, logs[issued.log]?.quota?.over.isEmpty ?? true {
                    logs[issued.log]?.hasStaleQuota = true
                } else {
                    touched.insert(issued.log)
                }
            }
        }
        for id in touched { recount(id) }
    }

    /// Counts all issues of a log again.
    private mutating func recount(_ id: LogID) {
        guard let log = logs[id], !log.issues.isEmpty, let most = limits(of: id)?.mostDevices else { return }
        var quota: QuotaWalk?
        if log.issues.count > most {
            var walk = QuotaWalk()
            for issue in log.issues where noteBook.revocations[issue.device] == nil {
                if hasRight(issue, in: id) { walk.take(issue, most: most) }
            }
            quota = walk
        }
        logs[id]?.quota = quota
        logs[id]?.hasStaleQuota = false
    }

    private func hasRight(_ issue: Issue, in log: LogID) -> Bool {
        deviceRecords[issue.device]?.certificates.contains {
            $0.log == log && $0.sequence == issue.sequence && $0.certificate.notAfter == issue.notAfter
                && rightsFault(of: $0) == nil
        } ?? false
    }

    /// Brings everything derived up to date with the facts of an intake.
    private mutating func settle(_ effects: inout Effects, _ intake: inout EntryIntake) {
        if !areRightsKnown, settleLogs(&effects, &intake) { effects.rights = true }
        tellOtherRights(&effects, &intake)
        if effects.rights { dropForeignNotes(&intake) }
        var released: [DeviceID] = []
        if noteBook.isHolding {
            for device in effects.devices { released += release(.device(device), into: &intake) }
            for authority in effects.authorities { released += release(.authority(authority), into: &intake) }
            if effects.officers { released += release(.officers, into: &intake) }
        }
        var devices = effects.devices
        if effects.rights || effects.officers {
            devices = noteBook.devices
        } else {
            for note in effects.verdicts { devices += noteBook.devicesTouched(by: note) }
            if effects.paths { devices += noteBook.devices(judgedIn: Set(logs.keys.filter(isContested))) }
            devices += released
        }
        let changes = refresh(devices)
        intake.changes += changes
        if effects.rights {
            for id in logs.keys { recount(id) }
        } else {
            recount(after: changes)
        }
        settleSuspends(
            after: effects.verdicts, effects.devices, hasOtherRights: effects.rights || effects.paths, &intake)
        resolveEpochs()
    }

    /// Whose signatures the next entry of a log needs; nil when the log is unknown.
    package func keyset(of log: LogID) -> Keyset? { logs[log]?.keyset }

    /// Whether a keyset signs a log, or ever did, on whichever branch.
    package func knows(_ keyset: Keyset, of log: LogID) -> Bool { logs[log]?.tree.knows(keyset) ?? false }

    /// Whether those who sign a log now have promised to be followed by a keyset.
    package func isPromised(_ keyset: Keyset, of log: LogID) -> Bool {
        guard let tree = logs[log]?.tree, let tip = tree.tip else { return false }
        return commitments(of: tree.statement(tree.tipKeys), log, after: tip).contains(keyset.commit)
    }

    /// Whether a log has branches between which nobody has chosen.
    package func isFrozen(_ log: LogID) -> Bool { logs[log]?.tree.frozenAt != nil }

    /// What the next entry of a log names as its predecessor; nil when no AuthorityAdd names the authority.
    func anchor(of log: LogID) -> EntryID? { logs[log]?.tree.tip }

    // MARK: Rights

    /// The last sequence of a log at which grants count.
    package func grantLimit(of log: LogID) -> UInt64 {
        if let known = rights[log] { return known.upTo }
        guard let state = logs[log] else { return 0 }
        var limit = state.tree.frozenAt ?? .max
        for target in chain(of: log) {
            for placed in dismissals[target] ?? honouredRevocations(of: target) {
                limit = min(limit, self.limit(of: log, by: placed) ?? limit)
            }
        }
        return limit
    }

    /// An authority and those above it, up to the root.
    private func chain(of log: LogID) -> [AuthorityID] {
        var chain = [log]
        while let parent = logs[chain[chain.count - 1]]?.parent { chain.append(parent) }
        return chain
    }

    private func honouredRevocations(of target: AuthorityID) -> [PlacedRevocation] {
        (authorityRevocations[Octets16(prefixOf: target)] ?? []).filter {
            isAbove($0.place.log, target) && isHonoured($0.place)
        }
    }

    /// All AuthorityRevokes that may say something of a log, whatever they are worth.
    func revocations(over log: LogID) -> [PlacedRevocation] {
        chain(of: log).flatMap { authorityRevocations[Octets16(prefixOf: $0)] ?? [] }
    }

    /// The AuthorityRevokes that count, in any order.
    var countingRevocations: some Sequence<PlacedRevocation> { dismissals.values.joined() }

    /// Up to where a revocation lets the grants of a log count; nil when it says nothing of that log.
    func limit(of log: LogID, by placed: PlacedRevocation) -> UInt64? {
        let target = placed.revocation.authority
        guard log == target || isAbove(target, log), isAbove(placed.place.log, target) else { return nil }
        if let row = placed.revocation.lastGood.first(where: { $0.log == log }) { return row.sequence }
        return log == target ? 0 : nil
    }

    /// Whether what an entry grants is granted: it stands on the path of its log, and not beyond where that is frozen.
    func counts(_ place: EntryPlace) -> Bool { isOnPath(place) && place.sequence <= grantLimit(of: place.log) }

    /// Whether what an entry takes away is taken away: on the path, and on every branch while nobody has chosen.
    func isHonoured(_ place: EntryPlace) -> Bool {
        logs[place.log]?.tree.isHonoured(place.entry, at: place.sequence) ?? false
    }

    func isOnPath(_ place: EntryPlace) -> Bool { logs[place.log]?.id(at: place.sequence) == place.entry }

    /// Whether an entry is a row's own, or one before that in its log.
    func isCovered(_ place: EntryPlace, by row: CoveredRow) -> Bool {
        guard row.log == place.log, row.sequence >= place.sequence, let tree = logs[row.log]?.tree else { return false }
        return tree.ancestor(at: place.sequence, of: row.id, at: row.sequence) == place.entry
    }

    func isCovered(_ place: EntryPlace, by rows: [CoveredRow]) -> Bool {
        rows.contains { isCovered(place, by: $0) }
    }

    private mutating func forgetRights() {
        guard areRightsKnown else { return }
        areRightsKnown = false
        (formerRights, rights, dismissals) = (rights, [:], [:])
    }

    /// Which AuthorityAdds of a log may tell its parent, the best first.
    private enum Claim: CaseIterable {
        /// Those that first entries name, of authorities that had the right to write them.
        case entitled
        /// Those that first entries name.
        case named
        /// All: by what they name, some logs would stand below each other.
        case any
    }

    /// Finds the parents, the paths and the rights of all logs, from the root down: what an authority says of another one
    /// counts by its own standing, so that is found before. Whether some parent or path is another one.
    private mutating func settleLogs(_ effects: inout Effects, _ intake: inout EntryIntake) -> Bool {
        var levels = [[genesis.rootID] + (releaseLog.map { [$0] } ?? [])]
        var open = Set(logs.keys).subtracting(levels[0])
        var isOther = false
        for id in levels[0] where settlePath(of: id, &intake) { isOther = true }
        for claim in Claim.allCases {
            var depth = 0
            while depth < levels.count, !open.isEmpty {
                let above = Set(levels[depth])
                var below: [LogID] = []
                for id in open.sorted() {
                    guard let grant = grant(of: id, by: above, claim) else { continue }
                    below.append(id)
                    if adopt(id, grant) {
                        isOther = true
                        effects.authorities.append(id)
                    }
                    if settlePath(of: id, &intake) { isOther = true }
                }
                open.subtract(below)
                depth += 1
                if depth < levels.count { levels[depth] += below } else if !below.isEmpty { levels.append(below) }
            }
        }
        areRightsKnown = true
        for link in rivalClaims.keys { findFirstClaim(link) }
        return isOther
    }

    /// Of what some authorities wrote about a log the AuthorityAdd that was first.
    private func grant(of id: LogID, by authorities: Set<LogID>, _ claim: Claim) -> AuthorityGrant? {
        guard let log = logs[id] else { return nil }
        let known = log.grants.filter { authorities.contains($0.place.log) }
        guard !known.isEmpty else { return nil }
        switch claim {
        case .entitled:
            return named(log.grants, log).filter { authorities.contains($0.place.log) && isEntitled($0) }
                .min { $0.isOlder(than: $1) }
        case .named:
            return named(log.grants, log).filter { authorities.contains($0.place.log) }.min { $0.isOlder(than: $1) }
        case .any: return known.min { $0.isOlder(than: $1) }
        }
    }

    /// Those that first entries name, or all where none does.
    private func named(_ grants: [AuthorityGrant], _ log: AuthorityLog) -> [AuthorityGrant] {
        let anchors = log.tree.namedAnchors
        let named = grants.filter { anchors.contains($0.place.entry) }
        return named.isEmpty ? grants : named
    }

    /// Whether an authority had the right to write an AuthorityAdd.
    private func isEntitled(_ grant: AuthorityGrant) -> Bool {
        limits(of: grant.place.log).map { isEntitled(grant, within: $0) } ?? false
    }

    private func isEntitled(_ grant: AuthorityGrant, within limits: AuthorityLimits) -> Bool {
        counts(grant.place) && limits.fault(in: grant.certificate.content) == nil
    }

    /// Finds the path of a log whose parent is known, and what it may grant. Whether the path is another one.
    private mutating func settlePath(of id: LogID, _ intake: inout EntryIntake) -> Bool {
        var isOther = false
        if let log = logs[id], log.tree.isContested {
            let choices = log.tree.grafts.values.filter { $0.place.log == log.parent && counts($0.place) }
            let checkpointed = log.checkpointed.filter { $0.place.log == log.parent && counts($0.place) }
                .max { $0.place.sequence < $1.place.sequence }?.row
            isOther = logs[id]?.tree.settle(grafts: choices, checkpointed: checkpointed) ?? false
        }
        if authorityRevocations[Octets16(prefixOf: id)] != nil { dismissals[id] = honouredRevocations(of: id) }
        rights[id] = right(of: id)
        if isOther {
            intake.changes.append(isFrozen(id) ? .frozen(id, upTo: grantLimit(of: id)) : .recovered(id))
        }
        return isOther
    }

    /// What a branch takes away, and whether it is honoured, may be another thing though all paths are the same.
    private mutating func tellOtherRights(_ effects: inout Effects, _ intake: inout EntryIntake) {
        if effects.paths, !effects.rights {
            for id in rights.keys.sorted() where rights[id] != formerRights[id] {
                effects.rights = true
                intake.changes.append(.authority(id))
            }
        }
        formerRights = [:]
    }

    /// Finds the parent of a log as far as it can be told before the intake is whole: anybody may write an AuthorityAdd of
    /// anybody, but only the parent speaks for it. Whether it is another one.
    private mutating func settleParent(of id: LogID) -> Bool {
        guard let log = logs[id] else { return false }
        // No log comes to be above itself, whatever is written.
        let grants = log.grants.filter { $0.place.log != id && !isAbove(id, $0.place.log) }
        func rank(_ grant: AuthorityGrant) -> (Int, Int) {
            (isEntitled(grant) ? 0 : 1, logs[grant.place.log]?.depth ?? .max)
        }
        let best = named(grants, log).min { left, right in
            let (one, other) = (rank(left), rank(right))
            return one == other ? left.isOlder(than: right) : one < other
        }
        return best.map { adopt(id, $0) } ?? false
    }

    private mutating func adopt(_ id: LogID, _ grant: AuthorityGrant) -> Bool {
        let parent = grant.place.log
        guard let log = logs[id], log.parent != parent else { return false }
        logs[id]?.parent = parent
        logs[id]?.tree.begin(at: grant.place.entry)
        settleDepth(of: id)
        logs[id]?.tree.replaceGrafts(by: log.choices.filter { $0.place.log == parent })
        epochBook.grew(id)
        return true
    }

    private mutating func settleDepth(of id: LogID) {
        guard let parent = logs[id]?.parent, let depth = logs[parent]?.depth, logs[id]?.depth != depth + 1 else {
            return
        }
        logs[id]?.depth = depth + 1
        for child in logs.keys where logs[child]?.parent == id { settleDepth(of: child) }
    }

    /// An authority, and all below it in the order of their ids.
    package func authoritiesUnder(_ authority: AuthorityID) -> [AuthorityID] {
        [authority] + logs.keys.filter { isAbove(authority, $0) }.sorted()
    }

    /// Whether `authority` is a parent, or a parent's parent, of `other`.
    package func isAbove(_ authority: AuthorityID, _ other: AuthorityID) -> Bool {
        var at = other
        while let parent = logs[at]?.parent {
            if parent == authority { return true }
            at = parent
        }
        return false
    }

    /// What an authority may grant, and up to which sequence of its log.
    private struct Right: Equatable, Sendable {
        let limits: AuthorityLimits?
        let upTo: UInt64
    }

    private func right(of log: LogID) -> Right {
        if let known = rights[log] { return known }
        return Right(limits: limits(of: log), upTo: grantLimit(of: log))
    }

    /// What an authority may grant now; nil when it is unknown, or has no right itself.
    package func limits(of authority: AuthorityID) -> AuthorityLimits? {
        if let known = rights[authority] { return known.limits }
        return currentGrant(of: authority).map { $0.limits }
    }

    /// The certificate under which an authority acts; nil for the root and for one without right.
    package func authority(_ id: AuthorityID) -> AuthorityCertificate? { currentGrant(of: id)?.certificate }

    private func currentGrant(
        of authority: AuthorityID
    ) -> (limits: AuthorityLimits, certificate: AuthorityCertificate?)? {
        if authority == genesis.rootID { return (.root, nil) }
        guard let log = logs[authority], let parent = log.parent,
            let above = limits(of: parent)
        else { return nil }
        var best: AuthorityCertificate?
        for grant in log.grants where grant.place.log == parent && isEntitled(grant, within: above) {
            guard log.tree.knows(grant.certificate.keyset) else { continue }
            if best.map(grant.certificate.isBetter) ?? true { best = grant.certificate }
        }
        return best.map { (AuthorityLimits($0.content), $0) }
    }

    /// Of those that the parent of an authority gave it, with or without right.
    func latestGrant(of authority: AuthorityID) -> AuthorityCertificate? {
        guard let log = logs[authority] else { return nil }
        return log.grants.filter { $0.place.log == log.parent }.map(\.certificate).max { $1.isBetter(than: $0) }
    }

    /// Of the certificates that stand on the path of a log.
    func highestSerial(of id: LogID) -> UInt64 {
        guard let log = logs[id], log.tree.besideCount > 0 else { return logs[id]?.highestSerial ?? 0 }
        var highest: UInt64 = 0
        for record in deviceRecords.values {
            for issued in record.certificates where issued.log == id && isOnPath(issued.place) {
                highest = max(highest, issued.certificate.serial)
            }
        }
        return highest
    }

    /// Why a logged certificate grants nothing; nil when it does.
    func fault(of issued: IssuedCertificate) -> CertificateFault? {
        rightsFault(of: issued) ?? placeFault(of: issued)
    }

    /// What other devices have to do with a certificate that its authority had the right to issue.
    private func placeFault(of issued: IssuedCertificate) -> CertificateFault? {
        let certificate = issued.certificate
        if logs[issued.log]?.isBeyondQuota(certificate.device) ?? false { return .quota }
        if let claims = rivalClaims[certificate.link] {
            let first = areRightsKnown ? claims.first : firstClaim(among: claims.devices)
            guard first?.device == certificate.device else { return .linkKey }
        }
        return nil
    }

    /// As `fault(of:)`, without what other devices have to do with it.
    func rightsFault(of issued: IssuedCertificate) -> CertificateFault? {
        rightsFault(of: issued, isOnPath: isOnPath(issued.place), right(of: issued.log))
    }

    private func rightsFault(of issued: IssuedCertificate, isOnPath: Bool, _ right: Right) -> CertificateFault? {
        guard let limits = right.limits else { return .authority }
        guard isOnPath, issued.sequence <= right.upTo else { return .afterLimit }
        return limits.fault(in: issued.certificate.content)
    }

    /// Of devices with one link key: the one whose first certificate has the oldest entry. Everybody finds the same.
    private func firstClaim(among devices: [DeviceID]) -> LinkClaim? {
        devices.compactMap { device in
            deviceRecords[device]?.certificates.filter { rightsFault(of: $0) == nil }.map(LinkClaim.init).min()
        }.min()
    }

    private mutating func findFirstClaim(_ link: AgreementPublicKey) {
        guard let devices = rivalClaims[link]?.devices else { return }
        let first = firstClaim(among: devices)
        rivalClaims[link]?.first = first
    }

    /// Sets a new certificate against the first claim to its link key. While rights are unknown that would be in vain.
    private mutating func weigh(_ issued: IssuedCertificate, _ fault: CertificateFault?) {
        let link = issued.certificate.link
        guard areRightsKnown, let claims = rivalClaims[link] else { return }
        // A key that one device alone had until now has no first claim yet.
        guard claims.devices.count > 2 else { return findFirstClaim(link) }
        let claim = LinkClaim(issued)
        if fault == nil { rivalClaims[link]?.first = min(claim, claims.first ?? claim) }
    }

    // MARK: Asking

    /// The current certificate of a device: of those that grant something the one with the highest serial.
    /// Revocation and time are other questions.
    package func currentCertificate(_ device: DeviceID) -> DeviceCertificate? {
        guard let record = deviceRecords[device] else { return nil }
        return record.certificates.first { fault(of: $0) == nil }?.certificate
    }

    /// The same; where none grants anything here, the one with the highest serial of those that do not. Another log may
    /// say more of it than ours.
    package func latestCertificate(_ device: DeviceID) -> DeviceCertificate? {
        currentCertificate(device) ?? deviceRecords[device]?.certificates.first?.certificate
    }

    /// Whether an accepted entry gives a device a certificate, whatever that is worth.
    package func names(_ device: DeviceID) -> Bool { deviceRecords[device] != nil }

    func issued(_ certificate: CertificateHash) -> IssuedCertificate? {
        guard let device = holders[certificate], let record = deviceRecords[device] else { return nil }
        var found: IssuedCertificate?
        for issued in record.certificates where issued.certificate.hash == certificate {
            // Of several places the one that counts.
            guard found != nil else {
                found = issued
                continue
            }
            if let first = found, rightsFault(of: first) != nil { found = issued }
        }
        return found
    }

    /// Where the entry stands that issued a device's certificate; its bytes are in that entry's payload.
    package func place(of certificate: CertificateHash, of device: DeviceID) -> (log: LogID, sequence: UInt64)? {
        guard holders[certificate] == device, let issued = issued(certificate) else { return nil }
        return (log: issued.log, sequence: issued.sequence)
    }

    /// A logged certificate, a device's or an authority's, as WANT_CERT asks for it.
    package func certificate(_ hash: CertificateHash) -> Signed? {
        if let issued = issued(hash) { return issued.certificate.signed }
        for log in logs.values {
            if let grant = log.grants.first(where: { $0.certificate.hash == hash }) { return grant.certificate.signed }
        }
        return nil
    }

    /// Devices that some certificate gives to a subject, in any order.
    func devices(of subject: SubjectID) -> [DeviceID] {
        deviceRecords.filter { $0.value.certificates.contains { $0.certificate.subject == subject } }.map(\.key)
    }

    /// How many devices have or had a certificate.
    package var enrolledCount: Int { deviceRecords.count }

    /// All devices with a current certificate, revoked ones too, in the order of their ids.
    package var devices: [DeviceID] { deviceRecords.keys.filter { currentCertificate($0) != nil }.sorted() }

    /// Devices whose current certificate has exactly this label, in the order of their ids.
    package func devices(labelled label: String) -> [DeviceID] {
        deviceRecords.keys.filter { currentCertificate($0)?.label == label }.sorted()
    }

    package func isRevoked(_ device: DeviceID) -> Bool { noteBook.revocations[device] != nil }

    package func revocation(of device: DeviceID) -> Revocation? { noteBook.revocations[device] }

    package func isSuspended(_ device: DeviceID, at time: TimeView) -> Bool {
        isSuspendedByMembers(device, at: time.now) || suspendedByOfficers(device, at: time) != nil
    }

    /// When a suspension ends as things stand, whoever asks for it; nil while there is none.
    package func suspendedUntil(_ device: DeviceID, at time: TimeView) -> Minute? {
        [memberSuspension(of: device, at: time.now)?.suspendedUntil, suspendedByOfficers(device, at: time)]
            .compactMap { $0 }.max()
    }

    /// By single-key notes beyond the quota.
    private func suspendedByOfficers(_ device: DeviceID, at time: TimeView) -> Minute? {
        noteBook.suspensions[device]?.last {
            time.now >= $0.adding(-DeviceCertificate.Grace.trusted) && time.now < $0.adding(Bounds.suspension)
        }?.adding(Bounds.suspension)
    }

    /// Whether a device may be linked to, mailed to and believed at this time.
    package func isMember(_ device: DeviceID, at time: TimeView) -> Bool {
        guard let certificate = currentCertificate(device) else { return false }
        return certificate.timeFault(at: time) == nil && !isRevoked(device) && !isSuspended(device, at: time)
    }

    package var policy: Policy? {
        // Numbers ascend; a lower one changes nothing.
        policies.filter { counts($0.place) }.map(\.policy).max { $0.number < $1.number }
    }

    package subscript(policy key: Policy.Key) -> UInt32 { policy?[key] ?? key.standard }

    /// The head of every log that has one, ascending by log. A forked log stands where it is frozen.
    package var heads: [CoveredRow] {
        logs.keys.sorted().compactMap { id in
            guard let log = logs[id] else { return nil }
            let sequence = min(log.tree.frozenAt ?? .max, UInt64(log.ids.count))
            return log.id(at: sequence).map { CoveredRow(log: id, sequence: sequence, id: $0) }
        }
    }

    /// Of them those that a new epoch or Checkpoint names: of logs that grant something, or revoke an authority, and the
    /// releases. Anybody with the keys of an authority may open any number of others, which are worth no row.
    package var coveredHeads: [CoveredRow] {
        let revoking = Set(countingRevocations.map(\.place.log))
        return heads.filter {
            $0.log == releaseLog || revoking.contains($0.log) || limits(of: $0.log) != nil
        }
    }

    package var headsDigest: HeadsDigest { CoveredRow.digest(heads) }

    /// Ids by sequence, the first at index 0, beyond a freeze too.
    package func entryIDs(of log: LogID) -> [EntryID] { logs[log]?.ids ?? [] }

    /// On whichever branch.
    package func holds(_ row: CoveredRow) -> Bool { logs[row.log]?.tree.holds(row.id, at: row.sequence) ?? false }

    /// With all entries of its log before it.
    func holdsWhole(_ row: CoveredRow) -> Bool {
        logs[row.log]?.tree.ancestor(at: 1, of: row.id, at: row.sequence) != nil
    }

    /// Accepted entries of all logs, branches aside.
    package var count: Int { logs.values.reduce(0) { $0 + $1.ids.count } }

    /// Whether some log was ever more than a chain of entries.
    package var isContested: Bool { logs.values.contains { $0.tree.isContested } }

    package func isContested(_ log: LogID) -> Bool { logs[log]?.tree.isContested ?? false }

    /// Logs of which entries beside the path are held.
    package var contestedLogs: [LogID] { logs.keys.filter { logs[$0]?.tree.beside.isEmpty == false }.sorted() }

    /// What a log holds beside its path, ascending.
    package func entries(beside log: LogID) -> [(sequence: UInt64, id: EntryID)] {
        guard let beside = logs[log]?.tree.beside else { return [] }
        return beside.values.joined().map { ($0.sequence, $0.id) }.sorted { $0 < $1 }
    }

    /// The last sequence of a log, not beyond a head of it, whose entry was made at a time or before; 0 when none was.
    package func lastSequence(of head: CoveredRow, upTo time: Minute) -> UInt64 {
        logs[head.log]?.tree.lastSequence(upTo: time, within: head.sequence) ?? 0
    }

    /// When an entry was made, as far as it is held.
    package func time(of entry: EntryID, at sequence: UInt64, in log: LogID) -> Minute? {
        logs[log]?.tree.node(entry, at: sequence)?.time
    }

    package var forks: [ForkProof] {
        logs.keys.sorted().flatMap { id -> [ForkProof] in
            let rivals = logs[id]?.tree.rivals() ?? []
            return rivals.map { ForkProof(log: id, sequence: $0.sequence, entries: $0.entries) }
        }
    }

    /// The time of the newest Checkpoint or EpochAnnounce. One dated too far ahead does not count.
    package func authorityHeard(at time: TimeView) -> Minute? {
        let latest = time.now.adding(MeshClock.Bounds.entryAhead)
        return marks.filter { mark in
            mark.time <= latest && counts(mark.place) && limits(of: mark.place.log) != nil
        }.map(\.time).max()
    }

    /// Age of the newest Checkpoint or EpochAnnounce against the policy.
    package func staleness(at time: TimeView) -> Staleness {
        guard let newest = authorityHeard(at: time) else { return .stranded }
        let age = Int64(time.now.value) - Int64(newest.value)
        if age <= Int64(self[policy: .freshDays]) * 1440 { return .fresh }
        return age <= Int64(self[policy: .staleDays]) * 1440 ? .stale : .stranded
    }

    /// Entries of a log that are held as something before them is missing; of some nobody known is known to have signed.
    func waiting(in log: LogID) -> [LogEntry] {
        (logs[log]?.orphans.values.joined().map(\.entry) ?? []) + strays.filter { $0.log == log }
    }
}

/// A logged certificate, and where.
struct IssuedCertificate: Sendable {
    let certificate: DeviceCertificate
    let sequence: UInt64
    let entry: EntryID
    let time: Minute

    /// The log of its issuer: only there it is recorded.
    var log: LogID { certificate.issuer }
    var place: EntryPlace { EntryPlace(log: log, sequence: sequence, entry: entry) }
}

/// Where a device claimed its link key: of several devices the smallest claim counts.
struct LinkClaim: Comparable, Sendable {
    let time: Minute
    let log: LogID
    let sequence: UInt64
    let device: DeviceID

    init(_ issued: IssuedCertificate) {
        time = issued.time
        log = issued.log
        sequence = issued.sequence
        device = issued.certificate.device
    }

    static func < (left: LinkClaim, right: LinkClaim) -> Bool {
        (left.time, left.log, left.sequence, left.device) < (right.time, right.log, right.sequence, right.device)
    }
}

/// Devices that claim one link key.
struct RivalClaims: Sendable {
    /// In the order of acceptance.
    var devices: [DeviceID]
    /// Of certificates that their authorities had the right to issue, as far as rights are known.
    var first: LinkClaim?

    init(_ first: DeviceID) { devices = [first] }
}

/// All that was issued to a device, the highest serial first.
struct DeviceRecord: Sendable {
    private(set) var certificates: [IssuedCertificate]

    init(_ first: IssuedCertificate) { certificates = [first] }

    /// False when it is here already. Of two with one serial the smaller hash goes first, whichever came first. One that
    /// two branches issue is here twice: either branch may come to count.
    mutating func insert(_ issued: IssuedCertificate) -> Bool {
        let new = issued.certificate
        guard !certificates.contains(where: { $0.certificate.hash == new.hash && $0.place == issued.place }) else {
            return false
        }
        let at = certificates.firstIndex {
            ($0.certificate.serial, new.hash, issued.place.entry)
                < (new.serial, $0.certificate.hash, $0.place.entry)
        }
        certificates.insert(issued, at: at ?? certificates.count)
        return true
    }
}

/// An AuthorityRevoke, and where.
struct PlacedRevocation: Sendable {
    let place: EntryPlace
    let revocation: AuthorityRevocation
}
