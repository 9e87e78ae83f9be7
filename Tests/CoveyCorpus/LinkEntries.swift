import CoveyCore
import CoveyCrypto
import CoveyLink

enum LinkEntries {
    /// A stream of handshake packets: in pieces as in one, and as it was.
    static func packet(_ input: [UInt8]) {
        var script = Script(input)
        let size = 1 + Int(script.u8())
        let stream = script.rest()
        let whole = packets([stream])
        let pieces = stride(from: 0, to: stream.count, by: size).map {
            Array(stream[$0..<min($0 + size, stream.count)])
        }
        let parted = packets(pieces)
        precondition(whole.packets == parted.packets && whole.fault == parted.fault, "pieces make no difference")
        guard whole.fault == nil else { return }
        precondition(whole.packets.flatMap { $0.encode() } + whole.rest == stream, "a packet has one form")
    }

    private static func packets(
        _ pieces: [[UInt8]]
    ) -> (packets: [HandshakePacket], rest: [UInt8], fault: LinkFault?) {
        var buffer = PacketBuffer()
        var packets: [HandshakePacket] = []
        for piece in pieces {
            buffer.append(piece)
            do throws(LinkFault) {
                while let packet = try buffer.next() { packets.append(packet) }
            } catch { return (packets, [], error) }
        }
        return (packets, buffer.takeRest(), nil)
    }

    /// What is shown in messages 1, 2 and 3.
    static func authpayload(_ input: [UInt8]) {
        if let payload = try? AuthPayload(parsing: input) {
            precondition((try? AuthPayload(parsing: payload.encode())) == payload, "what is shown can be shown again")
        }
        if let first = try? FirstPayload(parsing: input) {
            precondition(first.encode() == input, "a first payload has one form")
        }
    }

    /// `type u8 | body`, all types this version reads.
    static func frame(_ input: [UInt8]) {
        guard let number = input.first, let type = FrameType(rawValue: number) else { return }
        let body = Array(input.dropFirst())
        switch type {
        case .hello: same(Frame.Hello.self, body)
        case .bye: same(Frame.Bye.self, body)
        case .ping: same(Frame.Ping.self, body)
        case .pong: same(Frame.Pong.self, body)
        case .credit: same(Frame.Credit.self, body)
        case .offer: same(Frame.Offer.self, body)
        case .timeRequest: same(Frame.TimeRequest.self, body)
        case .timeResponse: same(Frame.TimeResponse.self, body)
        case .want: same(Frame.Want.self, body)
        case .notHave: same(Frame.NotHave.self, body)
        case .cancel: same(Frame.Cancel.self, body)
        case .dataAck: same(Frame.DataAck.self, body)
        case .logHeads: same(Frame.LogHeads.self, body)
        case .logGet: same(Frame.LogGet.self, body)
        case .logPut: same(Frame.LogPut.self, body)
        case .notePut: same(Frame.NotePut.self, body)
        case .epochKey: same(Frame.EpochKey.self, body)
        case .wantCert: same(Frame.WantCert.self, body)
        case .cert: same(Frame.Cert.self, body)
        case .bundleGet: same(Frame.BundleGet.self, body)
        case .bundlePut: same(Frame.BundlePut.self, body)
        case .data: data(body)
        case .digest, .summary, .recon, .reconDone: SyncEntries.frame(input)
        case .iHave: same(Frame.IHave.self, body)
        case .graft: same(Frame.Graft.self, body)
        case .prune: same(Frame.Prune.self, body)
        case .util: same(Frame.Utility.self, body)
        case .join, .forwardJoin, .neighbor, .neighborReply, .shuffle, .shuffleReply, .iDontWant, .vax,
            .pairPrekey:
            return
        }
    }

    private static func same<Body: FrameBody>(_: Body.Type, _ input: [UInt8]) {
        // Longer bodies do not fit a message: the writer may rely on it.
        guard input.count <= LinkBounds.frameBody, let body = try? Body(parsing: input.span.bytes) else { return }
        var bytes: [UInt8] = []
        body.encode(to: &bytes)
        precondition(bytes == input, "a frame has one form")
    }

    static func data(_ input: [UInt8]) {
        let span = input.span.bytes
        guard let data = try? Frame.Data(parsing: span) else { return }
        let header = data.header
        precondition(header.offset + data.bytes.byteCount <= header.total, "a piece lies inside its envelope")
        precondition(data.isWhole == (data.bytes.byteCount == header.total))
        let isClamped = input[0] != header.tokens
        precondition(
            !isClamped || (input[0] > Frame.DataHeader.mostTokens && header.tokens == Frame.DataHeader.mostTokens))
        var bytes: [UInt8] = [input[0], header.hops, header.origin == nil ? 0 : 1]
        if let origin = header.origin {
            bytes.append(origin.device)
            bytes.append(origin.signature)
        }
        bytes.append(header.id)
        bytes.append(varint: UInt64(header.total))
        bytes.append(varint: UInt64(header.offset))
        bytes.append(copying: data.bytes)
        precondition(bytes == input, "a piece has one form")
    }
}
