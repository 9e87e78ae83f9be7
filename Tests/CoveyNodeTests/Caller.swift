import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyNode
import Testing

/// Plays the dialling side of a handshake against a host, with keys and certificates of its own choice.
struct Caller {
    let mesh: TestMesh
    let host: TestMesh.Host
    let peer: TestMesh.RawPeer
    let random: SeededRandom
    let context: LinkContext

    init(_ mesh: TestMesh, _ host: TestMesh.Host, link: AgreementPrivateKey, isStatic: Bool = true) {
        self.mesh = mesh
        self.host = host
        peer = mesh.connect(to: host, isStatic: isStatic)
        random = SeededRandom(seed: 77, stream: "\(peer.connection)")
        context = LinkContext(mesh: mesh.founding.mesh, transport: .stream, key: link)
    }

    func say(_ bytes: [UInt8]) throws {
        mesh.post(.received(peer.connection, bytes), to: host)
        try mesh.run(seconds: 0)
    }

    /// A refusal ends the connection within half a second, at a time that tells nothing.
    func wait() throws {
        if peer.received.isEmpty, !peer.isClosed { try mesh.run(seconds: 1) }
    }

    /// Sends a first message under an epoch's key.
    func knock(
        _ psk: SymmetricKey, isAhead: Bool = false, answered: Octets8 = Octets8(), slot: BeaconSlot? = nil
    ) throws -> (initiator: Initiator, packet: [UInt8]) {
        let slot = (slot ?? BeaconSlot(of: mesh.minute)).value
        var packet: [UInt8] = []
        let initiator = Initiator(
            context, psk: psk, first: FirstPayload(isAhead: isAhead, slot: slot, answered: answered), random: random,
            to: &packet)
        try say(packet)
        try wait()
        return (initiator, packet)
    }

    /// What somebody shows of himself.
    func payload(showing certificate: Signed, _ authorities: [Signed], isByHash: Bool = false) -> AuthPayload {
        AuthPayload(
            certificate: certificate,
            chain: isByHash
                ? .byHash(AuthPayload.chainHash(device: certificate, authorities: authorities)) : .full(authorities),
            headsDigest: Octets32(), rootSequence: 0,
            rootID: Octets16(), epochs: [], time: mesh.minute, timeIsTrusted: true, bootSalt: Octets8())
    }

    /// Reads the answer and makes the third message, without saying it.
    func third(_ initiator: Initiator, showing payload: AuthPayload) throws -> (packet: [UInt8], transport: Transport) {
        var packets = PacketBuffer()
        packets.append(peer.received)
        peer.received = []
        let packet = try #require(try packets.next())
        return try initiator.open(packet).finish(payload, now: 0, random: random)
    }

    /// Goes on to a link, showing `certificate` and its chain, or the hash of that.
    func link(
        _ initiator: Initiator, showing certificate: Signed, _ authorities: [Signed], isByHash: Bool = false
    ) throws -> Transport {
        let (packet, transport) = try third(
            initiator, showing: payload(showing: certificate, authorities, isByHash: isByHash))
        try say(packet)
        try wait()
        return transport
    }
}
