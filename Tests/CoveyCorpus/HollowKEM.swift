import CoveyCrypto

/// Has the sizes of ML-KEM-768 and none of its strength; the same outcome for the same dice, so that a run can be told
/// from its input alone.
struct HollowKEM: KEM {
    func publicKey(of privateKey: KEMPrivateKey) throws(CryptoFailure) -> KEMPublicKey {
        guard let key = KEMPublicKey(Self.name(of: privateKey).array.sized(KEMPublicKey.byteCount)) else {
            throw .length
        }
        return key
    }

    func encapsulate(
        to key: KEMPublicKey, random: any RandomSource
    ) throws(CryptoFailure) -> (ciphertext: KEMCiphertext, secret: SymmetricKey) {
        let coins = random.bytes(32)
        guard let ciphertext = KEMCiphertext(coins.sized(KEMCiphertext.byteCount)) else { throw .length }
        return (ciphertext, Self.shared(Array(key.bytes.prefix(32)), coins))
    }

    func decapsulate(_ ciphertext: KEMCiphertext, with key: KEMPrivateKey) throws(CryptoFailure) -> SymmetricKey {
        Self.shared(Self.name(of: key).array, Array(ciphertext.bytes.prefix(32)))
    }

    private static func name(of key: KEMPrivateKey) -> Octets32 {
        key.exposing { Blake2b.hash256($0, personal: "hollow-kem") }
    }

    private static func shared(_ name: [UInt8], _ coins: [UInt8]) -> SymmetricKey {
        let both = name + coins
        return Blake2b.hash256(both.span.bytes, personal: "hollow-kem").withSpan { SymmetricKey(copying: $0) }
    }
}
