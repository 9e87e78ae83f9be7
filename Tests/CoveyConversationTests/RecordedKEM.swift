import CoveyCrypto

/// Replays one encapsulation that was recorded with a real ML-KEM-768. Any other ciphertext gives a secret that
/// depends on all of it, as implicit rejection does.
struct RecordedKEM: KEM {
    let publicKey: KEMPublicKey
    let seed: KEMPrivateKey
    let ciphertext: KEMCiphertext
    let secret: SymmetricKey

    func publicKey(of privateKey: KEMPrivateKey) throws(CryptoFailure) -> KEMPublicKey {
        guard privateKey.isEqual(to: seed) else { throw .badPublicKey }
        return publicKey
    }

    func encapsulate(
        to key: KEMPublicKey, random: any RandomSource
    ) throws(CryptoFailure) -> (ciphertext: KEMCiphertext, secret: SymmetricKey) {
        guard key == publicKey else { throw .badPublicKey }
        return (ciphertext, secret)
    }

    func decapsulate(_ ciphertext: KEMCiphertext, with key: KEMPrivateKey) throws(CryptoFailure) -> SymmetricKey {
        guard key.isEqual(to: seed) else { throw .badPublicKey }
        if ciphertext == self.ciphertext { return secret }
        let other = Blake2b.hash256(ciphertext.bytes.span.bytes, personal: "covey1:test-kem")
        return other.withSpan { SymmetricKey(copying: $0) }
    }
}

/// Has the shape of ML-KEM-768 and none of its strength: who knows the public key can decapsulate.
struct HollowKEM: KEM {
    func publicKey(of privateKey: KEMPrivateKey) -> KEMPublicKey {
        let bytes = privateKey.exposing { Self.stretched(Blake2b.hash256($0, personal: "covey1:test-ek"), 1184) }
        guard let key = KEMPublicKey(bytes) else { fatalError("a KEM key has 1184 bytes") }
        return key
    }

    func encapsulate(
        to key: KEMPublicKey, random: any RandomSource
    ) -> (ciphertext: KEMCiphertext, secret: SymmetricKey) {
        guard let ciphertext = KEMCiphertext(Self.stretched(Octets32.random(from: random), 1088)) else {
            fatalError("a KEM ciphertext has 1088 bytes")
        }
        return (ciphertext, Self.secret(key, ciphertext))
    }

    func decapsulate(_ ciphertext: KEMCiphertext, with key: KEMPrivateKey) -> SymmetricKey {
        Self.secret(publicKey(of: key), ciphertext)
    }

    private static func secret(_ key: KEMPublicKey, _ ciphertext: KEMCiphertext) -> SymmetricKey {
        let bytes = key.bytes + ciphertext.bytes
        return Blake2b.hash256(bytes.span.bytes, personal: "covey1:test-ss").withSpan { SymmetricKey(copying: $0) }
    }

    private static func stretched(_ seed: Octets32, _ count: Int) -> [UInt8] {
        SeededRandom(seed: seed).bytes(count)
    }
}
