import CoveyCrypto

/// The grow-only set of RevokeNotes and what follows from it for each device (protocol.md §1.9).
struct NoteBook: Sendable {
    enum Form: Hashable, Sendable {
        /// Each of these, in a copy of its own.
        case singleKeys([SigningPublicKey])
        /// As many of its keys as it takes, under any keyset it ever had.
        case authority([SigningPublicKey])
        case device
        /// Two or more, ascending.
        case officers([DeviceID])
    }

    struct Record: Sendable {
        let content: RevokeNote.Content
        let form: Form
    }

    /// What a held note waits for.
    enum Awaited: Hashable, Sendable {
        case device(DeviceID)
        case authority(AuthorityID)
        case officers
    }

    /// Of whom no more notes are kept than a number.
    enum Signer: Hashable, Sendable {
        case key(SigningPublicKey)
        case device(DeviceID)
        case officer(DeviceID)

        var mostNotes: Int {
            switch self {
            case .key: Membership.Bounds.singleNotes
            case .device: Membership.Bounds.ownNotes
            case .officer: Membership.Bounds.officerNotes
            }
        }
    }

    struct Verdict: Sendable {
        let place: EntryPlace
        let decision: NoteVerdict.Decision

        var log: LogID { place.log }
        var sequence: UInt64 { place.sequence }
    }

    private(set) var records: [NoteHash: Record] = [:]
    private(set) var byDevice: [DeviceID: [NoteHash]] = [:]
    /// By what counts first of them: see `precedes`.
    private(set) var bySigner: [Signer: [NoteHash]] = [:]
    private(set) var verdicts: [NoteHash: [Verdict]] = [:]
    private var held: [(note: RevokeNote, awaited: Awaited)] = []

    /// Derived: see `Membership.refresh`.
    var revocations: [DeviceID: Revocation] = [:]
    /// When the notes were issued that suspend a device.
    var suspensions: [DeviceID: [Minute]] = [:]

    var isHolding: Bool { !held.isEmpty }
    var devices: [DeviceID] { Array(byDevice.keys) }

    /// With these very signatures: a copy with others may be the one that is good.
    func isHeld(_ note: RevokeNote) -> Bool { held.contains { $0.note.signed == note.signed } }

    /// Devices whose standing a note, or a verdict on it, may change: its own, and those of the same key's notes.
    func devicesTouched(by note: NoteHash) -> [DeviceID] {
        guard let record = records[note] else { return [] }
        guard case .singleKeys(let keys) = record.form else { return [record.content.device] }
        return keys.flatMap { singles(of: $0) }.compactMap { records[$0]?.content.device }
    }

    /// Whether neither it is in the set nor what says the same for it. Each of several keys says it for itself alone.
    func lacks(_ note: RevokeNote) -> Bool {
        guard let record = records[note.hash] else { return true }
        guard case .singleKeys(let keys) = record.form else { return false }
        let hints = note.signed.attestations.map(\.hint)
        return !keys.contains { hints == [KeyHint(of: $0)] }
    }

    /// Devices whose standing may change with the branches of some logs, by what those say of notes.
    func devices(judgedIn logs: Set<LogID>) -> [DeviceID] {
        guard !logs.isEmpty else { return [] }
        return verdicts.filter { $0.value.contains { logs.contains($0.log) } }.keys.flatMap { devicesTouched(by: $0) }
    }

    /// Single-key notes of a key, by (note_no, hash).
    func singles(of key: SigningPublicKey) -> [NoteHash] { bySigner[.key(key), default: []] }

    mutating func add(_ verdict: NoteVerdict, at place: EntryPlace) {
        // One entry may say the same as often as it has room for.
        let said = verdicts[verdict.note, default: []].reversed().prefix { $0.place == place }
        guard !said.contains(where: { $0.decision == verdict.decision }) else { return }
        verdicts[verdict.note, default: []].append(Verdict(place: place, decision: verdict.decision))
    }

