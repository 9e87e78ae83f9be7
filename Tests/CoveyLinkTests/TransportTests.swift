import CoveyCore
import CoveyCrypto
import CoveyVectors
import Testing

@testable import CoveyLink

@Suite("Link after the handshake")
struct TransportTests {
    /// A pair over one random key a direction: what a handshake would leave.
    static func pair(nonce: UInt64 = 0, seed: UInt64 = 3) -> (FrameSender, FrameReceiver) {
        let cipher = CipherState(key: SymmetricKey(from: SeededRandom(seed: seed)), nonce: nonce)
        return (FrameSender(cipher), FrameReceiver(cipher))
    }

    struct Seen: Equatable {
        let type: FrameType
        let body: [UInt8]
    }

    static func receive(_ receiver: inout FrameReceiver, _ bytes: [UInt8]) throws -> [Seen] {
        var seen: [Seen] = []
        try receiver.receive(bytes.span.bytes) { type, body in
            seen.append(Seen(type: type, body: [UInt8](copying: body)))
        }
        return seen
    }

    /// Packets of one buffer.
    static func packets(_ bytes: [UInt8]) -> [[UInt8]] {
        var packets: [[UInt8]] = []
        var rest = bytes[...]
        while rest.count >= 2 {
            let size = 2 + Int(rest[rest.startIndex]) << 8 + Int(rest[rest.startIndex + 1])
            packets.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        return packets
    }

    /// A message whose plaintext the sender would not write.
    static func sealed(_ plaintext: [UInt8], seed: UInt64 = 3) throws -> [UInt8] {
        var cipher = CipherState(key: SymmetricKey(from: SeededRandom(seed: seed)))
        var message: [UInt8] = []
        try cipher.encrypt(plaintext.span.bytes, ad: RawSpan(), to: &message)
        var packet: [UInt8] = []
        packet.append(u16: UInt16(message.count + 2))
        return packet + [5, 0] + message
    }

    @Test("frames arrive as they were sent, in order, over both directions of a real link")
    func both() throws {
        var pair = try LinkedPair()
        pair.alice.sender.append(.logPut, ([1, 2, 3] as [UInt8]).span.bytes)
        pair.alice.sender.append(.notePut, RawSpan())
        let sent = pair.alice.sender.take()
        #expect(sent.count == 4 + 64 + 16)
        #expect(
            try Self.receive(&pair.bob.receiver, sent) == [
                Seen(type: .logPut, body: [1, 2, 3]), Seen(type: .notePut, body: []),
            ])
        pair.bob.sender.append(.cancel, [UInt8](repeating: 9, count: 300).span.bytes)
        #expect(try Self.receive(&pair.alice.receiver, pair.bob.sender.take()).count == 1)
        #expect(pair.alice.sender.take().isEmpty)
    }

    @Test("what a burst was before it was sealed is believed under its own key and nonce only, and holds no epoch key")
    func opened() throws {
        var (sender, receiver) = Self.pair()
        let (_, stranger) = Self.pair(seed: 4)
        sender.keepOpened()
        for size in [10, 40_000, 7] {
            for start in stride(from: 0, to: size, by: 9000) {
                let body = [UInt8](repeating: UInt8(start / 9000), count: min(9000, size - start))
                sender.append(.logPut, body.span.bytes)
            }
            let sent = sender.take()
            let kept = sender.takeOpened()
            let opened = try #require(kept)
            let again = sender.takeOpened()
            #expect(again?.count == nil)
            var other = stranger
            #expect(throws: LinkFault.self) { try other.receive(adopting: sent, opened: opened) { _, _ in } }
            var sum = 0
            try receiver.receive(adopting: sent, opened: opened) { _, body in sum += body.byteCount }
            #expect(sum == size)
            // Once more: the nonce has gone on, so the bytes themselves are tried, and are no message now.
            var later = receiver
            #expect(throws: LinkFault.self) { try later.receive(adopting: sent, opened: opened) { _, _ in } }
        }
        // Both ways of receiving go on from one another.
        sender.append(.logPut, ([1] as [UInt8]).span.bytes)
        #expect(try Self.receive(&receiver, sender.take()) == [Seen(type: .logPut, body: [1])])
        sender.append(.logPut, ([1] as [UInt8]).span.bytes)
        sender.append(Frame.EpochKey(entry: EntryID(), key: EpochKey(from: SeededRandom(seed: 6))))
        sender.append(.logPut, ([2] as [UInt8]).span.bytes)
        let sent = sender.take()
        let secret = sender.takeOpened()
        #expect(secret?.count == nil)
        #expect(try Self.receive(&receiver, sent).count == 3)
    }

