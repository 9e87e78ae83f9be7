package import CoveyCrypto

/// The private halves of a keyset that are at hand, and how many of them must sign.
package struct SigningKeyset: Sendable {
    package let keys: [SigningPrivateKey]
    package let threshold: Int

    package init(keys: [SigningPrivateKey], threshold: Int) {
        self.keys = keys
        self.threshold = threshold
        // The public form knows what a keyset may be.
        _ = keyset
    }

    package init(count: Int, threshold: Int, random: any RandomSource) {
        self.init(keys: (0..<count).map { _ in SigningPrivateKey(from: random) }, threshold: threshold)
    }

    package var keyset: Keyset { Keyset(keys: keys.map(\.publicKey), threshold: threshold) }

    /// Bytes: `threshold u8 | n u8 | n × seed 32`.
    package var byteCount: Int { 2 + 32 * keys.count }

    func append(to bytes: inout [UInt8]) {
        bytes.append(UInt8(threshold))
        bytes.append(UInt8(keys.count))
        for key in keys { key.exposing { bytes.append(copying: $0) } }
    }

    init(from reader: inout ByteReader) throws(Malformed) {
        let threshold = Int(try reader.u8())
        let count = Int(try reader.u8())
        guard (1...Keyset.mostKeys).contains(count), (1...count).contains(threshold) else { throw .value(0) }
        var keys: [SigningPrivateKey] = []
        for _ in 0..<count { keys.append(SigningPrivateKey(copying: try reader.span(32))) }
        guard Set(keys.map(\.publicKey)).count == count else { throw .value(0) }
        self.init(keys: keys, threshold: threshold)
    }
}

/// What an authority's directory keeps secret: its keys, and those it has promised to rotate to (protocol.md §1.3).
///
///     version 1 | mesh_id 32 | authority_id 16 | current keyset | next keyset
package struct AuthorityKeys: Sendable {
    package let mesh: MeshID
    package let authority: AuthorityID
    package let current: SigningKeyset
    package let next: SigningKeyset
    private static let version: UInt8 = 1

    package init(mesh: MeshID, authority: AuthorityID, current: SigningKeyset, next: SigningKeyset) {
        self.mesh = mesh
        self.authority = authority
        self.current = current
        self.next = next
    }

    /// For the key file, mode 0600. Wipe them once they are written.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(49 + current.byteCount + next.byteCount)
        bytes.append(Self.version)
        bytes.append(mesh)
        bytes.append(authority)
        current.append(to: &bytes)
        next.append(to: &bytes)
        return bytes
    }

    package init(parsing bytes: RawSpan) throws(Malformed) {
        var reader = ByteReader(bytes)
        let version = try reader.u8()
        guard version == Self.version else { throw .unknownVersion(version) }
        mesh = try reader.octets()
        authority = try reader.octets()
        current = try SigningKeyset(from: &reader)
        next = try SigningKeyset(from: &reader)
        try reader.end()
    }
}
