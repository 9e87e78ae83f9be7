import CoveyCore
import CoveyCrypto
import CoveyNode
import CoveyRouting

/// A few nodes in one process with a network of queues: no time passes but what the nodes ask for.
final class TestMesh {
    final class Host {
        let name: String
        let identity: DeviceIdentity
        let store = MemoryStore()
        let address: SocketAddress
        let seed: UInt64
        var node: Node?
        /// An authority that works beside the node.
        var desk: (any AuthorityDesk)?
        var observations: [Observation] = []
        var replies: [Reply] = []
        fileprivate var accepted: UInt32 = 0
        var clockOffset: Int64 = 0
        /// Events wait while the host is held: to others it is silent, its connections stand.
        fileprivate var isHeld = false

        init(name: String, identity: DeviceIdentity, address: SocketAddress, seed: UInt64) {
            self.name = name
            self.identity = identity
            self.address = address
            self.seed = seed
        }

        var delivered: [InboxMessage] {
            observations.compactMap { if case .delivered(let message) = $0 { message } else { nil } }
        }

        var warnings: [String] {
            observations.compactMap { if case .warning(let text) = $0 { text } else { nil } }
        }

        var linkEnds: [LinkEnd] {
            observations.compactMap { if case .linkDown(_, let end) = $0 { end } else { nil } }
        }
    }

    /// A connection whose other end the test plays itself, byte by byte.
    final class RawPeer {
        let connection: ConnectionID
        var received: [UInt8] = []
        var isClosed = false

        init(connection: ConnectionID) { self.connection = connection }
    }

    private struct End: Hashable {
        let host: String
        let connection: ConnectionID
    }

    private(set) var membership: Membership
    let founding: Founding
    private(set) var authority: Authority
    private(set) var epochs: [(entry: EntryID, key: EpochKey)] = []
    private(set) var hosts: [Host] = []
    private var wires: [End: End] = [:]
    private var queue: [(host: Host, event: Event)] = []
    private var islands: [[String]]?
    private var raw: [End: RawPeer] = [:]
    private var listening: Set<SocketAddress> = []
    /// Those whom hosts reached at addresses where the test listens, in their order.
    private(set) var reached: [RawPeer] = []
    private let random: SeededRandom
    private var uptime: UInt64 = 0
    /// 2026-01-01.
    private let start: Int64 = 1_767_225_600_000_000
    /// Turns of all nodes.
    private(set) var turns = 0
    /// Every datagram that went to the group.
    private(set) var datagrams: [(bytes: [UInt8], from: SocketAddress)] = []
    /// Bytes that hosts were sent on their connections.
    private(set) var bytesTo: [String: Int] = [:]

    /// Of all hosts, in bytes.
    private(set) var longestSend = 0

    private let routing: Routing
    /// Of nodes that begin from now on.
    var obeysWipeOrders = true

    init(
        seed: UInt64 = 1, routing: Routing = .flood, root: KeysetShape = .single, field: KeysetShape = .single
    ) throws {
        self.routing = routing
        random = SeededRandom(seed: seed)
        founding = try Founding.found(
            name: "Test mesh", profile: .standard, root: root, field: field, random: random, now: Minute(wall: start))
        membership = founding.membership()
        authority = Authority(founding.field)
    }

    var minute: Minute { Minute(wall: start + Int64(uptime)) }

    func now(_ host: Host) -> Now { Now(uptime: uptime, wall: start + Int64(uptime) + host.clockOffset) }

    // MARK: Membership

    /// Enrols a device as people would, and starts its node.
    @discardableResult
    func add(_ name: String) throws -> Host {
        let host = try enrol(name)
        try begin(host)
        return host
    }

    func enrol(
        _ name: String, isLogged: Bool = true, days: UInt16? = nil, rights: Capabilities = Grant.member,
        zones: [UInt8] = [], of subject: SubjectID? = nil
    ) throws -> Host {
        let (host, entries) = try admit(
            name, isLogged: isLogged, days: days, rights: rights, zones: zones, of: subject)
        let welcome = Welcome(
            genesis: founding.genesis, log: entries, notes: notesSoFar,
            epochs: epochs.map { Welcome.Epoch(entry: $0.entry, key: $0.key) }, bundles: [])
        try Installation.write(welcome, to: host.store)
        host.store.commit()
        return host
    }

