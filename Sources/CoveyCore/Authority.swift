package import CoveyCrypto

/// Why an authority does not issue what it was asked for. Nothing was signed into the log.
package enum AuthorityRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    /// The membership does not know the authority, or knows it with other keys.
    case unknown
    case alreadyEnrolled
    /// A subject has at most eight devices.
    case tooManyDevices
    /// The device, or its certificate's chain, is not this authority's to revoke.
    case notOurs
    case alreadyRevoked
    /// Its holder did not agree to orders of the organisation.
    case consent
    /// A wipe order that the device would refuse.
    case order(WipeRefusal)
    /// The entry would stand, and grant nothing.
    case void(CertificateFault)
    case entry(EntryRefusal)
    case note(NoteRefusal)
    case malformed(Malformed)
    /// The membership holds entries that do not connect to the log this authority would write.
    case gap
    /// An announcement that nobody could use: its authority has lost the right to make it.
    case epoch
    /// The log holds the highest serial there is.
    case serials
    /// The authority does not stand below the one that signs.
    case notBelow
    /// The authority was dismissed, or one above it.
    case dismissed
    /// Only the root sets the policy, each time with a higher number.
    case policy
    /// Fewer keys are here than must sign: the act needs a draft that goes round (`Draft`).
    case keys(here: Int, needed: Int)
    /// The log is forked, and nobody said which branch is to stand.
    case forked
    /// More logs count than one entry can name.
    case logs(here: Int, most: Int)
    /// The branch that is to stand is not here.
    case branch
    /// Somebody decided otherwise later, or with more right.
    case decided

    package var description: String {
        switch self {
        case .unknown: "The log does not know this authority with these keys; bring the log up to date."
        case .alreadyEnrolled: "This device is enrolled already."
        case .tooManyDevices: "This person has eight devices already; revoke one first."
        case .notOurs: "This device was not enrolled under this authority."
        case .alreadyRevoked: "This device is revoked already."
        case .consent:
            "The holder of this device has not agreed to orders of the organisation; invite it with --org-owned, so that they can."
        case .order(let refusal): "The device would not obey this order: \(refusal.words)."
        case .void(let fault): "The certificate would grant nothing: \(fault.words)."
        case .entry(let refusal): "The log does not take the entry: \(refusal)."
        case .note(let refusal): "The log does not take the note: \(refusal)."
        case .malformed(let cause): "The entry would be malformed: \(cause)."
        case .epoch: "The announcement would be void; bring the log up to date."
        case .serials: "This authority has used up its serial numbers; it needs to be replaced."
        case .dismissed:
            "That authority was dismissed, and no certificate gives it back what it lost; add another in its place: covey authority ask and add."
        case .notBelow: "That authority does not stand below this one."
        case .policy: "Only the root sets the policy, each time with a higher number."
        case .gap: "Entries of the log are missing; bring the log up to date."
        case .keys(let here, let needed):
            "Here are \(here) of the \(needed) keys that must sign; let the other officers sign a draft."
        case .forked: "The log is forked; name the last entry that is to stand."
        case .logs(let here, let most):
            "\(here) logs count, and one entry can name \(most); revoke the authority that added so many."
        case .branch: "The log does not hold that entry with all before it."
        case .decided: "A later decision, or one of the cold keys, stands against it."
        }
    }
}

/// What a certificate is to say besides what the request says.
package struct Grant: Sendable {
    package var capabilities: Capabilities
    /// At most 16; the first is the home zone.
    package var zones: [UInt8]
    /// Nil: what the policy says.
    package var days: UInt16?
    /// Nil: the subject of the device it supersedes, else a new one.
    package var subject: SubjectID?
    /// Nil: what the request says.
    package var supersedes: DeviceID?
    /// Nil: what the request says. Devices of one counted invitation ask under one label and get different ones.
    package var label: String?

    /// What a member without an office needs.
    package static let member: Capabilities = [.link, .send, .carry, .groupOwn]

    package init(
        capabilities: Capabilities = Grant.member, zones: [UInt8] = [], days: UInt16? = nil,
        subject: SubjectID? = nil, supersedes: DeviceID? = nil, label: String? = nil
    ) {
        self.capabilities = capabilities
        self.zones = zones
        self.days = days
        self.subject = subject
        self.supersedes = supersedes
        self.label = label
    }
}

