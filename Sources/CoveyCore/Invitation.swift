package import CoveyCrypto

/// Names an invitation without telling its secret: `BLAKE2b-128(enrol_pk; "covey1:csr")`.
package struct InvitationID: FixedOctets {
    private var octets = Octets16()
    package init() {}

    package init(of enrolKey: AgreementPublicKey) {
        self = enrolKey.withSpan { Blake2b.hash($0, personal: .request) }
    }
}

/// What only the authority and the invited person know. Never goes over the air.
package struct InviteSecret: SecretKey {
    package static let byteCount = 32
    package let secret: Secret
    package init(taking secret: Secret) {
        precondition(secret.byteCount == Self.byteCount, "an invite secret has 32 bytes")
        self.secret = secret
    }

    package var key: SymmetricKey { SymmetricKey(taking: secret) }
}

/// What an authority hands to the person who is to enrol a device, in person (protocol.md §1.6).
///
///     CE 0x09    01 mesh_id 32 · 02 authority_id 16 · 03 enrol_pk 32 · 04 invite_secret 32 · 05 expires 4
///                06 label text ≤ 32, not empty · 07? hash of the release manifest 32
///                80? 1, always 1: the device is the organisation's, which asks for its holder's consent to orders
///
/// Without a release there is no manifest hash, and the field is absent. The label is the name the device will have; a
/// request under another one is refused, so that nobody invited as one person enrols as another.
package struct Invitation: Sendable {
    /// Minutes that an invitation may be open.
    package static let longest: Int64 = 7 * 24 * 60
    /// Bytes of a label, here and in certificates.
    package static let longestLabel = 32

    private static let schema = ObjectSchema(
        .invitation, most: 512,
        [
            FieldRule(0x01, .exact(32)), FieldRule(0x02, .exact(16)), FieldRule(0x03, .exact(32)),
            FieldRule(0x04, .exact(32)), FieldRule(0x05, .exact(4)), FieldRule(0x06, .text(most: longestLabel)),
            FieldRule(0x07, .exact(32), required: false), FieldRule(0x80, .exact(1), required: false),
        ])

    package let mesh: MeshID
    package let authority: AuthorityID
    package let enrolKey: AgreementPublicKey
    package let secret: InviteSecret
    package let expires: Minute
    package let label: String
    package let manifest: Octets32?
    /// Whether the holder is asked to agree that the organisation may lock or erase the device.
    package let asksConsent: Bool

    package init(
        mesh: MeshID, authority: AuthorityID, enrolKey: AgreementPublicKey, secret: InviteSecret, expires: Minute,
        label: String, manifest: Octets32?, asksConsent: Bool = false
    ) {
        self.mesh = mesh
        self.authority = authority
        self.enrolKey = enrolKey
        self.secret = secret
        self.expires = expires
        self.label = label
        self.manifest = manifest
        self.asksConsent = asksConsent
    }

    package init(parsing bytes: [UInt8]) throws(Malformed) {
        let object = try CanonicalObject(parsing: bytes, schema: Self.schema)
        guard !object.has(0x80) || object.u8(0x80) == 1 else { throw .value(0x80) }
        self.init(
            mesh: object.octets(0x01), authority: object.octets(0x02), enrolKey: object.octets(0x03),
            secret: object.octets(0x04, as: Octets32.self).withSpan { InviteSecret(copying: $0) },
            expires: Minute(object.u32(0x05)), label: object.text(0x06),
            manifest: object.has(0x07) ? object.octets(0x07) : nil, asksConsent: object.has(0x80))
    }

    /// Holds the secret. Wipe them once they are shown or written.
    package var bytes: [UInt8] {
        var writer = CanonicalWriter(.invitation)
        writer.field(0x01, mesh)
        writer.field(0x02, authority)
        writer.field(0x03, enrolKey)
        secret.exposing { writer.field(0x04, bytes: [UInt8](copying: $0)) }
        writer.field(0x05, u32: expires.value)
        writer.field(0x06, text: label)
        if let manifest { writer.field(0x07, manifest) }
        if asksConsent { writer.field(0x80, u8: 1) }
        return writer.bytes
    }

    package var id: InvitationID { InvitationID(of: enrolKey) }

    /// An invitation is good through the minute at which it expires.
    package func isExpired(now: Minute) -> Bool { now > expires }
}
