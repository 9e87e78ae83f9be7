import CoveyCore
import CoveyCrypto
import CoveyNode

/// What an authority knows and has signed: the logs, the notes, and the keys of the epochs it announced.
///
/// Each step appends what is new; `AuthorityDirectory` keeps the whole.
struct AuthorityBook {
    let genesis: Genesis
    private(set) var authority: Authority
    private(set) var membership: Membership
    /// In the order in which they can be accepted.
    private(set) var entries: [LogEntry] = []
    /// Of the log file: what waits for something before it.
    private var besides: [Signed] = []
    private(set) var notes: [RevokeNote] = []
    /// What members ask to keep out, as a node told: for verdicts, and not kept.
    private(set) var suspends: [Suspend] = []
    /// In the order of their announcement.
    private(set) var epochs: [Welcome.Epoch] = []
    /// Keys of epochs whose announcement goes round as a draft.
    private(set) var waitingEpochs: [Welcome.Epoch] = []
    /// What these keys signed that is not in the log yet.
    private(set) var record: SigningRecord

    private static let mostWaitingEpochs = 16

    var mesh: MeshID { genesis.meshID }
    var id: AuthorityID { authority.keys.authority }

    init(genesis: Genesis, keys: AuthorityKeys, record: SigningRecord = SigningRecord()) {
        self.genesis = genesis
        self.record = record
        authority = Authority(keys)
        membership = Membership(genesis: genesis)
    }

    // MARK: Taking back what was kept

    /// Takes over what another book of this directory has verified, when its log file still holds that at the beginning of
    /// its entries and of its notes; gives back what is left to restore.
    mutating func resume(_ known: AuthorityBook, of objects: [Signed]) -> [Signed] {
        let end = objects.firstIndex { (try? ObjectType(of: $0)) == .revokeNote } ?? objects.count
        let (entries, notes) = (objects[..<end], objects[end...])
        guard known.mesh == mesh, known.besides.isEmpty, entries.starts(with: known.entries.lazy.map(\.signed)),
            notes.starts(with: known.notes.lazy.map(\.signed))
        else { return objects }
        (membership, self.entries, self.notes) = (known.membership, known.entries, known.notes)
        return Array(entries.dropFirst(known.entries.count) + notes.dropFirst(known.notes.count))
    }

    /// Takes an entry or a note from the log file, and verifies it.
    mutating func restore(_ object: Signed) throws {
        if try ObjectType(of: object) == .revokeNote {
            _ = try membership.accept(note: object)
            notes.append(try RevokeNote(parsing: object))
        } else {
            switch try membership.accept(object) {
            case .accepted(let intake): entries += intake.entries
            case .known: throw AuthorityRefusal.gap
            case .held:
                // Earlier programs kept some beside a path before what they stand on. Behind the path there is no gap.
                let entry = try LogEntry(parsing: object, mesh: mesh)
                let count = membership.entryIDs(of: entry.log).count
                guard membership.keyset(of: entry.log) == nil || entry.sequence <= UInt64(count) + 1 else {
                    throw AuthorityRefusal.gap
                }
                besides.append(object)
            }
        }
    }

    /// A key whose announcement is not in the log waits for it; of many such the oldest are left out.
    mutating func restore(_ epoch: Welcome.Epoch) {
        if membership.isKey(epoch.key.commit, of: epoch.entry) {
            epochs.append(epoch)
        } else {
            waitingEpochs = (waitingEpochs + [epoch]).suffix(Self.mostWaitingEpochs)
        }
    }

    // MARK: Taking what others signed

    struct Taken {
        var new = 0
        var waiting = 0
        /// Suspends and receipts of wipe orders: only nodes keep those.
        var aside = 0
        var refused: [String] = []
    }

