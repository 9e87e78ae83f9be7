import CoveyCrypto

/// Why a Suspend was not taken.
package enum SuspendRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    case malformed(Malformed)
    /// Wrong, or not exactly one.
    case signature
    /// The device asks to be suspended itself: it revokes itself instead.
    case ownDevice
    /// The device's authority has written since it and its month were over: nobody keeps it any more.
    case over
    /// The signer has as many before it as are kept.
    case tooMany

    /// For people: why nobody is kept out by it.
    package var description: String {
        switch self {
        case .malformed(let cause): "it is malformed: \(cause)"
        case .signature: "it is not signed by one member"
        case .ownDevice: "a device cannot be kept out by its own request; revoke it there: covey revoke-self"
        case .over: "it ended too long ago"
        case .tooMany: "its signer has asked as often as is kept of one; ask an officer to revoke the device"
        }
    }
}

package enum SuspendOutcome: Sendable {
    /// `dropped`: what left the set for it, because its signer has more than is kept.
    case accepted(Suspend, changes: [MembershipChange], dropped: [NoteID])
    case known
    /// The device or the signer is not known yet; it comes up in the intake of the entry that tells.
    case held
}

/// The set of Suspends (protocol.md §1.6).
///
/// As of the notes, only facts are kept: what was signed, and by whom; two who sign one body say so each. Which of them
/// count is worked out when somebody asks, and each is judged by those that came before it by (issued, hash), so the
/// order of arrival does not matter. What a signer signed above the quota makes no earlier one void, and never counts.
struct SuspendBook: Sendable {
    struct Record: Sendable {
        let id: NoteID
        /// What a verdict names.
        let hash: SuspendHash
        let device: DeviceID
        /// The key: devices that have one key between them are one signer.
        let signer: SigningPublicKey
        let issued: Minute
        let until: Minute

        /// When an authority writes then or later it is over: it, and the month in which it counts against others.
        var forgotten: Minute { until.adding(Membership.Bounds.suspendMonth) }
    }

    private(set) var records: [NoteID: Record] = [:]
    /// By (issued, hash).
    private(set) var bySigner: [SigningPublicKey: [NoteID]] = [:]
    private(set) var byDevice: [DeviceID: [NoteID]] = [:]
    private var held: [Suspend] = []
    /// No record is over before an authority has written then.
    private(set) var firstEnd = Minute(.max)

    var isHolding: Bool { !held.isEmpty }

    /// With this very signature: a copy with another may be the one that is good.
    func isHeld(_ suspend: Suspend) -> Bool { held.contains { $0.signed == suspend.signed } }

    mutating func hold(_ suspend: Suspend) {
        if held.count >= Membership.Bounds.heldSuspends { held.removeFirst() }
        held.append(suspend)
    }

    mutating func takeHeld() -> [Suspend] {
        defer { held = [] }
        return held
    }

    /// Nil when it is one too many; else what leaves the set for it. Of a signer the earliest stay, whatever order they
    /// come in.
    mutating func insert(_ record: Record) -> [Record]? {
        var list = bySigner[record.signer, default: []]
        let at = list.firstIndex { id in
            guard let other = records[id] else { return false }
            return (record.issued, record.hash) < (other.issued, other.hash)
        }
        list.insert(record.id, at: at ?? list.count)
        var dropped: NoteID?
        if list.count > Membership.Bounds.suspendsOfSigner { dropped = list.popLast() }
        guard dropped != record.id else { return nil }
        let out = dropped.flatMap { remove($0) }
        records[record.id] = record
        firstEnd = min(firstEnd, record.forgotten)
        bySigner[record.signer] = list
        byDevice[record.device, default: []].append(record.id)
        return out.map { [$0] } ?? []
    }

    @discardableResult
    mutating func remove(_ id: NoteID) -> Record? {
        guard let record = records.removeValue(forKey: id) else { return nil }
        bySigner[record.signer]?.removeAll { $0 == id }
        if bySigner[record.signer]?.isEmpty ?? false { bySigner[record.signer] = nil }
        byDevice[record.device]?.removeAll { $0 == id }
        if byDevice[record.device]?.isEmpty ?? false { byDevice[record.device] = nil }
        return record
    }

    /// After all that is over was removed.
    mutating func settleFirstEnd() { firstEnd = records.values.map(\.forgotten).min() ?? Minute(.max) }
}

