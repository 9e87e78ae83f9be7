import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyVectors

/// A device of the golden file, with its certificate and link key.
struct Member {
    let name: String
    let context: LinkContext
    let payload: AuthPayload
    let random: SeededRandom

    init(_ index: Int, transport: TransportClass = .stream) throws {
        let golden = try Golden.json()
        let device = golden["devices"][index]
        name = device["name"].string
        context = LinkContext(
            mesh: golden["genesis"]["mesh_id"].octets(), transport: transport, key: device["lnk"].key())
        random = SeededRandom(seed: UInt64(index + 1))
        payload = AuthPayload(
            certificate: try Signed(parsing: device["cert_signed_2of3"].bytes), chain: .full([]),
            headsDigest: .random(from: random), rootSequence: 3, rootID: .random(from: random),
            epochs: [golden["epoch"]["commit"].octets(as: Octets32.self)].map { Octets8(prefixOf: $0) },
            time: Minute(29_000_000), timeIsTrusted: true, bootSalt: .random(from: random))
    }

    /// A member with the same key in another mesh.
    func moved(to mesh: MeshID) -> LinkContext {
        LinkContext(mesh: mesh, transport: context.transport, key: context.key)
    }

    static func epoch() throws -> HeldPSK {
        let epoch = try Golden.json()["epoch"]
        return HeldPSK(epoch: epoch["commit"].octets(), psk: epoch["psk"].key())
    }

    /// An epoch whose number is not the golden one's.
    static func otherEpoch(_ number: UInt64) -> HeldPSK {
        let random = SeededRandom(seed: number, stream: "epoch")
        return HeldPSK(epoch: .random(from: random), psk: SymmetricKey(from: random))
    }

    func first(
        _ held: HeldPSK, isAhead: Bool = false, answered: Octets8 = Octets8()
    ) -> (packet: HandshakePacket, initiator: Initiator) {
        var bytes: [UInt8] = []
        let initiator = Initiator(
            context, psk: held.psk, first: FirstPayload(isAhead: isAhead, slot: 2_900_000, answered: answered),
            random: random, to: &bytes)
        return (packet(bytes), initiator)
    }
}

/// The one packet in `bytes`.
func packet(_ bytes: [UInt8]) -> HandshakePacket {
    var buffer = PacketBuffer()
    buffer.append(bytes)
    guard let packet = try? buffer.next(), buffer.takeRest().isEmpty else {
        fatalError("the bytes are one handshake packet")
    }
    return packet
}

/// Two members with a link between them.
struct LinkedPair {
    var alice: Transport
    var bob: Transport

    init() throws {
        let alice = try Member(0)
        let bob = try Member(1)
        let held = try Member.epoch()
        let (first, initiator) = alice.first(held)
        let opened = try FirstMessage.open(first, context: bob.context, held: [held], expecting: .fresh)
        let (second, responder) = try opened.respond(bob.payload, random: bob.random)
        let (third, transport) = try initiator.open(packet(second)).finish(
            alice.payload, now: 1_000_000, random: alice.random)
        self.alice = transport
        self.bob = try responder.open(packet(third), now: 1_000_000, random: bob.random).transport
    }
}