    /// Entries, notes and Suspends, from a file or a node. What waits for something that is missing is not kept, and of
    /// Suspends nothing is beyond this run.
    mutating func take(_ objects: [Signed]) throws -> Taken {
        var taken = Taken()
        for object in objects {
            do {
                let type = try ObjectType(of: object)
                if type == .revokeNote {
                    switch try membership.accept(note: object) {
                    case .accepted(let note, _, _):
                        notes.append(note)
                        taken.new += 1
                    case .known: break
                    case .held: taken.waiting += 1
                    }
                } else if type == .suspend {
                    taken.aside += 1
                    if case .accepted(let suspend, _, _) = try membership.accept(suspend: object) {
                        suspends.append(suspend)
                    }
                } else if type == .wipeReceipt {
                    taken.aside += 1
                } else {
                    switch try membership.accept(object) {
                    case .accepted(let intake):
                        entries += intake.entries
                        notes += intake.notes
                        taken.new += intake.entries.count + intake.notes.count
                        taken.waiting -= intake.entries.count + intake.notes.count - 1
                    case .known: break
                    case .held: taken.waiting += 1
                    }
                }
            } catch SuspendRefusal.over {
                // It had its time: whoever wrote the file may not have heard so yet.
            } catch {
                taken.refused.append("\(error)")
            }
        }
        taken.waiting = max(0, taken.waiting)
        settle()
        return taken
    }

    /// Entries behind the end of this authority's own log as it is known here, which it signed with no other officer: not
    /// from here, then. The cold keys may write there, too.
    func unknownOwn(in objects: [Signed]) -> [LogEntry] {
        guard authority.signsAlone() else { return [] }
        let end = membership.entryIDs(of: id).count
        var seen: Set<EntryID> = []
        return objects.compactMap { object -> LogEntry? in
            guard let entry = try? LogEntry(parsing: object, mesh: mesh), entry.log == id, entry.sequence > end,
                seen.insert(entry.id).inserted
            else { return nil }
            if case .recoverFork = entry.payload { return nil }
            return entry
        }.sorted { $0.sequence < $1.sequence }
    }

    /// The log has grown: places that it passed are no longer ours to guard, and waiting epochs may have begun.
    private mutating func settle() {
        record.prune(by: membership)
        let waiting = waitingEpochs
        waitingEpochs = []
        for epoch in waiting { restore(epoch) }
    }

    /// Entries and notes, as a log file has them.
    var signed: [Signed] {
        let known = besides.isEmpty ? [] : Set(entries.map(\.id))
        let waiting = besides.filter { !known.contains(LogEntry.id(of: $0)) }
        return entries.map(\.signed) + waiting + notes.map(\.signed)
    }

    /// What an entry of this authority's log stands on: all before it, and the logs above.
    func leading(to entry: EntryID) -> [Signed] {
        let logs = Set(entries.map(\.log)).filter { $0 == id || membership.isAbove($0, id) }
        let end = entries.firstIndex { $0.id == entry } ?? entries.count
        return entries[..<end].filter { logs.contains($0.log) }.map(\.signed)
    }

    // MARK: Devices

    struct Device {
        let certificate: DeviceCertificate
        let isRevoked: Bool

        var id: DeviceID { certificate.device }
    }

    /// Every device that ever had a certificate, with its current one, in the order of their ids.
    var devices: [Device] { Self.devices(of: membership) }

    private static func devices(of membership: Membership) -> [Device] {
        membership.devices.compactMap { id in
            membership.currentCertificate(id).map {
                Device(certificate: $0, isRevoked: membership.isRevoked(id))
            }
        }
    }

    /// By exact label, else by at least six hex digits that begin its id.
    func device(named name: String) throws -> Device {
        try Self.device(named: name, in: membership, shownBy: "covey authority log")
    }

    /// - Parameter command: the one that shows whoever asks all devices, if there is one.
    static func device(named name: String, in membership: Membership, shownBy command: String?) throws -> Device {
        let devices = devices(of: membership)
        var found = devices.filter { $0.certificate.label == name }
        // A label may have gone to a new device when the old one was revoked.
        if found.count > 1, found.contains(where: { !$0.isRevoked }) { found.removeAll(where: \.isRevoked) }
        if found.isEmpty, let digits = digits(name) { found = devices.filter { $0.id.hex.hasPrefix(digits) } }
        let advice = command.map { "; \($0) shows them all" } ?? ""
        return try only(found, name, none: "there is no device \"\(name)\" in this mesh\(advice)") {
            "\($0.certificate.label) \($0.id.hex)"
        }
    }