    @Test("many frames fill messages up to the bound, and share one buffer")
    func batches() throws {
        var (sender, receiver) = Self.pair()
        let envelope = [UInt8](repeating: 0xAB, count: 2048)
        let id = EnvelopeID.random(from: SeededRandom(seed: 5))
        for _ in 0..<70 {
            sender.append(Frame.DataHeader(id: id, tokens: 8, hops: 1, total: 2048), envelope.span.bytes)
        }
        let sent = sender.take()
        let packets = Self.packets(sent)
        #expect(packets.count == 10)
        for packet in packets {
            let count = packet.count - 4 - 16
            #expect(count.isMultiple(of: LinkBounds.padding))
            #expect(count <= LinkBounds.plaintext)
        }
        var count = 0
        try receiver.receive(sent.span.bytes) { type, body in
            #expect(type == .data)
            let data = try Frame.Data(parsing: body)
            let (header, isWhole, bytes) = (data.header, data.isWhole, [UInt8](copying: data.bytes))
            #expect(header.id == id)
            #expect(isWhole)
            #expect(bytes == envelope)
            count += 1
        }
        #expect(count == 70)
    }

    @Test("the largest frame fits one message exactly, and a stream may be cut anywhere")
    func largest() throws {
        var (sender, receiver) = Self.pair()
        let body = SeededRandom(seed: 8).bytes(LinkBounds.frameBody)
        sender.append(.logPut, body.span.bytes)
        sender.append(.ping, ([1] as [UInt8]).span.bytes)
        let sent = sender.take()
        #expect(Self.packets(sent).map(\.count) == [4 + LinkBounds.plaintext + 16, 4 + 64 + 16])
        let random = SeededRandom(seed: 9)
        var seen: [Seen] = []
        var rest = sent[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(random.uniform(1...3000)))
            rest = rest.dropFirst(piece.count)
            if random.uniform(2) == 0 {
                seen += try Self.receive(&receiver, piece)
            } else {
                try receiver.receive(adopting: piece) { seen.append(Seen(type: $0, body: [UInt8](copying: $1))) }
            }
        }
        #expect(seen == [Seen(type: .logPut, body: body), Seen(type: .ping, body: [1])])
        #expect(receiver.pending == 0)
    }

    @Test("both sides change their key after message 2^14 - 1, and go on with the same nonces")
    func rekey() throws {
        var pair = try LinkedPair()
        for number in 0..<UInt64(LinkBounds.rekeyMessages + 10) {
            let body: [UInt8] = [UInt8(truncatingIfNeeded: number)]
            pair.alice.sender.append(.pong, body.span.bytes)
            let seen = try Self.receive(&pair.bob.receiver, pair.alice.sender.take())
            #expect(seen == [Seen(type: .pong, body: body)])
        }
    }

    @Test("the key changes exactly once at the boundary, to Noise's REKEY of the old one")
    func rekeyBoundary() throws {
        let key = SymmetricKey(from: SeededRandom(seed: 3))
        var cipher = DirectionCipher(CipherState(key: key, nonce: LinkBounds.rekeyMessages - 2))
        var renewed = CipherState(key: key)
        renewed.rekey()
        var bytes: [UInt8] = [1]
        for (isRenewed, nonce) in [
            (false, LinkBounds.rekeyMessages - 1), (true, LinkBounds.rekeyMessages),
            (true, LinkBounds.rekeyMessages + 1),
        ] {
            _ = try bytes.withUnsafeMutableBytes { raw in
                var span = raw.mutableBytes
                return try cipher.seal(inPlace: &span)
            }
            let now = try #require(cipher.state.key)
            #expect(now.isEqual(to: isRenewed ? try #require(renewed.key) : key))
            #expect(cipher.state.nonce == nonce)
        }
    }

    @Test("47, 49: a packet repeated, skipped, altered or of another link ends the link")
    func altered() throws {
        var (sender, _) = Self.pair()
        var packets: [[UInt8]] = []
        for number in 0..<3 {
            sender.append(.pong, [UInt8(number)].span.bytes)
            packets.append(sender.take())
        }
        func fails(_ order: [[UInt8]], _ fault: LinkFault) {
            var (_, receiver) = Self.pair()
            #expect(throws: fault) { for packet in order { _ = try Self.receive(&receiver, packet) } }
        }
        fails([packets[1]], .authentication)
        fails([packets[0], packets[0]], .authentication)
        fails([packets[0], packets[2]], .authentication)
        for at in packets[0].indices.dropFirst(4) {
            var bad = packets[0]
            bad[at] ^= 0x10
            fails([bad], .authentication)
        }
        var (other, _) = Self.pair(seed: 4)
        other.append(.pong, ([0] as [UInt8]).span.bytes)
        fails([other.take()], .authentication)
        // Cut: the next packet's head is read as the end of this one.
        for cut in 3..<16 { fails([Array(packets[0].dropLast(cut)) + packets[1]], .authentication) }
    }

    @Test("a head that begins no packet of a link is refused at once")
    func heads() {
        let heads: [([UInt8], LinkFault)] = [
            ([0, 82, 0, 0], .unknownKind(0)),
            ([0, 82, 9, 0], .unknownKind(9)),
            ([0, 66, 1, 0], .outOfOrder(.first)),
            ([6, 66, 3, 0], .outOfOrder(.third)),
            ([0, 82, 5, 1], .unknownFlags(1)),
            ([0, 17, 5, 0], .packetLength(17)),
            ([0, 0, 5, 0], .packetLength(0)),
            ([0x41, 0x13, 5, 0], .packetLength(0x4113)),
            ([0xFF, 0xFF, 5, 0], .packetLength(0xFFFF)),
        ]
        for (head, fault) in heads {
            var (_, receiver) = Self.pair()
            #expect(throws: fault) { try Self.receive(&receiver, head) }
        }
    }

    @Test("50: unknown frames from 80 on are skipped, those below end the link")
    func unknownFrames() throws {
        for number in UInt8.min...UInt8.max where FrameType(rawValue: number) == nil && number != 0 {
            var (_, receiver) = Self.pair()
            let packet = try Self.sealed([number, 2, 7, 7, 0x03, 1, 5, 0, 0])
            if number >= 0x80 {
                #expect(try Self.receive(&receiver, packet) == [Seen(type: .ping, body: [5])])
            } else {
                #expect(throws: LinkFault.unknownFrame(number)) { try Self.receive(&receiver, packet) }
            }
        }
    }

    @Test("50: a length beyond the message, not shortest or too long, and padding that is not zero end the link")
    func badFrames() throws {
        let plaintexts: [([UInt8], LinkFault)] = [
            ([0x03], .frame(.truncated)),
            ([0x03, 0x80], .frame(.truncated)),
            ([0x03, 2, 1], .frame(.truncated)),
            ([0x03, 0x81, 0x00, 1], .frame(.value(0))),
            ([0x03] + [UInt8](repeating: 0xFF, count: 9) + [1], .frame(.oversized)),
            ([0x03] + [UInt8](repeating: 0xFF, count: 8) + [0x7F], .frame(.truncated)),
            ([0x90, 2, 1], .frame(.truncated)),
            ([0x03, 0, 0, 0, 1], .padding),
        ]
        for (plaintext, fault) in plaintexts {
            var (_, receiver) = Self.pair()
            #expect(throws: fault) { try Self.receive(&receiver, try Self.sealed(plaintext)) }
        }
        var (_, receiver) = Self.pair()
        #expect(try Self.receive(&receiver, try Self.sealed([])) == [])
    }

    @Test("what a visitor throws ends the receiving, and frames before it were seen")
    func visitorThrows() throws {
        struct Enough: Error {}
        var (sender, receiver) = Self.pair()
        for number in 0..<5 { sender.append(.ping, [UInt8(number)].span.bytes) }
        var seen = 0
        #expect(throws: Enough.self) {
            try receiver.receive(sender.take().span.bytes) { _, _ in
                seen += 1
                if seen == 3 { throw Enough() }
            }
        }
        #expect(seen == 3)
    }

    @Test("50: what a peer may say before HELLO, after it and on a catch-up link")
    func phases() {
        let beforeHello: Set<FrameType> = [
            .hello, .bye, .ping, .pong, .digest, .summary, .recon, .reconDone, .logHeads, .logGet, .logPut, .notePut,
            .epochKey, .wantCert, .cert, .want, .notHave,
        ]
        let catchUp: Set<FrameType> = [.bye, .ping, .pong, .logHeads, .logGet, .logPut, .notePut, .wantCert, .cert]
        for type in FrameType.allCases {
            #expect(type.isAllowed(in: .beforeHello) == beforeHello.contains(type))
            #expect(type.isAllowed(in: .catchUp) == catchUp.contains(type))
            #expect(type.isAllowed(in: .open))
        }
    }

    @Test("receiving in a steady stream keeps one buffer, and bodies are views into it")
    func oneBuffer() throws {
        var (sender, receiver) = Self.pair()
        let envelope = [UInt8](repeating: 1, count: 2048)
        let header = Frame.DataHeader(id: EnvelopeID(), tokens: 1, hops: 0, total: 2048)
        var places: Set<UInt> = []
        for turn in 0..<200 {
            for _ in 0..<7 { sender.append(header, envelope.span.bytes) }
            let sent = sender.take()
            try receiver.receive(sent.span.bytes) { _, body in
                if turn > 0 { body.withUnsafeBytes { _ = places.insert(UInt(bitPattern: $0.baseAddress!)) } }
            }
        }
        // Seven frames a message at seven places of one buffer, over and over.
        #expect(places.count == 7)
        #expect(places.max()! - places.min()! < UInt(LinkBounds.plaintext))
    }

    @Test("an epoch key does not stay behind in the buffer")
    func wiped() throws {
        var (sender, receiver) = Self.pair()
        let key = EpochKey(from: SeededRandom(seed: 77))
        sender.append(Frame.EpochKey(entry: EntryID.random(from: SeededRandom(seed: 78)), key: key))
        sender.append(.ping, ([1] as [UInt8]).span.bytes)
        var seen: EpochKey?
        var base: UnsafeRawPointer?
        try receiver.receive(sender.take().span.bytes) { type, body in
            if type == .epochKey {
                seen = try Frame.EpochKey(parsing: body).key
                base = body.withUnsafeBytes { $0.baseAddress! }
            } else if let base {
                // Still the same buffer: the key's place holds zeros.
                #expect(UnsafeRawBufferPointer(start: base, count: 64).allSatisfy { $0 == 0 })
            }
        }
        #expect(try #require(seen).isEqual(to: key))
    }

    @Test("nor does one that is refused")
    func wipedWhenRefused() {
        struct Refusal: Error {}
        var (sender, receiver) = Self.pair()
        sender.append(Frame.EpochKey(entry: EntryID(), key: EpochKey(from: SeededRandom(seed: 77))))
        let sent = sender.take()
        var base: UnsafeRawPointer?
        #expect(throws: Refusal.self) {
            try receiver.receive(sent.span.bytes) { _, body in
                base = body.withUnsafeBytes { $0.baseAddress! }
                throw Refusal()
            }
        }
        // The receiver holds the packet still.
        #expect(receiver.pending == sent.count)
        #expect(UnsafeRawBufferPointer(start: base, count: 64).allSatisfy { $0 == 0 })
    }

    @Test("an epoch key is sealed at once, so that no plaintext of it waits for other frames")
    func sealedAtOnce() throws {
        var (sender, receiver) = Self.pair()
        let key = EpochKey(from: SeededRandom(seed: 77))
        sender.append(.ping, ([1] as [UInt8]).span.bytes)
        sender.append(Frame.EpochKey(entry: EntryID(), key: key))
        sender.append(.pong, ([2] as [UInt8]).span.bytes)
        let sent = sender.take()
        #expect(Self.packets(sent).map(\.count) == [4 + 128 + 16, 4 + 64 + 16])
        #expect(try Self.receive(&receiver, sent).map(\.type) == [.ping, .epochKey, .pong])
    }

    @Test("a link asks for a new handshake at 60 minutes give or take ten percent, and ends at 120")
    func age() throws {
        var due: Set<UInt64> = []
        for seed in 0..<50 {
            let cipher = CipherState(key: SymmetricKey(from: SeededRandom(seed: 1)))
            let link = Transport(
                sending: cipher, receiving: cipher, handshakeHash: Octets32(), now: 7,
                random: SeededRandom(seed: UInt64(seed)))
            let minute = LinkBounds.minute
            #expect((54 * minute + 7...66 * minute + 7).contains(link.rehandshakeDue))
            #expect(!link.isDueForRehandshake(now: link.rehandshakeDue - 1))
            #expect(link.isDueForRehandshake(now: link.rehandshakeDue))
            #expect(!link.mustEnd(now: 120 * minute + 6))
            #expect(link.mustEnd(now: 120 * minute + 7))
            due.insert(link.rehandshakeDue)
        }
        #expect(due.count == 50)
    }

    @Test("49: the nonce 2^64 - 1 is refused on receipt")
    func lastNonce() {
        var (_, receiver) = Self.pair(nonce: .max)
        #expect(throws: LinkFault.nonceExhausted) {
            try Self.receive(&receiver, [0, 18, 5, 0] + [UInt8](repeating: 0, count: 16))
        }
    }

    @Test("random bytes never trap and never open a frame")
    func garbage() {
        let random = SeededRandom(seed: 21)
        for _ in 0..<500 {
            var (_, receiver) = Self.pair()
            var bytes = random.bytes(random.uniform(0...200))
            if random.uniform(2) == 0, bytes.count > 4 { bytes.replaceSubrange(0..<4, with: [0, 66, 5, 0]) }
            var frames = 0
            try? receiver.receive(bytes.span.bytes) { _, _ in frames += 1 }
            #expect(frames == 0)
        }
    }

    @Test("random plaintext never traps, whatever frames it seems to hold")
    func randomPlaintext() throws {
        let random = SeededRandom(seed: 22)
        for _ in 0..<2000 {
            var (_, receiver) = Self.pair()
            var plaintext = random.bytes(random.uniform(0...256))
            for at in plaintext.indices where random.uniform(3) == 0 { plaintext[at] &= 0x0F }
            _ = try? Self.receive(&receiver, try Self.sealed(plaintext))
        }
    }

    @Test("short ids are SipHash under the first 16 bytes of HKDF of the handshake hash")
    func shortIDs() throws {
        let hash = Octets32.random(from: SeededRandom(seed: 31))
        let id = EnvelopeID.random(from: SeededRandom(seed: 32))
        let zeros = [UInt8](repeating: 0, count: 32)
        let extracted = HMACSHA256.code(hash.array.span.bytes, key: zeros.span.bytes)
        let info = Array("covey1:r3".utf8)
        let one = HMACSHA256.code((info + [1]).span.bytes, key: extracted.array.span.bytes)
        let ids = ShortIDs(handshakeHash: hash)
        #expect(ids.shortID(of: id) == SipHash(key: Octets16(prefixOf: one)).hash(id))
        let retry = HMACSHA256.code((info + [1, 1]).span.bytes, key: extracted.array.span.bytes)
        #expect(
            ShortIDs(handshakeHash: hash, isRetry: true).shortID(of: id)
                == SipHash(key: Octets16(prefixOf: retry)).hash(id))
    }
}
