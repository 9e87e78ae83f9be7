import CoveyCore
import CoveyCrypto
import CoveyLink

/// The keys and the certificate of the device that is in no log, and its side of the handshake.
struct UnloggedDevice {
    struct Failure: Error, CustomStringConvertible { let description: String }

    private enum Bounds {
        /// Milliseconds until the second message is here.
        static let handshake = 5_000
    }

    let thief: StolenAuthority
    let identity: DeviceIdentity
    let certificate: DeviceCertificate
    private let now: Minute
    private let random: any RandomSource

    init(_ thief: StolenAuthority, now: Minute, random: any RandomSource) throws {
        self.now = now
        self.thief = thief
        self.random = random
        identity = DeviceIdentity(mesh: thief.mesh, random: random)
        certificate = try thief.certify(identity, label: "unlogged", now: now, random: random)
    }

    /// Dials as one dials a configured peer: it answers no beacon.
    func dial(_ connection: Connection) throws -> CatchUpVisit {
        let epoch = EpochKeys(thief.epoch)
        let context = LinkContext(mesh: thief.mesh, transport: .stream, key: identity.link)
        var first: [UInt8] = []
        let initiator = Initiator(
            context, psk: epoch.psk.key, first: FirstPayload(isAhead: false, slot: now.value / 10),
            random: random, to: &first)
        _ = try connection.send(first)
        var buffer = PacketBuffer()
        while true {
            if let packet = try buffer.next() {
                guard packet.kind == .second else {
                    throw Failure(description: "the node turned the roles: the network key is not the one it prefers")
                }
                let second = try initiator.open(packet)
                let (third, transport) = try second.finish(payload(epoch), now: 0, random: random)
                _ = try connection.send(third)
                let peer = try DeviceCertificate(parsing: second.claim.payload.certificate, mesh: thief.mesh)
                return CatchUpVisit(connection, transport, peer: peer, thief: thief)
            }
            switch try connection.receive(within: Bounds.handshake) {
            case .bytes(let bytes): buffer.append(bytes)
            case .closed: throw Failure(description: "the node closed before it showed who it is")
            case .silence: throw Failure(description: "the node did not answer the first message")
            }
        }
    }

    private func payload(_ epoch: EpochKeys) -> AuthPayload {
        let root = thief.root.flatMap { thief.head(of: $0) }
        return AuthPayload(
            certificate: certificate.signed, chain: .full(thief.chain.map(\.signed)),
            headsDigest: .random(from: random), rootSequence: root?.sequence ?? 0,
            rootID: root.map { Octets16(prefixOf: $0.id) } ?? Octets16(), epochs: [Octets8(prefixOf: epoch.commit)],
            time: now, timeIsTrusted: true, bootSalt: .random(from: random))
    }
}
