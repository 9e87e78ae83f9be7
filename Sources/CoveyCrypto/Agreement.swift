internal import CSodium

/// An X25519 public key (RFC 7748 §5).
package struct AgreementPublicKey: FixedOctets {
    private var octets = Octets32()
    package init() {}

    /// Whether the bytes are the one encoding of their value: bit 255 clear and the value below 2^255 − 19.
    ///
    /// RFC 7748 §5 masks and reduces others, and so does `agree`; a certificate that holds one is refused at issue.
    package var isCanonical: Bool {
        withUnsafeBytes(of: self) { bytes in
            guard bytes[31] & 0x80 == 0 else { return false }
            guard bytes[31] == 0x7f, bytes[1..<31].allSatisfy({ $0 == 0xff }) else { return true }
            return bytes[0] < 0xed
        }
    }
}

/// An X25519 private key.
package struct AgreementPrivateKey: SecretKey {
    package static let byteCount = 32
    package let secret: Secret
    package let publicKey: AgreementPublicKey

    package init(taking secret: Secret) {
        precondition(secret.byteCount == Self.byteCount, "an X25519 private key has 32 bytes")
        self.secret = secret
        var key = AgreementPublicKey()
        key.withMutableSpan { span in
            span.withUnsafeMutableBytes { raw in
                _ = crypto_scalarmult_base(raw.baseAddress!.assumingMemoryBound(to: UInt8.self), secret.pointer)
            }
        }
        publicKey = key
    }

    /// X25519. A result of all zero bytes is refused (RFC 7748 §6.1): the peer's key was of small order.
    package func agree(with peer: AgreementPublicKey) throws(CryptoFailure) -> SymmetricKey {
        let shared = Secret(byteCount: 32)
        let status = peer.withSpan { peer in
            peer.withUnsafeBytes { peer in
                shared.withMutablePointer { out in
                    crypto_scalarmult(out, secret.pointer, peer.baseAddress!.assumingMemoryBound(to: UInt8.self))
                }
            }
        }
        withExtendedLifetime(secret) {}
        guard status == 0 else { throw .badPublicKey }
        return SymmetricKey(taking: shared)
    }
}
