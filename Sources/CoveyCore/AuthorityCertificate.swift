package import CoveyCrypto

/// What an authority says about one below it (0x02, protocol.md §1.3). Parsed, not verified.
///
///     01 authority_id 16 · 02 parent_id 16 · 03 serial 8 · 04 keyset n×33 · 05 threshold 1 · 06 depth_left 1 ·
///     07 grant mask 4 · 08 max days 2 · 09 max devices 2 · 0A not_before 4 · 0B not_after 4 · 0C zones n×1 ·
///     0D label · 0E next_commit 32
package struct AuthorityCertificate: Sendable, Equatable {
    private static let schema = ObjectSchema(
        .authorityCertificate, most: 1024,
        [
            FieldRule(0x01, .exact(16)), FieldRule(0x02, .exact(16)), FieldRule(0x03, .exact(8)), Keyset.rule(0x04),
            FieldRule(0x05, .exact(1)), FieldRule(0x06, .exact(1)), FieldRule(0x07, .exact(4)),
            FieldRule(0x08, .exact(2)), FieldRule(0x09, .exact(2)), FieldRule(0x0A, .exact(4)),
            FieldRule(0x0B, .exact(4)),
            FieldRule(0x0C, .items(size: 1, least: 1, most: DeviceCertificate.mostZones), mayBeEmpty: true),
            FieldRule(0x0D, .text(most: 32), mayBeEmpty: true), FieldRule(0x0E, .exact(32)),
        ])

    /// What the parent decides.
    package struct Content: Sendable, Equatable {
        package var parent: AuthorityID
        package var serial: UInt64
        package var keyset: Keyset
        /// Levels of authorities that may still stand below.
        package var depthLeft: UInt8
        package var grantable: Capabilities
        /// Longest life of a certificate it issues, in days.
        package var mostDays: UInt16
        /// Most devices with a live certificate at one time.
        package var mostDevices: UInt16
        package var notBefore: Minute
        package var notAfter: Minute
        /// Empty: all zones.
        package var zones: [UInt8]
        package var label: String
        package var nextCommit: KeysetCommit

        package init(
            parent: AuthorityID, serial: UInt64, keyset: Keyset, depthLeft: UInt8, grantable: Capabilities,
            mostDays: UInt16, mostDevices: UInt16, notBefore: Minute, notAfter: Minute, zones: [UInt8] = [],
            label: String, nextCommit: KeysetCommit
        ) {
            self.parent = parent
            self.serial = serial
            self.keyset = keyset
            self.depthLeft = depthLeft
            self.grantable = grantable
            self.mostDays = mostDays
            self.mostDevices = mostDevices
            self.notBefore = notBefore
            self.notAfter = notAfter
            self.zones = zones
            self.label = label
            self.nextCommit = nextCommit
        }
    }

    package let signed: Signed
    package let hash: CertificateHash
    /// Of the first keyset; differs from the hash of `content.keyset` after a rotation.
    package let authority: AuthorityID
    package let content: Content

    package var parent: AuthorityID { content.parent }
    package var keyset: Keyset { content.keyset }

    package init(parsing signed: Signed) throws(Malformed) {
        let object = try CanonicalObject(parsing: signed, schema: Self.schema)
        guard let grantable = Capabilities(known: object.u32(0x07)) else { throw .value(0x07) }
        let zones = object.bytes(0x0C)
        guard !zones.contains(DeviceCertificate.noZone) else { throw .value(0x0C) }
        content = Content(
            parent: object.octets(0x02), serial: object.u64(0x03),
            keyset: try Keyset(
                parsing: object.bytes(0x04)[...], threshold: object.u8(0x05), tags: (keys: 0x04, threshold: 0x05)),
            depthLeft: object.u8(0x06), grantable: grantable, mostDays: object.u16(0x08),
            mostDevices: object.u16(0x09), notBefore: Minute(object.u32(0x0A)), notAfter: Minute(object.u32(0x0B)),
            zones: zones, label: object.text(0x0D), nextCommit: object.octets(0x0E))
        guard content.notBefore < content.notAfter else { throw .value(0x0B) }
        authority = object.octets(0x01)
        guard authority != content.parent else { throw .value(0x02) }
        hash = signed.hash(.certificate)
        self.signed = signed
    }

    /// Of several that count the one with the highest serial, and of those the one with the smallest hash.
    func isBetter(than other: AuthorityCertificate) -> Bool {
        (content.serial, other.hash) > (other.content.serial, hash)
    }

    /// `authority`: when its keyset is no longer the first one. `keys`: of the parent.
    package static func make(
        _ content: Content, authority: AuthorityID? = nil, mesh: MeshID, keys: [SigningPrivateKey]
    ) throws(Malformed) -> AuthorityCertificate {
        try AuthorityCertificate(
            parsing: Signed(
                body(content, authority: authority), type: .object(.authorityCertificate), mesh: mesh, keys: keys))
    }

    /// What is signed.
    static func body(_ content: Content, authority: AuthorityID? = nil) -> [UInt8] {
        var writer = CanonicalWriter(.authorityCertificate)
        writer.field(0x01, authority ?? content.keyset.authorityID)
        writer.field(0x02, content.parent)
        writer.field(0x03, u64: content.serial)
        writer.field(0x04, bytes: content.keyset.bytes)
        writer.field(0x05, u8: UInt8(content.keyset.threshold))
        writer.field(0x06, u8: content.depthLeft)
        writer.field(0x07, u32: content.grantable.rawValue)
        writer.field(0x08, u16: content.mostDays)
        writer.field(0x09, u16: content.mostDevices)
        writer.field(0x0A, u32: content.notBefore.value)
        writer.field(0x0B, u32: content.notAfter.value)
        writer.field(0x0C, bytes: content.zones)
        writer.field(0x0D, text: content.label)
        writer.field(0x0E, content.nextCommit)
        return writer.bytes
    }
}