    mutating func hold(_ note: RevokeNote, for awaited: Awaited) {
        if held.count >= Membership.Bounds.heldNotes { held.removeFirst() }
        held.append((note, awaited))
    }

    mutating func takeHeld(_ awaited: Awaited) -> [RevokeNote] {
        let taken = held.filter { $0.awaited == awaited }.map(\.note)
        if !taken.isEmpty { held.removeAll { $0.awaited == awaited } }
        return taken
    }

    struct Dropped {
        let id: NoteID
        let device: DeviceID
    }

    /// Takes another copy of a note in the place of the one that is in the set: the same body, signed by others. As
    /// `insert`; the old one stays where the new one would be one too many.
    mutating func replace(_ note: RevokeNote, form: Form, listed: Set<NoteHash>) -> [Dropped]? {
        let before = self
        remove(note.hash)
        if let dropped = insert(note, form: form, listed: listed) { return dropped }
        self = before
        return nil
    }

    /// Nil when it is one too many; else the notes that leave the set for it. Whatever the order notes come in, the
    /// same ones stay: of each signer the first, those before others that are `listed`, and all that some authority has
    /// confirmed. So no later note brings back a device that a CertRevoke has put out for good.
    mutating func insert(_ note: RevokeNote, form: Form, listed: Set<NoteHash>) -> [Dropped]? {
        let hash = note.hash
        if case .singleKeys(let others)? = records[hash]?.form, case .singleKeys(let keys) = form {
            records[hash] = Record(content: note.content, form: .singleKeys(others + keys))
        } else {
            records[hash] = Record(content: note.content, form: form)
            byDevice[note.device, default: []].append(hash)
        }
        let signers = Self.signers(form, of: note.device)
        for signer in signers {
            let list = bySigner[signer, default: []]
            bySigner[signer, default: []].insert(hash, at: list.firstIndex { precedes(hash, $0) } ?? list.count)
        }
        // What is one too many goes as it came; others that are too many since an announcement wait for one that stays.
        if let first = signers.first, signers.allSatisfy({ beyond($0, listed).contains(hash) }) {
            _ = drop(hash, of: first, listed)
            return nil
        }
        var dropped: [Dropped] = []
        for signer in signers {
            for spare in beyond(signer, listed) {
                if let gone = drop(spare, of: signer, listed) { dropped.append(gone) }
            }
        }
        return dropped
    }

    /// Drops what a signer has too many of. What one of two officers has too many of may be among the first of the other;
    /// of a note that several keys signed, each alone, only this key's copy goes.
    private mutating func drop(_ note: NoteHash, of signer: Signer, _ listed: Set<NoteHash>) -> Dropped? {
        guard let record = records[note] else { return nil }
        let device = record.content.device
        if case .key(let key) = signer { return withdraw(key, from: note).map { Dropped(id: $0, device: device) } }
        let signers = Self.signers(record.form, of: device)
        guard signers.allSatisfy({ beyond($0, listed).contains(note) }) else { return nil }
        remove(note)
        return Dropped(id: NoteID(prefixOf: note), device: device)
    }

    /// Lets go of the copy of a note that a key signed alone, and of the note with the last of them.
    mutating func withdraw(_ key: SigningPublicKey, from note: NoteHash) -> NoteID? {
        guard let record = records[note], case .singleKeys(let keys) = record.form, keys.contains(key) else {
            return nil
        }
        let others = keys.filter { $0 != key }
        if others.isEmpty {
            remove(note)
        } else {
            bySigner[.key(key)]?.removeAll { $0 == note }
            records[note] = Record(content: record.content, form: .singleKeys(others))
        }
        return NoteID(of: note, signers: [KeyHint(of: key)])
    }

    /// What a signer has more of than is kept.
    private func beyond(_ signer: Signer, _ listed: Set<NoteHash>) -> ArraySlice<NoteHash> {
        let open = bySigner[signer, default: []].filter { !isConfirmed($0) }
        guard open.count > signer.mostNotes else { return [] }
        return (open.filter(listed.contains) + open.filter { !listed.contains($0) }).dropFirst(signer.mostNotes)
    }

