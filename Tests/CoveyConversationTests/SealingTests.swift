import CoveyCore
import CoveyCrypto
import Testing

@testable import CoveyConversation

/// Two devices that never met, with a hollow KEM.
struct Acquaintance {
    let mesh: MeshID
    let ann: OwnDevice
    let ben: OwnDevice
    let annSeen: PeerDevice
    let benSeen: PeerDevice
    let benSigning: SigningPrivateKey
    var benPrekeys = Prekeys()
    let bundle: VerifiedBundle
    let random: SeededRandom

    static let start = Minute(29_000_000)

    init(seed: UInt64) throws {
        let random = SeededRandom(seed: seed)
        let mesh = MeshID.random(from: random)
        func device() -> (OwnDevice, SigningPrivateKey) {
            let signing = SigningPrivateKey(from: random)
            let message = AgreementPrivateKey(from: random)
            let hash = DeviceHash(
                mesh: mesh, signing: signing.publicKey, link: .random(from: random), message: message.publicKey)
            return (OwnDevice(mesh: mesh, hash: hash, message: message), signing)
        }
        self.random = random
        self.mesh = mesh
        ann = device().0
        (ben, benSigning) = device()
        annSeen = try PeerDevice(hash: ann.hash, message: ann.message.publicKey, of: ben)
        benSeen = try PeerDevice(hash: ben.hash, message: ben.message.publicKey, of: ann)
        bundle = try benPrekeys.renew(
            for: ben, signing: benSigning, serial: 1, headsDigest: Octets32(), now: Self.start, random: random,
            kem: HollowKEM())
    }

    func plaintext(_ content: Plaintext.Content, replyTo: MessageID? = nil) -> Plaintext {
        Plaintext(
            id: .random(from: random), conversation: .random(from: random), sent: Self.start,
            logReference: .random(from: random), replyTo: replyTo, content: content)
    }

    func seal(_ plaintext: Plaintext, now: Minute = start) throws(SealFailure) -> FirstMessage.Sealed {
        try FirstMessage.seal(
            plaintext, from: ann, to: benSeen, bundle: bundle,
            posting: Posting(priority: .normal, ttl: .week, zone: .any), now: now, random: random, kem: HollowKEM())
    }

    func open(_ envelope: Envelope) throws(FirstMessageRefusal) -> FirstMessage.Opened {
        try FirstMessage.open(
            envelope, from: annSeen, as: ben, prekeys: benPrekeys, replays: ReplayCache(), kem: HollowKEM())
    }
}

@Suite("Sealing a message")
struct SealingTests {
    /// Refuses every key, as ML-KEM does one with a coefficient that is too large.
    private struct RefusingKEM: KEM {
        func publicKey(of privateKey: KEMPrivateKey) -> KEMPublicKey { HollowKEM().publicKey(of: privateKey) }

        func encapsulate(
            to key: KEMPublicKey, random: any RandomSource
        ) throws(CryptoFailure) -> (ciphertext: KEMCiphertext, secret: SymmetricKey) { throw .badPublicKey }

        func decapsulate(_ ciphertext: KEMCiphertext, with key: KEMPrivateKey) -> SymmetricKey {
            HollowKEM().decapsulate(ciphertext, with: key)
        }
    }

