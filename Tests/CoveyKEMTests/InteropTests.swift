import CoveyCrypto
import CoveyKEM
import CoveyVectors
import Testing

/// Swift-crypto's ML-KEM-768 against that of PyPI's cryptography, over a pipe (protocol.md §7.1).
@Suite("ML-KEM-768 with a peer in Python", .needsPython)
struct InteropTests {
    private static let rounds = 100

    private let kem: any KEM = MLKEM768()
    private let random = SeededRandom(seed: 768)

    private func seed() -> (hex: String, key: KEMPrivateKey) {
        let bytes = Octets64.random(from: random)
        return (bytes.hex, KEMPrivateKey(copying: bytes.array.span.bytes))
    }

    @Test("one seed gives both the same public key, and what either encapsulates the other opens to the same secret")
    func bothDirections() throws {
        let peer = PythonPeer("kem")
        for _ in 0..<Self.rounds {
            let (seed, key) = seed()
            let theirs = try peer.ask(["ask": "public", "seed": seed])["public"].bytes
            let publicKey = try kem.publicKey(of: key)
            #expect(publicKey.bytes == theirs)

            let ours = try kem.encapsulate(to: try #require(KEMPublicKey(theirs)), random: random)
            let opened = try peer.ask(["ask": "decapsulate", "seed": seed, "ciphertext": ours.ciphertext.bytes.hex])
            #expect(ours.secret.isEqual(to: opened["secret"].key()))

            let sent = try peer.ask(["ask": "encapsulate", "public": publicKey.bytes.hex])
            let ciphertext = try #require(KEMCiphertext(sent["ciphertext"].bytes))
            #expect(try kem.decapsulate(ciphertext, with: key).isEqual(to: sent["secret"].key()))
        }
        print("ML-KEM-768 with Python: \(Self.rounds) keys, as many encapsulations each way")
    }

    @Test("an altered ciphertext gives both the same secret, which is not the one that was sent")
    func rejection() throws {
        let peer = PythonPeer("kem")
        let (seed, key) = seed()
        let sent = try kem.encapsulate(to: try kem.publicKey(of: key), random: random)
        for at in stride(from: 0, to: KEMCiphertext.byteCount, by: 64) {
            var bytes = sent.ciphertext.bytes
            bytes[at] ^= 1
            let theirs = try peer.ask(["ask": "decapsulate", "seed": seed, "ciphertext": bytes.hex])["secret"]
            let secret = try kem.decapsulate(try #require(KEMCiphertext(bytes)), with: key)
            #expect(secret.isEqual(to: theirs.key()))
            #expect(!secret.isEqual(to: sent.secret))
        }
    }
}
