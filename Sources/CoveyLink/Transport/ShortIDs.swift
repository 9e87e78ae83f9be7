package import CoveyCore
package import CoveyCrypto

/// The 8-byte ids of one link: SipHash-2-4 under a key derived from the handshake hash (protocol.md §3.1).
///
/// Collisions cannot be made beforehand, as nobody knows the hash before the link stands.
package struct ShortIDs: Sendable {
    /// Also the key of set fingerprints (sync-routing.md §2.3).
    package let hash: SipHash

    /// Ks = HKDF(salt empty, h, "covey1:r3", 16); for the one retry after a mismatch the label is followed by 01.
    package init(handshakeHash: Octets32, isRetry: Bool = false) {
        var material = HKDF.Material()
        material.append(handshakeHash.array)
        let info = HKDF.bytes(of: DerivationLabel.reconciliation) + (isRetry ? [1] : [])
        let key = HKDF.expand(HKDF.extract(salt: RawSpan(), material: material), info: info, count: 1)[0]
        hash = SipHash(key: key.exposing { Octets16(copying: $0.extracting(first: 16)) })
    }

    package func shortID(of id: EnvelopeID) -> Octets8 { hash.hash(id) }
}