extension Membership {
    /// Takes a Suspend. Only that device and signer are known, and its signature, decide whether it is in the set; what
    /// it does is another question, asked at a time (`isSuspended`).
    package mutating func accept(suspend signed: Signed) throws(SuspendRefusal) -> SuspendOutcome {
        let suspend: Suspend
        do { suspend = try Suspend(parsing: signed) } catch { throw .malformed(error) }
        if suspendBook.records[suspend.id] != nil { return .known }
        if suspendBook.isHeld(suspend) { return .held }
        guard let record = try judge(suspend) else {
            suspendBook.hold(suspend)
            putAside += 1
            return .held
        }
        let before = suspensionSpans(of: record.device)
        guard let dropped = suspendBook.insert(record) else { throw .tooMany }
        var changes: [MembershipChange] = []
        if suspensionSpans(of: record.device) != before { changes.append(.suspended(record.device)) }
        return .accepted(suspend, changes: changes, dropped: dropped.map(\.id))
    }

    /// Suspends in the set, ascending.
    package var suspends: [NoteID] { suspendBook.records.keys.sorted() }

    package func hasSuspend(_ id: NoteID) -> Bool { suspendBook.records[id] != nil }

    /// What verdicts name of the Suspends of a device that end after a time, ascending, whether they count or not.
    package func suspends(of device: DeviceID, after now: Minute) -> [SuspendHash] {
        let records = suspendBook.byDevice[device, default: []].compactMap { suspendBook.records[$0] }
        return Set(records.filter { now < $0.until }.map(\.hash)).sorted()
    }

    /// Whom Suspends of these words are to keep out, and who signed them, ascending; nil when none is in the set.
    package func parties(of suspend: SuspendHash) -> (device: DeviceID, signers: [DeviceID])? {
        let records = suspendBook.records.values.filter { $0.hash == suspend }
        return records.first.map { ($0.device, records.map(namedSigner(of:)).sorted()) }
    }

    /// Nil while device or signer is not known.
    private mutating func judge(_ suspend: Suspend) throws(SuspendRefusal) -> SuspendBook.Record? {
        guard suspend.signed.signatureCount == 1 else { throw .signature }
        guard let device = deviceRecords[suspend.device] else { return nil }
        let keys = Set(
            signers(hinted: suspend.signed.attestations[0].hint).compactMap { deviceRecords[$0]?.signing })
        guard !keys.isEmpty else { return nil }
        let signer = keys.sorted().first {
            suspend.signed.signers(among: [$0], type: .object(.suspend), mesh: mesh) != nil
        }
        guard let signer else { throw .signature }
        guard devices(signing: signer) != [suspend.device] else { throw .ownDevice }
        let record = SuspendBook.Record(
            id: suspend.id, hash: suspend.hash, device: suspend.device, signer: signer, issued: suspend.issued,
            until: suspend.until)
        guard !isOver(record, device) else { throw .over }
        return record
    }

    /// Whether the authorities of the device have written since the Suspend mattered: those that had the right to enrol it.
    private func isOver(_ record: SuspendBook.Record, _ device: DeviceRecord) -> Bool {
        device.certificates.contains { rightsFault(of: $0) == nil && hasWritten($0.log, since: record.forgotten) }
    }

    /// Whether an authority, or one above it, has written at a time or later: by the log and not by a clock, so that both
    /// sides of a link forget the same.
    ///
    /// Only entries that tell the time say so: whoever took a dismissed authority's key may date its entries as he likes,
    /// and of a forked log the branches beyond the fork depend on which came first.
    func hasWritten(_ authority: AuthorityID, since time: Minute) -> Bool {
        logs.keys.contains { id in
            (id == authority || isAbove(id, authority)) && timeTold(by: id).map { $0 >= time } ?? false
        }
    }

    /// Takes held ones whose device and signer are known now, and forgets what is over.
    ///
    /// - Parameters:
    ///   - devices: that were issued certificates.
    ///   - hasOtherRights: whether other authorities may stand above a device, or other entries be its authorities' last.
    mutating func settleSuspends(
        after verdicts: [NoteHash], _ devices: [DeviceID], hasOtherRights: Bool, _ intake: inout EntryIntake
    ) {
        if !devices.isEmpty, suspendBook.isHolding {
            for suspend in suspendBook.takeHeld() {
                // One that is refused cannot become valid by waiting.
                guard let judged = try? judge(suspend) as SuspendBook.Record?? else { continue }
                guard let record = judged else {
                    suspendBook.hold(suspend)
                    continue
                }
                guard let dropped = suspendBook.insert(record) else { continue }
                intake.suspends.append(suspend)
                intake.suspendsGone += dropped.map(\.id)
                intake.changes.append(.suspended(record.device))
            }
        }
        guard !suspendBook.records.isEmpty else { return }
        for verdict in verdicts {
            let suspend = SuspendHash(prefixOf: verdict)
            if let record = suspendBook.records.values.first(where: { $0.hash == suspend }) {
                intake.changes.append(.reinstated(record.device))
            }
        }
        let first = suspendBook.firstEnd
        let isAll = hasOtherRights || intake.entries.contains { $0.time >= first }
        let asked = isAll ? suspends : Set(devices).sorted().flatMap { suspendBook.byDevice[$0, default: []].sorted() }
        for id in asked {
            guard let record = suspendBook.records[id], let device = deviceRecords[record.device],
                isOver(record, device)
            else { continue }
            suspendBook.remove(id)
            intake.suspendsGone.append(id)
        }
        if isAll { suspendBook.settleFirstEnd() }
    }