    /// What may begin an id: at least six hex digits.
    private static func digits(_ name: String) -> String? {
        let digits = name.lowercased()
        return digits.count >= 6 && digits.allSatisfy(\.isHexDigit) ? digits : nil
    }

    /// The only one that a name means.
    private static func only<Found>(
        _ found: [Found], _ name: String, none: String, _ candidate: (Found) -> String
    ) throws -> Found {
        guard let one = found.first else { throw Complaint(.failed, none) }
        guard found.count == 1 else {
            let candidates = found.map(candidate).joined(separator: ", ")
            throw Complaint(.failed, "\"\(name)\" could be any of these, give more of the id: \(candidates)")
        }
        return one
    }

    /// The entry that holds a device's current certificate, with the network key that began with it.
    func enrolment(of device: DeviceID) -> [LogEntry] {
        guard let hash = membership.currentCertificate(device)?.hash,
            let at = entries.lastIndex(where: { entry in
                guard case .certIssue(let certificates) = entry.payload else { return false }
                return certificates.contains { $0.hash == hash }
            })
        else { return [] }
        let next = entries[(at + 1)...].first { $0.log == entries[at].log }
        guard let next, case .epochAnnounce = next.payload else { return [entries[at]] }
        return [entries[at], next]
    }

    // MARK: Signing

    @discardableResult
    mutating func issue(
        _ request: VerifiedRequest, _ grant: Grant, now: Minute, random: any RandomSource
    ) throws -> LogEntry {
        try check(now)
        let entry = try authority.issue(request, grant, into: &membership, now: now, random: random)
        entries.append(entry)
        return entry
    }

    /// Another life for a device's keys. Rights stay as they are.
    @discardableResult
    mutating func renew(_ device: Device, days: UInt16?, now: Minute) throws -> LogEntry {
        try check(now)
        let grant = Grant(
            capabilities: device.certificate.capabilities, zones: device.certificate.zones, days: days)
        let entry = try authority.renew(device.id, grant, into: &membership, now: now)
        entries.append(entry)
        return entry
    }

    /// Answers devices that asked for it, at most `Authority.mostRenewals`. Rights stay as they are.
    ///
    /// - Parameter known: what a node knows of the devices; nil: what this book does.
    mutating func renew(
        _ devices: [DeviceID], _ known: Membership? = nil, at time: TimeView
    ) throws -> Authority.Renewals {
        try check(time.now)
        var membership = known ?? self.membership
        let renewals = try authority.renew(devices, into: &membership, at: time)
        if let entry = renewals.entry, try take([entry.signed]).new == 0 { throw AuthorityRefusal.gap }
        return renewals
    }

    // MARK: Drafts

    mutating func draftIssue(
        _ request: VerifiedRequest, _ grant: Grant, now: Minute, random: any RandomSource
    ) throws -> Draft {
        try check(now)
        return try authority.draftIssue(request, grant, on: membership, now: now, random: random)
    }

    func draftRenewal(_ device: Device, days: UInt16?, now: Minute) throws -> Draft {
        try check(now)
        let grant = Grant(
            capabilities: device.certificate.capabilities, zones: device.certificate.zones, days: days)
        return try authority.draftRenewal(device.id, grant, on: membership, now: now)
    }

    func draftAuthority(_ content: AuthorityCertificate.Content, _ authority: AuthorityID?, now: Minute) throws -> Draft
    {
        try check(now)
        return try self.authority.draftAuthority(content, authority: authority, on: membership, now: now)
    }

    /// The key of the epoch waits here until its announcement is in the log.
    mutating func draftEpoch(now: Minute, random: any RandomSource) throws -> Draft {
        try check(now)
        let key = EpochKey(from: random)
        let draft = try authority.draftEpoch(key, on: membership, now: now)
        guard let entry = draft.entryID else { preconditionFailure("the body of an announcement is fixed") }
        restore(Welcome.Epoch(entry: entry, key: key))
        return draft
    }

