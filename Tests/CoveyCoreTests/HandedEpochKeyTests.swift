import CoveyCore
import CoveyCrypto
import Testing

@Suite("An epoch key on its way into a node")
struct HandedEpochKeyTests {
    private let random = SeededRandom(seed: 61)

    @Test("opens with the key it was sealed to, and is the same key")
    func handed() throws {
        let (receiver, key, entry) = (
            AgreementPrivateKey(from: random), EpochKey(from: random), EntryID.random(from: random)
        )
        let sealed = try #require(HandedEpochKey.seal(key, of: entry, to: receiver.publicKey, random: random))
        #expect(sealed.count == HandedEpochKey.byteCount)
        #expect(try #require(HandedEpochKey.open(sealed, of: entry, with: receiver)).isEqual(to: key))
    }

    @Test("does not open with another key, of another entry, cut, or with a bit changed")
    func refused() throws {
        let (receiver, entry) = (AgreementPrivateKey(from: random), EntryID.random(from: random))
        let sealed = try #require(
            HandedEpochKey.seal(EpochKey(from: random), of: entry, to: receiver.publicKey, random: random))
        #expect(HandedEpochKey.open(sealed, of: entry, with: AgreementPrivateKey(from: random)) == nil)
        #expect(HandedEpochKey.open(sealed, of: EntryID.random(from: random), with: receiver) == nil)
        for count in 0..<sealed.count {
            #expect(HandedEpochKey.open(Array(sealed[..<count]), of: entry, with: receiver) == nil)
        }
        #expect(HandedEpochKey.open(sealed + [0], of: entry, with: receiver) == nil)
        // The highest bit of an X25519 key does not count for the agreement, and stands in the derivation.
        for bit in 0..<sealed.count * 8 {
            var changed = sealed
            changed[bit / 8] ^= 1 << (bit % 8)
            #expect(HandedEpochKey.open(changed, of: entry, with: receiver) == nil)
        }
    }

    @Test("is not sealed to bytes that are no key")
    func noReceiver() {
        let entry = EntryID.random(from: random)
        #expect(HandedEpochKey.seal(EpochKey(from: random), of: entry, to: AgreementPublicKey(), random: random) == nil)
    }
}
