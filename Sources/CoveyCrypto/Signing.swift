internal import CSodium

/// An Ed25519 public key (RFC 8032 §5.1.5).
package struct SigningPublicKey: FixedOctets {
    private var octets = Octets32()
    package init() {}

    /// The only verifier of the mesh: two that differ on edge cases would let an attacker split the log.
    package func verify(_ signature: Signature, over message: RawSpan) -> Bool {
        Sodium.start()
        return withSpan { key in
            signature.withSpan { signature in
                key.withUnsafeBytes { key in
                    signature.withUnsafeBytes { signature in
                        message.withUnsafeBytes { message in
                            crypto_sign_verify_detached(
                                signature.baseAddress!.assumingMemoryBound(to: UInt8.self),
                                message.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt64(message.count),
                                key.baseAddress!.assumingMemoryBound(to: UInt8.self)) == 0
                        }
                    }
                }
            }
        }
    }
}

/// An Ed25519 signature, R | S.
package struct Signature: FixedOctets {
    private var octets = Octets64()
    package init() {}
}

/// An Ed25519 private key as libsodium keeps it: seed | public key.
package struct SigningPrivateKey: SecretKey {
    package static let byteCount = 64
    package let secret: Secret
    package let publicKey: SigningPublicKey

    package init(taking secret: Secret) {
        self.secret = secret
        publicKey = secret.withSpan { SigningPublicKey(copying: $0.extracting(last: 32)) }
    }

    /// RFC 8032 §5.1.5 from the 32-byte seed.
    package init(seed: SymmetricKey) {
        Sodium.start()
        let secret = Secret(byteCount: 64)
        var publicKey = SigningPublicKey()
        publicKey.withMutableSpan { span in
            span.withUnsafeMutableBytes { raw in
                secret.withMutablePointer { out in
                    _ = crypto_sign_seed_keypair(
                        raw.baseAddress!.assumingMemoryBound(to: UInt8.self), out, seed.secret.pointer)
                }
            }
        }
        withExtendedLifetime(seed) {}
        self.secret = secret
        self.publicKey = publicKey
    }

    package init(from source: any RandomSource) { self.init(seed: SymmetricKey(from: source)) }

    package func sign(_ message: RawSpan) -> Signature {
        var signature = Signature()
        signature.withMutableSpan { span in
            span.withUnsafeMutableBytes { out in
                message.withUnsafeBytes { message in
                    _ = crypto_sign_detached(
                        out.baseAddress!.assumingMemoryBound(to: UInt8.self), nil,
                        message.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt64(message.count),
                        secret.pointer)
                }
            }
        }
        withExtendedLifetime(secret) {}
        return signature
    }
}