    /// On all that was said against a device. What members ask can be lifted, and ends by itself otherwise.
    func verdicts(on device: Device, _ decision: NoteVerdict.Decision, now: Minute) -> [NoteVerdict] {
        let notes = membership.notes.filter { membership.note($0)?.device == device.id }
        let suspends = decision == .lifted ? membership.suspends(of: device.id, after: now) : []
        return (notes + suspends.map { NoteHash(prefixOf: $0) }).map { NoteVerdict(note: $0, decision: decision) }
    }

    /// An act that stands in the log for itself.
    func draft(_ payload: LogPayload, now: Minute) throws -> Draft {
        try check(now, isTakingAway: payload.isTakingAway)
        return try authority.draft(payload, on: membership, now: now)
    }

    @discardableResult
    mutating func act(_ payload: LogPayload, now: Minute) throws -> LogEntry {
        try check(now, isTakingAway: payload.isTakingAway)
        let entry = try authority.act(payload, into: &membership, now: now)
        entries.append(entry)
        return entry
    }

    /// Whom the set of a checkpoint that is signed now holds though they are revoked.
    func revokedDevices(in payload: LogPayload, now: Minute) -> [DeviceID] {
        guard case .checkpoint(let checkpoint) = payload else { return [] }
        return membership.revokedDevices(in: checkpoint, nextIn: id, at: now)
    }

    /// Has the log say what enough keys of an authority signed against devices that would be in the set of a checkpoint
    /// otherwise: one key has done nothing here, and the whole authority has decided.
    mutating func confirmRevocations(now: Minute) throws {
        let devices = revokedDevices(in: try authority.checkpoint(of: membership, now: now), now: now)
        let notes = devices.flatMap { membership.undecidedNotes(of: $0, by: id) }
        guard !notes.isEmpty else { return }
        let verdicts = notes.prefix(NoteVerdict.mostVerdicts).map { NoteVerdict(note: $0, decision: .confirmed) }
        try act(.certRevoke(verdicts), now: now)
    }

    // MARK: Keys

    func draftRotation(promising following: Keyset, now: Minute) throws -> Draft {
        try check(now)
        return try authority.draft(authority.rotation(promising: following), on: membership, now: now)
    }

    /// What follows is signed by the promised keys: `act(with:)`.
    @discardableResult
    mutating func rotate(promising following: Keyset, now: Minute) throws -> LogEntry {
        try check(now)
        let entry = try authority.rotate(promising: following, into: &membership, now: now)
        entries.append(entry)
        return entry
    }

    mutating func act(with keys: AuthorityKeys) { authority = Authority(keys) }

    /// Whose signatures the next entry of this authority's log needs; nil while the log does not know it.
    var keysetInForce: Keyset? { membership.keyset(of: id) }

    @discardableResult
    mutating func recover(
        _ log: LogID, branch: EntryID?, new: AuthorityKeys?, by cold: ColdRecovery, now: Minute
    ) throws -> LogEntry {
        try checkClock(now)
        let entry = try cold.recover(log, branch: branch, new: new, into: &membership, now: now)
        entries.append(entry)
        settle()
        return entry
    }

    func draftRecovery(
        _ log: LogID, branch: EntryID?, new: AuthorityKeys?, by cold: ColdRecovery, now: Minute
    ) throws -> Draft {
        try checkClock(now)
        return try cold.draft(log, branch: branch, new: new, on: membership, now: now)
    }

    /// New keys for an authority whose own are gone: as many as before where no shape is named.
    func newKeys(of log: LogID, _ shape: KeysetShape?, random: any RandomSource) throws -> AuthorityKeys {
        guard let before = membership.keyset(of: log) else { throw AuthorityRefusal.unknown }
        let shape = shape ?? KeysetShape(before.threshold, of: before.keys.count)
        return AuthorityKeys(
            mesh: mesh, authority: log, current: SigningKeyset(shape, random: random),
            next: SigningKeyset(shape, random: random))
    }

    /// The next keys of an authority below this one, which sign behind an entry of its log.
    @discardableResult
    mutating func replaceKeys(
        of child: AuthorityID, branch: EntryID?, by new: AuthorityKeys, now: Minute
    ) throws -> LogEntry {
        try check(now)
        let entry = try authority.replaceKeys(of: child, branch: branch, by: new, into: &membership, now: now)
        entries.append(entry)
        settle()
        return entry
    }