    @Test("12: to a bundle whose KEM key is refused nothing is sealed, and nothing weaker is sent instead")
    func badBundle() throws {
        let pair = try Acquaintance(seed: 12)
        let text = pair.plaintext(.text("for nobody"))
        #expect(throws: SealFailure.badBundle(.badPublicKey)) {
            try FirstMessage.seal(
                text, from: pair.ann, to: pair.benSeen, bundle: pair.bundle,
                posting: Posting(priority: .normal, ttl: .week, zone: .any), now: Acquaintance.start,
                random: pair.random, kem: RefusingKEM())
        }
        _ = try pair.seal(text)
    }

    @Test("what one device seals the other reads, with the right to purge it")
    func story() throws {
        let pair = try Acquaintance(seed: 1)
        let plaintext = pair.plaintext(.text("Grüße aus dem Funkloch\n— zwei Zeilen"), replyTo: MessageID())
        let sealed = try pair.seal(plaintext)
        let header = sealed.envelope.header
        #expect(header.kind == .pairwise)
        #expect(header.bucket == .bytes2048)
        #expect(header.purgeCommit == PurgeCommit(to: sealed.purge))
        var index = TagIndex()
        index.add(pair.annSeen)
        #expect(index.sender(of: header) == pair.ann.id)
        let opened = try pair.open(sealed.envelope)
        #expect(opened.plaintext == plaintext)
        #expect(opened.purge == sealed.purge)
        #expect(opened.ephemeral.sequence == 1)
    }

    @Test("two sealings of one text share nothing that can be seen")
    func fresh() throws {
        let pair = try Acquaintance(seed: 2)
        let plaintext = pair.plaintext(.text("again"))
        let first = try pair.seal(plaintext)
        let second = try pair.seal(plaintext)
        #expect(first.envelope.header.purgeCommit != second.envelope.header.purgeCommit)
        let one = try pair.open(first.envelope)
        let two = try pair.open(second.envelope)
        #expect(one.session != two.session)
        #expect(one.ephemeral.key != two.ephemeral.key)
        let equal = zip(first.envelope.bytes, second.envelope.bytes).dropFirst(40).count { $0 == $1 }
        #expect(equal < 40)
    }

    @Test("the smallest bucket that fits is taken, and all room of the largest can be used")
    func buckets() throws {
        let pair = try Acquaintance(seed: 3)
        let overhead = pair.plaintext(.text("x")).overhead
        #expect(pair.plaintext(.text("x")).encoded(purge: PurgeSecret()).count == overhead + 1)
        for (bucket, room) in [(Bucket.bytes2048, 707), (.bytes4096, 2755), (.bytes16384, 15043)] {
            let text = String(repeating: "a", count: room - 1 - overhead)
            for text in [text, String(text.dropLast())] {
                let sealed = try pair.seal(pair.plaintext(.text(text)))
                #expect(sealed.envelope.header.bucket == bucket)
                #expect(try pair.open(sealed.envelope).plaintext.content == .text(text))
            }
        }
        let empty = try pair.seal(pair.plaintext(.text("")))
        #expect(empty.envelope.header.bucket == .bytes2048)
        #expect(try pair.open(empty.envelope).plaintext.content == .text(""))
    }

    @Test("a text that is too long is refused with the number of bytes that fit, however long it is")
    func tooLong() throws {
        let pair = try Acquaintance(seed: 4)
        let most = 15042 - pair.plaintext(.text("")).overhead
        for count in [most + 1, 70_000] {
            #expect(throws: SealFailure.tooLong(bytes: count, most: most)) {
                try pair.seal(pair.plaintext(.text(String(repeating: "a", count: count))))
            }
        }
        #expect(throws: SealFailure.tooLong(bytes: most, most: most - 19)) {
            try pair.seal(pair.plaintext(.text(String(repeating: "a", count: most)), replyTo: MessageID()))
        }
    }

    @Test("a payload of no bytes and one that fills the bucket come through their padding")
    func paddings() throws {
        let pair = try Acquaintance(seed: 5)
        for (count, bucket) in [(0, Bucket.bytes2048), (706, .bytes2048), (707, .bytes4096)] {
            var initiation = try Initiation(
                from: pair.ann, to: pair.benSeen, bundle: pair.bundle, generation: 1, random: pair.random,
                kem: HollowKEM())
            let payload = [UInt8](repeating: 0x80, count: count)
            let envelope = try initiation.seal(
                payload, posting: Posting(priority: .urgent, ttl: .hour, zone: .any), purge: PurgeSecret(),
                now: Acquaintance.start, random: pair.random)
            #expect(envelope.header.bucket == bucket)
            let opened = try FirstMessage.openPayload(
                envelope, from: pair.annSeen, as: pair.ben, prekeys: pair.benPrekeys, replays: ReplayCache(),
                kem: HollowKEM())
            #expect(opened.payload == payload)
        }
    }

    @Test("nothing is sealed to a bundle from its expiry on")
    func expired() throws {
        let pair = try Acquaintance(seed: 6)
        let last = pair.bundle.bundle.expires.adding(-1)
        let sealed = try pair.seal(pair.plaintext(.text("just in time")), now: last)
        #expect(try pair.open(sealed.envelope).plaintext.content == .text("just in time"))
        #expect(throws: SealFailure.bundleExpired) {
            try pair.seal(pair.plaintext(.text("too late")), now: pair.bundle.bundle.expires)
        }
    }

    @Test("a message whose inside is no plaintext is refused, and a purge secret that is not the envelope's is dropped")
    func inside() throws {
        let pair = try Acquaintance(seed: 7)
        func sealed(_ payload: [UInt8]) throws -> Envelope {
            var initiation = try Initiation(
                from: pair.ann, to: pair.benSeen, bundle: pair.bundle, generation: 1, random: pair.random,
                kem: HollowKEM())
            return try initiation.seal(
                payload, posting: Posting(priority: .bulk, ttl: .twoWeeks, zone: ZoneHint(9)), purge: PurgeSecret(),
                now: Acquaintance.start, random: pair.random)
        }
        #expect(throws: FirstMessageRefusal.plaintext(.truncated)) { try pair.open(sealed([])) }
        let plaintext = pair.plaintext(.text("hello"))
        let wrong = PurgeSecret.random(from: pair.random)
        let opened = try pair.open(sealed(plaintext.encoded(purge: wrong)))
        #expect(opened.plaintext == plaintext)
        #expect(opened.purge == nil)
        #expect(try pair.open(sealed(plaintext.encoded(purge: nil))).purge == nil)
        #expect(try pair.open(sealed(plaintext.encoded(purge: PurgeSecret()))).purge == PurgeSecret())
    }

    @Test("an envelope of another kind or too small for a prekey header is not tried")
    func form() throws {
        let pair = try Acquaintance(seed: 8)
        for (kind, bucket) in [(EnvelopeKind.chunk, Bucket.bytes2048), (.pairwise, .bytes1024)] {
            var bytes = try pair.seal(pair.plaintext(.text("x"))).envelope.bytes
            bytes[1] = bytes[1] & 0x1F | kind.rawValue << 5
            bytes[2] = bucket.rawValue
            let envelope = try Envelope(parsing: Array(bytes[..<bucket.size]))
            #expect(throws: FirstMessageRefusal.form) { try pair.open(envelope) }
        }
    }

    @Test("whatever is sealed, of any kind and length, is what is opened", arguments: 100..<108 as Range<UInt64>)
    func property(_ seed: UInt64) throws {
        let pair = try Acquaintance(seed: seed)
        var replays = ReplayCache()
        for _ in 0..<12 {
            let body = pair.random.bytes(pair.random.uniform(0...15_100))
            let kinds = Plaintext.OtherKind.allCases
            let plaintext = pair.plaintext(.other(kinds[pair.random.uniform(0...kinds.count - 1)], body))
            let most = Initiation.mostPayload - plaintext.overhead
            guard body.count <= most else {
                #expect(throws: SealFailure.tooLong(bytes: body.count, most: most)) { try pair.seal(plaintext) }
                continue
            }
            let sealed = try pair.seal(plaintext)
            let opened = try FirstMessage.open(
                sealed.envelope, from: pair.annSeen, as: pair.ben, prekeys: pair.benPrekeys, replays: replays,
                kem: HollowKEM())
            #expect(opened.plaintext == plaintext)
            #expect(opened.purge == sealed.purge)
            replays.insert(opened.ephemeral)
            #expect(throws: FirstMessageRefusal.replayed) {
                try FirstMessage.open(
                    sealed.envelope, from: pair.annSeen, as: pair.ben, prekeys: pair.benPrekeys, replays: replays,
                    kem: HollowKEM())
            }
        }
    }

    @Test("a replay cache that is full lets no first message in, rather than forget one")
    func full() throws {
        let pair = try Acquaintance(seed: 9)
        var replays = ReplayCache()
        while !replays.isFull { replays.insert(ReplayCache.Entry(key: .random(from: pair.random), sequence: 1)) }
        #expect(replays.count == ConversationBounds.replayKeys)
        let sealed = try pair.seal(pair.plaintext(.text("x")))
        #expect(throws: FirstMessageRefusal.full) {
            try FirstMessage.open(
                sealed.envelope, from: pair.annSeen, as: pair.ben, prekeys: pair.benPrekeys, replays: replays,
                kem: HollowKEM())
        }
        #expect(replays.forget(prekeys: [1]).count == ConversationBounds.replayKeys)
    }
}
