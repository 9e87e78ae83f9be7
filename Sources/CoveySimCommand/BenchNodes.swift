import CoveyCore
import CoveyCrypto
import CoveyNode
import CoveySimulator

/// Nodes of one mesh in one process, from one snapshot and with one commons, and no world around them.
struct BenchNodes {
    let snapshot: RosterSnapshot
    let pool = CommonPool()
    private let identities: [DeviceIdentity]
    private let stores: [MemoryStore]
    /// 2026-01-01.
    static let start: Int64 = 1_767_225_600_000_000

    static func now(_ uptime: UInt64) -> Now { Now(uptime: uptime, wall: start + Int64(uptime)) }

    init(devices: Int) throws {
        let minute = Minute(wall: Self.start)
        let random = SeededRandom(seed: 1, stream: "bench-nodes")
        let founding = try Founding.found(name: "Bench", profile: .standard, random: random, now: minute)
        let authority = Authority(founding.field)
        var membership = founding.membership()
        var entries = founding.entries
        var identities: [DeviceIdentity] = []
        for number in 0..<devices {
            let invitation = OpenInvitation(
                mesh: founding.mesh, authority: authority.keys.authority, label: "bench-\(number)", manifest: nil,
                now: minute, expires: minute.adding(60), random: random)
            let pending = try PendingEnrolment(accepting: invitation.invitation, buildHash: Octets32(), random: random)
            let request = try invitation.verify(pending.request, now: minute)
            entries.append(try authority.issue(request, Grant(), into: &membership, now: minute, random: random))
            identities.append(pending.identity)
        }
        let key = EpochKey(from: random)
        entries.append(try authority.announceEpoch(key, into: &membership, now: minute))
        self.identities = identities
        stores = identities.map { _ in MemoryStore() }
        var bundles: [Signed] = []
        for (identity, store) in zip(identities, stores) {
            guard let certificate = membership.currentCertificate(identity.id) else { continue }
            bundles.append(
                try Installation.writePrekeys(
                    of: identity, certificate: certificate, mesh: founding.mesh, headsDigest: membership.headsDigest,
                    now: minute, random: random, kem: SimulatedKEM(), to: store))
        }
        snapshot = try RosterSnapshot(
            genesis: founding.genesis, log: entries.map(\.signed),
            epochs: [Welcome.Epoch(entry: entries[entries.count - 1].id, key: key)], bundles: bundles, now: minute,
            random: random)
        for store in stores {
            try Installation.write(snapshot, to: store)
            store.commit()
        }
    }

    func node(_ index: Int, peers: [NodeConfiguration.StaticPeer] = []) throws -> (node: Node, store: MemoryStore) {
        var configuration = NodeConfiguration(genesis: snapshot.genesis, identity: identities[index])
        configuration.multicast = .off
        configuration.peers = peers
        let node = try Node(
            configuration: configuration, store: stores[index],
            random: SeededRandom(seed: UInt64(index), stream: "bench-node"), kem: SimulatedKEM(), now: Self.now(0),
            snapshot: snapshot, commons: pool)
        return (node, stores[index])
    }
}