    /// By any authority on any branch: what was said once stays said, and to keep a note is not to obey it.
    private func isConfirmed(_ note: NoteHash) -> Bool {
        verdicts[note, default: []].contains { $0.decision == .confirmed }
    }

    mutating func remove(_ note: NoteHash) {
        guard let record = records.removeValue(forKey: note) else { return }
        let device = record.content.device
        for signer in Self.signers(record.form, of: device) { bySigner[signer]?.removeAll { $0 == note } }
        byDevice[device]?.removeAll { $0 == note }
    }

    private static func signers(_ form: Form, of device: DeviceID) -> [Signer] {
        switch form {
        case .singleKeys(let keys): return keys.map { .key($0) }
        case .device: return [.device(device)]
        case .officers(let officers): return officers.map { .officer($0) }
        // Who has so many keys may revoke whom they like.
        case .authority: return []
        }
    }

    /// Single-key notes go by their number, a device's own by how grave they are and since when, so that whoever took its
    /// key cannot talk a revocation down; officers' by when they were issued. The smaller hash goes first.
    private func precedes(_ one: NoteHash, _ other: NoteHash) -> Bool {
        guard let left = records[one]?.content, let right = records[other]?.content else { return one < other }
        if left.number != right.number { return left.number < right.number }
        guard left.wipe == nil else { return (left.issued, one) < (right.issued, other) }
        if left.reason != right.reason { return left.reason.gravity > right.reason.gravity }
        return (left.suspectSince, one) < (right.suspectSince, other)
    }
}

extension Membership {
    /// Takes a RevokeNote. It counts from its signatures and the chain of its device alone: no place in a log, no order.
    package mutating func accept(note signed: Signed) throws(NoteRefusal) -> NoteOutcome {
        let note: RevokeNote
        do { note = try RevokeNote(parsing: signed) } catch { throw .malformed(error) }
        if isKnown(note) { return .known }
        if noteBook.isHeld(note) { return .held }
        let form: NoteBook.Form
        switch try judge(note) {
        case .waits(let awaited):
            noteBook.hold(note, for: awaited)
            putAside += 1
            return .held
        case .valid(let found): form = found
        }
        guard let dropped = take(note, form) else {
            guard noteBook.lacks(note) else { return .known }
            throw .tooMany
        }
        let touched = noteBook.devicesTouched(by: note.hash)
        let changes = refresh(touched + [note.device] + dropped.map(\.device))
        recount(after: changes)
        return .accepted(note, changes: changes, dropped: dropped.map(\.id))
    }

    private func isKnown(_ note: RevokeNote) -> Bool { !noteBook.lacks(note) && !mayCountInstead(note) }

    /// Takes a note that was judged; nil when it stays out.
    private mutating func take(_ note: RevokeNote, _ form: NoteBook.Form) -> [NoteBook.Dropped]? {
        if noteBook.lacks(note) { return noteBook.insert(note, form: form, listed: epochBook.listed) }
        guard let known = noteBook.records[note.hash], !isOfEntitled(known),
            isOfEntitled(NoteBook.Record(content: note.content, form: form))
        else { return nil }
        return noteBook.replace(note, form: form, listed: epochBook.listed)
    }

    /// Whether another copy of a wipe order, which has the same hash, may be the one to be obeyed: the signers of the one
    /// that is here have no right to it any more, or this one is signed by keys that we have not met.
    private func mayCountInstead(_ note: RevokeNote) -> Bool {
        guard note.content.wipe != nil, let known = noteBook.records[note.hash] else { return false }
        if isOfEntitled(known) { return isByNewKeys(note) }
        let signers: [SigningPublicKey]
        switch known.form {
        case .authority(let keys): signers = keys
        case .officers(let devices): signers = devices.compactMap { deviceRecords[$0]?.signing }
        case .singleKeys, .device: return false
        }
        return Set(signers.map { KeyHint(of: $0) }) != Set(note.signed.attestations.map(\.hint))
    }

