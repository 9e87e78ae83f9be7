import CoveyConversation
import CoveyCore
import CoveyCrypto
import CoveyNode

/// A mesh of a few devices. Every process makes the same one from the same seed and hour, so no key travels.
struct BenchMesh {
    let genesis: Genesis
    let identities: [DeviceIdentity]
    private let welcome: Welcome
    /// Entries of the log that everybody was given, and those that only some were.
    private let known: Int
    private let late: Late

    /// Whom a part of the log is kept from, so that it comes over a link.
    enum Late: String {
        case nobody
        /// The first device was enrolled last, and the others have not heard of it.
        case others
        /// The first device was enrolled first, and knows of none of the crowd.
        case first
    }

    /// - Parameters:
    ///   - founded: minutes since 1970, the same in every process of a measure.
    ///   - crowd: how many more devices are in the log.
    init(devices: Int, seed: UInt64, founded: Minute, crowd: Int = 0, late: Late = .nobody) throws {
        let random = SeededRandom(seed: seed, stream: "mesh")
        let founding = try Founding.found(name: "Bench", profile: .standard, random: random, now: founded)
        let authority = Authority(founding.field)
        var membership = founding.membership()
        var entries = founding.entries
        func enrol(_ label: String) throws -> DeviceIdentity {
            let invitation = OpenInvitation(
                mesh: founding.mesh, authority: authority.keys.authority, label: label, manifest: nil,
                now: founded, expires: founded.adding(60), random: random)
            let pending = try PendingEnrolment(
                accepting: invitation.invitation, buildHash: Octets32(), random: random)
            let request = try invitation.verify(pending.request, now: founded)
            entries.append(
                try authority.issue(request, Grant(), into: &membership, now: founded, random: random))
            return pending.identity
        }
        var identities: [DeviceIdentity] = []
        func enrolFirst() throws { identities.insert(try enrol("bench-0"), at: 0) }
        if late != .others { try enrolFirst() }
        for number in 1..<devices { identities.append(try enrol("bench-\(number)")) }
        let key = EpochKey(from: random)
        let announcement = try authority.announceEpoch(key, into: &membership, now: founded)
        entries.append(announcement)
        var known = entries.count
        for number in 0..<crowd { _ = try enrol("crowd-\(number)") }
        if late == .others {
            known = entries.count
            try enrolFirst()
        }
        genesis = founding.genesis
        self.identities = identities
        self.known = known
        self.late = late
        welcome = Welcome(
            genesis: founding.genesis, log: entries, notes: [],
            epochs: [Welcome.Epoch(entry: announcement.id, key: key)], bundles: [])
    }

    /// Fills a device's new store.
    func install(_ device: Int, in store: any CommittingStore) throws {
        let lacks =
            switch late {
            case .nobody: false
            case .others: device != 0
            case .first: device == 0
            }
        let given = Welcome(
            genesis: genesis, log: lacks ? Array(welcome.log.prefix(known)) : welcome.log, notes: [],
            epochs: welcome.epochs, bundles: [])
        try Installation.write(given, to: store)
        try store.commit()
    }

    func configuration(of device: Int) -> NodeConfiguration {
        NodeConfiguration(genesis: genesis, identity: identities[device])
    }
}
