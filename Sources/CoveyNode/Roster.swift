import CoveyCore
import CoveyCrypto
import CoveySync

/// The membership of this node's mesh, and where the bytes of every entry and note are.
struct Roster {
    private var page: RosterPage
    /// Where this node began, when it shares its beginning with others: those entries are not in its store.
    private let snapshot: RosterSnapshot?
    private let commons: (any Commons)?
    /// Where entries are in the table `log`, beyond those of the snapshot, and the last position there.
    private var positions: [EntryID: UInt32] = [:]
    private var last: UInt64 = 0

    /// Entries come back in the order in which they were accepted, so nothing is verified again but their parsing, and what
    /// has to wait for others.
    init(
        loading store: any Store, genesis: Genesis, snapshot: RosterSnapshot?, commons: (any Commons)?, seed: UInt64,
        clock: inout MeshClock, now: Now
    ) throws {
        self.snapshot = snapshot
        self.commons = commons
        if let snapshot {
            precondition(snapshot.genesis.meshID == genesis.meshID, "a node starts from a snapshot of its own mesh")
            page = snapshot.roster
            last = snapshot.last
            snapshot.tell(&clock, now)
        } else {
            page = RosterPage(
                history: RosterHistory(of: genesis), state: RosterState(genesis: genesis, seed: seed))
        }
        var after = last
        while true {
            let records = try store.records(.log, after: after, limit: 256)
            guard let end = records.last?.sequence else { break }
            for record in records { try restore(record.value, at: record.sequence, &clock, now) }
            after = end
        }
        for record in try store.all(.notes) {
            do {
                let signed = try Signed(parsing: record.value)
                switch NoteKind(of: signed) {
                case .suspend: _ = try step(suspend: signed)
                case .revokeNote: try restore(note: signed, at: record.key, store)
                case .renewal: _ = try step(renewal: signed)
                case .receipt: continue
                case .entry, .unknown: throw Malformed.wrongType
                }
            } catch SuspendRefusal.over, SuspendRefusal.tooMany {
                // Forgotten by what the log says since.
                try store.delete(.notes, record.key)
            } catch NoteRefusal.tooMany {
                // Its signer has others that go before it.
                try store.delete(.notes, record.key)
            } catch NoteRefusal.malformed(let cause) {
                throw StoreError.damaged("a revocation note: \(cause)")
            } catch is NoteRefusal {
                // It was taken when other entries were known, and may be again.
            } catch is RenewRefusal {
                // Answered since.
                try store.delete(.notes, record.key)
            } catch {
                throw StoreError.damaged("a revocation note: \(error)")
            }
        }
    }

    private mutating func restore(note signed: Signed, at key: [UInt8], _ store: any Store) throws {
        let note: RevokeNote
        switch try step(note: signed).outcome {
        case .accepted(let taken, _, let dropped):
            for id in dropped { try store.delete(.notes, id.array) }
            note = taken
        case .known, .held: note = try RevokeNote(parsing: signed)
        }
        // Earlier programs kept what one key signs alone under the hash of its body.
        guard key != note.id.array else { return }
        try store.put(.notes, note.id.array, signed.bytes)
        try store.delete(.notes, key)
    }

    private mutating func restore(
        _ bytes: [UInt8], at position: UInt64, _ clock: inout MeshClock, _ now: Now
    ) throws {
        last = position
        do {
            let signed = try Signed(parsing: bytes)
            switch try step(entry: signed, isVerified: true).outcome {
            case .accepted(let intake):
                // Those that waited for it have their positions.
                positions[intake.entries[0].id] = UInt32(position)
                tell(&clock, intake, now)
            case .held:
                // Earlier programs took some before what they stand on.
                positions[LogEntry.id(of: signed)] = UInt32(position)
            case .known: break
            }
        } catch EntryRefusal.tooManyHeld, EntryRefusal.wrongPrevious {
            // It stood behind one of those. Neighbours have it.
        } catch {
            throw StoreError.damaged("entry \(position) of the membership log: \(error)")
        }
    }

    /// At the next position.
    private mutating func place(_ entry: LogEntry) {
        last += 1
        precondition(last <= UInt64(UInt32.max), "a log has fewer entries than 32 bits count")
        positions[entry.id] = UInt32(last)
    }

    private mutating func step(
        entry signed: Signed, isVerified: Bool
    ) throws -> (outcome: EntryOutcome, renewalsGone: [RenewHash]) {
        let taken = try RosterPage.take(.entry, signed, from: &page, commons) { state in
            .entry(try state.accept(signed, isVerified: isVerified), renewalsGone: state.renewalsGone)
        }
        guard case .entry(let outcome, let gone) = taken else { preconditionFailure("an entry's step is of an entry") }
        return (outcome, gone)
    }

    private mutating func step(note signed: Signed) throws -> (outcome: NoteOutcome, renewalsGone: [RenewHash]) {
        let taken = try take(signed) { .note(try $0.accept(note: signed), renewalsGone: $0.renewalsGone) }
        guard case .note(let outcome, let gone) = taken else { preconditionFailure("a note's step is of a note") }
        return (outcome, gone)
    }