    /// What the hosts of `enrolTogether` start from, and what they hold in common.
    private(set) var snapshot: RosterSnapshot?
    private(set) var pool: CommonPool?

    /// Enrols devices that start from one snapshot, prekeys included, and share what they can.
    func enrolTogether(_ names: [String], pool: CommonPool) throws -> [Host] {
        let together = try names.map { try admit($0).host }
        var bundles: [Signed] = []
        for host in together {
            guard let certificate = membership.currentCertificate(host.identity.id) else { continue }
            bundles.append(
                try Installation.writePrekeys(
                    of: host.identity, certificate: certificate, mesh: founding.mesh,
                    headsDigest: membership.headsDigest, now: minute, random: random, kem: TestKEM(), to: host.store))
        }
        let snapshot = try RosterSnapshot(
            genesis: founding.genesis, log: entriesSoFar.map(\.signed), notes: notesSoFar.map(\.signed),
            epochs: epochs.map { Welcome.Epoch(entry: $0.entry, key: $0.key) }, bundles: bundles, now: minute,
            random: random)
        for host in together {
            try Installation.write(snapshot, to: host.store)
            host.store.commit()
        }
        self.snapshot = snapshot
        self.pool = pool
        return together
    }

    private func admit(
        _ name: String, isLogged: Bool = true, days: UInt16? = nil, rights: Capabilities = Grant.member,
        zones: [UInt8] = [], of subject: SubjectID? = nil
    ) throws -> (host: Host, entries: [LogEntry]) {
        let invitation = OpenInvitation(
            mesh: founding.mesh, authority: authority.keys.authority, label: name, manifest: nil, now: minute,
            expires: minute.adding(60), random: random)
        let pending = try PendingEnrolment(
            accepting: invitation.invitation, buildHash: Octets32(), agreesToOrders: rights.contains(.orgOwned),
            random: random)
        let verified = try invitation.verify(pending.request, now: minute)
        var log = membership
        let entry = try authority.issue(
            verified, Grant(capabilities: rights, zones: zones, days: days, subject: subject), into: &log,
            now: minute, random: random)
        var entries = entriesSoFar + [entry]
        if !isLogged, case .certIssue(let certificates) = entry.payload { unlogged = certificates.first }
        if isLogged {
            membership = log
            entriesSoFar = entries
            if epochs.isEmpty { try announceEpoch() }
            entries = entriesSoFar
        }
        let number = UInt8(hosts.count + 1)
        let host = Host(
            name: name, identity: pending.identity,
            address: SocketAddress(v4: 10, 0, 0, number, port: 26_100 + UInt16(number)), seed: UInt64(number) * 1_000)
        hosts.append(host)
        return (host, entries)
    }

    /// The certificate of the last device that was enrolled without an entry.
    private(set) var unlogged: DeviceCertificate?
    var fieldCertificate: AuthorityCertificate? { membership.authority(authority.keys.authority) }

    private lazy var entriesSoFar: [LogEntry] = founding.entries
    var entries: [LogEntry] { entriesSoFar }
    private(set) var notesSoFar: [RevokeNote] = []

    /// Announces an epoch and hands it to `officer`'s node.
    func announce(at officer: Host) throws -> Epoch {
        try announceEpoch()
        guard let last = entriesSoFar.last, let epoch = epochs.last, let announced = membership.epoch(epoch.entry)
        else { preconditionFailure("what was announced is known") }
        command(
            .logSubmit([last.signed.bytes], epochKeys: [EpochKeySubmission(entry: epoch.entry, key: epoch.key)]),
            at: officer)
        return announced
    }

    /// What a member signs against another, told to no node.
    func suspend(_ host: Host, by signer: Host) -> Suspend {
        Suspend.make(
            of: host.identity.id, reason: .lost, issued: minute, until: minute.adding(Suspend.mostMinutes),
            mesh: founding.mesh, key: signer.identity.signing)
    }

