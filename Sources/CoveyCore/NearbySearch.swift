package import CoveyCrypto

/// How a device finds the desk that waits for it on the same network. To anybody without the invitation both datagrams
/// are 43 random bytes.
///
///     nonce 24 | AEAD( 1 probe | 2 answer: u8 | port u16 ) 19
///
/// Key: HKDF(salt empty, invite_secret, "covey1-nearby-find"). The associated data of an answer is the nonce of the probe, so that
/// no recorded answer sends a device elsewhere.
package struct NearbySearch: Sendable {
    package static let size = 24 + 3 + 16
    private let key: SymmetricKey

    package init(_ invitation: Invitation) {
        key = HKDF.derive(from: invitation.secret, label: DerivationLabel.nearbySearch)
    }

    package func probe(random: any RandomSource) -> [UInt8] {
        box([1, 0, 0], ad: [], random)
    }

    package func isProbe(_ bytes: [UInt8]) -> Bool { open(bytes, ad: []) == [1, 0, 0] }

    /// - Parameter port: where the desk waits, at the address that the answer comes from.
    package func answer(to probe: [UInt8], port: UInt16, random: any RandomSource) -> [UInt8] {
        box([2, UInt8(port >> 8), UInt8(port & 0xFF)], ad: Array(probe.prefix(24)), random)
    }

    package func port(in answer: [UInt8], to probe: [UInt8]) -> UInt16? {
        guard let plain = open(answer, ad: Array(probe.prefix(24))), plain[0] == 2 else { return nil }
        return UInt16(plain[1]) << 8 | UInt16(plain[2])
    }

    private func box(_ plain: [UInt8], ad: [UInt8], _ random: any RandomSource) -> [UInt8] {
        var bytes: [UInt8] = []
        XChaCha20Poly1305.box(
            plain.span.bytes, ad: ad.span.bytes, key: key, nonce: Nonce24.random(from: random), to: &bytes)
        return bytes
    }

    private func open(_ bytes: [UInt8], ad: [UInt8]) -> [UInt8]? {
        guard bytes.count == Self.size else { return nil }
        return try? XChaCha20Poly1305.unbox(bytes.span.bytes, ad: ad.span.bytes, key: key)
    }
}
