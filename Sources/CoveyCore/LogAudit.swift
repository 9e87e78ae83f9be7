import CoveyCrypto

/// A whole log read from nothing by somebody who has no node: every chain, every signature, the certificates' too, and
/// what does not hold (protocol.md §1.7–1.10).
///
/// It goes through the same `Membership` that nodes decide by, and verifies besides what nodes take on the word of the
/// entry that holds it: the certificates' own signatures.
/// What a finding names by position is the object's place in what was given, from 1.
package struct LogAudit: Sendable {
    package enum Fault: Sendable, Equatable {
        /// Not a log entry or a revocation note of this mesh, or not well formed.
        case malformed(Malformed)
        /// A log entry that the rules refuse: signatures, order, times.
        case entry(LogID, sequence: UInt64, EntryRefusal)
        /// A revocation note that the rules refuse.
        case note(NoteHash, NoteRefusal)
        /// Entries are missing, and others wait behind them.
        case gap(LogID, from: UInt64, upTo: UInt64)
        /// Entries of a log whose authority no accepted AuthorityAdd names.
        case unknownAuthority(LogID)
        /// Its device or its signer is in no entry.
        case unknownNote(NoteHash)
        /// A Suspend that the rules refuse; nil when its device or its signer is in no entry.
        case suspend(SuspendHash, SuspendRefusal?)
        /// Of no order that is in the set, or not signed by the device of that order.
        case receipt(NoteHash, of: DeviceID)
        /// Too few of the issuer's keys signed the certificate itself, or a stranger did.
        case certificateSignatures(LogID, sequence: UInt64, CertificateHash)
        /// The entry stands, what it grants does not.
        case void(LogID, sequence: UInt64, Holder, CertificateFault)
        /// Nil when somebody chose: then the first of the entries stands.
        case fork(ForkProof, frozenAt: UInt64?)
        /// Its number is not one more than the highest it covers, or its authority had no right.
        case epoch(LogID, sequence: UInt64, number: UInt32)
        /// The active set has another root or size; or, without them, what it covers is not all there.
        case checkpoint(LogID, sequence: UInt64, found: MerkleHash?)
        /// An entry dated after the day of the audit.
        case time(LogID, sequence: UInt64, Minute)
        /// More live devices than the authority may have.
        case quota(LogID, live: Int, most: Int)
    }

    /// Who was to have something by a certificate.
    package struct Holder: Sendable, Equatable {
        package let holder: Expiry.Holder
        package let label: String
        package let certificate: CertificateHash

        init(_ certificate: DeviceCertificate) {
            holder = .device(certificate.device)
            label = certificate.label
            self.certificate = certificate.hash
        }

        init(_ certificate: AuthorityCertificate) {
            holder = .authority(certificate.authority)
            label = certificate.content.label
            self.certificate = certificate.hash
        }
    }

    /// What somebody said about it: it harms nobody then, and stays in the log for good.
    package enum Decision: Sendable, Equatable {
        /// Which history stands, or that this one is dropped.
        case branch
        case dismissal(Dismissal)
    }

    package struct Finding: Sendable, Equatable {
        /// Nil: of the log as a whole.
        package let position: Int?
        package let fault: Fault
        package let decision: Decision?

        package var isSettled: Bool { decision != nil }
    }

    /// One chain, as far as it is held.
    package struct Chain: Sendable, Equatable {
        package let log: LogID
        /// Whether it is the log of the release keys.
        package let isReleases: Bool
        /// Nil for the root and for releases.
        package let certificate: AuthorityCertificate?
        package let head: CoveredRow
        /// Devices whose current certificate was issued here, not revoked and not expired.
        package let live: Int
        package let mostDevices: Int?
        /// The last sequence at which it grants; nil without limit.
        package let grantsUpTo: UInt64?
    }

    package struct RevokedDevice: Sendable, Equatable {
        package let device: DeviceID
        package let label: String
        package let revocation: Revocation
    }

    /// A member asks that a device be kept out. One that was over before its authority wrote last is not among them.
    package struct AskedSuspension: Sendable, Equatable {
        package let device: DeviceID
        package let label: String
        package let signer: DeviceID
        package let signerLabel: String
        package let issued: Minute
        package let until: Minute
        /// An authority has lifted it.
        package let isLifted: Bool
    }

    /// An order to a device to lock or erase itself.
    package struct Order: Sendable, Equatable {
        package let note: NoteHash
        package let device: DeviceID
        package let label: String
        package let mode: WipeOrder.Mode
        package let issued: Minute
        package let expires: Minute
        /// When the device says that it took it; nil without a receipt.
        package let done: Minute?
    }

    package private(set) var findings: [Finding] = []
    package private(set) var chains: [Chain] = []
    package private(set) var revoked: [RevokedDevice] = []
    package let dismissed: [Dismissal]
    /// Devices whose current certificate is past its end.
    package private(set) var expired: [DeviceCertificate] = []
    /// In the order of their dates.
    package private(set) var suspends: [AskedSuspension] = []
    package private(set) var orders: [Order] = []
    package private(set) var entries = 0
    package private(set) var notes = 0
    /// Signatures that were verified and counted: of entries, certificates, notes, Suspends and receipts.
    package private(set) var signatures = 0
    package private(set) var devices = 0
    package private(set) var headsDigest = HeadsDigest()
    /// As far as the log holds.
    package let membership: Membership
    private let held: [EntryID: LogEntry]

    /// Findings about which something is to be done.
    package var faults: [Finding] { findings.filter { !$0.isSettled } }

    package var isSound: Bool { faults.isEmpty }

    /// - Parameters:
    ///   - genesis: pinned by whoever asks.
    ///   - objects: entries, notes, Suspends and receipts in any order; one that stands there twice is counted once.
    ///   - now: what expiry and entries from the future are judged by.
    package init(of genesis: Genesis, _ objects: [Signed], now: Minute) {
        var walk = AuditWalk(genesis: genesis, now: now)
        for (index, object) in objects.enumerated() { walk.take(object, at: index + 1) }
        walk.takeThoseThatWait()
        walk.finish()
        findings = walk.findings
        entries = walk.entries.count
        notes = walk.membership.notes.count
        signatures = walk.signatures
        chains = walk.chains
        membership = walk.membership
        dismissed = membership.dismissed
        held = walk.entries.mapValues(\.entry)
        headsDigest = membership.headsDigest
        let known = membership.devices
        devices = known.count
        for device in known {
            guard let certificate = membership.currentCertificate(device) else { continue }
            if let revocation = membership.revocation(of: device) {
                revoked.append(RevokedDevice(device: device, label: certificate.label, revocation: revocation))
            } else if certificate.notAfter < now {
                expired.append(certificate)
            }
        }
        suspends = walk.suspends
        orders = walk.orders
    }

    /// For somebody who holds the genesis and no log.
    package func proof(of device: DeviceID) throws(ProofRefusal) -> MembershipProof {
        try membership.proof(of: device, entries: held)
    }
}

