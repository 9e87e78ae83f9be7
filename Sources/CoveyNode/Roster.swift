import CoveyCore
import CoveyCrypto

/// The membership with what its decisions do not need but others ask for: the bytes of every entry and note.
struct Roster {
    private(set) var membership: Membership
    /// Positions in the table `log`, by log and sequence.
    private var positions: [LogID: [UInt64: UInt64]] = [:]
    /// Positions of entries whose place another entry had taken before: with that one, the proof of a fork.
    private var beside: [LogID: [(sequence: UInt64, position: UInt64)]] = [:]
    /// Where each authority was added.
    private var additions: [AuthorityID: (log: LogID, sequence: UInt64)] = [:]
    /// Where each certificate was issued.
    private var issues: [CertificateHash: (log: LogID, sequence: UInt64)] = [:]
    private var last: UInt64 = 0
    private(set) var notes: [RevokeNote] = []

    /// Entries come back in the order in which they were accepted, so nothing is verified again but their parsing.
    init(loading store: any Store, genesis: Genesis, clock: inout MeshClock, now: Now) throws {
        membership = Membership(genesis: genesis)
        var after: UInt64 = 0
        while true {
            let page = try store.records(.log, after: after, limit: 256)
            guard let end = page.last?.sequence else { break }
            for record in page {
                let intake: EntryIntake
                do {
                    guard case .accepted(let taken) = try membership.restore(Signed(parsing: record.value)) else {
                        continue
                    }
                    intake = taken
                } catch {
                    throw StoreError.damaged("entry \(record.sequence) of the membership log: \(error)")
                }
                for entry in intake.entries {
                    index(entry, at: record.sequence)
                    clock.observe(entry: entry.time, of: entry.log, isRoot: entry.log == genesis.rootID, now: now)
                }
            }
            after = end
        }
        last = after
        for record in try store.all(.notes) {
            do {
                if case .accepted(let note, _, _) = try membership.accept(note: Signed(parsing: record.value)) {
                    notes.append(note)
                }
            } catch {
                throw StoreError.damaged("a revocation note: \(error)")
            }
        }
    }

    /// Takes an entry in and keeps its bytes, and those of entries that had waited for it.
    mutating func accept(
        _ signed: Signed, clock: inout MeshClock, now: Now, store: any Store
    ) throws -> EntryOutcome {
        let outcome = try membership.accept(signed)
        guard case .accepted(let intake) = outcome else { return outcome }
        for entry in intake.entries {
            last += 1
            try store.put(.log, last, entry.signed.bytes)
            index(entry, at: last)
            clock.observe(
                entry: entry.time, of: entry.log, isRoot: entry.log == membership.genesis.rootID, now: now)
        }
        for note in intake.notes { try keep(note, store) }
        return outcome
    }

    /// Of a forked log the accepted branch came first, and stays in its place.
    private mutating func index(_ entry: LogEntry, at position: UInt64) {
        if positions[entry.log]?[entry.sequence] == nil {
            positions[entry.log, default: [:]][entry.sequence] = position
        } else {
            beside[entry.log, default: []].append((entry.sequence, position))
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

    mutating func accept(note signed: Signed, store: any Store) throws -> NoteOutcome {
        let outcome = try membership.accept(note: signed)
        if case .accepted(let note, _, let dropped) = outcome {
            for hash in dropped {
                notes.removeAll { $0.hash == hash }
                try store.delete(.notes, hash.array)
            }
            try keep(note, store)
        }
        return outcome
    }

    private mutating func keep(_ note: RevokeNote, _ store: any Store) throws {
        notes.append(note)
        try store.put(.notes, note.hash.array, note.signed.bytes)
    }

    func note(_ hash: NoteHash) -> RevokeNote? { notes.first { $0.hash == hash } }

    /// The bytes of entries `from...upTo` of one log, as far as they are held.
    func entries(of log: LogID, from: UInt64, upTo: UInt64, store: any Store) throws -> [Signed] {
        guard from <= upTo, let places = positions[log] else { return [] }
        var found: [Signed] = []
        var sequence = from
        while sequence <= upTo, let position = places[sequence] {
            if let entry = try entry(at: position, store) { found.append(entry) }
            sequence += 1
        }
        return found
    }

    private func entry(at position: UInt64, _ store: any Store) throws -> Signed? {
        guard let record = try store.records(.log, after: position - 1, limit: 1).first, record.sequence == position
        else { return nil }
        do { return try Signed(parsing: record.value) } catch {
            throw StoreError.damaged("entry \(position) of the membership log: \(error)")
        }
    }

    /// Logs of which two entries with one sequence are held.
    var forkedLogs: [LogID] { beside.keys.sorted() }

    /// All entries that share a sequence with another, both sides: what shows the fork of a log to anybody.
    func conflict(in log: LogID, store: any Store) throws -> [Signed] {
        var found: [Signed] = []
        var last: UInt64?
        for place in beside[log, default: []].sorted(by: { ($0.sequence, $0.position) < ($1.sequence, $1.position) }) {
            if place.sequence != last {
                found += try entries(of: log, from: place.sequence, upTo: place.sequence, store: store)
            }
            last = place.sequence
            if let entry = try entry(at: place.position, store) { found.append(entry) }
        }
        return found
    }

    var rootHead: CoveredRow? { membership.heads.first { $0.log == membership.genesis.rootID } }

    /// The authorities between a device and the root, its issuer first.
    func chain(of certificate: DeviceCertificate) -> [Signed] {
        (membership.authorityChain(of: certificate.issuer) ?? []).map(\.signed)
    }

    /// The entry that issued a certificate.
    func issue(of certificate: DeviceCertificate) -> (log: LogID, sequence: UInt64)? { issues[certificate.hash] }

    /// What proves a device's membership to somebody who knows only the root: the entries that added its authorities, and
    /// the one that issued its certificate (protocol.md §1.7).
    func inclusion(of device: DeviceID) -> [(log: LogID, sequence: UInt64)] {
        guard let certificate = membership.currentCertificate(device),
            let issue = issues[certificate.hash]
        else { return [] }
        var places: [(log: LogID, sequence: UInt64)] = [issue]
        for authority in membership.authorityChain(of: certificate.issuer) ?? [] {
            if let place = additions[authority.authority] { places.append(place) }
        }
        return places.reversed()
    }
}
