package import CoveyCrypto

/// What an authority says about a device (0x01, protocol.md §1.2). Parsed, not verified.
///
///     01 serial 8 · 02 issuer 16 · 03 SIG 32 · 04 LNK 32 · 05 MSG 32 · 06 subject 16 · 07 index 1 · 08 not_before 4 ·
///     09 not_after 4 · 0A capabilities 4 · 0B zones n×1 · 0C label · 0D? supersedes 16
package struct DeviceCertificate: Sendable, Equatable {
    package static let mostZones = 16
    /// Stands for "no zone" in envelopes, so it is no zone.
    package static let noZone: UInt8 = 255

    private static let schema = ObjectSchema(
        .deviceCertificate, most: 1024,
        [
            FieldRule(0x01, .exact(8)), FieldRule(0x02, .exact(16)), FieldRule(0x03, .exact(32)),
            FieldRule(0x04, .exact(32)), FieldRule(0x05, .exact(32)), FieldRule(0x06, .exact(16)),
            FieldRule(0x07, .exact(1)), FieldRule(0x08, .exact(4)), FieldRule(0x09, .exact(4)),
            FieldRule(0x0A, .exact(4)), FieldRule(0x0B, .items(size: 1, least: 1, most: mostZones), mayBeEmpty: true),
            FieldRule(0x0C, .text(most: 32), mayBeEmpty: true), FieldRule(0x0D, .exact(16), required: false),
        ])

    /// What the issuer decides.
    package struct Content: Sendable, Equatable {
        package var serial: UInt64
        package var issuer: AuthorityID
        package var signing: SigningPublicKey
        package var link: AgreementPublicKey
        package var message: AgreementPublicKey
        package var subject: SubjectID
        package var deviceIndex: UInt8
        package var notBefore: Minute
        package var notAfter: Minute
        package var capabilities: Capabilities
        /// 0 to 254; the first is the home zone.
        package var zones: [UInt8]
        package var label: String
        package var supersedes: DeviceID?

        package init(
            serial: UInt64, issuer: AuthorityID, signing: SigningPublicKey, link: AgreementPublicKey,
            message: AgreementPublicKey, subject: SubjectID, deviceIndex: UInt8 = 0, notBefore: Minute,
            notAfter: Minute, capabilities: Capabilities, zones: [UInt8] = [], label: String,
            supersedes: DeviceID? = nil
        ) {
            self.serial = serial
            self.issuer = issuer
            self.signing = signing
            self.link = link
            self.message = message
            self.subject = subject
            self.deviceIndex = deviceIndex
            self.notBefore = notBefore
            self.notAfter = notAfter
            self.capabilities = capabilities
            self.zones = zones
            self.label = label
            self.supersedes = supersedes
        }
    }

    package let signed: Signed
    package let hash: CertificateHash
    package let deviceHash: DeviceHash
    package let content: Content

    package var device: DeviceID { deviceHash.deviceID }
    package var serial: UInt64 { content.serial }
    package var issuer: AuthorityID { content.issuer }
    package var signing: SigningPublicKey { content.signing }
    package var link: AgreementPublicKey { content.link }
    package var message: AgreementPublicKey { content.message }
    package var subject: SubjectID { content.subject }
    package var notBefore: Minute { content.notBefore }
    package var notAfter: Minute { content.notAfter }
    package var capabilities: Capabilities { content.capabilities }
    package var zones: [UInt8] { content.zones }
    package var label: String { content.label }

    package init(parsing signed: Signed, mesh: MeshID) throws(Malformed) {
        let object = try CanonicalObject(parsing: signed, schema: Self.schema)
        guard let capabilities = Capabilities(known: object.u32(0x0A)) else { throw .value(0x0A) }
        let zones = object.bytes(0x0B)
        guard !zones.contains(Self.noZone) else { throw .value(0x0B) }
        content = Content(
            serial: object.u64(0x01), issuer: object.octets(0x02), signing: object.octets(0x03),
            link: object.octets(0x04), message: object.octets(0x05), subject: object.octets(0x06),
            deviceIndex: object.u8(0x07), notBefore: Minute(object.u32(0x08)), notAfter: Minute(object.u32(0x09)),
            capabilities: capabilities, zones: zones, label: object.text(0x0C),
            supersedes: object.has(0x0D) ? object.octets(0x0D) : nil)
        guard content.notBefore < content.notAfter else { throw .value(0x09) }
        hash = Self.hash(of: signed)
        deviceHash = DeviceHash(mesh: mesh, signing: content.signing, link: content.link, message: content.message)
        self.signed = signed
    }

    /// Of the body, whoever signed it.
    package static func hash(of signed: Signed) -> CertificateHash {
        signed.hash(.certificate)
    }

    package static func make(
        _ content: Content, mesh: MeshID, keys: [SigningPrivateKey]
    ) throws(Malformed) -> DeviceCertificate {
        let signed = Signed(body(content), type: .object(.deviceCertificate), mesh: mesh, keys: keys)
        return try DeviceCertificate(parsing: signed, mesh: mesh)
    }

    /// What is signed.
    static func body(_ content: Content) -> [UInt8] {
        var writer = CanonicalWriter(.deviceCertificate)
        writer.field(0x01, u64: content.serial)
        writer.field(0x02, content.issuer)
        writer.field(0x03, content.signing)
        writer.field(0x04, content.link)
        writer.field(0x05, content.message)
        writer.field(0x06, content.subject)
        writer.field(0x07, u8: content.deviceIndex)
        writer.field(0x08, u32: content.notBefore.value)
        writer.field(0x09, u32: content.notAfter.value)
        writer.field(0x0A, u32: content.capabilities.rawValue)
        writer.field(0x0B, bytes: content.zones)
        writer.field(0x0C, text: content.label)
        if let supersedes = content.supersedes { writer.field(0x0D, supersedes) }
        return writer.bytes
    }
}
