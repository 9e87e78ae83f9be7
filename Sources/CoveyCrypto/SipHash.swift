internal import CSodium

/// SipHash-2-4 under a per-link key: short ids and set fingerprints. No security claim rests on it.
package struct SipHash: Sendable {
    /// 16 bytes; not a secret of the mesh, so it may live inline.
    private let key: Octets16

    package init(key: Octets16) {
        Sodium.start()
        self.key = key
    }

    package func hash(_ bytes: RawSpan) -> Octets8 {
        var digest = Octets8()
        withUnsafeMutableBytes(of: &digest) { out in
            withUnsafeBytes(of: key) { key in
                bytes.withUnsafeBytes { input in
                    _ = crypto_shorthash(
                        out.baseAddress!.assumingMemoryBound(to: UInt8.self),
                        input.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt64(input.count),
                        key.baseAddress!.assumingMemoryBound(to: UInt8.self))
                }
            }
        }
        return digest
    }

    package func hash(_ octets: some FixedOctets) -> Octets8 { octets.withSpan { hash($0) } }
}