/// An audit on its way.
private struct AuditWalk {
    private(set) var membership: Membership
    private(set) var findings: [LogAudit.Finding] = []
    private(set) var entries: [EntryID: (entry: LogEntry, position: Int)] = [:]
    private(set) var signatures = 0
    private var notePositions: [NoteID: (note: RevokeNote, position: Int)] = [:]
    private var asked: [NoteID: (suspend: Suspend, position: Int)] = [:]
    private var receipts: [NoteHash: (receipt: WipeReceipt, position: Int)] = [:]
    private var accepted: [LogEntry] = []
    private var waiting: [LogEntry] = []
    private let now: Minute

    init(genesis: Genesis, now: Minute) {
        membership = Membership(genesis: genesis)
        self.now = now
    }

    private mutating func find(_ position: Int?, _ fault: LogAudit.Fault, _ decision: LogAudit.Decision? = nil) {
        findings.append(LogAudit.Finding(position: position, fault: fault, decision: decision))
    }

    // MARK: Object by object

    mutating func take(_ object: Signed, at position: Int) {
        do {
            switch try ObjectType(of: object) {
            case .logEntry: try takeEntry(object, at: position)
            case .revokeNote: try takeNote(object, at: position)
            // Judged when all is there: what nodes hold for want of an entry is bounded.
            case .suspend:
                let suspend = try Suspend(parsing: object)
                if asked[suspend.id] == nil { asked[suspend.id] = (suspend, position) }
            case .wipeReceipt:
                let receipt = try WipeReceipt(parsing: object)
                if let known = receipts[receipt.note] {
                    guard known.receipt.signed != object else { return }
                    find(position, .receipt(receipt.note, of: receipt.device))
                } else {
                    receipts[receipt.note] = (receipt, position)
                }
            case .genesis, .deviceCertificate, .authorityCertificate, .request, .renewRequest, .abuse, .invitation,
                .welcome, .draft, .authorityRequest, .lockRecord, .membershipProof, .authPayload, .bundle, .plaintext,
                .groupOperation, .groupEpoch, .announcement:
                throw Malformed.wrongType
            }
        } catch let cause as Malformed {
            find(position, .malformed(cause))
        } catch {
            preconditionFailure("an object is malformed, or its refusal was found")
        }
    }

