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
    private var root: Authority
    /// The field authority in office: another one when the first was revoked.
    private(set) var authority: Authority
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

    init(seed: UInt64, keys: KeysetShape, now: Minute) {
        random = SeededRandom(seed: seed, stream: "enrolment")
        do {
            founding = try Founding.found(
                name: "Simulated mesh", profile: .standard, root: keys, field: keys, fieldDevices: .max,
                random: random, now: now)
        } catch { preconditionFailure("the founding of a simulated mesh is sound: \(error)") }
        membership = founding.membership()
        root = Authority(founding.root)
        authority = Authority(founding.field)
        entries = founding.entries
    }

    mutating func enrol(_ label: String, _ grant: Grant, now: Minute) -> DeviceIdentity {
        let (identity, entry) = Self.enrol(
            label, grant, by: authority, into: &membership, now: now, random: random)
        entries.append(entry)
        if epochs.isEmpty { announceEpoch(now) }
        return identity
    }

    /// The way people go: invitation, request, grant.
    static func enrol(
        _ label: String, _ grant: Grant, by authority: Authority, into membership: inout Membership, now: Minute,
        random: SeededRandom
    ) -> (identity: DeviceIdentity, entry: LogEntry) {
        do {
            let invitation = OpenInvitation(
                mesh: authority.keys.mesh, authority: authority.keys.authority, label: label, now: now,
                expires: now.adding(60), random: random)
            let pending = try PendingEnrolment(
                accepting: invitation.invitation, buildHash: Octets32(),
                agreesToOrders: grant.capabilities.contains(.orgOwned), random: random)
            let request = try invitation.verify(pending.request, now: now)
            let entry = try authority.issue(request, grant, into: &membership, now: now, random: random)
            return (pending.identity, entry)
        } catch { preconditionFailure("the enrolment of \(label) is sound: \(error)") }
    }

    /// Another certificate for a device that has one: what an officer hands to a node.
    mutating func renew(_ device: DeviceID, days: UInt16?, now: Minute) -> Command {
        do {
            guard let current = membership.currentCertificate(device) else { throw AuthorityRefusal.notOurs }
            let grant = Grant(capabilities: current.capabilities, zones: current.zones, days: days)
            entries.append(try authority.renew(device, grant, into: &membership, now: now))
        } catch { preconditionFailure("the renewal of a device of this authority is sound: \(error)") }
        return newest(1)
    }

    /// Answers requests for renewal of whoever has a node with an authority beside it: first with what that node lacks of
    /// the authority's log.
    mutating func renew(_ devices: [DeviceID], known: Membership, at time: TimeView) throws -> [LogEntry] {
        let log = authority.keys.authority
        let held = UInt64(known.entryIDs(of: log).count)
        let lacking = entries.filter { $0.log == log && $0.sequence > held }
        guard lacking.isEmpty else { return lacking }
        guard let entry = try authority.renew(devices, into: &membership, at: time).entry else { return [] }
        entries.append(entry)
        return [entry]
    }

    /// The root says where the logs below it stand.
    mutating func checkpoint(now: Minute) -> Command {
        do {
            entries.append(try root.checkpoint(into: &membership, now: now))
        } catch { preconditionFailure("the root's checkpoint is sound: \(error)") }
        return newest(1)
    }

    /// Both authorities go over to the keys they promised.
    mutating func rotateKeys(now: Minute) -> Command {
        root = rotate(root, now)
        authority = rotate(authority, now)
        return newest(2)
    }

    private mutating func rotate(_ authority: Authority, _ now: Minute) -> Authority {
        let shape = authority.keys.next.keyset
        let following = SigningKeyset(count: shape.keys.count, threshold: shape.threshold, random: random)
        do {
            entries.append(try authority.rotate(promising: following.keyset, into: &membership, now: now))
        } catch { preconditionFailure("an authority has the keys it promised: \(error)") }
        return Authority(authority.keys.rotated(to: following))
    }

    /// The cold keys name the last entry of the authority in office, who knows of no other branch.
    mutating func recoverFork(now: Minute) -> Command {
        let cold = ColdRecovery(mesh: founding.mesh, keys: founding.recovery)
        do {
            entries.append(
                try cold.recover(authority.keys.authority, branch: nil, new: nil, into: &membership, now: now))
        } catch { preconditionFailure("the cold keys are those of the genesis: \(error)") }
        return newest(1)
    }

    /// A new epoch that covers all there is.
    mutating func rotateEpoch(now: Minute) -> Command {
        announceEpoch(now)
        return epochSubmission([])
    }

    /// The root takes the authority in office out of it, from an entry of its log on, and puts another one in its place,
    /// which announces an epoch that covers this.
    mutating func replaceAuthority(lastGood sequence: UInt64, now: Minute) -> Command {
        let first = entries.count
        let old = authority.keys.authority
        do {
            try appendToRoot(
                .authorityRevoke(
                    AuthorityRevocation(
                        authority: old, reason: 3,
                        lastGood: [AuthorityRevocation.LastGood(log: old, sequence: sequence)])), now)
        } catch { preconditionFailure("what the root says of an authority is sound: \(error)") }
        authority = addAuthority("field", now)
        announceEpoch(now)
        return epochSubmission(entries[first..<entries.count - 1].map(\.signed.bytes))
    }

    /// The root names another field authority beside the one in office.
    mutating func appointAuthority(now: Minute) -> (authority: Authority, told: Command) {
        let added = addAuthority("second field", now)
        return (added, newest(1))
    }

    private mutating func addAuthority(_ label: String, _ now: Minute) -> Authority {
        let keys = founding.field.current
        let shape = KeysetShape(keys.threshold, of: keys.keys.count)
        let current = SigningKeyset(count: shape.count, threshold: shape.threshold, random: random)
        let next = SigningKeyset(count: shape.count, threshold: shape.threshold, random: random)
        do {
            let certificate = try AuthorityCertificate.make(
                AuthorityCertificate.Content(
                    parent: founding.genesis.rootID, serial: UInt64(entries.count) + 1, keyset: current.keyset,
                    depthLeft: 0,
                    grantable: shape.threshold >= 2 ? .all : .all.subtracting(.privileged),
                    mostDays: Founding.longestCertificateDays, mostDevices: .max, notBefore: now,
                    notAfter: now.adding(Founding.fieldDays * 1440), label: label, nextCommit: next.keyset.commit),
                mesh: founding.mesh, keys: root.keys.current.keys)
            try appendToRoot(.authorityAdd(certificate), now)
            return Authority(
                AuthorityKeys(
                    mesh: founding.mesh, authority: certificate.authority, current: current, next: next))
        } catch { preconditionFailure("what the root says of an authority is sound: \(error)") }
    }

    private mutating func appendToRoot(_ payload: LogPayload, _ now: Minute) throws {
        let log = founding.genesis.rootID
        let ids = membership.entryIDs(of: log)
        guard let last = ids.last else { preconditionFailure("the root's log begins with the founding") }
        let entry = try LogEntry.make(
            log: log, sequence: UInt64(ids.count) + 1, previous: last, time: now, payload: payload,
            mesh: founding.mesh, keys: root.keys.current.keys)
        guard case .accepted = try membership.accept(entry.signed) else {
            preconditionFailure("the root writes behind its own head")
        }
        entries.append(entry)
    }

    private mutating func announceEpoch(_ now: Minute) {
        let (entry, epoch) = Self.announceEpoch(by: authority, into: &membership, now: now, random: random)
        entries.append(entry)
        epochs.append(epoch)
        if epochs.count > Welcome.mostEpochs { epochs.removeFirst() }
    }

    static func announceEpoch(
        by authority: Authority, into membership: inout Membership, now: Minute, random: SeededRandom
    ) -> (entry: LogEntry, epoch: Welcome.Epoch) {
        do {
            let key = EpochKey(from: random)
            let entry = try authority.announceEpoch(key, into: &membership, now: now)
            return (entry, Welcome.Epoch(entry: entry.id, key: key))
        } catch { preconditionFailure("an authority announces what its own log covers: \(error)") }
    }

    /// Objects, the newest announcement and its key.
    private func epochSubmission(_ objects: [[UInt8]]) -> Command {
        let epoch = epochs[epochs.count - 1]
        return .logSubmit(
            objects + [entries[entries.count - 1].signed.bytes],
            epochKeys: [EpochKeySubmission(entry: epoch.entry, key: epoch.key)])
    }

    /// What an officer hands to a node: the note, the announcement of an epoch that covers it, and its key.
    /// Nil for a device that is out already, or that no office here enrolled.
    mutating func revoke(
        _ device: DeviceID, _ reason: RevocationReason, isAnnounced: Bool, now: Minute
    ) -> Command? {
        guard let office = office(over: device), !membership.isRevoked(device) else { return nil }
        do {
            let note = try office.revoke(
                device, reason: reason, suspectSince: now, into: &membership, now: now)
            notes.append(note)
            guard isAnnounced else { return .logSubmit([note.signed.bytes], epochKeys: []) }
            announceEpoch(now)
            return epochSubmission([note.signed.bytes])
        } catch { preconditionFailure("the revocation of a device of this mesh is sound: \(error)") }
    }

    /// Who may revoke a device: the authority in office, or the root where another one enrolled it.
    private func office(over device: DeviceID) -> Authority? {
        [authority, root].first { $0.isOver(device, membership) }
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

    /// The same with an order to lock or erase the device, which may be out already. Nil where no office here enrolled it, or
    /// where the log holds as many orders to it as it takes.
    mutating func orderWipe(_ device: DeviceID, _ mode: WipeOrder.Mode, now: Minute) -> Command? {
        guard let office = office(over: device), let certificate = membership.currentCertificate(device) else {
            return nil
        }
        let wipe = WipeOrder(
            mode: mode, order: Octets16.random(from: random), serial: certificate.serial,
            expires: now.adding(20 * 1440))
        let note = RevokeNote.make(
            RevokeNote.Content(
                device: device, reason: .lost, suspectSince: now, issued: now, authority: office.keys.authority,
                wipe: wipe),
            mesh: founding.mesh, keys: office.keys.current.keys)
        guard case .accepted? = try? membership.accept(note: note.signed) else { return nil }
        notes.append(note)
        announceEpoch(now)
        return epochSubmission([note.signed.bytes])
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
