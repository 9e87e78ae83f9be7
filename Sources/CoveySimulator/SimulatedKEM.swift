package import CoveyCrypto

/// Takes the place of ML-KEM-768 in the simulated world: its sizes and its shape, the same outcome for the same dice, and
/// no security at all. Every result names it.
package struct SimulatedKEM: KEM {
    package static let name = "simulated"

    package init() {}

    package func publicKey(of privateKey: KEMPrivateKey) throws(CryptoFailure) -> KEMPublicKey {
        guard let key = KEMPublicKey(Self.stretched(Self.name(of: privateKey), to: KEMPublicKey.byteCount)) else {
            throw .length
        }
        return key
    }

    package func encapsulate(
        to key: KEMPublicKey, random: any RandomSource
    ) throws(CryptoFailure) -> (ciphertext: KEMCiphertext, secret: SymmetricKey) {
        let coins = Octets32.random(from: random)
        guard let name = Octets32(key.bytes.prefix(32)),
            let ciphertext = KEMCiphertext(Self.stretched(coins, to: KEMCiphertext.byteCount))
        else { throw .length }
        return (ciphertext, Self.shared(name, coins))
    }

    package func decapsulate(
        _ ciphertext: KEMCiphertext, with key: KEMPrivateKey
    ) throws(CryptoFailure) -> SymmetricKey {
        guard let coins = Octets32(ciphertext.bytes.prefix(32)) else { throw .length }
        return Self.shared(Self.name(of: key), coins)
    }

    private static func name(of key: KEMPrivateKey) -> Octets32 {
        key.exposing { Blake2b.hash256($0, personal: "simulated-kem") }
    }

    private static func shared(_ name: Octets32, _ coins: Octets32) -> SymmetricKey {
        let both = name.array + coins.array
        return Blake2b.hash256(both.span.bytes, personal: "simulated-kem").withSpan { SymmetricKey(copying: $0) }
    }

    private static func stretched(_ head: Octets32, to size: Int) -> [UInt8] {
        head.array + [UInt8](repeating: 7, count: size - 32)
    }
}
