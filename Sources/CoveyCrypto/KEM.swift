/// The public half of an ML-KEM-768 key pair (FIPS 203), 1184 bytes.
package struct KEMPublicKey: Hashable, Sendable {
    package static let byteCount = 1184
    package let bytes: [UInt8]

    /// Nil when the length is wrong; coefficients are checked when a KEM first uses it.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }
}

/// An ML-KEM-768 ciphertext, 1088 bytes.
package struct KEMCiphertext: Hashable, Sendable {
    package static let byteCount = 1088
    package let bytes: [UInt8]

    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }
}

/// An ML-KEM-768 private key in seed form, d | z (FIPS 203 §7.1).
package struct KEMPrivateKey: SecretKey {
    package static let byteCount = 64
    package let secret: Secret
    package init(taking secret: Secret) {
        precondition(secret.byteCount == Self.byteCount, "an ML-KEM seed has 64 bytes")
        self.secret = secret
    }
}

/// The key encapsulation Covey needs. CoveyKEM fulfils it with swift-crypto; a simulator with a deterministic double.
package protocol KEM: Sendable {
    func publicKey(of privateKey: KEMPrivateKey) throws(CryptoFailure) -> KEMPublicKey
    /// Refuses a key with a coefficient out of range (FIPS 203 §7.2).
    func encapsulate(
        to key: KEMPublicKey, random: any RandomSource
    ) throws(CryptoFailure) -> (ciphertext: KEMCiphertext, secret: SymmetricKey)
    /// An altered ciphertext gives another secret, not an error (implicit rejection, FIPS 203 §7.3).
    func decapsulate(_ ciphertext: KEMCiphertext, with key: KEMPrivateKey) throws(CryptoFailure) -> SymmetricKey
}