    /// Whether an authority's note may be signed by keys of a rotation that is still to come.
    private func isByNewKeys(_ note: RevokeNote) -> Bool {
        guard !note.content.authority.isZero, let log = logs[note.content.authority] else { return false }
        return isByStrangers(note.signed, log.tree.keysets)
    }

    /// Notes in the set, ascending.
    package var notes: [NoteHash] { noteBook.records.keys.sorted() }

    package func hasNote(_ hash: NoteHash) -> Bool { noteBook.records[hash] != nil }

    package func note(_ hash: NoteHash) -> RevokeNote.Content? { noteBook.records[hash]?.content }

    /// Who revokes a device.
    package enum NoteAuthor: Hashable, Sendable {
        /// As many of its keys as it takes.
        case authority(AuthorityID)
        /// One key alone of an authority that takes more.
        case officer(of: AuthorityID)
        case device
        /// Wipe officers, ascending.
        case officers([DeviceID])
    }

    package func author(of hash: NoteHash) -> NoteAuthor? {
        guard let record = noteBook.records[hash] else { return nil }
        return switch record.form {
        case .singleKeys: .officer(of: record.content.authority)
        case .authority: .authority(record.content.authority)
        case .device: .device
        case .officers(let officers): .officers(officers)
        }
    }

    /// Notes against a device, in whatever force, ascending.
    package func notes(against device: DeviceID) -> [NoteHash] { noteBook.byDevice[device, default: []].sorted() }

    /// Notes that no verdict decides yet, ascending.
    package var undecidedNotes: [NoteHash] { noteBook.records.keys.filter { verdict(on: $0) == nil }.sorted() }

    /// Notes against a device that enough keys of an authority signed, which no verdict decides yet, and on which the
    /// authority of this log may decide.
    package func undecidedNotes(of device: DeviceID, by log: LogID) -> [NoteHash] {
        noteBook.byDevice[device, default: []].filter { hash in
            guard let record = noteBook.records[hash], case .authority = record.form, verdict(on: hash) == nil else {
                return false
            }
            return mayDecide(log, device, record.content.authority)
        }.sorted()
    }

    /// What an EpochAnnounce lists beside its rows, ascending: the undecided notes. Where they are more than it has room
    /// for, those come first without which the epoch would be tainted, and others as far as they fit.
    func announcedNotes(beside rows: [CoveredRow]) -> [NoteHash] {
        let tainting = taintingNotes.filter { !isConfirmed($0, within: rows) }
        let others = Set(undecidedNotes).subtracting(tainting).sorted()
        return (tainting + others).prefix(EpochAnnouncement.noteRoom(beside: rows.count)).sorted()
    }

    private enum Judgement {
        case valid(NoteBook.Form)
        case waits(NoteBook.Awaited)
    }

    private mutating func judge(_ note: RevokeNote) throws(NoteRefusal) -> Judgement {
        let content = note.content
        if !content.authority.isZero { return try judge(authorityNote: note) }
        guard content.number == 0 else { throw .number }
        guard content.wipe == nil else { return try judge(officersNote: note) }
        guard note.signed.signatureCount == 1 else { throw .signatures }
        guard let record = deviceRecords[content.device] else { return .waits(.device(content.device)) }
        guard signers(of: note, among: [record.signing]) != nil else { throw .signatures }
        return .valid(.device)
    }