    func draftReplacement(of child: AuthorityID, branch: EntryID?, by new: AuthorityKeys, now: Minute) throws -> Draft {
        try draft(authority.replacement(of: child, branch: branch, by: new, in: membership), now: now)
    }

    /// By the word root, by the exact label of its authority, or by at least six hex digits that begin its id.
    func log(named name: String) throws -> LogID {
        // One that was added may have written nothing yet.
        let added = entries.compactMap { entry -> LogID? in
            if case .authorityAdd(let certificate) = entry.payload { certificate.authority } else { nil }
        }
        let logs = Set(entries.map(\.log) + added + [genesis.rootID]).sorted()
        var found = logs.filter { membership.label(of: $0) == name }
        if found.isEmpty, let digits = Self.digits(name) { found = logs.filter { $0.hex.hasPrefix(digits) } }
        return try Self.only(found, name, none: "there is no log of an authority \"\(name)\" here", \.hex)
    }

    /// By at least six hex digits that begin its id, on whichever branch.
    func entry(named name: String, of log: LogID) throws -> EntryID {
        guard let digits = Self.digits(name) else {
            throw Complaint(.usage, "\"\(name)\" names no entry; give at least six digits of its id")
        }
        let found = Set(entries.filter { $0.log == log && $0.id.hex.hasPrefix(digits) }.map(\.id)).sorted()
        return try Self.only(
            found, name, none: "that log has no entry \"\(name)\" here; covey log verify shows what forks it", \.hex)
    }

