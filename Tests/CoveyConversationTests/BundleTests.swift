import CoveyCore
import CoveyCrypto
import CoveyVectors
import Testing

@testable import CoveyConversation

@Suite("Prekey bundles")
struct BundleTests {
    @Test("the reference's bundle is read, hashed and verified")
    func golden() throws {
        let pair = try GoldenPair()
        let golden = pair.json["bundle"]
        let bundle = try Bundle(parsing: golden["signed"].bytes)
        #expect(bundle.signed.body == golden["body"].bytes)
        #expect(bundle.hash.hex == golden["hash"].string)
        #expect(bundle.device == pair.bob.id)
        #expect(bundle.serial == 8)
        #expect(bundle.sequence == 5)
        #expect(bundle.created == Minute(29_000_100))
        #expect(bundle.expires == Minute(29_000_100 + 14 * 1440))
        #expect(bundle.signedPrekey.hex == pair.json["devices"][1]["SPK"].string)
        #expect(pair.bundle.kemPrekeyHash.hex == pair.json["devices"][1]["PQ_ek_sha256"].string)
    }

    @Test("a bundle made of the same keys is the reference's, byte for byte")
    func made() throws {
        let pair = try GoldenPair()
        let golden = try Bundle(parsing: pair.json["bundle"]["signed"].bytes)
        let made = Bundle.make(
            device: pair.bob.id, serial: 8, sequence: 5, created: golden.created, signedPrekey: golden.signedPrekey,
            kemPrekey: golden.kemPrekey, headsDigest: golden.headsDigest, life: ConversationBounds.bundleLife,
            signing: pair.bobSigning, mesh: pair.mesh)
        #expect(made.bundle.signed.bytes == pair.json["bundle"]["signed"].bytes)
    }

    @Test("a bundle cut short anywhere, or with a byte more, is none")
    func truncated() throws {
        let bytes = try Golden.json()["bundle"]["signed"].bytes
        for count in 0..<bytes.count {
            #expect(throws: Malformed.self) { try Bundle(parsing: Array(bytes[..<count])) }
        }
        #expect(throws: Malformed.self) { try Bundle(parsing: bytes + [0]) }
    }

    @Test("no bit of a signed bundle can be turned")
    func flipped() throws {
        let pair = try GoldenPair()
        var bytes = pair.bundle.bundle.signed.bytes
        var accepted: [Int] = []
        for bit in 0..<bytes.count * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8)
            if (try? Bundle(parsing: bytes).verified(of: pair.owner, mesh: pair.mesh, now: GoldenPair.now)) != nil {
                accepted.append(bit)
            }
            bytes[bit / 8] ^= 1 << (bit % 8)
        }
        #expect(accepted.isEmpty)
    }

    @Test("a bundle counts for its device, its certificate and its mesh only")
    func owner() throws {
        let pair = try GoldenPair()
        let bundle = pair.bundle.bundle
        func refusal(_ owner: BundleOwner, mesh: MeshID? = nil, now: Minute = GoldenPair.now) -> BundleRefusal? {
            do {
                _ = try bundle.verified(of: owner, mesh: mesh ?? pair.mesh, now: now)
                return nil
            } catch {
                return error
            }
        }
        let signing = pair.owner.signing
        #expect(refusal(pair.owner) == nil)
        #expect(refusal(BundleOwner(device: pair.alice.id, serial: 8, signing: signing)) == .otherDevice)
        #expect(refusal(BundleOwner(device: pair.bob.id, serial: 9, signing: signing)) == .oldCertificate)
        #expect(refusal(BundleOwner(device: pair.bob.id, serial: 7, signing: signing)) == .unknownCertificate)
        let alice: SigningPublicKey = pair.json["devices"][0]["SIG"].octets()
        #expect(refusal(BundleOwner(device: pair.bob.id, serial: 8, signing: alice)) == .signature)
        #expect(refusal(pair.owner, mesh: MeshID()) == .signature)
        #expect(refusal(pair.owner, now: bundle.expires.adding(-1)) == nil)
        #expect(refusal(pair.owner, now: bundle.expires) == .expired)
        #expect(!pair.bundle.isUsable(now: bundle.expires, serial: 8))
        #expect(!pair.bundle.isUsable(now: GoldenPair.now, serial: 9))
        #expect(pair.bundle.isUsable(now: GoldenPair.now, serial: 8))
    }

    /// A bundle of Bob's with one thing changed, signed again.
    private func signed(
        _ pair: GoldenPair, sequence: UInt32 = 5, life: Int64 = ConversationBounds.bundleLife,
        signedPrekey: AgreementPublicKey? = nil
    ) -> Bundle {
        let golden = pair.bundle.bundle
        return Bundle.make(
            device: golden.device, serial: 8, sequence: sequence, created: golden.created,
            signedPrekey: signedPrekey ?? golden.signedPrekey, kemPrekey: golden.kemPrekey,
            headsDigest: golden.headsDigest, life: life, signing: pair.bobSigning, mesh: pair.mesh
        ).bundle
    }

    @Test("a bundle lives as long as policy allows, and not backwards")
    func life() throws {
        let pair = try GoldenPair()
        func refusal(life: Int64, longest: Int64 = ConversationBounds.bundleLife) -> BundleRefusal? {
            do {
                _ = try signed(pair, life: life)
                    .verified(of: pair.owner, mesh: pair.mesh, now: Minute(29_000_100), longestLife: longest)
                return nil
            } catch {
                return error
            }
        }
        let day: Int64 = 1440
        #expect(refusal(life: 14 * day) == nil)
        #expect(refusal(life: 14 * day + 1) == .life)
        #expect(refusal(life: 30 * day, longest: 30 * day) == nil)
        #expect(refusal(life: 30 * day + 1, longest: 30 * day) == .life)
        #expect(refusal(life: 0) == .life)
        #expect(refusal(life: -1) == .life)
    }

    @Test("a prekey of small order is refused, in every encoding of the seven", arguments: smallOrderKeys)
    func smallOrder(_ key: String) throws {
        let pair = try GoldenPair()
        let key = try #require(AgreementPublicKey(hex: key))
        #expect(throws: BundleRefusal.smallOrder) {
            try signed(pair, signedPrekey: key).verified(of: pair.owner, mesh: pair.mesh, now: GoldenPair.now)
        }
    }

    @Test("the highest sequence wins, and two bundles of one sequence are a proof")
    func standing() throws {
        let pair = try GoldenPair()
        func verified(_ bundle: Bundle) throws -> VerifiedBundle {
            try bundle.verified(of: pair.owner, mesh: pair.mesh, now: GoldenPair.now)
        }
        let held = pair.bundle
        #expect(try verified(signed(pair)).standing(beside: held) == .known)
        #expect(try verified(signed(pair, sequence: 6)).standing(beside: held) == .newer)
        #expect(try verified(signed(pair, sequence: 4)).standing(beside: held) == .older)
        let other = AgreementPrivateKey(from: SeededRandom(seed: 1)).publicKey
        #expect(try verified(signed(pair, signedPrekey: other)).standing(beside: held) == .equivocation)
    }
}

/// The points of order 1, 2, 4 and 8 of Curve25519 and its twist, canonical and not (RFC 7748 §6.1, §7).
private let smallOrderKeys = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]