    private mutating func step(suspend signed: Signed) throws -> SuspendOutcome {
        let taken = try take(signed) { .suspend(try $0.accept(suspend: signed)) }
        guard case .suspend(let outcome) = taken else { preconditionFailure("a Suspend's step is of a Suspend") }
        return outcome
    }

    private mutating func step(renewal signed: Signed) throws -> (outcome: RenewOutcome, renewalsGone: [RenewHash]) {
        let taken = try take(signed) { .renewal(try $0.accept(renewal: signed), renewalsGone: $0.renewalsGone) }
        guard case .renewal(let outcome, let gone) = taken else {
            preconditionFailure("a request's step is of a request")
        }
        return (outcome, gone)
    }

    /// A step with an object of the set of notes: it has no place of its own in the log.
    private mutating func take(
        _ signed: Signed, _ step: (inout RosterState) throws -> RosterPage.Step
    ) throws -> RosterPage.Step {
        try RosterPage.take(.note, signed, from: &page, commons, step)
    }

    private func tell(_ clock: inout MeshClock, _ intake: EntryIntake, _ now: Now) {
        let root = membership.genesis.rootID
        for entry in intake.entries where membership.tellsTime(entry) {
            clock.observe(entry: entry.time, of: entry.log, isRoot: entry.log == root, now: now)
        }
        // Of some logs other entries count now.
        for change in intake.changes {
            let changed: [LogID]
            switch change {
            case .authorityRevoked(let authority): changed = membership.authoritiesUnder(authority)
            case .frozen(let log, _), .recovered(let log): changed = [log]
            case .policy, .authority, .rotated, .issued, .void, .revoked, .suspended, .reinstated, .epoch, .checkpoint,
                .group, .release:
                continue
            }
            for log in changed {
                clock.disbelieve(entriesOf: log)
                guard let time = membership.timeTold(by: log) else { continue }
                clock.observe(entry: time, of: log, isRoot: log == root, now: now)
            }
        }
    }

    var membership: Membership { _read { yield page.state.membership } }

    /// What this membership follows from, named.
    var history: RosterHistory { page.history }

    /// In the order of their ids.
    var notes: [RevokeNote] { page.state.notes }

    /// A wipe order's id is its hash, as no key signs one alone.
    func order(_ hash: NoteHash) -> RevokeNote? { note(NoteID(prefixOf: hash)) }

    private func note(_ id: NoteID) -> RevokeNote? {
        let at = page.state.notes.partitioningIndex { $0.id >= id }
        guard at < page.state.notes.count, page.state.notes[at].id == id else { return nil }
        return page.state.notes[at]
    }

    /// In the order of their ids.
    var suspends: [Suspend] { page.state.suspends.values.sorted { $0.id < $1.id } }

    /// Requests for renewal that nobody has answered.
    var renewals: RenewalBook { _read { yield page.state.renewals } }

    /// The notes, the Suspends and the proofs of forks, as NOTE_PUT carries them. Requests for renewal are for members.
    func allOfNoteSet(store: any Store) throws -> [Signed] {
        try notes.map(\.signed) + suspends.map(\.signed) + forkedLogs.flatMap { try proof(of: $0, store: store) }
    }

    /// An object of the set of notes.
    func object(_ id: ItemID, store: any Store) throws -> Signed? {
        if let note = note(NoteID(prefixOf: id)) { return note.signed }
        if let suspend = page.state.suspends[NoteID(prefixOf: id)] { return suspend.signed }
        if let request = renewals.request(RenewHash(prefixOf: id)) { return request.signed }
        for log in forkedLogs {
            if page.state.proofs[log, default: []].contains(EntryID(prefixOf: id)) {
                return try entry(EntryID(prefixOf: id), store)
            }
        }
        return nil
    }

    /// Two entries with one sequence, or none.
    func proof(of log: LogID, store: any Store) throws -> [Signed] {
        try page.state.proofs[log, default: []].compactMap { try entry($0, store) }
    }

    /// The set of notes, to be reconciled: asking sorts it, and changes nothing in it.
    func withNoteSet<Result>(_ body: (inout KnownSet) throws -> Result) rethrows -> Result {
        try body(&page.state.noteSet)
    }

    /// Takes an entry in and keeps its bytes, and those of entries that had waited for it.
    mutating func accept(
        _ signed: Signed, clock: inout MeshClock, now: Now, store: any Store
    ) throws -> EntryOutcome {
        let (outcome, renewalsGone) = try step(entry: signed, isVerified: false)
        guard case .accepted(let intake) = outcome else { return outcome }
        for entry in intake.entries {
            place(entry)
            try store.put(.log, last, entry.signed.bytes)
        }
        tell(&clock, intake, now)
        for note in intake.notes { try store.put(.notes, note.id.array, note.signed.bytes) }
        for id in intake.notesGone { try store.delete(.notes, id.array) }
        for suspend in intake.suspends { try store.put(.notes, suspend.id.array, suspend.signed.bytes) }
        for id in intake.suspendsGone { try store.delete(.notes, id.array) }
        for hash in renewalsGone { try store.delete(.notes, hash.array) }
        return outcome
    }

