import CoveyCrypto
import Testing

@Suite("A secret in shares")
struct SecretSharingTests {
    @Test("Every threshold's worth of shares gives it back, and any fewer another one")
    func thresholds() {
        let random = SeededRandom(seed: 5)
        for count in 1...7 {
            for threshold in 1...count {
                let key = SymmetricKey(from: random)
                let shares = SecretSharing.split(key, threshold: threshold, count: count, random: random)
                for chosen in UInt8(1)..<UInt8(1 << count) {
                    let some = (0..<count).filter { chosen & 1 << UInt8($0) != 0 }
                        .map { (number: UInt8($0 + 1), share: shares[$0]) }
                    let found = SecretSharing.combine(some)
                    #expect(found.isEqual(to: key) == (some.count >= threshold))
                }
            }
        }
    }

    @Test("Shares of one are the secret itself, and the field is that of AES")
    func field() {
        let random = SeededRandom(seed: 6)
        let key = SymmetricKey(from: random)
        for share in SecretSharing.split(key, threshold: 1, count: 3, random: random) {
            #expect(share.isEqual(to: key))
        }
        // FIPS 197 §4.2: {57} · {83} = {c1}. A line through (1, a) and (2, b) meets 0 at 2·(1^2)^-1·a ^ 1·(1^2)^-1·b;
        // with 2/3 = {f7} and 1/3 = {f6}.
        func filled(_ byte: UInt8) -> SymmetricKey {
            SymmetricKey(copying: [UInt8](repeating: byte, count: 32).span.bytes)
        }
        let first: [(number: UInt8, share: SymmetricKey)] = [(1, filled(1)), (2, filled(0))]
        #expect(SecretSharing.combine(first).isEqual(to: filled(0xF7)))
        let second: [(number: UInt8, share: SymmetricKey)] = [(1, filled(0)), (2, filled(1))]
        #expect(SecretSharing.combine(second).isEqual(to: filled(0xF6)))
    }

    @Test("What is sealed to the X25519 form of a signing key opens with the form of its private half")
    func forms() throws {
        let random = SeededRandom(seed: 7)
        let signing = SigningPrivateKey(from: random)
        let receiver = try #require(signing.publicKey.agreement)
        #expect(receiver == signing.agreement.publicKey)
        #expect(receiver.isCanonical)
        let text = Array("back".utf8)
        let sealed = try HPKE.seal(
            text.span.bytes, ad: [UInt8]().span.bytes, to: receiver, info: [1], random: random)
        #expect(
            try HPKE.open(
                sealed.ciphertext.span.bytes, ad: [UInt8]().span.bytes, encapsulated: sealed.encapsulated,
                with: signing.agreement, info: [1]) == text)
        #expect(SigningPublicKey().agreement == nil, "a point of small order has none")
    }
}
