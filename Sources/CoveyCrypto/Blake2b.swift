internal import CSodium

/// A domain-separation label of BLAKE2b (RFC 7693 §2.5 parameter block): at most 16 bytes, zero padded.
package struct Personal: ExpressibleByStringLiteral, Sendable {
    let octets: Octets16

    package init(stringLiteral label: StaticString) {
        precondition(label.utf8CodeUnitCount <= 16, "a personalisation has at most 16 bytes")
        var octets = Octets16()
        octets.withMutableSpan { span in
            span.withUnsafeMutableBytes { raw in
                for index in 0..<label.utf8CodeUnitCount { raw[index] = label.utf8Start[index] }
            }
        }
        self.octets = octets
    }
}

/// BLAKE2b with personalisation, keyed or not: hashes, ids and tags of the protocol.
///
/// One call over contiguous bytes. libsodium's incremental state is over-aligned, which Swift does not import;
/// every hash of the protocol is over one object, or over a few short parts.
package enum Blake2b {
    package static func hash<Digest: FixedOctets>(
        _ bytes: RawSpan, personal: Personal, key: SymmetricKey? = nil, as: Digest.Type = Digest.self
    ) -> Digest {
        Sodium.start()
        var digest = Digest()
        withUnsafeMutableBytes(of: &digest) { out in
            bytes.withUnsafeBytes { input in
                withUnsafeBytes(of: personal.octets) { label in
                    let status = crypto_generichash_blake2b_salt_personal(
                        out.baseAddress!.assumingMemoryBound(to: UInt8.self), out.count,
                        input.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt64(input.count),
                        key?.secret.pointer, key == nil ? 0 : 32, nil,
                        label.baseAddress!.assumingMemoryBound(to: UInt8.self))
                    precondition(status == 0, "the digest has 1 to 64 bytes")
                }
            }
        }
        withExtendedLifetime(key) {}
        return digest
    }

    package static func hash256(_ bytes: RawSpan, personal: Personal, key: SymmetricKey? = nil) -> Octets32 {
        hash(bytes, personal: personal, key: key)
    }

    package static func hash128(_ bytes: RawSpan, personal: Personal, key: SymmetricKey? = nil) -> Octets16 {
        hash(bytes, personal: personal, key: key)
    }

    /// Every parameter of the primitive, for the outside suites.
    package static func hash(
        _ bytes: [UInt8], key: [UInt8], salt: Octets16, personal: Octets16, outputSize: Int
    ) throws(CryptoFailure) -> [UInt8] {
        Sodium.start()
        guard (1...64).contains(outputSize), key.count <= 64 else { throw .length }
        return [UInt8](unsafeUninitializedCapacity: outputSize) { out, count in
            withUnsafeBytes(of: salt) { salt in
                withUnsafeBytes(of: personal) { personal in
                    _ = crypto_generichash_blake2b_salt_personal(
                        out.baseAddress!, outputSize, bytes, UInt64(bytes.count), key, key.count,
                        salt.baseAddress!.assumingMemoryBound(to: UInt8.self),
                        personal.baseAddress!.assumingMemoryBound(to: UInt8.self))
                }
            }
            count = outputSize
        }
    }
}
