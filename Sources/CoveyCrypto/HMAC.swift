internal import CSodium

/// HMAC-SHA-256 (RFC 2104) with a key of any length.
///
/// The state knows as much as the key. It lies behind a pointer, so that moving the struct leaves no second copy of
/// it on the stack, and it is wiped at the end.
package struct HMACSHA256: ~Copyable {
    private let state = UnsafeMutablePointer<crypto_auth_hmacsha256_state>.allocate(capacity: 1)

    package init(key: RawSpan) {
        Sodium.start()
        key.withUnsafeBytes { raw in
            // A pointer is asked for even when the key is empty.
            var nothing: UInt8 = 0
            if let base = raw.baseAddress {
                _ = crypto_auth_hmacsha256_init(state, base.assumingMemoryBound(to: UInt8.self), raw.count)
            } else {
                _ = crypto_auth_hmacsha256_init(state, &nothing, 0)
            }
        }
    }

    package init(key: SymmetricKey) {
        Sodium.start()
        _ = crypto_auth_hmacsha256_init(state, key.secret.pointer, 32)
        withExtendedLifetime(key) {}
    }

    package mutating func update(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { raw in
            if let base = raw.baseAddress {
                _ = crypto_auth_hmacsha256_update(state, base.assumingMemoryBound(to: UInt8.self), UInt64(raw.count))
            }
        }
    }

    package mutating func update(_ octets: some FixedOctets) { octets.withSpan { update($0) } }

    package mutating func update(_ byte: UInt8) {
        withUnsafeBytes(of: byte) { update($0.bytes) }
    }

    /// A code that is sent or compared.
    package consuming func finish() -> Octets32 {
        var code = Octets32()
        code.withMutableSpan { span in
            span.withUnsafeMutableBytes { finish(into: $0.baseAddress!.assumingMemoryBound(to: UInt8.self)) }
        }
        return code
    }

    /// A code that is itself a key, written straight into guarded memory.
    package consuming func finishKey() -> SymmetricKey {
        let secret = Secret(byteCount: 32)
        secret.withMutablePointer { finish(into: $0) }
        return SymmetricKey(taking: secret)
    }

    private func finish(into out: UnsafeMutablePointer<UInt8>) {
        _ = crypto_auth_hmacsha256_final(state, out)
    }

    deinit {
        sodium_memzero(state, MemoryLayout<crypto_auth_hmacsha256_state>.size)
        state.deallocate()
    }

    package static func code(_ message: RawSpan, key: RawSpan) -> Octets32 {
        var mac = HMACSHA256(key: key)
        mac.update(message)
        return mac.finish()
    }
}

/// HMAC-SHA-512 (RFC 2104) with a key of any length.
package enum HMACSHA512 {
    package static func code(_ message: RawSpan, key: RawSpan) -> Octets64 {
        Sodium.start()
        var state = crypto_auth_hmacsha512_state()
        var nothing: UInt8 = 0
        var code = Octets64()
        key.withUnsafeBytes { raw in
            if let base = raw.baseAddress {
                _ = crypto_auth_hmacsha512_init(&state, base.assumingMemoryBound(to: UInt8.self), raw.count)
            } else {
                _ = crypto_auth_hmacsha512_init(&state, &nothing, 0)
            }
        }
        message.withUnsafeBytes { raw in
            if let base = raw.baseAddress {
                _ = crypto_auth_hmacsha512_update(
                    &state, base.assumingMemoryBound(to: UInt8.self), UInt64(raw.count))
            }
        }
        code.withMutableSpan { span in
            span.withUnsafeMutableBytes { raw in
                _ = crypto_auth_hmacsha512_final(&state, raw.baseAddress!.assumingMemoryBound(to: UInt8.self))
            }
        }
        sodium_memzero(&state, MemoryLayout<crypto_auth_hmacsha512_state>.size)
        return code
    }
}

/// Compares codes without telling by its time where they differ.
package func equalInConstantTime(_ left: some FixedOctets, _ right: some FixedOctets) -> Bool {
    left.withSpan { a in
        right.withSpan { b in
            a.withUnsafeBytes { a in
                b.withUnsafeBytes { b in
                    a.count == b.count && sodium_memcmp(a.baseAddress!, b.baseAddress!, a.count) == 0
                }
            }
        }
    }
}