    // MARK: What Suspends mean

    /// Who signed a Suspend that counts: a member when it signed, that is not revoked, had no other in force then and fewer
    /// than two in the 30 days before; and no authority of the device has lifted it. Nil when it does not count.
    ///
    /// A Suspend names no log entry, so nothing shows that it came before its signer's revocation: then it is void
    /// (protocol.md §1.9). Which of several devices with the key signed nothing shows either: all must be beyond doubt.
    private func signer(of record: SuspendBook.Record) -> DeviceID? {
        let devices = devices(signing: record.signer)
        guard !devices.contains(where: { $0 == record.device || isRevoked($0) }), !isLifted(record) else { return nil }
        var recent = 0
        for id in suspendBook.bySigner[record.signer, default: []] {
            guard id != record.id, let earlier = suspendBook.records[id] else { break }
            if earlier.until > record.issued { return nil }
            if earlier.issued > record.issued.adding(-Bounds.suspendMonth) { recent += 1 }
        }
        guard recent < Bounds.suspendsInMonth else { return nil }
        return devices.first { wasMember($0, at: record.issued) }
    }

    /// Of the devices with the key of a Suspend in the set the first that was a member when it was signed; whether it counts
    /// or not.
    func namedSigner(of record: SuspendBook.Record) -> DeviceID {
        let devices = devices(signing: record.signer)
        guard let signer = devices.first(where: { wasMember($0, at: record.issued) }) ?? devices.first else {
            preconditionFailure("a Suspend in the set is of a known device")
        }
        return signer
    }

    private func wasMember(_ device: DeviceID, at time: Minute) -> Bool {
        deviceRecords[device]?.certificates.contains { issued in
            let certificate = issued.certificate
            return certificate.capabilities.contains(.link) && fault(of: issued) == nil
                && time >= certificate.notBefore.adding(-DeviceCertificate.Grace.trusted)
                && time <= certificate.notAfter.adding(DeviceCertificate.Grace.trusted)
        } ?? false
    }

    /// Devices that announce or hold the key of an authority with rights are for authorities to judge.
    private func isProtected(_ device: DeviceID) -> Bool {
        guard let certificate = currentCertificate(device) else { return false }
        return certificate.capabilities.contains(.announce)
            || logs.contains { id, log in
                log.keyset.keys.contains(certificate.signing) && (log.isReleaseLog || limits(of: id) != nil)
            }
    }

    /// When members keep a device out, ascending and apart: while one of the same subject asks for it, or two others.
    private func suspensionSpans(of device: DeviceID) -> [Range<UInt32>] {
        guard let ids = suspendBook.byDevice[device], !isProtected(device) else { return [] }
        let subject = currentCertificate(device)?.subject
        // A device of the same subject weighs as much as two others.
        var steps: [(at: UInt32, weight: Int)] = []
        for id in ids {
            guard let record = suspendBook.records[id], let signer = signer(of: record) else { continue }
            let isSame = subject != nil && currentCertificate(signer)?.subject == subject
            steps.append((record.issued.value, isSame ? 2 : 1))
            steps.append((record.until.value, isSame ? -2 : -1))
        }
        steps.sort { ($0.at, $0.weight) < ($1.at, $1.weight) }
        var spans: [Range<UInt32>] = []
        var weight = 0
        for (number, step) in steps.enumerated() {
            weight += step.weight
            guard weight >= 2, number + 1 < steps.count, steps[number + 1].at > step.at else { continue }
            let end = steps[number + 1].at
            if let last = spans.last, last.upperBound == step.at {
                spans[spans.count - 1] = last.lowerBound..<end
            } else {
                spans.append(step.at..<end)
            }
        }
        return spans
    }

    /// Whether members keep a device out at this time: within a span, and not beyond seven days in thirty.
    func isSuspendedByMembers(_ device: DeviceID, at now: Minute) -> Bool {
        suspendedByMembers(device, at: now) != nil
    }