    /// Decides notes or Suspends, and hands the entry to `officer`'s node.
    func decide(_ verdicts: [NoteVerdict], at officer: Host) throws -> LogEntry {
        let entry = try authority.decide(verdicts, into: &membership, now: minute)
        entriesSoFar.append(entry)
        command(.logSubmit([entry.signed.bytes], epochKeys: []), at: officer)
        return entry
    }

    /// The field authority changes to its promised keys; `officer`'s node is handed the entry.
    func rotate(at officer: Host) throws {
        let shape = authority.keys.next.keyset
        let following = SigningKeyset(count: shape.keys.count, threshold: shape.threshold, random: random)
        let entry = try authority.rotate(promising: following.keyset, into: &membership, now: minute)
        authority = Authority(authority.keys.rotated(to: following))
        learn([entry], at: officer)
    }

    /// The cold keys say which branch of the field authority's log stands.
    func recover(branch: EntryID, at officer: Host) throws -> LogEntry {
        let cold = ColdRecovery(mesh: founding.mesh, keys: founding.recovery)
        let entry = try cold.recover(
            authority.keys.authority, branch: branch, new: nil, into: &membership, now: minute)
        learn([entry], at: officer)
        return entry
    }

    /// Entries that the mesh's own authority has to know of as well.
    func learn(_ entries: [LogEntry], at host: Host) {
        for entry in entries {
            _ = try? membership.accept(entry.signed)
            entriesSoFar.append(entry)
        }
        command(.logSubmit(entries.map(\.signed.bytes), epochKeys: []), at: host)
    }

    func announceEpoch() throws {
        let key = EpochKey(from: random)
        let entry = try authority.announceEpoch(key, into: &membership, now: minute)
        entriesSoFar.append(entry)
        epochs.append((entry.id, key))
    }

    /// Two entries with one sequence, both signed: what a stolen authority key can do.
    func fork() throws -> (LogEntry, LogEntry) {
        var one = membership
        var other = membership
        return (
            try authority.announceEpoch(EpochKey(from: random), into: &one, now: minute),
            try authority.announceEpoch(EpochKey(from: random), into: &other, now: minute)
        )
    }

    /// Takes a note that a test made into the authority's membership, and hands it to `officer`'s node.
    func take(_ note: RevokeNote, at officer: Host) throws {
        _ = try membership.accept(note: note.signed)
        notesSoFar.append(note)
        command(.logSubmit([note.signed.bytes], epochKeys: []), at: officer)
    }

    /// Revokes a device, and no epoch covers it yet: whoever knows is in HOLD.
    func revokeAlone(_ host: Host, at officer: Host) throws {
        let note = try revokeUntold(host, reason: .lost)
        command(.logSubmit([note.signed.bytes], epochKeys: []), at: officer)
    }

    /// Revokes a device, and tells no node.
    @discardableResult
    func revokeUntold(_ host: Host, reason: RevocationReason, since: Minute? = nil) throws -> RevokeNote {
        let note = try authority.revoke(
            host.identity.id, reason: reason, suspectSince: since ?? minute, into: &membership, now: minute)
        notesSoFar.append(note)
        return note
    }

    /// Another life for a device's keys, told to no node.
    func renewUntold(_ device: DeviceID, rights: Capabilities = Grant.member) throws {
        entriesSoFar.append(
            try authority.renew(device, Grant(capabilities: rights), into: &membership, now: minute))
    }

    /// Revokes a device and announces the epoch that covers it; hands both to `officer`'s node.
    func revoke(_ host: Host, reason: RevocationReason, since: Minute? = nil, at officer: Host) throws {
        let note = try revokeUntold(host, reason: reason, since: since)
        try announceEpoch()
        guard let last = entriesSoFar.last, let epoch = epochs.last else { return }
        command(
            .logSubmit(
                [note.signed.bytes, last.signed.bytes],
                epochKeys: [EpochKeySubmission(entry: epoch.entry, key: epoch.key)]), at: officer)
    }

    /// The desk of an authority: what it has signed, and what it knows. Two desks that do not meet know different logs.
    struct Desk {
        let authority: Authority
        fileprivate(set) var membership: Membership
        fileprivate var entries: [LogEntry]
        fileprivate var notes: [RevokeNote]
        fileprivate var epochs: [(entry: EntryID, key: EpochKey)]
    }

