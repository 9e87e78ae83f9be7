import CoveyConversation
import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyNode

/// A member that went through the handshake as it should, and then says anything. The first byte says how far it goes on
/// in order: to the log, to the notes, to HELLO, to mail. Steps:
///
///     step = what u8 | …      what & 15:
///     0 frame      type u8 | body         1 message   plaintext, any bytes
///     2 envelope   how 4 | bytes: header and id that hold      3 wait  u8 × 100 ms
///     4 drained    5 datagram   6 stream  bytes, not sealed
///     7 send       a text to this member  8 bundle    body, signed by this member
///     9 certificate, entry, note: who u8 | kind u8 | payload, signed by the authority or this member
///     10 echo      what the node said last, said back
///     11 letter    bytes: a first message to the node, sealed as it should be, that says anything
///     others frame
struct MemberEntry {
    private let node = NodeUnderTest()
    private let connection = ConnectionID.accepted(1)
    private let first: [UInt8]
    private let second: [UInt8]
    private let third: [UInt8]
    private let ciphers: (initiator: CipherState, responder: CipherState)

    init() {
        // The same dice give the same handshake, so ours is made once.
        var caller = Caller(node.mesh, .initiator)
        first = caller.write(Caller.first, .first)
        node.handle(.accepted(connection, from: NodeUnderTest.peer, isStatic: true))
        node.handle(.received(connection, first))
        second = node.takeSent(connection)
        guard caller.read(second) != nil else { preconditionFailure("a member is answered") }
        third = caller.write(Caller.payload(node.mesh), .third)
        ciphers = caller.split()
    }

    func run(_ input: [UInt8]) {
        var script = Script(input)
        node.begin()
        node.handle(.accepted(connection, from: NodeUnderTest.peer, isStatic: true))
        node.handle(.received(connection, first))
        precondition(node.takeSent(connection) == second, "the same dice give the same handshake")
        node.handle(.received(connection, third))
        var link = Link(connection: connection, sending: ciphers.initiator, receiving: ciphers.responder)
        let stage = script.u8() & 3
        link.follow(node, upTo: stage)
        var steps = 0
        while !script.isAtEnd, steps < 128, !node.closed.contains(connection) {
            steps += 1
            step(&script, &link)
        }
        node.wait(20_000_000)
        node.check()
    }

    private func step(_ script: inout Script, _ link: inout Link) {
        let what = script.u8() & 15
        switch what {
        case 1: link.say(script.block(most: LinkBounds.plaintext), node)
        case 2: envelope(&script, &link)
        case 3: node.wait(UInt64(script.u8()) * 100_000)
        case 4: node.handle(.drained(connection))
        case 5: node.handle(.datagram(script.take(Int(script.u8())), from: NodeUnderTest.peer, interface: 1))
        case 6: node.handle(.received(connection, script.block()))
        case 7:
            let text = String(decoding: script.take(Int(script.u8())), as: UTF8.self)
            node.handle(.command(CommandID(2), .send(to: "there", text: text)))
        case 8:
            let bundle = Signed(
                script.block(most: 4096), type: .object(.bundle), mesh: node.mesh.mesh,
                keys: [node.mesh.there.identity.signing])
            link.say(.bundlePut, list: bundle, node)
        case 9: object(&script, &link)
        case 10:
            for (type, body) in link.hear(node) { link.say(type, body, node) }
        case 11:
            guard let letter = letter(script.block(most: 14_000)) else { return }
            link.say(letter, node)
        default:
            let type = script.u8()
            link.say(type, script.block(most: LinkBounds.frameBody), node)
        }
        if what != 10 { _ = link.hear(node) }
    }

    /// Mail that a relay takes: its header keeps the rules, and its id is the one of its bytes.
    private func envelope(_ script: inout Script, _ link: inout Link) {
        let how = (script.u8(), script.u8(), script.u8(), script.u8())
        let kind = EnvelopeKind.allCases[Int(how.0 & 3)]
        let priority = Priority.allCases[kind == .announcement ? Int(how.0 >> 2 & 3) : 1 + Int(how.0 >> 2 & 3) % 3]
        let bucket = Bucket.allCases[priority == .emergency ? Int(how.1 & 3) : Int(how.1 & 7) % 5]
        let ttl = TTL.allCases[Int(how.1 >> 3) % 6]
        let content = script.block(most: bucket.bodySize)
        let header = EnvelopeHeader(
            kind: kind, priority: priority, ttl: ttl, bucket: bucket,
            zone: kind == .pairwise ? ZoneHint(how.2) : .any,
            expiry: Hour.expiry(of: ttl, priority: priority, from: SmallMesh.minute.adding(60)),
            tag: RecipientTag(prefixOf: Octets32(content.sized(32)) ?? Octets32()), purgeCommit: PurgeCommit())
        guard let envelope = try? Envelope(parsing: header.octets.array + content.sized(bucket.bodySize)) else {
            preconditionFailure("the header keeps the rules")
        }
        link.say(envelope, tokens: how.3, hops: min(how.2, Frame.DataHeader.mostHops), node)
    }

