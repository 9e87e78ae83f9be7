import CoveyCore
import CoveyCrypto
import CoveyNode

/// The mesh's authority at its desk: enrols the world's devices, revokes them, and knows the whole log.
///
/// It goes the way people go (invitation, request, grant), so what it issues is what a node meets outside. Hosts that are
/// there when the world begins start from one snapshot, verified once; whoever joins later has the entries since then on
/// its disk, and brings them to others.
struct Enrolment {
    let founding: Founding
    private let authority: Authority
    private(set) var membership: Membership
    /// In the order of acceptance.
    private(set) var entries: [LogEntry]
    private(set) var notes: [RevokeNote] = []
    private(set) var epochs: [Welcome.Epoch] = []
    /// What all nodes start from, once the world has begun.
    private(set) var snapshot: RosterSnapshot?
    /// Entries and notes in it.
    private(set) var shared: (entries: Int, notes: Int) = (0, 0)
    private let random: SeededRandom

    init(seed: UInt64, now: Minute) {
        random = SeededRandom(seed: seed, stream: "enrolment")
        do {
            founding = try Founding.found(
                name: "Simulated mesh", profile: .standard, fieldDevices: .max, random: random, now: now)
        } catch { preconditionFailure("the founding of a simulated mesh is sound: \(error)") }
        membership = founding.membership()
        authority = Authority(founding.field)
        entries = founding.entries
    }

    mutating func enrol(_ label: String, now: Minute) -> DeviceIdentity {
        do {
            let invitation = OpenInvitation(
                mesh: founding.mesh, authority: authority.keys.authority, label: label, now: now,
                expires: now.adding(60), random: random)
            let pending = try PendingEnrolment(
                accepting: invitation.invitation, buildHash: Octets32(), random: random)
            let request = try invitation.verify(pending.request, now: now)
            entries.append(try authority.issue(request, into: &membership, now: now, random: random))
            if epochs.isEmpty { try announceEpoch(now) }
            return pending.identity
        } catch { preconditionFailure("the enrolment of \(label) is sound: \(error)") }
    }

    private mutating func announceEpoch(_ now: Minute) throws {
        let key = EpochKey(from: random)
        let entry = try authority.announceEpoch(key, into: &membership, now: now)
        entries.append(entry)
        epochs.append(Welcome.Epoch(entry: entry.id, key: key))
        if epochs.count > Welcome.mostEpochs { epochs.removeFirst() }
    }

    /// What an officer hands to a node: the note, the announcement of an epoch that covers it, and its key.
    mutating func revoke(_ device: DeviceID, _ reason: RevocationReason, now: Minute) -> Command {
        do {
            let note = try authority.revoke(
                device, reason: reason, suspectSince: now, into: &membership, now: now)
            notes.append(note)
            try announceEpoch(now)
            let epoch = epochs[epochs.count - 1]
            return .logSubmit(
                [note.signed.bytes, entries[entries.count - 1].signed.bytes],
                epochKeys: [EpochKeySubmission(entry: epoch.entry, key: epoch.key)])
        } catch { preconditionFailure("the revocation of a device of this mesh is sound: \(error)") }
    }

    /// What a thief of the authority's key can sign: two entries of one sequence. The authority knows of neither.
    func fork(now: Minute) -> (one: LogEntry, other: LogEntry) {
        var one = membership
        var other = membership
        do {
            return (
                try authority.announceEpoch(EpochKey(from: random), into: &one, now: now),
                try authority.announceEpoch(EpochKey(from: random), into: &other, now: now)
            )
        } catch { preconditionFailure("an authority's key signs what it is given: \(error)") }
    }

    /// The newest entries, as a file that any node imports.
    func newest(_ count: Int) -> Command { .logSubmit(entries.suffix(count).map(\.signed.bytes), epochKeys: []) }

    /// The world begins: those who are there start from what is known now.
    ///
    /// - Parameter withKeys: their prekeys are made, and all know them; else each makes its own at its start.
    mutating func begin(_ devices: [(identity: DeviceIdentity, store: MemoryStore)], withKeys: Bool, now: Minute) {
        do {
            var bundles: [Signed] = []
            if withKeys {
                for (identity, store) in devices {
                    guard let certificate = membership.currentCertificate(identity.id) else { continue }
                    bundles.append(
                        try Installation.writePrekeys(
                            of: identity, certificate: certificate, mesh: founding.mesh,
                            headsDigest: membership.headsDigest, now: now, random: random, kem: SimulatedKEM(),
                            to: store))
                }
            }
            let snapshot = try RosterSnapshot(
                genesis: founding.genesis, log: entries.map(\.signed), notes: notes.map(\.signed), epochs: epochs,
                bundles: bundles, now: now, random: random)
            self.snapshot = snapshot
            shared = (entries.count, notes.count)
            for (_, store) in devices {
                try Installation.write(snapshot, to: store)
                store.commit()
            }
        } catch { preconditionFailure("what this authority issued holds together: \(error)") }
    }

    /// Fills the store of a device that comes later.
    func install(on store: MemoryStore) {
        do {
            try Installation.write(
                accepted: Array(entries[shared.entries...]), after: UInt64(shared.entries),
                Array(notes[shared.notes...]),
                epochs, to: store)
            store.commit()
        } catch { preconditionFailure("a new disk takes what is written: \(error)") }
    }
}