    /// The root, or an authority below it, names another one; its desk begins with all that is known here.
    ///
    /// - Parameter isBehindGap: whoever names it wrote something else before, which is not told here either.
    func appoint(
        field shape: KeysetShape = .single, by parent: Authority? = nil, _ mandate: Mandate = Mandate(),
        isToldHere: Bool = true, isBehindGap: Bool = false
    ) throws -> Desk {
        let keys = SigningKeyset(count: shape.count, threshold: shape.threshold, random: random)
        let next = SigningKeyset(count: shape.count, threshold: shape.threshold, random: random)
        let named = AuthorityKeys(
            mesh: founding.mesh, authority: keys.keyset.authorityID, current: keys, next: next)
        let parent = parent ?? Authority(founding.root)
        let content = try parent.certificate(
            for: AuthorityRequest.make(named, label: "second field"), mandate, membership, now: minute)
        var desk = Desk(
            authority: Authority(named), membership: membership, entries: entriesSoFar, notes: notesSoFar,
            epochs: epochs)
        if isBehindGap { desk.entries.append(try parent.checkpoint(into: &desk.membership, now: minute)) }
        desk.entries.append(try parent.add(content, into: &desk.membership, now: minute))
        if isToldHere { (membership, entriesSoFar) = (desk.membership, desk.entries) }
        return desk
    }

    /// The root gives an authority's keys another certificate, and tells no node.
    func renew(
        _ authority: AuthorityID, _ change: (inout AuthorityCertificate.Content) -> Void
    ) throws -> LogEntry {
        let root = Authority(founding.root)
        var content = try root.certificate(renewing: authority, days: 730, membership, now: minute)
        change(&content)
        let entry = try root.add(content, authority: authority, into: &membership, now: minute)
        entriesSoFar.append(entry)
        return entry
    }

    /// The root takes an authority out of office: what it granted after its first `lastGood` entries is void.
    func dismiss(_ authority: AuthorityID, lastGood: UInt64) throws -> LogEntry {
        try signAtRoot(
            .authorityRevoke(
                AuthorityRevocation(
                    authority: authority, reason: 3,
                    lastGood: [AuthorityRevocation.LastGood(log: authority, sequence: lastGood)])))
    }

    /// The root changes the policy, and tells no node.
    @discardableResult
    func amend(_ changes: [Policy.Key: UInt32]) throws -> LogEntry {
        guard let policy = membership.policy else { preconditionFailure("a mesh is founded with a policy") }
        return try signAtRoot(.policySet(policy.changing(changes)))
    }

    private func signAtRoot(_ payload: LogPayload) throws -> LogEntry {
        let root = founding.genesis.rootID
        let ids = membership.entryIDs(of: root)
        guard let last = ids.last else { preconditionFailure("the root's log begins with the founding") }
        let entry = try LogEntry.make(
            log: root, sequence: UInt64(ids.count) + 1, previous: last, time: minute, payload: payload,
            mesh: founding.mesh, keys: founding.root.current.keys)
        _ = try membership.accept(entry.signed)
        entriesSoFar.append(entry)
        return entry
    }

    /// Another desk signs from now on; what it gives back is the one that did.
    func work(at desk: Desk) -> Desk {
        defer {
            (authority, membership) = (desk.authority, desk.membership)
            (entriesSoFar, notesSoFar, epochs) = (desk.entries, desk.notes, desk.epochs)
        }
        return Desk(
            authority: authority, membership: membership, entries: entriesSoFar, notes: notesSoFar, epochs: epochs)
    }

    // MARK: Running

    func begin(
        _ host: Host, peers: [Host] = [], multicast: NodeConfiguration.Multicast = .on, quota: UInt64 = 1 << 30
    ) throws {
        try begin(
            host, dialling: peers.map { NodeConfiguration.StaticPeer(address: $0.address, device: $0.identity.id) },
            multicast: multicast, quota: quota)
    }

