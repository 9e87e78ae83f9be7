import CoveyCrypto
import Testing

@testable import CoveyLink

@Suite("Noise")
struct NoiseTests {
    /// A pair of XXpsk0 machines that agree on everything.
    struct Pair {
        var initiator: HandshakeState
        var responder: HandshakeState
        let random = SeededRandom(seed: 7)

        init() {
            let psk = SymmetricKey(from: random)
            let prologue = Array("a prologue".utf8)
            initiator = HandshakeState(
                pattern: .xxpsk0, role: .initiator, prologue: prologue.span.bytes,
                ownStatic: AgreementPrivateKey(from: random), psks: [psk])
            responder = HandshakeState(
                pattern: .xxpsk0, role: .responder, prologue: prologue.span.bytes,
                ownStatic: AgreementPrivateKey(from: random), psks: [psk])
        }
    }

    @Test("a failed read leaves no trace: after any flipped bit the true message is still read")
    func noTrace() throws {
        var pair = Pair()
        var first: [UInt8] = []
        try pair.initiator.writeMessage(Array("one".utf8).span.bytes, random: pair.random, to: &first)
        for at in first.indices {
            var bad = first
            bad[at] ^= 1
            #expect(throws: NoiseFailure.authentication) { try pair.responder.readMessage(bad.span.bytes) }
        }
        for size in first.indices {
            #expect(throws: NoiseFailure.self) {
                try pair.responder.readMessage(first.span.bytes.extracting(first: size))
            }
        }
        #expect(try pair.responder.readMessage(first.span.bytes) == Array("one".utf8))
        var second: [UInt8] = []
        try pair.responder.writeMessage(Array("two".utf8).span.bytes, random: pair.random, to: &second)
        for at in second.indices {
            var bad = second
            bad[at] ^= 0x80
            // Bit 255 of an X25519 key is masked, so a flip there is caught by the transcript and not by the key.
            #expect(throws: NoiseFailure.self) { try pair.initiator.readMessage(bad.span.bytes) }
        }
        #expect(try pair.initiator.readMessage(second.span.bytes) == Array("two".utf8))
    }

    @Test("a message out of turn is refused on both sides")
    func order() throws {
        var pair = Pair()
        var first: [UInt8] = []
        #expect(throws: NoiseFailure.outOfOrder) {
            try pair.responder.writeMessage(RawSpan(), random: pair.random, to: &first)
        }
        #expect(first.isEmpty)
        try pair.initiator.writeMessage(RawSpan(), random: pair.random, to: &first)
        #expect(throws: NoiseFailure.outOfOrder) {
            try pair.initiator.writeMessage(RawSpan(), random: pair.random, to: &first)
        }
        _ = try pair.responder.readMessage(first.span.bytes)
        #expect(throws: NoiseFailure.outOfOrder) { try pair.responder.readMessage(first.span.bytes) }
    }

    @Test("a message over 65535 bytes is neither written nor read")
    func oversized() throws {
        var pair = Pair()
        var out: [UInt8] = [1]
        let payload = [UInt8](repeating: 0, count: 65535 - 47)
        #expect(throws: NoiseFailure.length) {
            try pair.initiator.writeMessage(payload.span.bytes, random: pair.random, to: &out)
        }
        #expect(out == [1])
        #expect(throws: NoiseFailure.length) {
            try pair.responder.readMessage([UInt8](repeating: 0, count: 65536).span.bytes)
        }
        out = []
        try pair.initiator.writeMessage(
            payload.span.bytes.extracting(droppingLast: 1), random: pair.random, to: &out)
        #expect(out.count == 65535)
        #expect(try pair.responder.readMessage(out.span.bytes).count == payload.count - 1)
    }

    @Test("a small-order key gives no shared secret", arguments: [UInt8(0), 1])
    func smallOrder(first: UInt8) throws {
        var pair = Pair()
        var message: [UInt8] = []
        try pair.initiator.writeMessage(RawSpan(), random: pair.random, to: &message)
        _ = try pair.responder.readMessage(message.span.bytes)
        // Message 2 is judged by its first key before anything in it is opened.
        var reply = [UInt8](repeating: 0, count: 32 + 48 + 16)
        reply[0] = first
        #expect(throws: NoiseFailure.badPublicKey) { try pair.initiator.readMessage(reply.span.bytes) }
    }

    @Test("the nonce 2^64 - 1 is never used")
    func lastNonce() throws {
        let key = SymmetricKey(from: SeededRandom(seed: 1))
        var sender = CipherState(key: key, nonce: .max - 1)
        var receiver = sender
        var sealed: [UInt8] = []
        try sender.encrypt(RawSpan(), ad: RawSpan(), to: &sealed)
        _ = try receiver.decrypt(sealed.span.bytes, ad: RawSpan())
        var more: [UInt8] = []
        #expect(throws: NoiseFailure.nonceExhausted) { try sender.encrypt(RawSpan(), ad: RawSpan(), to: &more) }
        #expect(throws: NoiseFailure.nonceExhausted) { try receiver.decrypt(sealed.span.bytes, ad: RawSpan()) }
    }

    @Test("in place and appended encryption are the same message")
    func inPlace() throws {
        let key = SymmetricKey(from: SeededRandom(seed: 2))
        let plaintext = Array("forty-two bytes or so of some plain message".utf8)
        var appended: [UInt8] = []
        var one = CipherState(key: key)
        try one.encrypt(plaintext.span.bytes, ad: RawSpan(), to: &appended)
        var other = CipherState(key: key)
        var reader = CipherState(key: key)
        var bytes = plaintext
        let tag = try bytes.withUnsafeMutableBytes { raw in
            var span = raw.mutableBytes
            return try other.seal(inPlace: &span)
        }
        #expect(bytes + tag.array == appended)
        try bytes.withUnsafeMutableBytes { raw in
            var span = raw.mutableBytes
            try reader.open(inPlace: &span, tag: tag)
        }
        #expect(bytes == plaintext)
        #expect(reader.nonce == 1)
    }
}