    private func judge(authorityNote note: RevokeNote) throws(NoteRefusal) -> Judgement {
        let content = note.content
        guard let log = logs[content.authority] else { return .waits(.authority(content.authority)) }
        guard !log.isReleaseLog else { throw .outsideChain }
        // Nobody offers it again where a copy of it is in the set.
        if content.wipe != nil, isByNewKeys(note) { return .waits(.authority(content.authority)) }
        // Revoking is safe, whatever became of the keys since: every keyset the authority ever had may.
        let form = try form(of: note, by: log.tree.keysets)
        if content.authority == genesis.rootID { return .valid(form) }
        guard let record = deviceRecords[content.device] else { return .waits(.device(content.device)) }
        guard record.certificates.contains(where: { mayBeAbove(content.authority, $0.log) }) else {
            throw .outsideChain
        }
        return .valid(form)
    }

    /// Whether an authority is another one, or added it, or one that added it: by what is known later, another of those may
    /// be its parent. So what was taken once is taken again, and what counts is asked of the parents (`isFounded`).
    private func mayBeAbove(_ authority: AuthorityID, _ other: AuthorityID) -> Bool {
        var met: Set<LogID> = [other]
        var next = [other]
        while let at = next.popLast() {
            if at == authority { return true }
            for grant in logs[at]?.grants ?? [] where met.insert(grant.place.log).inserted {
                next.append(grant.place.log)
            }
        }
        return false
    }

    /// The form of a note that one of several keysets signed; else why the one that comes nearest did not.
    private func form(of note: RevokeNote, by keysets: [Keyset]) throws(NoteRefusal) -> NoteBook.Form {
        var nearest = NoteRefusal.signatures
        for keyset in keysets {
            guard let signers = signers(of: note, among: keyset.keys) else { continue }
            if signers.count >= keyset.threshold {
                guard note.content.number != 0 else { return .authority(signers) }
                nearest = .number
            } else if signers.count > 1 {
                nearest = .signerCount
            } else if note.content.wipe != nil {
                nearest = .wipeOrder
            } else {
                guard note.content.number == 0 else { return .singleKeys(signers) }
                nearest = .number
            }
        }
        throw nearest
    }

    private mutating func judge(officersNote note: RevokeNote) throws(NoteRefusal) -> Judgement {
        let hints = note.signed.attestations.map(\.hint)
        guard hints.count >= 2 else { throw .wipeOrder }
        var officers: [DeviceID: SigningPublicKey] = [:]
        for hint in hints {
            for device in self.signers(hinted: hint) {
                if let record = deviceRecords[device], record.isOfficer { officers[device] = record.signing }
            }
        }
        guard officers.count >= hints.count else { return .waits(.officers) }
        guard let signers = signers(of: note, among: officers.sorted { $0.key < $1.key }.map(\.value)) else {
            throw .signatures
        }
        return .valid(.officers(officers.filter { signers.contains($0.value) }.keys.sorted()))
    }

    private func signers(of note: RevokeNote, among keys: [SigningPublicKey]) -> [SigningPublicKey]? {
        note.signed.signers(among: keys, type: .object(.revokeNote), mesh: mesh)
    }

    /// Takes held notes that waited for this; gives the devices whose standing they may change.
    mutating func release(_ awaited: NoteBook.Awaited, into intake: inout EntryIntake) -> [DeviceID] {
        var devices: [DeviceID] = []
        for note in noteBook.takeHeld(awaited) {
            // One that is refused cannot become valid by waiting; its peer will offer it again.
            guard let judgement = try? judge(note) else { continue }
            switch judgement {
            case .waits(let awaited): noteBook.hold(note, for: awaited)
            case .valid(let form):
                guard let dropped = take(note, form) else { continue }
                intake.notes.append(note)
                intake.notesGone.removeAll { $0 == note.id }
                for gone in dropped {
                    // It may have come in with this very intake.
                    let before = intake.notes.count
                    intake.notes.removeAll { $0.id == gone.id }
                    if intake.notes.count == before { intake.notesGone.append(gone.id) }
                }
                devices += noteBook.devicesTouched(by: note.hash) + dropped.map(\.device)
            }
        }
        return devices
    }

    private func isOrIsAbove(_ authority: AuthorityID, _ other: AuthorityID) -> Bool {
        authority == other || isAbove(authority, other)
    }

    // MARK: What notes mean