    func begin(
        _ host: Host, dialling peers: [NodeConfiguration.StaticPeer], multicast: NodeConfiguration.Multicast = .off,
        quota: UInt64 = 1 << 30
    ) throws {
        var configuration = NodeConfiguration(genesis: founding.genesis, identity: host.identity)
        configuration.peers = peers
        configuration.multicast = multicast
        configuration.quota = quota
        configuration.routing = routing
        configuration.obeysWipeOrders = obeysWipeOrders
        host.node = try Node(
            configuration: configuration, store: host.store, random: SeededRandom(seed: host.seed + uptime),
            kem: TestKEM(), now: now(host), snapshot: snapshot, commons: pool, authority: host.desk)
        host.store.commit()
        post(.endpoints([LocalEndpoint(address: host.address, interface: 1, isLoopback: false)]), to: host)
    }

    /// What comes of a turn.
    enum Fate {
        case lives
        /// Power is lost before the commit. Envelopes may be on the disk all the same, as `Store` says.
        case losesTurn(keepingMail: Bool)
        /// Power is lost after the commit, and after so many of its effects.
        case losesEffects(after: Int)
    }

    /// Asked after every turn.
    var fate: (Host) -> Fate = { _ in .lives }

    /// The node is gone; what was committed stays.
    func stop(_ host: Host) {
        host.node = nil
        host.store.crash()
        for end in sortedEnds where end.host == host.name { cut(end) }
        queue.removeAll { $0.host === host }
    }

    func hold(_ host: Host) { host.isHeld = true }

    func release(_ host: Host) {
        host.isHeld = false
        post(.deadline, to: host)
    }

    func command(_ command: Command, at host: Host) {
        post(.command(CommandID(UInt64(host.replies.count)), command), to: host)
    }

    func send(_ text: String, from: Host, to: Host) { command(.send(to: to.identity.id.hex, text: text), at: from) }

    func post(_ event: Event, to host: Host) { queue.append((host, event)) }

    /// Only hosts of one island reach each other; nil joins all.
    func partition(_ islands: [[Host]]?) {
        self.islands = islands?.map { $0.map(\.name) }
        for end in sortedEnds { if let other = wires[end], !reach(end.host, other.host) { cut(end) } }
    }

    /// In an order that is the same in every run.
    private var sortedEnds: [End] {
        wires.keys.sorted { ($0.host, "\($0.connection)") < ($1.host, "\($1.connection)") }
    }

    /// All who are on are switched off for so long, and begin again.
    func stayOff(_ hosts: [Host], seconds: UInt64) throws {
        for host in hosts { stop(host) }
        skip(seconds: seconds)
        for host in hosts { try begin(host) }
    }

    /// Time passes while no node runs.
    func skip(seconds: UInt64) {
        precondition(hosts.allSatisfy { $0.node == nil }, "time is skipped while all nodes are stopped")
        uptime += seconds * 1_000_000
    }

    private func reach(_ a: String, _ b: String) -> Bool {
        guard let islands else { return true }
        return islands.contains { $0.contains(a) && $0.contains(b) }
    }

    /// Somebody of whom nothing is known connects to a host.
    func connect(to host: Host, isStatic: Bool = true) -> RawPeer {
        host.accepted += 1
        let peer = RawPeer(connection: .accepted(host.accepted))
        raw[End(host: host.name, connection: peer.connection)] = peer
        let address = SocketAddress(v4: 10, 9, 0, UInt8(host.accepted % 250), port: 40_000)
        post(.accepted(peer.connection, from: address, isStatic: isStatic), to: host)
        return peer
    }

    /// From now on the test itself takes connections at an address.
    func listen(at address: SocketAddress) { listening.insert(address) }

    private func cut(_ end: End) {
        guard let other = wires.removeValue(forKey: end) else { return }
        wires[other] = nil
        for side in [end, other] {
            if let host = host(side.host) { post(.closed(side.connection), to: host) }
        }
    }

    /// Whether the two are linked, and mail may flow.
    func isLinked(_ a: Host, _ b: Host) -> Bool {
        a.node?.isOpen(to: b.identity.id) ?? false && b.node?.isOpen(to: a.identity.id) ?? false
    }

    /// Whether each is linked with each.
    func areLinked(_ hosts: Host...) -> Bool {
        hosts.indices.allSatisfy { first in hosts[..<first].allSatisfy { isLinked($0, hosts[first]) } }
    }

    func host(_ name: String) -> Host? { hosts.first { $0.name == name } }