    /// What is held of a log and does not stand when it goes on behind this entry.
    func entries(of log: LogID, notUpTo last: EntryID) -> [LogEntry] {
        let held = entries.filter { $0.log == log }
        let known = Dictionary(held.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var standing: Set<EntryID> = []
        var at = known[last]
        while let entry = at, standing.insert(entry.id).inserted { at = known[entry.previous] }
        return held.filter { !standing.contains($0.id) }
    }

    /// By which the cold keys let a log go on behind this entry, with the keys that it had there, if that stands.
    func decision(of log: LogID, after last: EntryID) -> LogEntry? {
        guard !membership.isFrozen(log) else { return nil }
        let path = membership.entryIDs(of: log)
        return entries.last { entry in
            guard entry.log == log, entry.previous == last, case .recoverFork(let recovery) = entry.payload else {
                return false
            }
            return recovery.newKeys == nil && path.contains(entry.id)
        }
    }

    /// As `log(named:)`, of an authority below this one.
    func authorityBelow(named name: String, where isBelow: (AuthorityID) -> Bool) throws -> AuthorityID {
        let found = try log(named: name)
        guard isBelow(found) else {
            throw Complaint(
                .failed, "\"\(name)\" is no authority below this one; covey authority log shows them")
        }
        return found
    }

    func examine(_ draft: Draft, now: Minute) throws {
        guard !draft.isOfColdKeys else {
            _ = try ColdRecovery.examine(draft, on: membership, now: now)
            return
        }
        switch draft.content {
        case .note: try checkKeys()
        case .entry(.act(let payload), _, _): try checkLog(isTakingAway: payload.isTakingAway)
        case .entry(.issue, _, _), .entry(.addAuthority, _, _): try checkLog()
        }
        _ = try authority.examine(draft, on: membership, now: now)
    }

    mutating func cosign(_ draft: Draft, now: Minute, others: [SigningPrivateKey] = []) throws -> Draft {
        if draft.isOfColdKeys { return try ColdRecovery.cosign(draft, with: others, on: membership, now: now) }
        var others = others
        // The promised keys say with the old ones that they take over.
        if case .entry(.act(.authorityRotate), _, _) = draft.content { others += authority.keys.next.keys }
        do {
            return try authority.cosign(draft, on: membership, record: &record, now: now, others: others)
        } catch .signedOther(let place, let when) {
            throw Complaint(
                .failed, "\(DraftRefusal.signedOther(place: place, when: when)) That was on \(CalendarText.utc(when)).")
        }
    }

    func progress(of draft: Draft) throws -> DraftProgress {
        try draft.progress(among: authority.keys.current.keyset)
    }

    /// Takes a draft that is complete into the log.
    mutating func finish(_ draft: Draft) throws -> FinishedDraft {
        let finished = try authority.finish(draft, into: &membership)
        switch finished {
        case .entry(let entry): entries.append(entry)
        case .note(let note): notes.append(note)
        }
        settle()
        return finished
    }

    mutating func withdraw(_ entry: EntryID) { record.withdraw(entry) }

    @discardableResult
    mutating func add(_ content: AuthorityCertificate.Content, _ authority: AuthorityID?, now: Minute) throws
        -> LogEntry
    {
        try check(now)
        let entry = try self.authority.add(content, authority: authority, into: &membership, now: now)
        entries.append(entry)
        return entry
    }

    /// A new network epoch that covers everything known here.
    @discardableResult
    mutating func announce(now: Minute, random: any RandomSource) throws -> LogEntry {
        try check(now)
        let key = EpochKey(from: random)
        let entry = try authority.announceEpoch(key, into: &membership, now: now)
        entries.append(entry)
        epochs.append(Welcome.Epoch(entry: entry.id, key: key))
        return entry
    }

    /// A new network key with a revocation that needs one, so that the clean key exists wherever the revocation starts
    /// (protocol.md §1.10). The revocation does not wait for it: where none can be announced now, `hint` says why.
    ///
    /// - Parameter check: what else may stand in the way of an entry.
    mutating func announceWithRevocation(
        now: Minute, random: any RandomSource, _ check: () throws -> Void = {}
    ) -> (announced: [LogEntry], hint: String?) {
        do {
            try check()
            return ([try announce(now: now, random: random)], nil)
        } catch {
            return ([], Self.noNewKey(error))
        }
    }

    static func noNewKey(_ cause: any Error) -> String {
        "no new network key was announced: \(cause); after that: \(AdvisedCommand.announceEpoch)"
    }

    /// - Parameter isAlone: with one key where more must sign to grant (protocol.md §1.9).
    @discardableResult
    mutating func revoke(
        _ device: Device, _ reason: RevocationReason, since: Minute?, wipe: WipeOrder? = nil, isAlone: Bool = false,
        now: Minute
    ) throws -> RevokeNote {
        try checkClock(now)
        try checkKeys()
        let note =
            isAlone
            ? try authority.revokeAlone(
                device.id, reason: reason, suspectSince: since ?? now, into: &membership, now: now)
            : try authority.revoke(
                device.id, reason: reason, suspectSince: since ?? now, wipe: wipe, into: &membership, now: now)
        notes.append(note)
        return note
    }

    /// A revocation with a wipe order, which takes as many keys as a grant.
    func draftOrder(
        _ device: Device, _ reason: RevocationReason, since: Minute?, _ wipe: WipeOrder, now: Minute
    ) throws -> Draft {
        try checkClock(now)
        try checkKeys()
        return try authority.draftRevocation(
            device.id, reason: reason, suspectSince: since ?? now, wipe: wipe, on: membership, now: now)
    }

    // MARK: Whether it may sign

    /// What was signed for the next place of the log as a draft would make anything else a second act there. Revocations
    /// have no place, and never wait.
    func check(_ now: Minute, isTakingAway: Bool = false) throws {
        try checkClock(now)
        try checkLog(isTakingAway: isTakingAway)
        if let open = record.open(in: id) {
            throw Complaint(
                .failed,
                "you signed a draft for place \(open.sequence) of the log, on \(CalendarText.utc(open.signed)), that is not finished; finish it, import the log that holds it, or withdraw it: covey authority withdraw --help"
            )
        }
    }

    /// Whether the log here has this for an authority, and the keys for its own. Who has no right to grant may have one to
    /// take away.
    func checkRight(isTakingAway: Bool = false) throws {
        let own = authority.keys.current.keyset
        // First: what appointed an authority below a dismissed one may not count any more.
        if !isTakingAway, let dismissal = membership.dismissal(of: id) {
            throw Complaint(.failed, "\(text(of: dismissal)); \(Self.dismissedAdvice)")
        }
        guard isTakingAway ? membership.knows(own, of: id) : hasRight else {
            throw Complaint(
                .failed,
                "the log here does not know this authority with these keys, or gives it no right; \(Self.unknownAdvice)"
            )
        }
        try checkKeys()
    }

    func text(of dismissal: Dismissal) -> String {
        let above = "the authority \(Output.harmless(dismissal.label)) above this one"
        let who = dismissal.authority == id ? "this authority" : above
        let rest = dismissal.upTo == 0 ? "anything" : "anything after entry \(dismissal.upTo)"
        let day = CalendarText.utc(dismissal.time)
        let reason = RevocationReason.word(of: dismissal.reason)
        return "\(who) was dismissed on \(day) (\(reason)), and nobody takes \(rest) of this log but revocations"
    }

    static let dismissedAdvice =
        "sign nothing more here; the authority above appoints another one, with keys of its own: covey authority ask"

    /// Whether what it grants counts, by the log that is held here.
    var hasRight: Bool {
        membership.knows(authority.keys.current.keyset, of: id)
            && (membership.limits(of: id) != nil || id == membership.releaseLog)
    }

    static let unknownAdvice =
        "take in the whole log of the authority above, which \(AdvisedCommand.writeLog) writes there: "
        + "\(AdvisedCommand.importAtDesk)"

    /// While nobody has chosen between its branches, what a log grants is void, and what it takes away counts.
    private func checkLog(isTakingAway: Bool = false) throws {
        try checkRight(isTakingAway: isTakingAway)
        guard !membership.isFrozen(id) || isTakingAway else {
            let log = CommandNames(of: membership).name(of: id)
            throw Complaint(
                .failed,
                "the log of this authority is forked, and what it signs there is void, but for revocations; first the cold keys say which history stands: \(AdvisedCommand.recoverFork(log: log))"
            )
        }
    }

    /// Whether the log has passed from these keys to others.
    var areKeysReplaced: Bool {
        let own = authority.keys.current.keyset
        return keysetInForce != own && !membership.isFrozen(id) && membership.knows(own, of: id)
    }

    private func checkKeys() throws {
        guard !areKeysReplaced else {
            throw Complaint(
                .failed,
                "these keys were replaced: this authority has others now, and nobody takes what these sign; work in the directory of the new ones, and destroy this one"
            )
        }
    }

    /// Forks between whose branches nobody has chosen.
    var openForks: [ForkProof] { membership.forks.filter { membership.isFrozen($0.log) } }

    /// A clock that stands before the founding would make all that is signed invalid.
    func checkClock(_ now: Minute) throws {
        guard now >= genesis.created else {
            throw Complaint(
                .failed,
                "this machine's clock says \(CalendarText.utc(now)), before the mesh was founded; set the clock and try again"
            )
        }
    }

    // MARK: Welcomes

    /// What a new member is given.
    func welcome(now: Minute) -> Welcome {
        Welcome(genesis: genesis, log: entries, notes: notes, epochs: liveEpochs(now: now), bundles: [])
    }

    /// The epoch whose key a device would need that is welcomed here: this authority announced it elsewhere, or members
    /// take no key any more that is here.
    func lackedEpoch(now: Minute) -> UInt32? {
        let held = epochs.map(\.key.commit)
        let all = membership.select(held: membership.epochCommits)
        guard !held.isEmpty, let newest = all.preferred, !held.contains(newest.commit) else { return nil }
        guard newest.log != id, let best = membership.select(held: held).clean.first,
            let since = all.clean.filter({ $0.number > best.number }).map(\.announced).min(),
            now <= since.adding(Int64(best.graceDays) * 1440)
        else { return newest.number }
        return nil
    }

    /// Epochs that members still accept: the newest, and older ones until their successor's grace is over.
    func liveEpochs(now: Minute) -> [Welcome.Epoch] {
        let times = Dictionary(entries.map { ($0.id, $0.time) }, uniquingKeysWith: { first, _ in first })
        let grace = Int64(membership[policy: .epochGraceDays]) * 1440
        let live = epochs.indices.filter { at in
            guard at + 1 < epochs.count, let successor = times[epochs[at + 1].entry] else { return true }
            return now <= successor.adding(grace)
        }
        return live.suffix(Welcome.mostEpochs).map { epochs[$0] }
    }
}