    enum NoteEffect { case revokes, suspends, nothing }

    func effect(of hash: NoteHash) -> NoteEffect {
        guard let record = noteBook.records[hash], isFounded(record) else { return .nothing }
        switch verdict(on: hash) {
        case .confirmed: return .revokes
        case .lifted: return .nothing
        case nil: break
        }
        guard case .singleKeys(let keys) = record.form else { return .revokes }
        let revokes = keys.contains { key in
            let undecided = noteBook.singles(of: key).lazy.filter { self.verdict(on: $0) == nil }
            return undecided.prefix(Bounds.revokingSingles).contains(hash)
        }
        return revokes ? .revokes : .suspends
    }

    /// Whether the signers of a note have the right to it as things stand now.
    private func isFounded(_ record: NoteBook.Record) -> Bool {
        switch record.form {
        case .device: return true
        case .singleKeys, .authority:
            if record.content.authority == genesis.rootID { return true }
            guard let certificates = deviceRecords[record.content.device]?.certificates else { return false }
            return certificates.contains {
                isOrIsAbove(record.content.authority, $0.log) && rightsFault(of: $0) == nil
            }
        case .officers(let officers):
            let entitled = officers.compactMap { officer in
                deviceRecords[officer]?.certificates.first {
                    $0.certificate.capabilities.contains(.wipeOfficer) && rightsFault(of: $0) == nil
                }?.certificate
            }
            return areTwoOfficers(entitled)
        }
    }

    /// Lets go of notes by keys that their authority turned out never to have had: who gave it those was not its parent.
    mutating func dropForeignNotes(_ intake: inout EntryIntake) {
        guard !noteBook.records.isEmpty else { return }
        // To find them out goes over what stands beside the path.
        var keysetsOfLogs: [LogID: [Keyset]] = [:]
        for hash in noteBook.records.keys.sorted() {
            guard let record = noteBook.records[hash], let log = logs[record.content.authority] else { continue }
            let keysets = keysetsOfLogs[record.content.authority] ?? log.tree.keysets
            keysetsOfLogs[record.content.authority] = keysets
            switch record.form {
            case .singleKeys(let keys):
                for key in keys where !keysets.contains(where: { $0.threshold > 1 && $0.keys.contains(key) }) {
                    if let gone = noteBook.withdraw(key, from: hash) { intake.notesGone.append(gone) }
                }
            case .authority(let keys):
                guard !keysets.contains(where: { keys.count >= $0.threshold && keys.allSatisfy($0.keys.contains) })
                else { continue }
                noteBook.remove(hash)
                intake.notesGone.append(NoteID(prefixOf: hash))
            case .device, .officers: break
            }
        }
    }

    /// The verdict that counts: of the authority nearest to the root, and there the newest. Lifting is a grant and ends
    /// with the right to grant; confirming never does, nor with its branch, but from a branch that lost it outranks nothing.
    package func verdict(on hash: NoteHash) -> NoteVerdict.Decision? {
        guard let record = noteBook.records[hash] else { return nil }
        return verdict(on: hash, of: record.content.device, by: record.content.authority)
    }

    /// Whether an authority of the device put an end to a Suspend, which a verdict names by its hash like a note.
    func isLifted(_ suspend: SuspendBook.Record) -> Bool {
        verdict(on: NoteHash(prefixOf: suspend.hash), of: suspend.device, by: AuthorityID()) == .lifted
    }

    private func verdict(
        on hash: NoteHash, of device: DeviceID, by authority: AuthorityID
    ) -> NoteVerdict.Decision? {
        guard let verdicts = noteBook.verdicts[hash] else { return nil }
        var best: NoteBook.Verdict?
        for verdict in verdicts where mayDecide(verdict.log, device, authority) {
            if verdict.decision == .lifted {
                guard limits(of: verdict.log) != nil, counts(verdict.place) else { continue }
            }
            guard let found = best else {
                best = verdict
                continue
            }
            let rank = rank(of: verdict)
            let foundRank = self.rank(of: found)
            if rank > foundRank { best = verdict }
        }
        return best?.decision
    }

