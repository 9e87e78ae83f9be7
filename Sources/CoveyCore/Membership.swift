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
        /// Entries kept of the branches of one forked log.
        package static let branchEntries = 256
        /// Notes held because device or signer is unknown.
        package static let heldNotes = 256
        /// Single-key notes kept of one key: the first by (note_no, hash).
        package static let singleNotes = 256
        /// Notes kept that a device signed about itself: the first by hash.
        package static let ownNotes = 4
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
    }

    package let genesis: Genesis

    var logs: [LogID: AuthorityLog]
    var deviceRecords: [DeviceID: DeviceRecord] = [:]
    private var holders: [CertificateHash: DeviceID] = [:]
    /// Devices that some certificate gives to a subject, in the order of acceptance.
    private var subjectDevices: [SubjectID: [DeviceID]] = [:]
    /// Devices that claim a link key, in the order of acceptance; nearly always one.
    var linkClaims: [AgreementPublicKey: [DeviceID]] = [:]
    var policies: [(sequence: UInt64, policy: Policy)] = []
    var authorityRevocations: [PlacedRevocation] = []
    /// Entries of logs that no accepted AuthorityAdd names.
    private var strays: [LogEntry] = []
    var noteBook = NoteBook()
    var suspendBook = SuspendBook()
    /// Devices by the hint of their signing key.
    private(set) var signersByHint: [KeyHint: [DeviceID]] = [:]
    var epochBook = EpochBook()
    /// Times of Checkpoints and EpochAnnounces, by their place.
    private var marks: [(log: LogID, sequence: UInt64, time: Minute)] = []
    private var entryCount = 0
    /// How many entries and notes were ever put aside, as something before them was missing.
    package internal(set) var putAside = 0

    /// `genesis` is verified by whoever pins it.
    package init(genesis: Genesis) {
        self.genesis = genesis
        logs = [genesis.rootID: AuthorityLog(keyset: genesis.root, depth: 0)]
    }

    package var mesh: MeshID { genesis.meshID }

    // MARK: Taking entries

    /// Takes an entry from a peer or a file.
    package mutating func accept(_ signed: Signed) throws(EntryRefusal) -> EntryOutcome {
        try accept(parse(signed), isVerified: false)
    }

    /// Takes an entry back that was accepted here before, in the same order: its signatures are not verified again.
    package mutating func restore(_ signed: Signed) throws(EntryRefusal) -> EntryOutcome {
        try accept(parse(signed), isVerified: true)
    }

    private func parse(_ signed: Signed) throws(EntryRefusal) -> LogEntry {
        do { return try LogEntry(parsing: signed, mesh: mesh) } catch { throw .malformed(error) }
    }

    private enum Placement { case taken, known, held }

    private mutating func accept(_ entry: LogEntry, isVerified: Bool) throws(EntryRefusal) -> EntryOutcome {
        var intake = EntryIntake()
        var effects = Effects()
        switch try take(entry, isVerified: isVerified, into: &intake, &effects) {
        case .known: return .known
        case .held: return .held
        case .taken: break
        }
        // Entries that waited for this one, and for those.
        var next = 0
        while next < intake.entries.count {
            let taken = intake.entries[next]
            next += 1
            for (follower, isVerified) in followers(of: taken) {
                do { _ = try take(follower, isVerified: isVerified, into: &intake, &effects) } catch {
                    intake.dropped.append(error)
                }
            }
        }
        settle(effects, &intake)
        return .accepted(intake)
    }

    private mutating func followers(of entry: LogEntry) -> [(LogEntry, isVerified: Bool)] {
        var found: [(LogEntry, isVerified: Bool)] = []
        if !(logs[entry.log]?.orphans.isEmpty ?? true),
            let orphans = logs[entry.log]?.orphans.removeValue(forKey: entry.sequence + 1)
        {
            logs[entry.log]?.orphanCount -= orphans.count
            found += orphans.map { ($0, isVerified: true) }
        }
        if case .authorityAdd(let certificate) = entry.payload, logs[certificate.authority] != nil {
            let theirs = strays.filter { $0.log == certificate.authority }.sorted { $0.sequence < $1.sequence }
            strays.removeAll { $0.log == certificate.authority }
            found += theirs.map { ($0, isVerified: false) }
        }
        return found
    }

    private mutating func take(
        _ entry: LogEntry, isVerified: Bool, into intake: inout EntryIntake, _ effects: inout Effects
    ) throws(EntryRefusal) -> Placement {
        let way = try way(for: entry)
        switch way {
        case .known: return .known
        case .held: return .held
        case .stray: return holdStray(entry)
        case .orphan, .main, .branch, .fork: try verify(entry, isVerified)
        }
        switch way {
        case .known, .held, .stray: break
        case .orphan: return try holdOrphan(entry)
        case .main: appendMain(entry, &intake, &effects)
        case .branch: appendBranch(entry, isFork: false, &intake, &effects)
        case .fork: appendBranch(entry, isFork: true, &intake, &effects)
        }
        return .taken
    }

    private enum Way { case known, held, stray, orphan, main, branch, fork }

    /// Where an entry belongs, before its signatures are looked at.
    private func way(for entry: LogEntry) throws(EntryRefusal) -> Way {
        guard let log = logs[entry.log] else { return .stray }
        if log.id(at: entry.sequence) == entry.id || log.hasBranch(entry.id, at: entry.sequence) { return .known }
        switch entry.payload {
        case .authorityRotate, .recoverFork: throw .notYetSupported(entry.payload.kind)
        case .policySet, .authorityAdd, .authorityRevoke, .certIssue, .certRevoke, .epochAnnounce, .checkpoint,
            .groupDefinition, .releaseManifest:
            break
        }
        let next = UInt64(log.ids.count) + 1
        if entry.sequence > next {
            let isHeld = log.orphans[entry.sequence]?.contains { $0.id == entry.id } ?? false
            return isHeld ? .held : .orphan
        }
        if entry.sequence == next, follows(entry, log) {
            try checkMain(entry, log)
            return .main
        }
        guard entry.sequence < next || log.hasBranch(entry.previous, at: entry.sequence - 1) else {
            throw .wrongPrevious
        }
        guard log.branchCount < Bounds.branchEntries else { throw .tooManyBranches }
        return entry.sequence < next ? .fork : .branch
    }

    private func verify(_ entry: LogEntry, _ isVerified: Bool) throws(EntryRefusal) {
        if isVerified { return }
        guard let keyset = logs[entry.log]?.keyset, keyset.approves(entry.signed, as: .logEntry, in: mesh) else {
            throw .signatures
        }
    }

    private func follows(_ entry: LogEntry, _ log: AuthorityLog) -> Bool {
        if let last = log.ids.last { return entry.previous == last }
        if entry.log == genesis.rootID { return entry.previous == LogEntry.anchor(of: mesh) }
        return log.grants.contains { $0.entry == entry.previous }
    }

    private func checkMain(_ entry: LogEntry, _ log: AuthorityLog) throws(EntryRefusal) {
        guard entry.time >= log.lastTime else { throw .timeDecreases }
        if case .policySet(let policy) = entry.payload {
            guard entry.log == genesis.rootID else { throw .policy }
            guard !policies.isEmpty || policy.hash == genesis.policyHash else { throw .policy }
        }
    }

    private mutating func holdStray(_ entry: LogEntry) -> Placement {
        if strays.contains(where: { $0.id == entry.id }) { return .held }
        // Nobody signed for these yet: the newest push out the oldest, so that a flood cannot shut the door for long.
        if strays.count >= Bounds.orphans { strays.removeFirst() }
        strays.append(entry)
        putAside += 1
        return .held
    }

    private mutating func holdOrphan(_ entry: LogEntry) throws(EntryRefusal) -> Placement {
        guard let log = logs[entry.log] else { return .held }
        if log.orphanCount >= Bounds.orphans {
            // Those nearest to the gap are worth most.
            guard let last = log.orphans.keys.max(), entry.sequence < last, let dropped = log.orphans[last] else {
                throw .tooManyHeld
            }
            logs[entry.log]?.orphans[last] = nil
            logs[entry.log]?.orphanCount -= dropped.count
        }
        logs[entry.log]?.orphans[entry.sequence, default: []].append(entry)
        logs[entry.log]?.orphanCount += 1
        putAside += 1
        return .held
    }

    // MARK: Facts of an entry

    /// What has to be looked at again once all entries of an intake are in.
    private struct Effects {
        /// Rights of some authority changed: every decision about notes and quotas may have.
        var rights = false
        var devices: [DeviceID] = []
        var officers = false
        var authorities: [AuthorityID] = []
        var verdicts: [NoteHash] = []
    }

    private mutating func appendMain(_ entry: LogEntry, _ intake: inout EntryIntake, _ effects: inout Effects) {
        if entry.sequence == 1, entry.log != genesis.rootID {
            let parent = logs[entry.log]?.grants.first { $0.entry == entry.previous }?.log
            logs[entry.log]?.parent = parent
            if let parent, let depth = logs[parent]?.depth { logs[entry.log]?.depth = depth + 1 }
            effects.rights = true
        }
        logs[entry.log]?.append(entry)
        entryCount += 1
        intake.entries.append(entry)
        let log = entry.log
        switch entry.payload {
        case .policySet(let policy):
            if policies.isEmpty || policy.number > policies[policies.count - 1].policy.number {
                policies.append((entry.sequence, policy))
                intake.changes.append(.policy(number: policy.number))
            }
        case .authorityAdd(let certificate): add(certificate, entry, &intake, &effects)
        case .authorityRevoke(let revocation): revoke(revocation, entry, isMain: true, &intake, &effects)
        case .certIssue(let certificates):
            for certificate in certificates { issue(certificate, entry, &intake, &effects) }
        case .certRevoke(let verdicts):
            for verdict in verdicts {
                noteBook.add(verdict, log: log, sequence: entry.sequence, isMain: true)
                effects.verdicts.append(verdict.note)
            }
        case .epochAnnounce(let announcement):
            epochBook.add(Epoch(entry: entry, announcement: announcement))
            marks.append((log, entry.sequence, entry.time))
            intake.changes.append(.epoch(entry.id))
        case .checkpoint(let checkpoint):
            for row in checkpoint.children where row.log != log {
                logs[row.log]?.checkpointed.append((entry.sequence, row))
                if logs[row.log]?.forkedAt != nil { effects.rights = true }
            }
            marks.append((log, entry.sequence, entry.time))
            logs[log]?.record(
                PlacedCheckpoint(log: log, sequence: entry.sequence, time: entry.time, checkpoint: checkpoint))
            intake.changes.append(.checkpoint(log))
        case .groupDefinition(let group): intake.changes.append(.group(group.group))
        case .releaseManifest: break
        case .authorityRotate, .recoverFork: preconditionFailure("unsupported kinds are refused before they are taken")
        }
    }

    /// Only what revokes counts on a branch: revoking is safe whichever branch will win.
    private mutating func appendBranch(
        _ entry: LogEntry, isFork: Bool, _ intake: inout EntryIntake, _ effects: inout Effects
    ) {
        logs[entry.log]?.branches[entry.sequence, default: []].append(entry.id)
        logs[entry.log]?.branchCount += 1
        if isFork {
            let forkedAt = min(logs[entry.log]?.forkedAt ?? .max, entry.sequence)
            logs[entry.log]?.forkedAt = forkedAt
            effects.rights = true
            intake.changes.append(.frozen(entry.log, upTo: grantLimit(of: entry.log)))
        }
        intake.entries.append(entry)
        switch entry.payload {
        case .authorityRevoke(let revocation): revoke(revocation, entry, isMain: false, &intake, &effects)
        case .certRevoke(let verdicts):
            for verdict in verdicts where verdict.decision == .confirmed {
                noteBook.add(verdict, log: entry.log, sequence: entry.sequence, isMain: false)
                effects.verdicts.append(verdict.note)
            }
        case .policySet, .authorityAdd, .authorityRotate, .certIssue, .epochAnnounce, .checkpoint,
            .groupDefinition, .releaseManifest, .recoverFork:
            break
        }
    }

    private mutating func add(
        _ certificate: AuthorityCertificate, _ entry: LogEntry, _ intake: inout EntryIntake, _ effects: inout Effects
    ) {
        func void(_ fault: CertificateFault) { intake.changes.append(.void(certificate.hash, fault)) }
        guard let (keyset, depth) = logs[entry.log].map({ ($0.keyset, $0.depth) }), certificate.parent == entry.log,
            certificate.authority == certificate.keyset.authorityID, certificate.authority != genesis.rootID,
            keyset.approves(certificate.signed, as: .authorityCertificate, in: mesh)
        else { return void(.issuer) }
        guard depth < Int(AuthorityLimits.root.depthLeft) else { return void(.depth) }
        if let known = logs[certificate.authority] {
            guard known.keyset == certificate.keyset else { return void(.issuer) }
        } else {
            logs[certificate.authority] = AuthorityLog(keyset: certificate.keyset, depth: depth + 1)
            effects.authorities.append(certificate.authority)
        }
        logs[certificate.authority]?.grants.append(
            AuthorityGrant(
                entry: entry.id, log: entry.log, sequence: entry.sequence, certificate: certificate))
        effects.rights = true
        intake.changes.append(.authority(certificate.authority))
    }

    private mutating func revoke(
        _ revocation: AuthorityRevocation, _ entry: LogEntry, isMain: Bool, _ intake: inout EntryIntake,
        _ effects: inout Effects
    ) {
        authorityRevocations.append(
            PlacedRevocation(log: entry.log, sequence: entry.sequence, isMain: isMain, revocation: revocation))
        effects.rights = true
        intake.changes.append(.authorityRevoked(revocation.authority))
    }

    private mutating func issue(
        _ certificate: DeviceCertificate, _ entry: LogEntry, _ intake: inout EntryIntake, _ effects: inout Effects
    ) {
        func void(_ fault: CertificateFault) { intake.changes.append(.void(certificate.hash, fault)) }
        if let fault = formFault(of: certificate, in: entry) { return void(fault) }
        let device = certificate.device
        let issued = IssuedCertificate(
            certificate: certificate, log: entry.log, sequence: entry.sequence, time: entry.time)
        if deviceRecords[device] != nil {
            guard deviceRecords[device]?.insert(issued) ?? false else { return }
        } else {
            deviceRecords[device] = DeviceRecord(issued)
            signersByHint[KeyHint(of: certificate.signing), default: []].append(device)
            linkClaims[certificate.link, default: []].append(device)
        }
        holders[certificate.hash] = device
        if !devices(of: certificate.subject).contains(device) {
            subjectDevices[certificate.subject, default: []].append(device)
        }
        logs[entry.log]?.record(
            Issue(
                device: device, certificate: certificate.hash, sequence: entry.sequence, time: entry.time,
                notAfter: certificate.notAfter), serial: certificate.serial)
        effects.devices.append(device)
        if certificate.capabilities.contains(.wipeOfficer) { effects.officers = true }
        let rights = rightsFault(of: issued)
        if rights == nil { count(issued) }
        if let fault = rights ?? placeFault(of: issued) {
            void(fault)
        } else {
            intake.changes.append(.issued(device, certificate.hash))
        }
    }

    /// What is wrong with a certificate whatever else is in the log but its device's first one; then it is not recorded.
    func formFault(of certificate: DeviceCertificate, in entry: LogEntry) -> CertificateFault? {
        guard let keyset = logs[entry.log]?.keyset, certificate.issuer == entry.log else { return .issuer }
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
        guard let log = logs[entry.log], log.orphans.isEmpty, let way = try? way(for: entry), case .main = way else {
            return false
        }
        switch entry.payload {
        case .policySet, .certRevoke, .epochAnnounce, .checkpoint, .groupDefinition, .releaseManifest: return true
        case .authorityAdd, .authorityRotate, .authorityRevoke, .recoverFork: return false
        case .certIssue(let certificates):
            guard let limits = limits(of: entry.log) else { return false }
            for (index, certificate) in certificates.enumerated() {
                let issued = IssuedCertificate(
                    certificate: certificate, log: entry.log, sequence: entry.sequence, time: entry.time)
                let others = certificates[..<index]
                guard formFault(of: certificate, in: entry) == nil, rightsFault(of: issued) == nil,
                    linkClaims[certificate.link, default: []].allSatisfy({ $0 == certificate.device }),
                    !others.contains(where: { $0.device == certificate.device || $0.link == certificate.link })
                else { return false }
            }
            return log.quota.hasRoom(for: certificates.map(\.device), most: limits.mostDevices)
        }
    }

    /// Takes the last issue of a log, which its authority had the right to, into its quota.
    private mutating func count(_ issued: IssuedCertificate) {
        guard let most = limits(of: issued.log)?.mostDevices, most != .max, let issue = logs[issued.log]?.issues.last,
            noteBook.revocations[issue.device] == nil
        else { return }
        logs[issued.log]?.quota.take(issue, most: most)
        let isOver = logs[issued.log]?.quota.over.contains(issue.device) ?? false
        if isOver, logs[issued.log]?.hasStaleQuota ?? false { recount(issued.log) }
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
            case .policy, .authority, .authorityRevoked, .frozen, .issued, .void, .epoch, .checkpoint, .group: continue
            }
            for issued in deviceRecords[device]?.certificates ?? [] {
                // Where everybody fits, one device fewer can wait until somebody does not.
                if isRevoked, logs[issued.log]?.quota.over.isEmpty ?? true {
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
        var walk = QuotaWalk()
        if log.issues.count > most {
            for issue in log.issues where noteBook.revocations[issue.device] == nil {
                if let issued = issued(issue.certificate), rightsFault(of: issued) == nil {
                    walk.take(issue, most: most)
                }
            }
        } else {
            for issue in log.issues { walk.take(issue, most: most) }
        }
        logs[id]?.quota = walk
        logs[id]?.hasStaleQuota = log.issues.count <= most
    }

    /// Brings everything derived up to date with the facts of an intake.
    private mutating func settle(_ effects: Effects, _ intake: inout EntryIntake) {
        var accepted: [RevokeNote] = []
        if noteBook.isHolding {
            for device in effects.devices { accepted += release(.device(device)) }
            for authority in effects.authorities { accepted += release(.authority(authority)) }
            if effects.officers { accepted += release(.officers) }
        }
        intake.notes += accepted
        var devices = effects.devices
        if effects.rights || effects.officers {
            devices = noteBook.devices
        } else {
            for note in effects.verdicts { devices += noteBook.devicesTouched(by: note) }
            for note in accepted { devices += noteBook.devicesTouched(by: note.hash) }
        }
        let changes = refresh(devices)
        intake.changes += changes
        if effects.rights {
            for id in logs.keys { recount(id) }
        } else {
            recount(after: changes)
        }
        settleSuspends(after: effects.verdicts, isNewDevice: !effects.devices.isEmpty, &intake)
        resolveEpochs()
    }

    /// What the next entry of a log names as its predecessor; nil when no AuthorityAdd names the authority.
    func anchor(of log: LogID) -> EntryID? {
        guard let state = logs[log] else { return nil }
        if let last = state.ids.last { return last }
        return log == genesis.rootID ? LogEntry.anchor(of: mesh) : state.grants.first?.entry
    }

    // MARK: Rights

    /// The last sequence of a log at which grants count.
    package func grantLimit(of log: LogID) -> UInt64 {
        guard let state = logs[log] else { return 0 }
        var limit = UInt64.max
        if state.forkedAt != nil { limit = frozenHead(of: state) }
        for placed in authorityRevocations {
            limit = min(limit, self.limit(of: log, by: placed) ?? limit)
        }
        return limit
    }

    /// Up to where a revocation lets the grants of a log count; nil when it says nothing of that log.
    func limit(of log: LogID, by placed: PlacedRevocation) -> UInt64? {
        let target = placed.revocation.authority
        guard log == target || isAbove(target, log), isAbove(placed.log, target) else { return nil }
        if let row = placed.revocation.lastGood.first(where: { $0.log == log }) { return row.sequence }
        return log == target ? 0 : nil
    }

    /// Where a forked log is frozen: before the fork, or at the head that its parent's newest Checkpoint names.
    private func frozenHead(of log: AuthorityLog) -> UInt64 {
        guard let forkedAt = log.forkedAt else { return UInt64(log.ids.count) }
        guard let parent = log.parent else { return forkedAt - 1 }
        let limit = grantLimit(of: parent)
        guard let newest = log.checkpointed.last(where: { $0.sequence <= limit })?.row,
            log.id(at: newest.sequence) == newest.id
        else { return forkedAt - 1 }
        return max(forkedAt - 1, newest.sequence)
    }

    /// Whether `authority` is a parent, or a parent's parent, of `other`.
    func isAbove(_ authority: AuthorityID, _ other: AuthorityID) -> Bool {
        var at = other
        while let parent = logs[at]?.parent {
            if parent == authority { return true }
            at = parent
        }
        return false
    }

    /// What an authority may grant now; nil when it is unknown, or has no right itself.
    package func limits(of authority: AuthorityID) -> AuthorityLimits? {
        currentGrant(of: authority).map { $0.limits }
    }

    /// The certificate under which an authority acts; nil for the root and for one without right.
    package func authority(_ id: AuthorityID) -> AuthorityCertificate? { currentGrant(of: id)?.certificate }

    private func currentGrant(
        of authority: AuthorityID
    ) -> (limits: AuthorityLimits, certificate: AuthorityCertificate?)? {
        if authority == genesis.rootID { return (.root, nil) }
        guard let log = logs[authority], let parent = log.parent ?? log.grants.first?.log,
            let above = limits(of: parent)
        else { return nil }
        let limit = grantLimit(of: parent)
        var best: AuthorityCertificate?
        for grant in log.grants where grant.log == parent && grant.sequence <= limit {
            guard above.fault(in: grant.certificate.content) == nil else { continue }
            let serial = grant.certificate.content.serial
            if let found = best, (found.content.serial, grant.certificate.hash) >= (serial, found.hash) { continue }
            best = grant.certificate
        }
        return best.map { (AuthorityLimits($0.content), $0) }
    }

    /// Why a logged certificate grants nothing; nil when it does.
    func fault(of issued: IssuedCertificate) -> CertificateFault? {
        rightsFault(of: issued) ?? placeFault(of: issued)
    }

    /// What other devices have to do with a certificate that its authority had the right to issue.
    private func placeFault(of issued: IssuedCertificate) -> CertificateFault? {
        let certificate = issued.certificate
        if logs[issued.log]?.quota.over.contains(certificate.device) ?? false { return .quota }
        if let claims = linkClaims[certificate.link], claims.count > 1, firstClaim(claims) != certificate.device {
            return .linkKey
        }
        return nil
    }

    /// As `fault(of:)`, without what other devices have to do with it.
    func rightsFault(of issued: IssuedCertificate) -> CertificateFault? {
        guard let limits = limits(of: issued.log) else { return .authority }
        guard issued.sequence <= grantLimit(of: issued.log) else { return .afterLimit }
        return limits.fault(in: issued.certificate.content)
    }

    /// Of devices with one link key: the one whose first certificate has the oldest entry. Everybody finds the same.
    private func firstClaim(_ devices: [DeviceID]) -> DeviceID? {
        let claims = devices.compactMap { device in
            deviceRecords[device]?.certificates.filter { rightsFault(of: $0) == nil }
                .map { (time: $0.time, log: $0.log, sequence: $0.sequence, device: device) }
                .min { ($0.time, $0.log, $0.sequence) < ($1.time, $1.log, $1.sequence) }
        }
        return claims.min { ($0.time, $0.log, $0.sequence, $0.device) < ($1.time, $1.log, $1.sequence, $1.device) }?
            .device
    }

    // MARK: Asking

    /// The current certificate of a device: of those that grant something the one with the highest serial.
    /// Revocation and time are other questions.
    package func currentCertificate(_ device: DeviceID) -> DeviceCertificate? {
        guard let record = deviceRecords[device] else { return nil }
        return record.certificates.first { fault(of: $0) == nil }?.certificate
    }

    func issued(_ certificate: CertificateHash) -> IssuedCertificate? {
        guard let device = holders[certificate] else { return nil }
        return deviceRecords[device]?.certificates.first { $0.certificate.hash == certificate }
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

    /// Devices that some certificate gives to a subject, the oldest first.
    func devices(of subject: SubjectID) -> [DeviceID] { subjectDevices[subject] ?? [] }

    /// All devices with a current certificate, revoked ones too, in the order of their ids.
    package var devices: [DeviceID] { deviceRecords.keys.filter { currentCertificate($0) != nil }.sorted() }

    /// Devices whose current certificate has exactly this label, in the order of their ids.
    package func devices(labelled label: String) -> [DeviceID] {
        deviceRecords.keys.filter { currentCertificate($0)?.label == label }.sorted()
    }

    package func isRevoked(_ device: DeviceID) -> Bool { noteBook.revocations[device] != nil }

    package func revocation(of device: DeviceID) -> Revocation? { noteBook.revocations[device] }

    package func isSuspended(_ device: DeviceID, at time: TimeView) -> Bool {
        if isSuspendedByMembers(device, at: time.now) { return true }
        guard let issued = noteBook.suspensions[device] else { return false }
        return issued.contains {
            time.now >= $0.adding(-DeviceCertificate.Grace.trusted) && time.now < $0.adding(Bounds.suspension)
        }
    }

    /// Whether a device may be linked to, mailed to and believed at this time.
    package func isMember(_ device: DeviceID, at time: TimeView) -> Bool {
        guard let certificate = currentCertificate(device) else { return false }
        return certificate.timeFault(at: time) == nil && !isRevoked(device) && !isSuspended(device, at: time)
    }

    package var policy: Policy? {
        let limit = grantLimit(of: genesis.rootID)
        return policies.last { $0.sequence <= limit }?.policy
    }

    package subscript(policy key: Policy.Key) -> UInt32 { policy?[key] ?? key.standard }

    /// The head of every log that has one, ascending by log. A forked log stands where it is frozen, so that nodes which
    /// met the branches in another order agree.
    package var heads: [CoveredRow] {
        logs.keys.sorted().compactMap { id in
            guard let log = logs[id] else { return nil }
            let sequence = min(frozenHead(of: log), UInt64(log.ids.count))
            return log.id(at: sequence).map { CoveredRow(log: id, sequence: sequence, id: $0) }
        }
    }

    package var headsDigest: HeadsDigest { CoveredRow.digest(heads) }

    /// Ids by sequence, the first at index 0, beyond a freeze too.
    package func entryIDs(of log: LogID) -> [EntryID] { logs[log]?.ids ?? [] }

    package func holds(_ row: CoveredRow) -> Bool { logs[row.log]?.id(at: row.sequence) == row.id }

    /// Accepted entries of all logs, branches aside.
    package var count: Int { entryCount }

    package var forks: [ForkProof] {
        logs.keys.sorted().flatMap { id -> [ForkProof] in
            guard let log = logs[id] else { return [] }
            return log.branches.keys.sorted().compactMap { sequence in
                guard let main = log.id(at: sequence), let others = log.branches[sequence] else { return nil }
                return ForkProof(log: id, sequence: sequence, entries: [main] + others)
            }
        }
    }

    /// Age of the newest Checkpoint or EpochAnnounce against the policy. One dated too far ahead does not count.
    package func staleness(at time: TimeView) -> Staleness {
        let latest = time.now.adding(MeshClock.Bounds.entryAhead)
        let newest = marks.filter { $0.time <= latest && $0.sequence <= grantLimit(of: $0.log) }.map(\.time).max()
        guard let newest else { return .stranded }
        let age = Int64(time.now.value) - Int64(newest.value)
        if age <= Int64(self[policy: .freshDays]) * 1440 { return .fresh }
        return age <= Int64(self[policy: .staleDays]) * 1440 ? .stale : .stranded
    }

    /// Whether a verified entry that waits for its predecessors issues this certificate (provisional admission, §1.7).
    func isProvisional(_ certificate: CertificateHash, of log: LogID) -> Bool {
        guard let orphans = logs[log]?.orphans else { return false }
        return orphans.values.joined().contains {
            guard case .certIssue(let certificates) = $0.payload else { return false }
            return certificates.contains { $0.hash == certificate }
        }
    }
}

/// A logged certificate, and where.
struct IssuedCertificate: Sendable {
    let certificate: DeviceCertificate
    let log: LogID
    let sequence: UInt64
    let time: Minute
}

/// All that was issued to a device, the highest serial first.
struct DeviceRecord: Sendable {
    private(set) var certificates: [IssuedCertificate]

    init(_ first: IssuedCertificate) { certificates = [first] }

    /// False when it is here already. Of two with one serial the smaller hash goes first, whichever came first.
    mutating func insert(_ issued: IssuedCertificate) -> Bool {
        let new = issued.certificate
        guard !certificates.contains(where: { $0.certificate.hash == new.hash }) else { return false }
        let at = certificates.firstIndex {
            ($0.certificate.serial, new.hash) < (new.serial, $0.certificate.hash)
        }
        certificates.insert(issued, at: at ?? certificates.count)
        return true
    }
}

/// An AuthorityRevoke, and where.
struct PlacedRevocation: Sendable {
    let log: LogID
    let sequence: UInt64
    let isMain: Bool
    let revocation: AuthorityRevocation
}
