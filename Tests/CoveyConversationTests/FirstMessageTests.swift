import CoveyCore
import CoveyCrypto
import CoveyVectors
import Testing

@testable import CoveyConversation

@Suite("First messages")
struct FirstMessageTests {
    @Test("an initiator's first three messages are the reference's, byte for byte")
    func sealed() throws {
        let pair = try GoldenPair()
        let random = ScriptedRandom([
            pair.json["pqxdh"]["ek_priv"].bytes, pair.json["session"]["a_privs"][0].bytes,
        ])
        var initiation = try Initiation(
            from: pair.alice, to: pair.bobSeen, bundle: pair.bundle, generation: 1, random: random, kem: pair.kem)
        for number in 0..<3 {
            let golden = pair.message(number)
            random.append([
                ScriptedRandom.word(UInt8(number)), golden["nonce_prekey"].bytes, golden["nonce_header"].bytes,
                golden["nonce_body"].bytes,
            ])
            let envelope = try initiation.seal(
                golden["plaintext"].bytes, posting: GoldenPair.posting, purge: golden["purge_secret"].octets(),
                now: GoldenPair.now, random: random)
            #expect(envelope.bytes == golden["envelope"].bytes)
            #expect(envelope.id.hex == golden["env_id"].string)
        }
        #expect(random.isSpent)
    }

    @Test("the recipient opens each of them, whichever comes first")
    func opened() throws {
        let pair = try GoldenPair()
        for number in 0..<3 {
            #expect(try pair.open(pair.envelope(number)) == pair.message(number)["plaintext"].bytes)
        }
    }

    @Test("a first message cut short anywhere is no envelope")
    func truncated() throws {
        let bytes = try GoldenPair().message(0)["envelope"].bytes
        for count in 0..<bytes.count {
            #expect(throws: EnvelopeRefusal.self) { try Envelope(parsing: Array(bytes[..<count])) }
        }
        #expect(throws: EnvelopeRefusal.length) { try Envelope(parsing: bytes + [0]) }
    }

