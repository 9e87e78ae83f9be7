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

/// An Ed25519 private key: the 32-byte seed (RFC 8032 §5.1.5).
///
/// libsodium signs with seed | public key. That form is made here and never read from storage: a signature under a
/// seed and the public key of another would give the seed away.
package struct SigningPrivateKey: SecretKey {
    package static let byteCount = 32
    package let secret: Secret
    package let publicKey: SigningPublicKey
    fileprivate let pair: Secret

    package init(taking seed: Secret) {
        precondition(seed.byteCount == Self.byteCount, "a seed has 32 bytes")
        let pair = Secret(byteCount: 64)
        var publicKey = SigningPublicKey()
        publicKey.withMutableSpan { span in
            span.withUnsafeMutableBytes { raw in
                pair.withMutablePointer { out in
                    _ = crypto_sign_seed_keypair(
                        raw.baseAddress!.assumingMemoryBound(to: UInt8.self), out, seed.pointer)
                }
            }
        }
        secret = seed
        self.publicKey = publicKey
        self.pair = pair
    }

    package init(seed: SymmetricKey) { self.init(taking: seed.secret) }

    package func sign(_ message: RawSpan) -> Signature {
        var signature = Signature()
        signature.withMutableSpan { span in
            span.withUnsafeMutableBytes { out in
                message.withUnsafeBytes { message in
                    _ = crypto_sign_detached(
                        out.baseAddress!.assumingMemoryBound(to: UInt8.self), nil,
                        message.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt64(message.count),
                        pair.pointer)
                }
            }
        }
        withExtendedLifetime(pair) {}
        return signature
    }
}

extension SigningPublicKey {
    /// The X25519 form of the same key, for sealing to its holder. Nil for bytes that are no point of the main subgroup.
    package var agreement: AgreementPublicKey? {
        var key = AgreementPublicKey()
        let status = withSpan { from in
            from.withUnsafeBytes { from in
                key.withMutableSpan { span in
                    span.withUnsafeMutableBytes { out in
                        crypto_sign_ed25519_pk_to_curve25519(
                            out.baseAddress!.assumingMemoryBound(to: UInt8.self),
                            from.baseAddress!.assumingMemoryBound(to: UInt8.self))
                    }
                }
            }
        }
        return status == 0 ? key : nil
    }
}

extension SigningPrivateKey {
    /// Opens what was sealed to `publicKey.agreement`: the scalar that Ed25519 derives from the seed (RFC 8032 §5.1.5).
    package var agreement: AgreementPrivateKey {
        let key = Secret(byteCount: AgreementPrivateKey.byteCount)
        key.withMutablePointer { _ = crypto_sign_ed25519_sk_to_curve25519($0, pair.pointer) }
        withExtendedLifetime(pair) {}
        return AgreementPrivateKey(taking: key)
    }
}
