import CoveyCore
import CoveyCrypto
import CoveyLink

/// Noise messages of an authenticated peer, whose plaintext is anything: `(len u16 | plaintext)*`, in pieces of a size
/// that the first byte says. Frames come out whole, once, and as they were written.
struct TransportEntry {
    private let receiver: FrameReceiver
    private let cipher: CipherState

    init() {
        let mesh = SmallMesh()
        let context = LinkContext(mesh: mesh.mesh, transport: .stream, key: mesh.here.identity.link)
        var caller = Caller(mesh, .initiator)
        do {
            var packets = PacketBuffer()
            packets.append(caller.write(Caller.first, .first))
            guard let one = try packets.next() else { preconditionFailure("a whole packet was given") }
            let held = [HeldPSK(epoch: mesh.keys.commit, psk: mesh.keys.psk.key)]
            let first = try FirstMessage.open(one, context: context, held: held, expecting: .fresh)
            let (certificate, authorities) = mesh.shown
            let own = AuthPayload(
                certificate: certificate, chain: .full(authorities), headsDigest: Octets32(), rootSequence: 0,
                rootID: Octets16(), epochs: [], time: SmallMesh.minute, timeIsTrusted: true, bootSalt: Octets8())
            let (packet, responder) = try first.respond(own, random: SeededRandom(seed: 3))
            guard caller.read(packet) != nil else { preconditionFailure("the answer is to us") }
            packets.append(caller.write(Caller.payload(mesh), .third))
            guard let three = try packets.next() else { preconditionFailure("a whole packet was given") }
            receiver = try responder.open(three, now: 0, random: SeededRandom(seed: 4)).transport.receiver
            cipher = caller.split().initiator
        } catch {
            preconditionFailure("the handshake is in order: \(error)")
        }
    }

    func run(_ input: [UInt8]) {
        var script = Script(input)
        let size = 1 + Int(script.u8()) * 16
        var cipher = cipher
        var stream: [UInt8] = []
        var messages = 0
        while !script.isAtEnd, messages < 64 {
            let plaintext = script.block(most: LinkBounds.plaintext + 64)
            stream += sealed(plaintext, &cipher)
            messages += 1
        }
        let whole = frames([stream])
        let pieces = stride(from: 0, to: stream.count, by: size).map {
            Array(stream[$0..<min($0 + size, stream.count)])
        }
        let parted = frames(pieces)
        precondition(whole.frames == parted.frames && whole.fault == parted.fault, "pieces make no difference")
    }

    private func frames(_ pieces: [[UInt8]]) -> (frames: [[UInt8]], fault: LinkFault?) {
        var receiver = receiver
        var frames: [[UInt8]] = []
        for piece in pieces {
            do {
                try receiver.receive(adopting: piece) { type, body in
                    frames.append([type.rawValue] + [UInt8](copying: body))
                }
            } catch let fault as LinkFault {
                return (frames, fault)
            } catch { preconditionFailure("the visitor throws nothing") }
            precondition(receiver.pending <= 1 << 16, "no more than a packet waits")
        }
        return (frames, nil)
    }
}
