import CoveyCore
package import CoveyCrypto

/// An id as a link shows it: 8 bytes that mean nothing on another link (sync-routing.md D2).
package struct ShortID: FixedOctets {
    private var octets = Octets8()
    package init() {}
    init(_ octets: Octets8) { self.octets = octets }
}

/// A link's key for short ids and fingerprints: ids ground to collide on one link are nothing special on another.
package struct Salt: Sendable {
    private let key: SipHash

    package init(key: Octets16) { self.key = SipHash(key: key) }

    package func shortID(of id: ItemID) -> ShortID { ShortID(key.hash(id)) }

    /// SipHash-2-4 of `sum 16 | count 4`, both big-endian.
    package func fingerprint(of aggregate: Aggregate) -> Octets8 {
        var words = (
            UInt64(truncatingIfNeeded: aggregate.sum >> 64).bigEndian,
            UInt64(truncatingIfNeeded: aggregate.sum).bigEndian, aggregate.count.bigEndian
        )
        return withUnsafeBytes(of: &words) { raw in
            key.hash(UnsafeRawBufferPointer(rebasing: raw[..<20]).bytes)
        }
    }
}

/// The salts of one link, from its handshake hash (sync-routing.md §2.3).
package struct Salts: Sendable {
    /// HKDF(empty, h, "covey1:r3", 16).
    package let first: Salt
    /// HKDF(empty, h, "covey1:r3" | 01, 16): for a second try, after a mismatch.
    package let second: Salt

    package init(handshakeHash: Octets32) {
        var material = HKDF.Material()
        material.append(handshakeHash.array)
        let secret = HKDF.extract(salt: [UInt8]().span.bytes, material: material)
        let label = HKDF.bytes(of: DerivationLabel.reconciliation)
        func salt(_ info: [UInt8]) -> Salt {
            guard let bytes = try? HKDF.expand(secret, info: info, byteCount: 16), let key = Octets16(bytes) else {
                preconditionFailure("16 bytes are within one block of HKDF")
            }
            return Salt(key: key)
        }
        first = salt(label)
        second = salt(label + [0x01])
    }
}