    private mutating func takeEntry(_ object: Signed, at position: Int) throws {
        let entry = try LogEntry(parsing: object, mesh: membership.mesh)
        guard entries[entry.id] == nil else { return }
        entries[entry.id] = (entry, position)
        if entry.time > now.adding(MeshClock.Bounds.entryAhead) {
            find(position, .time(entry.log, sequence: entry.sequence, entry.time))
        }
        if !offer(entry, at: position) { waiting.append(entry) }
    }

    /// False when something is missing before it.
    private mutating func offer(_ entry: LogEntry, at position: Int) -> Bool {
        do {
            switch try membership.accept(entry.signed) {
            case .accepted(let intake): for entry in intake.entries { follow(entry) }
            case .known: break
            case .held: return false
            }
        } catch .tooManyHeld {
            return false
        } catch {
            find(position, .entry(entry.log, sequence: entry.sequence, error))
        }
        return true
    }

    /// What nodes hold behind a gap is bounded; an audit goes through the file as often as that brings anything.
    mutating func takeThoseThatWait() {
        var before = Int.max
        while !waiting.isEmpty, waiting.count < before {
            before = waiting.count
            let round = waiting.sorted { ($0.sequence, $0.id) < ($1.sequence, $1.id) }
            waiting = round.filter { entry in !offer(entry, at: entries[entry.id]?.position ?? 0) }
        }
    }

    private mutating func takeNote(_ object: Signed, at position: Int) throws {
        let note = try RevokeNote(parsing: object)
        guard notePositions[note.id] == nil else { return }
        notePositions[note.id] = (note, position)
        do {
            _ = try membership.accept(note: object)
        } catch {
            find(position, .note(note.hash, error))
        }
    }

    /// What an accepted entry says, signature by signature.
    private mutating func follow(_ entry: LogEntry) {
        accepted.append(entry)
        signatures += entry.signed.signatureCount
        switch entry.payload {
        case .authorityAdd(let certificate): signatures += certificate.signed.signatureCount
        case .certIssue(let certificates):
            for certificate in certificates { verify(certificate, entry) }
        case .policySet, .authorityRotate, .authorityRevoke, .certRevoke, .epochAnnounce, .checkpoint,
            .groupDefinition, .releaseManifest, .recoverFork:
            break
        }
    }

    private mutating func verify(_ certificate: DeviceCertificate, _ entry: LogEntry) {
        guard membership.isSigned(certificate, in: entry) else {
            return find(
                position(of: entry), .certificateSignatures(entry.log, sequence: entry.sequence, certificate.hash))
        }
        signatures += certificate.signed.signatureCount
    }

    private func position(of entry: LogEntry) -> Int? { entries[entry.id]?.position }

    // MARK: When all is there