    mutating func accept(suspend signed: Signed, store: any Store) throws -> SuspendOutcome {
        let outcome = try step(suspend: signed)
        if case .accepted(let suspend, _, let dropped) = outcome {
            for id in dropped { try store.delete(.notes, id.array) }
            try store.put(.notes, suspend.id.array, suspend.signed.bytes)
        }
        return outcome
    }

    mutating func accept(note signed: Signed, store: any Store) throws -> NoteOutcome {
        let (outcome, renewalsGone) = try step(note: signed)
        if case .accepted(let note, _, let dropped) = outcome {
            for id in dropped { try store.delete(.notes, id.array) }
            try store.put(.notes, note.id.array, note.signed.bytes)
            for hash in renewalsGone { try store.delete(.notes, hash.array) }
        }
        return outcome
    }

    mutating func accept(renewal signed: Signed, store: any Store) throws -> RenewOutcome {
        let (outcome, renewalsGone) = try step(renewal: signed)
        if case .accepted(let request, _) = outcome {
            for hash in renewalsGone { try store.delete(.notes, hash.array) }
            try store.put(.notes, request.hash.array, request.signed.bytes)
        }
        return outcome
    }

    // MARK: Bytes

    /// The bytes of entries `from...upTo` of one log, as far as they are held.
    func entries(of log: LogID, from: UInt64, upTo: UInt64, store: any Store) throws -> [Signed] {
        let ids = membership.entryIDs(of: log)
        guard from >= 1, from <= min(upTo, UInt64(ids.count)) else { return [] }
        return try ids[Int(from) - 1..<Int(min(upTo, UInt64(ids.count)))].compactMap { try entry($0, store) }
    }

    private func entry(_ id: EntryID, _ store: any Store) throws -> Signed? {
        if let entry = snapshot?.entry(id) { return entry }
        return try positions[id].flatMap { try entry(at: UInt64($0), store) }
    }

    private func entry(at position: UInt64, _ store: any Store) throws -> Signed? {
        guard let record = try store.records(.log, after: position - 1, limit: 1).first, record.sequence == position
        else { return nil }
        do { return try Signed(parsing: record.value) } catch {
            throw StoreError.damaged("entry \(position) of the membership log: \(error)")
        }
    }

    /// At most `limit` entries after a position, in the order of acceptance.
    func entries(after: UInt64, limit: Int, store: any Store) throws -> [(position: UInt64, bytes: [UInt8])] {
        var found: [(position: UInt64, bytes: [UInt8])] = []
        var last = after
        while found.count < limit, last < .max, let entry = snapshot?.entry(at: last + 1) {
            last += 1
            found.append((last, entry.bytes))
        }
        guard found.count < limit else { return found }
        found += try store.records(.log, after: last, limit: limit - found.count).map { ($0.sequence, $0.value) }
        return found
    }

    /// Logs of which two entries with one sequence are held.
    var forkedLogs: [LogID] { membership.contestedLogs }

    /// Entries that share a sequence with another, both sides, the first `most` beside the path: what shows the fork of a
    /// log to anybody.
    func conflict(in log: LogID, most: Int, store: any Store) throws -> [Signed] {
        var found: [Signed] = []
        var last: UInt64?
        for place in membership.entries(beside: log).prefix(most) {
            if place.sequence != last {
                found += try entries(of: log, from: place.sequence, upTo: place.sequence, store: store)
            }
            last = place.sequence
            if let entry = try entry(place.id, store) { found.append(entry) }
        }
        return found
    }

    // MARK: Places

    var rootHead: CoveredRow? { membership.heads.first { $0.log == membership.genesis.rootID } }

    /// The authorities between a device and the root, its issuer first.
    func chain(of certificate: DeviceCertificate) -> [Signed] {
        membership.latestAuthorityChain(of: certificate.issuer).map(\.signed)
    }

    /// The entry that issued a certificate.
    func issue(of certificate: DeviceCertificate) -> (log: LogID, sequence: UInt64)? {
        membership.place(of: certificate.hash, of: certificate.device)
    }

    /// When a device's certificate was issued.
    func enrolment(of device: DeviceID) -> Minute? {
        guard let certificate = membership.currentCertificate(device), let place = issue(of: certificate),
            place.sequence <= UInt64(membership.entryIDs(of: place.log).count)
        else { return nil }
        let entry = membership.entryIDs(of: place.log)[Int(place.sequence) - 1]
        return membership.time(of: entry, at: place.sequence, in: place.log)
    }

    /// What proves a device's membership to somebody who knows only the root: the entries that added its authorities, and
    /// the one that issued its certificate (protocol.md §1.7).
    func inclusion(of device: DeviceID) -> [(log: LogID, sequence: UInt64)] {
        guard let certificate = membership.currentCertificate(device), let issue = issue(of: certificate) else {
            return []
        }
        var places: [(log: LogID, sequence: UInt64)] = [issue]
        for authority in membership.authorityChain(of: certificate.issuer) ?? [] {
            if let place = page.state.addition(of: authority.authority) { places.append(place) }
        }
        return places.reversed()
    }
}