    private func letter(_ payload: [UInt8]) -> Envelope? {
        let mesh = node.mesh
        let device = mesh.here.identity.id
        guard let certificate = mesh.membership.currentCertificate(device),
            let stored = node.store.get(.bundles, device.array), let bundle = try? Bundle(parsing: stored),
            let verified = try? bundle.verified(of: BundleOwner(certificate), mesh: mesh.mesh, now: SmallMesh.minute)
        else { preconditionFailure("a node has a bundle") }
        let own = OwnDevice(mesh: mesh.mesh, hash: mesh.there.identity.hash, message: mesh.there.identity.message)
        let random = SeededRandom(seed: UInt64(payload.count))
        guard let peer = try? PeerDevice(certificate, of: own),
            var initiation = try? Initiation(
                from: own, to: peer, bundle: verified, generation: 1, random: random, kem: HollowKEM())
        else { preconditionFailure("members can write to each other") }
        return try? initiation.seal(
            payload, posting: Posting(priority: .normal, ttl: .week, zone: .any), purge: PurgeSecret(),
            now: SmallMesh.minute, random: random)
    }

    /// An object whose signature holds.
    private func object(_ script: inout Script, _ link: inout Link) {
        let who = script.u8()
        let kind = script.u8()
        let payload = script.block(most: 8_192)
        let keys =
            who & 1 == 0 ? node.mesh.founding.field.current.keys : [node.mesh.there.identity.signing]
        switch who >> 1 & 3 {
        case 0:
            link.say(
                .notePut, list: Signed(payload, type: .object(.revokeNote), mesh: node.mesh.mesh, keys: keys), node)
        case 1:
            var content = payload
            if kind == 6 {
                var list = CanonicalWriter()
                list.field(
                    1,
                    list: [
                        Signed(payload, type: .object(.deviceCertificate), mesh: node.mesh.mesh, keys: keys).bytes
                    ])
                content = list.bytes
            }
            guard let last = node.mesh.entries.last else { return }
            var writer = CanonicalWriter(.logEntry)
            writer.field(0x01, last.log)
            writer.field(0x02, u64: last.sequence + 1)
            writer.field(0x03, last.id)
            writer.field(0x04, u32: SmallMesh.minute.value)
            writer.field(0x05, u8: kind)
            writer.field(0x06, bytes: content)
            link.say(
                .logPut, list: Signed(writer.bytes, type: .object(.logEntry), mesh: node.mesh.mesh, keys: keys), node)
        default:
            link.say(
                .cert, list: Signed(payload, type: .object(.deviceCertificate), mesh: node.mesh.mesh, keys: keys), node)
        }
    }

    /// The other end of the link.
    private struct Link {
        let connection: ConnectionID
        var sending: CipherState
        var receiving: CipherState
        private var inbox: [UInt8] = []

        init(connection: ConnectionID, sending: CipherState, receiving: CipherState) {
            self.connection = connection
            self.sending = sending
            self.receiving = receiving
        }

        mutating func say(_ plaintext: [UInt8], _ node: NodeUnderTest) {
            node.handle(.received(connection, sealed(plaintext, &sending)))
        }

        mutating func say(_ type: UInt8, _ body: [UInt8], _ node: NodeUnderTest) {
            guard body.count <= LinkBounds.frameBody else { return }
            var plaintext = [type]
            plaintext.append(varint: UInt64(body.count))
            say(plaintext + body, node)
        }

        mutating func say(_ envelope: Envelope, tokens: UInt8 = 0, hops: UInt8 = 0, _ node: NodeUnderTest) {
            var body: [UInt8] = [tokens, hops, 0]
            body.append(envelope.id)
            body.append(varint: UInt64(envelope.bytes.count))
            body.append(varint: 0)
            say(FrameType.data.rawValue, body + envelope.bytes, node)
        }

        mutating func say(_ type: FrameType, list item: Signed, _ node: NodeUnderTest) {
            var body: [UInt8] = []
            body.append(u16: UInt16(item.bytes.count))
            say(type.rawValue, body + item.bytes, node)
        }

        /// The frames the node said since the last time.
        mutating func hear(_ node: NodeUnderTest) -> [(type: UInt8, body: [UInt8])] {
            inbox += node.takeSent(connection)
            var frames: [(type: UInt8, body: [UInt8])] = []
            var at = 0
            while inbox.count - at >= LinkBounds.packetHead {
                let end = at + 2 + (Int(inbox[at]) << 8 | Int(inbox[at + 1]))
                precondition(end <= inbox.count, "a node writes whole packets")
                let message = Array(inbox[at + LinkBounds.packetHead..<end])
                guard let plaintext = try? receiving.decrypt(message.span.bytes, ad: RawSpan()) else {
                    preconditionFailure("what a node seals opens")
                }
                at = end
                var reader = ByteReader(plaintext.span.bytes)
                while let type = try? reader.u8(), type != 0 {
                    guard let count = try? reader.varint(), let body = try? reader.bytes(Int(count)) else {
                        preconditionFailure("a node writes whole frames")
                    }
                    frames.append((type, body))
                }
            }
            inbox = []
            return frames
        }

        /// Says back what the node says of its log, its notes and itself: so both are equal, and go on.
        mutating func follow(_ node: NodeUnderTest, upTo stage: UInt8) {
            let answered: [FrameType] = [.logHeads, .digest, .hello]
            for step in 0..<Int(stage) {
                let frames = hear(node)
                guard let frame = frames.first(where: { $0.type == answered[step].rawValue }) else {
                    preconditionFailure("a node says \(answered[step]) when it is due")
                }
                say(frame.type, frame.body, node)
            }
        }
    }
}
