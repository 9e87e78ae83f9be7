package import CoveyCrypto
import Crypto
import FoundationEssentials

/// ML-KEM-768 (FIPS 203) over swift-crypto, the one room that waits for it.
///
/// Secrets leave swift-crypto's types at once for ours. What it keeps while it computes is its own: it does not wipe
/// the expanded private key, so a private key is expanded for each use and let go.
package struct MLKEM768: CoveyCrypto.KEM {
    package init() {}

    package func publicKey(of privateKey: CoveyCrypto.KEMPrivateKey) -> CoveyCrypto.KEMPublicKey {
        let bytes = [UInt8](expand(privateKey).publicKey.rawRepresentation)
        guard let key = CoveyCrypto.KEMPublicKey(bytes) else { preconditionFailure("a public key has 1184 bytes") }
        return key
    }

    /// The coins are drawn by swift-crypto, which takes none from outside: `random` is not asked.
    package func encapsulate(
        to key: CoveyCrypto.KEMPublicKey, random: any RandomSource
    ) throws(CryptoFailure) -> (ciphertext: KEMCiphertext, secret: CoveyCrypto.SymmetricKey) {
        let result: Crypto.KEM.EncapsulationResult
        do {
            result = try Crypto.MLKEM768.PublicKey(rawRepresentation: key.bytes).encapsulate()
        } catch {
            throw .badPublicKey
        }
        guard let ciphertext = KEMCiphertext([UInt8](result.encapsulated)) else {
            preconditionFailure("a ciphertext has 1088 bytes")
        }
        return (ciphertext, copy(result.sharedSecret))
    }

    package func decapsulate(
        _ ciphertext: KEMCiphertext, with key: CoveyCrypto.KEMPrivateKey
    ) -> CoveyCrypto.SymmetricKey {
        guard let secret = try? expand(key).decapsulate(ciphertext.bytes) else {
            preconditionFailure("every ciphertext of 1088 bytes gives a secret (FIPS 203 §7.3)")
        }
        return copy(secret)
    }

    /// FIPS 203 §7.1 from the seed, without a copy of it on our side.
    private func expand(_ key: CoveyCrypto.KEMPrivateKey) -> Crypto.MLKEM768.PrivateKey {
        let expanded = key.exposing { span in
            span.withUnsafeBytes { try? Crypto.MLKEM768.PrivateKey(seedRepresentation: $0, publicKey: nil) }
        }
        guard let expanded else { preconditionFailure("every seed of 64 bytes is a private key (FIPS 203 §7.1)") }
        return expanded
    }

    private func copy(_ secret: Crypto.SymmetricKey) -> CoveyCrypto.SymmetricKey {
        secret.withUnsafeBytes { CoveyCrypto.SymmetricKey(copying: $0.bytes) }
    }
}