    /// Turns until nothing is left to do before `seconds` have passed, or `condition` holds.
    @discardableResult
    func run(seconds: UInt64, until condition: () -> Bool = { false }) throws -> Bool {
        let end = uptime + seconds * 1_000_000
        while true {
            while !queue.isEmpty {
                let (host, event) = queue.removeFirst()
                try turn(event, host)
            }
            if condition() { return true }
            let next = hosts.compactMap { $0.isHeld ? nil : $0.node?.nextDeadline }.min()
            guard let next, next <= end else {
                uptime = end
                return condition()
            }
            uptime = max(uptime, next)
            for host in hosts where !host.isHeld && host.node?.nextDeadline ?? .max <= uptime {
                post(.deadline, to: host)
            }
        }
    }

    private func turn(_ event: Event, _ host: Host) throws {
        guard let node = host.node, !host.isHeld else { return }
        turns += 1
        var effects = Effects()
        try node.handle(event, at: now(host), store: host.store, into: &effects)
        switch fate(host) {
        case .lives:
            host.store.commit()
            for effect in effects.take() { perform(effect, host) }
        case .losesTurn(let isMailKept):
            let held = isMailKept ? host.store.known().held.map { ($0, host.store.envelope($0.id)) } : []
            stop(host)
            for (record, bytes) in held where host.store.envelope(record.id) == nil {
                if let bytes { host.store.insert(record, bytes) }
            }
            host.store.commit()
        case .losesEffects(let kept):
            host.store.commit()
            for effect in effects.take().prefix(kept) { perform(effect, host) }
            if host.node != nil { stop(host) }
        }
    }

    private func perform(_ effect: Effect, _ host: Host) {
        switch effect {
        case .dial(let connection, let address) where listening.contains(address):
            let peer = RawPeer(connection: connection)
            raw[End(host: host.name, connection: connection)] = peer
            reached.append(peer)
            post(.connected(connection), to: host)
        case .dial(let connection, let address):
            guard let other = hosts.first(where: { $0.address == address }), other.node != nil,
                reach(host.name, other.name)
            else {
                post(.dialFailed(connection, because: "connection refused"), to: host)
                return
            }
            other.accepted += 1
            let there = End(host: other.name, connection: .accepted(other.accepted))
            let here = End(host: host.name, connection: connection)
            wires[here] = there
            wires[there] = here
            // Nobody dials from the port it listens on.
            var source = host.address
            source.port = UInt16(truncatingIfNeeded: 40_000 + other.accepted % 20_000)
            post(.accepted(there.connection, from: source, isStatic: true), to: other)
            post(.connected(connection), to: host)
        case .send(let connection, let bytes):
            if let peer = raw[End(host: host.name, connection: connection)] {
                peer.received += bytes
                return
            }
            guard let there = wires[End(host: host.name, connection: connection)], let other = self.host(there.host)
            else {
                return
            }
            bytesTo[other.name, default: 0] += bytes.count
            longestSend = max(longestSend, bytes.count)
            post(.received(there.connection, bytes), to: other)
        case .reportDrained(let connection):
            post(.drained(connection), to: host)
        case .close(let connection), .abort(let connection):
            let here = End(host: host.name, connection: connection)
            if let peer = raw[here] {
                peer.isClosed = true
                return
            }
            guard let there = wires.removeValue(forKey: here) else { return }
            wires[there] = nil
            if let other = self.host(there.host) { post(.closed(there.connection), to: other) }
        case .multicast(let bytes):
            datagrams.append((bytes, host.address))
            for other in hosts where other !== host && other.node != nil && reach(host.name, other.name) {
                post(.datagram(bytes, from: host.address, interface: 1), to: other)
            }
        case .reply(_, let reply):
            host.replies.append(reply)
        case .observe(let observation):
            host.observations.append(observation)
        case .stop:
            host.node = nil
        }
    }

    // MARK: Looking

    func peers(of host: Host) throws -> [PeerStatus] {
        command(.peers, at: host)
        try run(seconds: 0)
        guard case .peers(let peers)? = host.replies.last else { return [] }
        return peers
    }

    func status(of host: Host) throws -> Status? {
        command(.status, at: host)
        try run(seconds: 0)
        guard case .status(let status)? = host.replies.last else { return nil }
        return status
    }
}