/// An authority at work (protocol.md §1.3): signs into its own log, from its own place in it.
///
/// Serials, numbers and predecessors come from the membership, which must hold all of this authority's log: an authority
/// that writes from an older state forks its log. Each function judges its entry before the membership takes it, so what
/// it returns is what every node will take; on return `membership` holds it.
package struct Authority: Sendable {
    package static let mostDevicesOfSubject = 8

    package let keys: AuthorityKeys

    package init(_ keys: AuthorityKeys) { self.keys = keys }

    /// Enrols a device.
    package func issue(
        _ request: VerifiedRequest, _ grant: Grant = Grant(), into membership: inout Membership, now: Minute,
        random: any RandomSource
    ) throws(AuthorityRefusal) -> LogEntry {
        let content = try content(for: request, grant, membership, now: now, random: random)
        return try issue(content, into: &membership, time: content.notBefore)
    }

    /// What the certificate of a new device says.
    func content(
        for request: VerifiedRequest, _ grant: Grant, _ membership: Membership, now: Minute,
        random: any RandomSource
    ) throws(AuthorityRefusal) -> DeviceCertificate.Content {
        let device = request.deviceHash.deviceID
        guard membership.deviceRecords[device] == nil else { throw .alreadyEnrolled }
        guard let limits = membership.limits(of: keys.authority) else { throw .unknown }
        guard !grant.capabilities.contains(.orgOwned) || request.request.agreesToOrders else { throw .consent }
        let supersedes = grant.supersedes ?? request.request.supersedes
        let superseded = supersedes.flatMap { membership.currentCertificate($0) }
        let subject = grant.subject ?? superseded?.subject
        let time = entryTime(membership, now)
        let days = grant.days.map(Int64.init) ?? Int64(membership[policy: .certificateLifeDays])
        return DeviceCertificate.Content(
            serial: try nextSerial(membership), issuer: keys.authority, signing: request.request.signing,
            link: request.request.link, message: request.request.message,
            subject: subject ?? SubjectID.random(from: random),
            deviceIndex: try deviceIndex(of: subject, membership), notBefore: time,
            notAfter: min(time.adding(days * 1440), limits.notAfter), capabilities: grant.capabilities,
            zones: grant.zones, label: grant.label ?? request.request.label, supersedes: supersedes)
    }

    /// Gives a device's keys a new certificate: another life, and whatever the grant says (protocol.md §1.6, renewal). Whoever
    /// issued the one before: what this authority may not grant is void.
    package func renew(
        _ device: DeviceID, _ grant: Grant, into membership: inout Membership, now: Minute
    ) throws(AuthorityRefusal) -> LogEntry {
        let content = try content(renewing: device, grant, membership, now: now)
        return try issue(content, into: &membership, time: content.notBefore)
    }

    /// What the next certificate of a device says.
    func content(
        renewing device: DeviceID, _ grant: Grant, _ membership: Membership, now: Minute
    ) throws(AuthorityRefusal) -> DeviceCertificate.Content {
        guard let limits = membership.limits(of: keys.authority) else { throw .unknown }
        guard let current = membership.currentCertificate(device) else { throw .notOurs }
        guard !membership.isRevoked(device) else { throw .alreadyRevoked }
        guard current.serial < .max else { throw .serials }
        guard !grant.capabilities.contains(.orgOwned) || current.capabilities.contains(.orgOwned) else {
            throw .consent
        }
        let time = entryTime(membership, now)
        var content = current.content
        content.issuer = keys.authority
        // Of two issuers' certificates the higher serial counts.
        content.serial = max(try nextSerial(membership), current.serial + 1)
        content.notBefore = time
        let days = grant.days.map(Int64.init) ?? Int64(membership[policy: .certificateLifeDays])
        content.notAfter = min(time.adding(days * 1440), limits.notAfter)
        content.capabilities = grant.capabilities
        content.zones = grant.zones
        if let subject = grant.subject { content.subject = subject }
        return content
    }

    private func issue(
        _ content: DeviceCertificate.Content, into membership: inout Membership, time: Minute
    ) throws(AuthorityRefusal) -> LogEntry {
        // No signature, and no number of one, is spent on what cannot be signed here.
        try checkSufficient()
        let certificate: DeviceCertificate
        do {
            certificate = try DeviceCertificate.make(content, mesh: keys.mesh, keys: keys.current.keys)
        } catch {
            throw .malformed(error)
        }
        return try append(.certIssue([certificate]), to: &membership, time: time)
    }

    /// Announces the epoch of a key. It covers the heads of all logs that count (`coveredHeads`), and the notes that none
    /// of their entries confirms yet, as far as they fit.
    package func announceEpoch(
        _ key: EpochKey, into membership: inout Membership, now: Minute
    ) throws(AuthorityRefusal) -> LogEntry {
        let time = entryTime(membership, now)
        var trial = membership
        let announcement = try announcement(of: key.commit, membership, time)
        let entry = try append(.epochAnnounce(announcement), to: &trial, time: time)
        guard let epoch = trial.epoch(entry.id), !trial.isTainted(epoch) else { throw .epoch }
        membership = trial
        return entry
    }

    func announcement(
        of commit: EpochCommit, _ membership: Membership, _ time: Minute
    ) throws(AuthorityRefusal) -> EpochAnnouncement {
        // A directory that was given no log yet covers nothing.
        let rows = try coverable(membership.coveredHeads)
        guard !rows.isEmpty else { throw .unknown }
        return EpochAnnouncement(
            number: membership.nextEpochNumber, commit: commit, rows: rows,
            notes: membership.announcedNotes(beside: rows), validFrom: time,
            graceDays: UInt16(clamping: membership[policy: .epochGraceDays]))
    }

    /// As many rows as one entry has room for.
    private func coverable(_ rows: [CoveredRow]) throws(AuthorityRefusal) -> [CoveredRow] {
        guard rows.count <= CoveredRow.most else { throw .logs(here: rows.count, most: CoveredRow.most) }
        return rows
    }

    /// Revokes a device, signed by all keys at hand. After reasons `lost` and `compromised` an epoch that covers the note
    /// has to follow at once (protocol.md §1.10).
    package func revoke(
        _ device: DeviceID, reason: RevocationReason, suspectSince: Minute, wipe: WipeOrder? = nil,
        into membership: inout Membership, now: Minute
    ) throws(AuthorityRefusal) -> RevokeNote {
        let content = RevokeNote.Content(
            device: device, reason: reason, suspectSince: suspectSince, issued: now, authority: keys.authority,
            wipe: wipe)
        try checkRevocable(content, membership)
        try checkSufficient()
        return try take(content, signedBy: keys.current.keys, into: &membership)
    }

    /// Revokes a device with one key alone, where more must sign to grant (protocol.md §1.9): at once, in the name of
    /// that key. The first five of a key that no verdict has decided revoke, others suspend for seven days.
    package func revokeAlone(
        _ device: DeviceID, reason: RevocationReason, suspectSince: Minute, into membership: inout Membership,
        now: Minute
    ) throws(AuthorityRefusal) -> RevokeNote {
        try checkRevocable(device, membership)
        guard keys.current.threshold > 1, let key = keys.current.keys.first else {
            throw .keys(here: keys.current.keys.count, needed: keys.current.threshold)
        }
        let last = membership.noteBook.singles(of: key.publicKey).compactMap {
            membership.noteBook.records[$0]?.content.number
        }.max()
        guard last ?? 0 < UInt32.max else { throw .serials }
        return try take(
            RevokeNote.Content(
                device: device, reason: reason, suspectSince: suspectSince, issued: now, authority: keys.authority,
                number: (last ?? 0) + 1),
            signedBy: [key], into: &membership)
    }

    /// A revocation that the log would take and, with an order, the device obey.
    func checkRevocable(_ note: RevokeNote.Content, _ membership: Membership) throws(AuthorityRefusal) {
        guard let wipe = note.wipe else { return try checkRevocable(note.device, membership) }
        // One that is out already may be ordered, and ordered again: the first word may never have reached it.
        do { try checkRevocable(note.device, membership) } catch .alreadyRevoked {}
        if let refusal = membership.refusal(of: wipe, issued: note.issued, to: note.device) { throw .order(refusal) }
    }

    func checkRevocable(_ device: DeviceID, _ membership: Membership) throws(AuthorityRefusal) {
        guard isOver(device, membership) else { throw .notOurs }
        guard !membership.isRevoked(device) else { throw .alreadyRevoked }
    }

    /// Whether the device was enrolled by this authority or one below it.
    package func isOver(_ device: DeviceID, _ membership: Membership) -> Bool {
        guard let current = membership.deviceRecords[device]?.certificates.first?.certificate else { return false }
        return current.issuer == keys.authority || membership.isAbove(keys.authority, current.issuer)
    }

    private func take(
        _ content: RevokeNote.Content, signedBy keys: [SigningPrivateKey], into membership: inout Membership
    ) throws(AuthorityRefusal) -> RevokeNote {
        let note = RevokeNote.make(content, mesh: self.keys.mesh, keys: keys)
        try Self.take(note, into: &membership)
        return note
    }

    static func take(_ note: RevokeNote, into membership: inout Membership) throws(AuthorityRefusal) {
        let outcome: NoteOutcome
        do {
            outcome = try membership.accept(note: note.signed)
        } catch {
            throw .note(error)
        }
        switch outcome {
        case .accepted, .known: return
        case .held: throw .gap
        }
    }

    /// Says where the logs below stand, and what the active set is. What is named here no later fork can void; so this is
    /// done whenever the heads of the logs below are met, and at least as often as the policy calls fresh.
    package func checkpoint(
        into membership: inout Membership, now: Minute
    ) throws(AuthorityRefusal) -> LogEntry {
        let time = entryTime(membership, now)
        return try append(.checkpoint(checkpoint(of: membership, time)), to: &membership, time: time)
    }

    func checkpoint(of membership: Membership, _ time: Minute) throws(AuthorityRefusal) -> Checkpoint {
        let place = try place(in: membership, time)
        let children = try coverable(membership.childHeads(of: keys.authority))
        let covered = membership.covered(
            children, own: keys.authority, sequence: place.sequence, previous: place.previous)
        let set = membership.activeSet(covered, at: time)
        // What an authority below claims to have confirmed must not keep this one from its own work.
        guard !set.lacksNotes.contains(keys.authority) else { throw .gap }
        return Checkpoint(
            children: children, merkleRoot: Octets32(prefixOf: MerkleTree(set.certificates.map(\.hash)).root),
            count: UInt32(set.certificates.count))
    }

    /// Says of notes whether they stand; a lifted one has no effect any more.
    package func decide(
        _ verdicts: [NoteVerdict], into membership: inout Membership, now: Minute
    ) throws(AuthorityRefusal) -> LogEntry {
        try act(.certRevoke(verdicts), into: &membership, now: now)
    }

    /// A policy, a checkpoint, verdicts, the revocation of an authority below: an act whose payload says all of it.
    package func act(
        _ payload: LogPayload, into membership: inout Membership, now: Minute
    ) throws(AuthorityRefusal) -> LogEntry {
        try check(payload, membership)
        return try append(payload, to: &membership, time: entryTime(membership, now))
    }

    /// What the log takes from anybody, and nobody would act upon.
    func check(_ payload: LogPayload, _ membership: Membership) throws(AuthorityRefusal) {
        switch payload {
        case .policySet(let policy):
            guard keys.authority == membership.genesis.rootID, policy.number > membership.policy?.number ?? 0 else {
                throw .policy
            }
        case .authorityRevoke(let revocation):
            guard membership.isAbove(keys.authority, revocation.authority) else { throw .notBelow }
        case .authorityRotate(let rotation):
            guard
                rotation.authority == keys.authority
                    || membership.logs[rotation.authority]?.parent == keys.authority
            else { throw .notBelow }
        case .certIssue, .authorityAdd, .certRevoke, .epochAnnounce, .checkpoint, .groupDefinition,
            .releaseManifest, .recoverFork:
            break
        }
    }

    /// What a checkpoint says that this authority signs now.
    package func checkpoint(of membership: Membership, now: Minute) throws(AuthorityRefusal) -> LogPayload {
        .checkpoint(try checkpoint(of: membership, entryTime(membership, now)))
    }

    /// Signs an entry behind the head of this authority's log, and has the membership take it.
    ///
    /// - Parameter others: keys that sign besides the current ones.
    func append(
        _ payload: LogPayload, to membership: inout Membership, time: Minute, others: [SigningPrivateKey] = []
    ) throws(AuthorityRefusal) -> LogEntry {
        let place = try place(in: membership, time)
        try checkSufficient()
        let entry: LogEntry
        do {
            entry = try LogEntry.make(
                log: keys.authority, sequence: place.sequence, previous: place.previous, time: time,
                payload: payload, mesh: keys.mesh, keys: keys.current.keys + others)
        } catch {
            throw .malformed(error)
        }
        try Self.take(entry, into: &membership)
        return entry
    }

    /// Has a membership take an entry, and leaves it as it was when the entry would not bring about what it says.
    static func take(_ entry: LogEntry, into membership: inout Membership) throws(AuthorityRefusal) {
        if membership.willCount(entry) {
            let taken = try accept(entry, into: &membership)
            precondition(taken == nil, "what was judged to count counts")
        } else {
            // Only taking it tells what it comes to.
            var trial = membership
            if let fault = try accept(entry, into: &trial) { throw .void(fault) }
            membership = trial
        }
    }

    /// Why something in the entry grants nothing; nil when all of it counts.
    private static func accept(
        _ entry: LogEntry, into membership: inout Membership
    ) throws(AuthorityRefusal) -> CertificateFault? {
        let outcome: EntryOutcome
        do {
            outcome = try membership.accept(entry.signed)
        } catch {
            throw .entry(error)
        }
        guard case .accepted(let intake) = outcome else { throw .gap }
        for change in intake.changes {
            if case .void(_, let fault) = change { return fault }
        }
        return nil
    }

    private func checkSufficient() throws(AuthorityRefusal) {
        guard keys.current.isSufficient else {
            throw .keys(here: keys.current.keys.count, needed: keys.current.threshold)
        }
    }

    /// Behind the head of this authority's log.
    func place(in membership: Membership, _ time: Minute) throws(AuthorityRefusal) -> LogPlace {
        guard let log = membership.logs[keys.authority], log.keyset == keys.current.keyset else { throw .unknown }
        // What waits behind a gap was written by this authority: writing on before it would fork its log.
        guard log.orphans.isEmpty else { throw .gap }
        guard let previous = membership.anchor(of: keys.authority) else { throw .unknown }
        return LogPlace(sequence: UInt64(log.ids.count) + 1, previous: previous, time: time)
    }

    /// Times in a log do not decrease: a clock that is behind writes the time of the entry before.
    func entryTime(_ membership: Membership, _ now: Minute) -> Minute {
        max(now, membership.logs[keys.authority]?.tree.tipTime ?? now)
    }

    /// Serials ascend within an issuer, revoked and void certificates included. Those of a branch that lost bind nobody.
    func nextSerial(_ membership: Membership) throws(AuthorityRefusal) -> UInt64 {
        let highest = membership.highestSerial(of: keys.authority)
        guard highest < .max else { throw .serials }
        return highest + 1
    }

    /// The lowest number that no device of the subject has; nil is a new one.
    private func deviceIndex(of subject: SubjectID?, _ membership: Membership) throws(AuthorityRefusal) -> UInt8 {
        guard let subject else { return 0 }
        let taken = membership.devices(of: subject).compactMap { device in
            membership.isRevoked(device) ? nil : membership.currentCertificate(device)?.content.deviceIndex
        }
        guard let free = (0..<UInt8(Self.mostDevicesOfSubject)).first(where: { !taken.contains($0) }) else {
            throw .tooManyDevices
        }
        return free
    }
}
