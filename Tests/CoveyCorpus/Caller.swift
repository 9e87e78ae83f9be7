import CoveyCore
import CoveyCrypto
import CoveyLink

/// Plays the dialling or the answering side of a handshake with keys that hold, and says in it what it likes.
struct Caller {
    private var noise: HandshakeState
    let random = SeededRandom(seed: 77)

    init(_ mesh: SmallMesh, _ role: HandshakeState.Role, isReverse: Bool = false) {
        var prologue = Array("covey1-link".utf8) + [0, 1, 1]
        prologue.append(mesh.mesh)
        prologue += [1, isReverse ? 1 : 0]
        noise = HandshakeState(
            pattern: .xxpsk0, role: role, prologue: prologue.span.bytes, ownStatic: mesh.there.identity.link,
            psks: [mesh.keys.psk.key])
    }

    /// The next message of ours, as a packet.
    mutating func write(_ payload: [UInt8], _ kind: PacketKind, isReverse: Bool = false) -> [UInt8] {
        var message: [UInt8] = []
        do { try noise.writeMessage(payload.span.bytes, random: random, to: &message) } catch {
            preconditionFailure("it is our turn: \(error)")
        }
        return HandshakePacket(kind: kind, isReverse: isReverse, bytes: message).encode()
    }

    /// Reads a packet with its head. Nil when it does not open.
    mutating func read(_ packet: [UInt8]) -> [UInt8]? {
        guard packet.count > LinkBounds.packetHead else { return nil }
        return try? noise.readMessage(packet.span.bytes.extracting(droppingFirst: LinkBounds.packetHead))
    }

    func split() -> (initiator: CipherState, responder: CipherState) { noise.split() }

    var handshakeHash: Octets32 { noise.handshakeHash }

    static var first: [UInt8] {
        FirstPayload(isAhead: false, slot: BeaconSlot(of: SmallMesh.minute).value, answered: Octets8()).encode()
    }

    /// What a member shows, padded to 1536 bytes.
    static func payload(_ mesh: SmallMesh) -> [UInt8] {
        let (certificate, authorities) = mesh.shown
        let object = AuthPayload(
            certificate: certificate, chain: .full(authorities), headsDigest: Octets32(), rootSequence: 0,
            rootID: Octets16(), epochs: [Octets8(prefixOf: mesh.keys.commit)], time: SmallMesh.minute,
            timeIsTrusted: true, bootSalt: Octets8()
        ).encode()
        return padded(object)
    }

    static func padded(_ object: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(u16: UInt16(clamping: object.count))
        return (bytes + object).sized(LinkBounds.fullPayload)
    }
}

/// A plaintext of any bytes, sealed as a packet of a link.
func sealed(_ plaintext: [UInt8], _ cipher: inout CipherState) -> [UInt8] {
    var packet: [UInt8] = []
    packet.append(u16: UInt16(plaintext.count + 2 + CipherState.tagSize))
    packet += [PacketKind.transport.rawValue, 0]
    do { try cipher.encrypt(plaintext.span.bytes, ad: RawSpan(), to: &packet) } catch {
        preconditionFailure("a run is shorter than a key lasts: \(error)")
    }
    return packet
}
