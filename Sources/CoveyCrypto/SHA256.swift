internal import CSodium

/// SHA-256 (FIPS 180-4), in one call or in parts.
package struct SHA256: ~Copyable {
    private var state = crypto_hash_sha256_state()

    package init() {
        Sodium.start()
        _ = crypto_hash_sha256_init(&state)
    }

    package mutating func update(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { raw in
            if let base = raw.baseAddress {
                _ = crypto_hash_sha256_update(&state, base.assumingMemoryBound(to: UInt8.self), UInt64(raw.count))
            }
        }
    }

    package mutating func update(_ octets: some FixedOctets) { octets.withSpan { update($0) } }

    package consuming func finish() -> Octets32 {
        var digest = Octets32()
        digest.withMutableSpan { span in
            span.withUnsafeMutableBytes { raw in
                _ = crypto_hash_sha256_final(&state, raw.baseAddress!.assumingMemoryBound(to: UInt8.self))
            }
        }
        return digest
    }

    package static func hash(_ bytes: RawSpan) -> Octets32 {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finish()
    }
}