    /// When members' suspension of a device ends as things stand; nil while there is none.
    private func suspendedByMembers(_ device: DeviceID, at now: Minute) -> Minute? {
        guard suspendBook.byDevice[device] != nil else { return nil }
        let spans = suspensionSpans(of: device)
        // A signer's clock may be ahead of ours.
        let early = now.adding(DeviceCertificate.Grace.trusted).value
        guard let current = spans.last(where: { $0.lowerBound <= early && now.value < $0.upperBound }) else {
            return nil
        }
        let left = Suspend.mostMinutes - minutesSuspended(spans, inMonthBefore: now)
        return left > 0 ? min(Minute(current.upperBound), now.adding(left)) : nil
    }

    private func minutesSuspended(_ spans: [Range<UInt32>], inMonthBefore now: Minute) -> Int64 {
        let month = now.adding(-Bounds.suspendMonth).value
        var spent: Int64 = 0
        for span in spans {
            let from = max(span.lowerBound, month)
            let upTo = min(span.upperBound, now.value)
            if upTo > from { spent += Int64(upTo - from) }
        }
        return spent
    }

    /// Whether a signer may sign another Suspend now: none in force, and fewer than two in 30 days.
    package func maySuspend(_ signer: DeviceID, at now: Minute) -> Bool { suspendFault(of: signer, at: now) == nil }

    /// Why a signer may not sign another Suspend now.
    package func suspendFault(of signer: DeviceID, at now: Minute) -> SuspendFault? {
        guard let key = deviceRecords[signer]?.signing, wasMember(signer, at: now),
            !devices(signing: key).contains(where: isRevoked)
        else { return .signer }
        let own = suspendBook.bySigner[key, default: []].compactMap { suspendBook.records[$0] }
        if let last = own.map(\.until).max(), last > now { return .inForce(until: last) }
        let recent = own.map(\.issued).filter { $0 > now.adding(-Bounds.suspendMonth) }.sorted()
        guard recent.count >= Bounds.suspendsInMonth else { return nil }
        return .twice(until: recent[recent.count - Bounds.suspendsInMonth].adding(Bounds.suspendMonth))
    }

    /// Why members cannot keep a device out now, however many ask for it.
    package func suspendFault(on device: DeviceID, at now: Minute) -> SuspendFault? {
        if isProtected(device) { return .protected }
        return minutesSuspended(suspensionSpans(of: device), inMonthBefore: now) >= Suspend.mostMinutes ? .spent : nil
    }

    /// What members ask about a device now; nil when none does.
    package func memberSuspension(of device: DeviceID, at now: Minute) -> MemberSuspension? {
        let early = now.adding(DeviceCertificate.Grace.trusted)
        let subject = currentCertificate(device)?.subject
        var signers: [DeviceID] = []
        var weight = 0
        var end = Minute(0)
        for id in suspendBook.byDevice[device, default: []] {
            guard let record = suspendBook.records[id], record.issued <= early, now < record.until,
                let signer = signer(of: record)
            else { continue }
            signers.append(signer)
            weight += subject != nil && currentCertificate(signer)?.subject == subject ? 2 : 1
            end = max(end, record.until)
        }
        guard !signers.isEmpty else { return nil }
        return MemberSuspension(
            signers: signers.sorted(), missing: max(0, 2 - weight), end: end,
            suspendedUntil: suspendedByMembers(device, at: now))
    }
}

/// Why a Suspend would not be worth signing (protocol.md §1.6).
package enum SuspendFault: Error, Equatable, Sendable {
    /// Whoever would sign is no member.
    case signer
    /// The signer has one in force.
    case inForce(until: Minute)
    /// The signer has signed two within 30 days, and may sign again then.
    case twice(until: Minute)
    /// The device announces or holds an authority's key.
    case protected
    /// Members have kept it out for seven of the last 30 days.
    case spent
}

/// What members ask about a device at a time.
package struct MemberSuspension: Hashable, Sendable {
    /// Whose Suspend counts now, ascending.
    package let signers: [DeviceID]
    /// How many more members have to ask; a device of the same person is enough alone.
    package let missing: Int
    /// When the last of what they ask ends.
    package let end: Minute
    /// When the device is let in again, as things stand; nil when it is not kept out.
    package let suspendedUntil: Minute?

    package init(signers: [DeviceID], missing: Int, end: Minute, suspendedUntil: Minute?) {
        self.signers = signers
        self.missing = missing
        self.end = end
        self.suspendedUntil = suspendedUntil
    }
}