    mutating func finish() {
        for entry in accepted { judge(entry) }
        findGaps()
        for (note, position) in notePositions.values.sorted(by: { $0.position < $1.position }) {
            if !membership.noteBook.lacks(note) {
                signatures += note.signed.signatureCount
            } else if !findings.contains(where: { $0.position == position }) {
                find(position, .unknownNote(note.hash))
            }
        }
        judgeSuspends()
        judgeReceipts()
        for fork in membership.forks {
            let limit = membership.isFrozen(fork.log) ? membership.grantLimit(of: fork.log) : nil
            find(
                nil, .fork(fork, frozenAt: limit),
                limit == nil ? .branch : membership.decision(on: fork))
        }
        for chain in chains {
            if let most = chain.mostDevices, chain.live > most {
                find(nil, .quota(chain.log, live: chain.live, most: most))
            }
        }
        let order = findings.enumerated().sorted {
            ($0.element.position ?? .max, $0.offset) < ($1.element.position ?? .max, $1.offset)
        }
        findings = order.map(\.element)
    }

    /// What became of an entry, now that everything is known.
    private mutating func judge(_ entry: LogEntry) {
        let place = position(of: entry)
        var decision: LogAudit.Decision? { membership.decision(on: EntryPlace(entry)) }
        switch entry.payload {
        case .certIssue(let certificates):
            for certificate in certificates {
                guard let fault = membership.standing(of: certificate, in: entry) else { continue }
                find(place, .void(entry.log, sequence: entry.sequence, LogAudit.Holder(certificate), fault), decision)
            }
        case .authorityAdd(let certificate):
            guard let fault = membership.standing(of: certificate, in: entry) else { return }
            find(place, .void(entry.log, sequence: entry.sequence, LogAudit.Holder(certificate), fault), decision)
        case .epochAnnounce(let announcement):
            guard membership.epoch(entry.id) == nil else { return }
            find(place, .epoch(entry.log, sequence: entry.sequence, number: announcement.number), decision)
        case .checkpoint:
            guard membership.isOnPath(entry), let placed = PlacedCheckpoint(entry) else {
                return
            }
            switch membership.standing(of: placed) {
            case .right: break
            case .wrong(let root, _):
                find(place, .checkpoint(entry.log, sequence: entry.sequence, found: root), decision)
            case .unknown: find(place, .checkpoint(entry.log, sequence: entry.sequence, found: nil), decision)
            }
        case .policySet, .authorityRotate, .authorityRevoke, .certRevoke, .groupDefinition, .releaseManifest,
            .recoverFork:
            break
        }
    }

    private mutating func judgeSuspends() {
        for (suspend, position) in asked.values.sorted(by: { $0.position < $1.position }) {
            do {
                switch try membership.accept(suspend: suspend.signed) {
                case .accepted: signatures += 1
                case .known: break
                case .held: find(position, .suspend(suspend.hash, nil))
                }
            } catch .over {
                // It had its time, and says nothing any more.
            } catch {
                find(position, .suspend(suspend.hash, error))
            }
        }
    }

    private mutating func judgeReceipts() {
        for (receipt, position) in receipts.values.sorted(by: { $0.position < $1.position }) {
            if membership.accepts(receipt) {
                signatures += 1
            } else {
                receipts[receipt.note] = nil
                find(position, .receipt(receipt.note, of: receipt.device))
            }
        }
    }

    private func label(of device: DeviceID) -> String { membership.currentCertificate(device)?.label ?? "" }

    var suspends: [LogAudit.AskedSuspension] {
        let records = membership.suspendBook.records.values.sorted { ($0.issued, $0.id) < ($1.issued, $1.id) }
        return records.map { record in
            let signer = membership.namedSigner(of: record)
            return LogAudit.AskedSuspension(
                device: record.device, label: label(of: record.device), signer: signer, signerLabel: label(of: signer),
                issued: record.issued, until: record.until, isLifted: membership.isLifted(record))
        }
    }

    var orders: [LogAudit.Order] {
        let orders = membership.notes.compactMap { hash -> LogAudit.Order? in
            guard let note = membership.note(hash), let wipe = note.wipe else { return nil }
            return LogAudit.Order(
                note: hash, device: note.device, label: label(of: note.device), mode: wipe.mode, issued: note.issued,
                expires: wipe.expires, done: receipts[hash]?.receipt.done)
        }
        return orders.sorted { ($0.issued, $0.note) < ($1.issued, $1.note) }
    }

