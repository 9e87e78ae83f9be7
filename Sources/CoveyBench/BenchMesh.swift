import CoveyConversation
import CoveyCore
import CoveyCrypto
import CoveyNode

/// A mesh of a few devices. Every process makes the same one from the same seed and hour, so no key travels.
struct BenchMesh {
    let genesis: Genesis
    let identities: [DeviceIdentity]
    private let welcome: Welcome

    /// - Parameter founded: minutes since 1970, the same in every process of a measure.
    init(devices: Int, seed: UInt64, founded: Minute) throws {
        let random = SeededRandom(seed: seed, stream: "mesh")
        let founding = try Founding.found(name: "Bench", profile: .standard, random: random, now: founded)
        let authority = Authority(founding.field)
        var membership = founding.membership()
        var entries = founding.entries
        var identities: [DeviceIdentity] = []
        for number in 0..<devices {
            let invitation = OpenInvitation(
                mesh: founding.mesh, authority: authority.keys.authority, label: "bench-\(number)", manifest: nil,
                now: founded, expires: founded.adding(60), random: random)
            let pending = try PendingEnrolment(
                accepting: invitation.invitation, buildHash: Octets32(), random: random)
            let request = try invitation.verify(pending.request, now: founded)
            entries.append(
                try authority.issue(request, Grant(), into: &membership, now: founded, random: random))
            identities.append(pending.identity)
        }
        let key = EpochKey(from: random)
        let announcement = try authority.announceEpoch(key, into: &membership, now: founded)
        entries.append(announcement)
        genesis = founding.genesis
        self.identities = identities
        welcome = Welcome(
            genesis: founding.genesis, log: entries, notes: [],
            epochs: [Welcome.Epoch(entry: announcement.id, key: key)], bundles: [])
    }

    /// Fills a new store.
    func install(in store: any CommittingStore) throws {
        try Installation.write(welcome, to: store)
        try store.commit()
    }

    func configuration(of device: Int) -> NodeConfiguration {
        NodeConfiguration(genesis: genesis, identity: identities[device])
    }
}