    @Test("no bit of a first message can be turned, and a refusal leaves nothing behind")
    func flipped() throws {
        let pair = try GoldenPair()
        var bytes = pair.message(0)["envelope"].bytes
        var opened: [Int] = []
        for bit in 0..<bytes.count * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8)
            if let envelope = try? Envelope(parsing: bytes), (try? pair.open(envelope)) != nil { opened.append(bit) }
            bytes[bit / 8] ^= 1 << (bit % 8)
        }
        #expect(opened.isEmpty)
        #expect(try pair.open(Envelope(parsing: bytes)) == pair.message(0)["plaintext"].bytes)
    }

    @Test("an ephemeral key opens one message, also after a restart, until its prekey is erased")
    func replayed() throws {
        let pair = try GoldenPair()
        var replays = ReplayCache()
        let envelope = try pair.envelope(0)
        let opened = try FirstMessage.openPayload(
            envelope, from: pair.aliceSeen, as: pair.bob, prekeys: pair.bobPrekeys, replays: replays, kem: pair.kem)
        #expect(opened.ephemeral.sequence == 5)
        replays.insert(opened.ephemeral)
        #expect(throws: FirstMessageRefusal.replayed) { try pair.open(envelope, replays: replays) }

        var restarted = try ReplayCache(records: [opened.ephemeral.record])
        #expect(restarted.count == 1)
        #expect(throws: FirstMessageRefusal.replayed) { try pair.open(envelope, replays: restarted) }

        #expect(restarted.forget(prekeys: []).isEmpty)
        #expect(restarted.forget(prekeys: [4]).isEmpty)
        #expect(restarted.forget(prekeys: [5]) == [opened.ephemeral.key])
        #expect(restarted.count == 0)
        #expect(throws: FirstMessageRefusal.unknownPrekey) {
            try FirstMessage.openPayload(
                envelope, from: pair.aliceSeen, as: pair.bob, prekeys: Prekeys(), replays: restarted, kem: pair.kem)
        }
    }

    @Test("a message of one identity does not open as another's, nor for another")
    func misbinding() throws {
        let pair = try GoldenPair()
        let envelope = try pair.envelope(0)
        func refusal(sender: PeerDevice, own: OwnDevice) -> FirstMessageRefusal? {
            do {
                _ = try FirstMessage.openPayload(
                    envelope, from: sender, as: own, prekeys: pair.bobPrekeys, replays: ReplayCache(), kem: pair.kem)
                return nil
            } catch {
                return error
            }
        }
        #expect(refusal(sender: pair.aliceSeen, own: pair.bob) == nil)
        // Another device that claims Alice's MSG key: the pair keys name the ids.
        let stranger = try PeerDevice(hash: DeviceHash(), message: pair.alice.message.publicKey, of: pair.bob)
        #expect(refusal(sender: stranger, own: pair.bob) == .pairHeader)
        // Even if the ids were equal: the transcript binds the whole hashes, of sender and of recipient.
        var half = pair.alice.hash.array
        half[31] ^= 1
        let twinHash = try #require(DeviceHash(half))
        let twin = try PeerDevice(hash: twinHash, message: pair.alice.message.publicKey, of: pair.bob)
        #expect(twin.id == pair.alice.id)
        #expect(refusal(sender: twin, own: pair.bob) == .ratchetHeader)
        half = pair.bob.hash.array
        half[31] ^= 1
        let otherHash = try #require(DeviceHash(half))
        let other = OwnDevice(mesh: pair.mesh, hash: otherHash, message: pair.bob.message)
        #expect(refusal(sender: pair.aliceSeen, own: other) == .ratchetHeader)
        // Another mesh has other pair keys.
        let elsewhere = OwnDevice(mesh: MeshID(), hash: pair.bob.hash, message: pair.bob.message)
        let seen = try PeerDevice(hash: pair.alice.hash, message: pair.alice.message.publicKey, of: elsewhere)
        #expect(refusal(sender: seen, own: elsewhere) == .pairHeader)
    }

    /// What Alice's device could send if it did not keep the rules.
    private struct Forgery {
        var header: (inout [UInt8]) -> Void = { _ in }
        var ratchetHeader: (inout [UInt8]) -> Void = { _ in }
        /// The padded plaintext.
        var body: (inout [UInt8]) -> Void = { _ in }
    }

    /// Builds the first message by hand from its parts, with one part changed before it is sealed.
    private func forge(_ pair: GoldenPair, _ forgery: Forgery) throws -> Envelope {
        let random = SeededRandom(seed: 7)
        let script = ScriptedRandom([pair.json["pqxdh"]["ek_priv"].bytes])
        let (keys, header) = try PQXDH.initiate(
            from: pair.alice, to: pair.bobSeen, bundle: pair.bundle, generation: 1, random: script, kem: pair.kem)
        let ratchet = AgreementPrivateKey(from: random)
        var root = RootKey(keys.root)
        var chain = root.step(try ratchet.agree(with: pair.bundle.bundle.signedPrekey)).chain

        var bytes = Array(pair.message(0)["envelope"].bytes[..<40])
        let envelopeHeader = try EnvelopeHeader.parse(bytes.span.bytes)
        var prekeyHeader: [UInt8] = []
        header.append(to: &prekeyHeader)
        forgery.header(&prekeyHeader)
        envelopeHeader.withSpan {
            XChaCha20Poly1305.box(
                prekeyHeader.span.bytes, ad: $0, key: pair.bobSeen.pair.outgoing.header,
                nonce: .random(from: random), to: &bytes)
        }
        var data = keys.id.array
        data.append(envelopeHeader.octets)
        var ratchetHeader: [UInt8] = []
        RatchetHeader(ratchetKey: ratchet.publicKey, previousCount: 0, number: 0).append(to: &ratchetHeader)
        forgery.ratchetHeader(&ratchetHeader)
        var sealed: [UInt8] = []
        XChaCha20Poly1305.box(
            ratchetHeader.span.bytes, ad: data.span.bytes, key: keys.initiatorHeader, nonce: .random(from: random),
            to: &sealed)
        bytes += sealed
        data += sealed
        var body = Array("message".utf8)
        Padding.pad(&body, to: 2048 - bytes.count - 40)
        forgery.body(&body)
        XChaCha20Poly1305.box(
            body.span.bytes, ad: data.span.bytes, key: chain.next(), nonce: .random(from: random), to: &bytes)
        return try Envelope(parsing: bytes)
    }

    private func refusal(_ pair: GoldenPair, _ forgery: Forgery) throws -> FirstMessageRefusal? {
        let envelope = try forge(pair, forgery)
        do {
            _ = try pair.open(envelope)
            return nil
        } catch {
            return error
        }
    }

    @Test("what is built by hand and by the rules opens")
    func honest() throws {
        let pair = try GoldenPair()
        #expect(try pair.open(forge(pair, Forgery())) == Array("message".utf8))
    }

    @Test(
        "each id that is not of a held bundle is refused: spk, pq, one-time and bundle",
        arguments: [(1, 4), (5, 4), (9, 4), (13, 4)])
    func ids(_ offset: Int, _ count: Int) throws {
        let pair = try GoldenPair()
        for at in offset..<offset + count {
            #expect(try refusal(pair, Forgery(header: { $0[at] ^= 0x11 })) == .unknownPrekey)
        }
    }

    @Test("another suite, generation 0 and a generation beyond the window are refused; another generation is bound")
    func generations() throws {
        let pair = try GoldenPair()
        #expect(try refusal(pair, Forgery(header: { $0[0] = 2 })) == .suite)
        #expect(try refusal(pair, Forgery(header: { $0[20] = 0 })) == .generation)
        #expect(
            try refusal(
                pair,
                Forgery(header: {
                    $0[19] = 4
                    $0[20] = 1
                })) == .generation)
        #expect(try refusal(pair, Forgery(header: { $0[20] = 2 })) == .ratchetHeader)
    }

    @Test("an altered ciphertext ends in a refused tag, not in an error of the KEM")
    func ciphertext() throws {
        let pair = try GoldenPair()
        for at in [53, 600, PrekeyHeader.byteCount - 1] {
            #expect(try refusal(pair, Forgery(header: { $0[at] ^= 1 })) == .ratchetHeader)
        }
    }

    @Test("keys of small order are refused, the ephemeral and the ratchet's")
    func smallOrder() throws {
        let pair = try GoldenPair()
        let zero: (inout [UInt8], Int) -> Void = { bytes, start in
            for at in start..<start + 32 { bytes[at] = 0 }
        }
        #expect(try refusal(pair, Forgery(header: { zero(&$0, 21) })) == .agreement(.badPublicKey))
        #expect(try refusal(pair, Forgery(ratchetHeader: { zero(&$0, 0) })) == .agreement(.badPublicKey))
    }

    @Test("a place in the chain that no first message has is refused before any key is derived for it")
    func chains() throws {
        let pair = try GoldenPair()
        #expect(try refusal(pair, Forgery(ratchetHeader: { $0[35] = 1 })) == .chain)
        #expect(try refusal(pair, Forgery(ratchetHeader: { $0[36] = 0x80 })) == .chain)
        let beyond: (inout [UInt8]) -> Void = {
            $0[38] = 0x03
            $0[39] = 0xE9
        }
        #expect(try refusal(pair, Forgery(ratchetHeader: beyond)) == .chain)
        // Message 1 is a place a chain has, but it was sealed with the key of message 0.
        #expect(try refusal(pair, Forgery(ratchetHeader: { $0[39] = 1 })) == .body)
    }

    @Test("a body without its padding mark is refused")
    func padding() throws {
        let pair = try GoldenPair()
        #expect(try refusal(pair, Forgery(body: { $0[6] = 0 })) == nil)
        #expect(try refusal(pair, Forgery(body: { for at in $0.indices { $0[at] = 0 } })) == .padding)
        #expect(try refusal(pair, Forgery(body: { $0[7] = 0 })) == .padding)
        #expect(try refusal(pair, Forgery(body: { $0[7] = 0x81 })) == .padding)
        #expect(try refusal(pair, Forgery(body: { $0[$0.count - 1] = 1 })) == .padding)
    }
}