    /// Sequences between the head of each log and the first entry that waits behind it.
    private mutating func findGaps() {
        for entry in waiting where membership.lacksKnownSigners(entry) {
            find(position(of: entry), .entry(entry.log, sequence: entry.sequence, .signatures))
        }
        let logs = Dictionary(grouping: waiting.filter { !membership.lacksKnownSigners($0) }, by: \.log)
        for log in logs.keys.sorted() {
            guard let first = logs[log]?.min(by: { $0.sequence < $1.sequence }) else { continue }
            let next = UInt64(membership.entryIDs(of: log).count) + 1
            if membership.logs[log] == nil {
                find(position(of: first), .unknownAuthority(log))
            } else {
                find(position(of: first), .gap(log, from: next, upTo: max(next, first.sequence - 1)))
            }
        }
    }

    var chains: [LogAudit.Chain] {
        let live = membership.liveDevices(at: now)
        return membership.heads.map { head in
            let limits = membership.limits(of: head.log)
            let limit = membership.grantLimit(of: head.log)
            return LogAudit.Chain(
                log: head.log, isReleases: head.log == membership.releaseLog,
                certificate: membership.authority(head.log), head: head, live: live[head.log] ?? 0,
                mostDevices: limits.flatMap { $0.mostDevices == .max ? nil : $0.mostDevices },
                grantsUpTo: limit == .max ? nil : limit)
        }
    }
}

extension Membership {
    /// The keyset whose signatures an accepted entry needed.
    func keyset(behind entry: LogEntry) -> Keyset? {
        guard let tree = logs[entry.log]?.tree else { return nil }
        return tree.node(entry.id, at: entry.sequence).map { tree.statement($0.keys).keyset }
    }

    /// Whether at least the threshold of the keys that signed its entry signed a certificate itself. Nodes ask it of
    /// certificates that no entry vouches for; of logged ones the entry's signatures say the same.
    func isSigned(_ certificate: DeviceCertificate, in entry: LogEntry) -> Bool {
        keyset(behind: entry)?.approves(certificate.signed, as: .deviceCertificate, in: mesh) ?? false
    }

    /// False for an entry of a branch that does not count.
    func isOnPath(_ entry: LogEntry) -> Bool { isOnPath(EntryPlace(entry)) }

    /// By what that is void which an entry grants: it was dropped, it stands behind what was left of its log, or all that
    /// made its authority one was. Nil where nobody said so.
    fileprivate func decision(on place: EntryPlace) -> LogAudit.Decision? {
        if !isOnPath(place), !isFrozen(place.log) { return .branch }
        if let dismissal = dismissal(of: place.log), place.sequence > dismissal.upTo { return .dismissal(dismissal) }
        guard limits(of: place.log) == nil, let log = logs[place.log] else { return nil }
        let added = log.grants.filter { $0.place.log == log.parent }.map { decision(on: $0.place) }
        return added.contains(nil) ? nil : added.first ?? nil
    }

    fileprivate func decision(on fork: ForkProof) -> LogAudit.Decision? {
        fork.entries.first.flatMap { decision(on: EntryPlace(log: fork.log, sequence: fork.sequence, entry: $0)) }
    }

    /// Why a certificate of an accepted entry grants nothing; nil when it does.
    func standing(of certificate: DeviceCertificate, in entry: LogEntry) -> CertificateFault? {
        guard isOnPath(entry), let keyset = keyset(behind: entry) else { return .afterLimit }
        if let fault = formFault(of: certificate, in: entry, keyset) { return fault }
        return issued(certificate.hash).flatMap { fault(of: $0) }
    }

    /// As for a device's; nil too when another AuthorityAdd of the same authority counts in its place.
    func standing(of certificate: AuthorityCertificate, in entry: LogEntry) -> CertificateFault? {
        guard let log = logs[certificate.authority], log.grants.contains(where: { $0.place.entry == entry.id }),
            log.tree.knows(certificate.keyset)
        else { return .issuer }
        guard counts(EntryPlace(entry)) else { return .afterLimit }
        guard let above = limits(of: entry.log) else { return .authority }
        return above.fault(in: certificate.content)
    }
}
