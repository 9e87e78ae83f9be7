import CoveyCore
import CoveyCrypto
import CoveyNode

@testable import CoveyUV

/// A mesh of real nodes on real sockets of the loopback interface, all on one loop, with stores in memory.
final class RealNodes {
    /// The sizes of ML-KEM-768 and nothing of its strength: the real one is held to its vectors in its own room.
    private struct PlainKEM: KEM {
        func publicKey(of privateKey: KEMPrivateKey) throws(CryptoFailure) -> KEMPublicKey {
            let name: Octets32 = privateKey.exposing { Blake2b.hash256($0, personal: "plain-kem") }
            guard let key = KEMPublicKey(Self.padded(name, to: KEMPublicKey.byteCount)) else { throw .length }
            return key
        }

        func encapsulate(
            to key: KEMPublicKey, random: any RandomSource
        ) throws(CryptoFailure) -> (ciphertext: KEMCiphertext, secret: SymmetricKey) {
            let coins = Octets32.random(from: random)
            guard let ciphertext = KEMCiphertext(Self.padded(coins, to: KEMCiphertext.byteCount)) else { throw .length }
            return (ciphertext, Self.secret(Array(key.bytes.prefix(32)), coins.array))
        }

        func decapsulate(_ ciphertext: KEMCiphertext, with key: KEMPrivateKey) throws(CryptoFailure) -> SymmetricKey {
            Self.secret(Array(try publicKey(of: key).bytes.prefix(32)), Array(ciphertext.bytes.prefix(32)))
        }

        private static func secret(_ name: [UInt8], _ coins: [UInt8]) -> SymmetricKey {
            Blake2b.hash256((name + coins).span.bytes, personal: "plain-kem").withSpan { SymmetricKey(copying: $0) }
        }

        private static func padded(_ head: Octets32, to size: Int) -> [UInt8] {
            head.array + [UInt8](repeating: 0, count: size - Octets32.byteCount)
        }
    }

    struct Host {
        let device: DeviceID
        let driver: Driver
        let log: Log
    }

    /// What a node noticed.
    final class Log {
        var observations: [Observation] = []

        var delivered: [String] {
            observations.compactMap { if case .delivered(let message) = $0 { message.text } else { nil } }
        }

        var links: Int {
            observations.count { if case .linkUp = $0 { true } else { false } }
        }
    }

    let bench: Bench
    private let random = SystemRandom()
    private let clock = Clock.system()
    private let founding: Founding
    private let authority: Authority
    private var membership: Membership
    private var entries: [LogEntry]
    private let port: UInt16

    init(port: UInt16) throws {
        self.port = port
        bench = try Bench()
        founding = try Founding.found(
            name: "Loopback", profile: .standard, random: random, now: Minute(wall: clock.wall()))
        membership = founding.membership()
        entries = founding.entries
        authority = Authority(founding.field)
    }

    /// Enrols devices and starts their nodes: all certificates are in the log that each is given.
    func start(_ names: [String], multicast: Bool, peers: ([LocalEndpoint]) -> [SocketAddress]) throws -> [Host] {
        let now = Minute(wall: clock.wall())
        var identities: [DeviceIdentity] = []
        for name in names {
            let invitation = OpenInvitation(
                mesh: founding.mesh, authority: authority.keys.authority, label: name, manifest: nil, now: now,
                expires: now.adding(60), random: random)
            let pending = try PendingEnrolment(
                accepting: invitation.invitation, buildHash: Octets32(), random: random)
            let verified = try invitation.verify(pending.request, now: now)
            entries.append(try authority.issue(verified, Grant(), into: &membership, now: now, random: random))
            identities.append(pending.identity)
        }
        let key = EpochKey(from: random)
        let announced = try authority.announceEpoch(key, into: &membership, now: now)
        entries.append(announced)
        let welcome = Welcome(
            genesis: founding.genesis, log: entries, notes: [], epochs: [Welcome.Epoch(entry: announced.id, key: key)],
            bundles: [])
        var known: [LocalEndpoint] = []
        return try identities.map { identity in
            let store = MemoryStore()
            try Installation.write(welcome, to: store)
            store.commit()
            var configuration = NodeConfiguration(genesis: founding.genesis, identity: identity)
            configuration.multicast = multicast ? .on : .off
            configuration.peers = peers(known).map { NodeConfiguration.StaticPeer(address: $0) }
            let node = try Node(
                configuration: configuration, store: store, random: random, kem: PlainKEM(), now: clock.now)
            let log = Log()
            var sockets = Driver.Configuration(
                listen: [ListenAddress(SocketAddress(v4: 127, 0, 0, 1, port: 0), isStatic: !multicast)])
            sockets.interfaces = ["lo"]
            sockets.multicast = multicast ? .on : .off
            sockets.discoveryPort = port
            let driver = Driver(node, store: store, on: bench.loop, configuration: sockets, clock: clock) {
                log.observations.append($0)
            }
            bench.adopt(driver)
            try driver.start()
            known += driver.endpoints
            return Host(device: identity.id, driver: driver, log: log)
        }
    }
}