    private func rank(of verdict: NoteBook.Verdict) -> (Int, Int, UInt64, Int) {
        (
            isHonoured(verdict.place) ? 1 : 0, -(logs[verdict.log]?.depth ?? .max), verdict.sequence,
            verdict.decision == .confirmed ? 1 : 0
        )
    }

    private func mayDecide(_ log: LogID, _ device: DeviceID, _ authority: AuthorityID) -> Bool {
        if log == genesis.rootID { return true }
        if !authority.isZero { return isOrIsAbove(log, authority) }
        return deviceRecords[device]?.certificates.contains {
            isOrIsAbove(log, $0.log) && rightsFault(of: $0) == nil
        } ?? false
    }

    /// Whether a verdict within `rows` confirms a note.
    func isConfirmed(_ hash: NoteHash, within rows: [CoveredRow]) -> Bool {
        guard let verdicts = noteBook.verdicts[hash], let record = noteBook.records[hash] else { return false }
        return verdicts.contains { verdict in
            verdict.decision == .confirmed
                && mayDecide(verdict.log, record.content.device, record.content.authority)
                && isCovered(verdict.place, by: rows)
        }
    }

    /// Notes in force that taint epochs which do not cover them.
    var taintingNotes: [NoteHash] {
        noteBook.revocations.values.lazy.flatMap(\.notes).filter { hash in
            self.noteBook.records[hash]?.content.taints ?? false
        }.sorted()
    }

    /// Derives the standing of devices from their notes again.
    mutating func refresh(_ devices: [DeviceID]) -> [MembershipChange] {
        var changes: [MembershipChange] = []
        guard !noteBook.byDevice.isEmpty else { return changes }
        for device in Set(devices).sorted() {
            guard let notes = noteBook.byDevice[device] else { continue }
            var revoking: [NoteHash] = []
            var suspending: [Minute] = []
            for hash in notes {
                switch effect(of: hash) {
                case .revokes: revoking.append(hash)
                case .suspends: if let content = noteBook.records[hash]?.content { suspending.append(content.issued) }
                case .nothing: break
                }
            }
            let revocation = revocation(by: revoking)
            let wasRevoked = noteBook.revocations[device] != nil
            let wasSuspended = noteBook.suspensions[device] != nil
            noteBook.revocations[device] = revocation
            noteBook.suspensions[device] = suspending.isEmpty ? nil : suspending.sorted()
            if revocation != nil, !wasRevoked {
                changes.append(.revoked(device))
            } else if revocation == nil, !suspending.isEmpty, wasRevoked || !wasSuspended {
                changes.append(.suspended(device))
            } else if revocation == nil, suspending.isEmpty, wasRevoked || wasSuspended {
                changes.append(.reinstated(device))
            }
        }
        return changes
    }

    private func revocation(by notes: [NoteHash]) -> Revocation? {
        let contents = notes.compactMap { noteBook.records[$0]?.content }
        guard let gravest = contents.max(by: { $0.reason.gravity < $1.reason.gravity }) else { return nil }
        let suspect = contents.filter { $0.reason == gravest.reason }.map(\.suspectSince).min()
        return Revocation(
            notes: notes.sorted(), reason: gravest.reason, suspectSince: suspect ?? gravest.suspectSince)
    }
}

extension RevocationReason {
    fileprivate var gravity: Int {
        switch self {
        case .compromised: 5
        case .lost: 4
        case .retired: 3
        case .superseded: 2
        case .policy: 1
        }
    }
}

extension DeviceRecord {
    var signing: SigningPublicKey { certificates[0].certificate.signing }

    /// By any certificate that was ever logged; whether it has the right now is asked when its notes are weighed.
    var isOfficer: Bool { certificates.contains { $0.certificate.capabilities.contains(.wipeOfficer) } }
}
