package import CoveyCrypto

/// BLAKE2b-256 of an announcement's body.
package struct AnnouncementHash: FixedOctets {
    private var octets = Octets32()
    package init() {}
}

/// What somebody with the right to says to many at once (0x40, protocol.md §5.4). Parsed, not verified.
///
///     01 author 16 · 02 scope 1 · 03? scope id 1 or 16 · 04 seq 8 · 05 issued 4 · 06 expires 4 (hours) · 07 severity 1
///     08? text · 09? attachment · 0A? supersedes 8 · 0B drill 1
package struct Announcement: Sendable, Equatable {
    package enum Bounds {
        /// Bytes of text, and of an attachment's reference.
        package static let text = 2048
        package static let attachment = 256
    }

    package enum Scope: Hashable, Sendable {
        case all
        case zone(UInt8)
        case group(Octets16)
    }

    /// How grave it is; what to do about it is the text's to say.
    package enum Severity: UInt8, CaseIterable, Sendable {
        case information = 1
        case advice = 2
        case warning = 3
        case alarm = 4
    }

    package struct Content: Sendable, Equatable {
        package var author: DeviceID
        package var scope: Scope
        /// Counts an author's announcements from 1, so that readers see when one is missing.
        package var sequence: UInt64
        package var issued: Minute
        /// The one of its envelope: nobody can give it a longer life.
        package var expires: Hour
        package var severity: Severity
        package var text: String?
        /// A reference in a form that this version carries and does not read.
        package var attachment: [UInt8]?
        package var supersedes: UInt64?
        package var isDrill: Bool

        package init(
            author: DeviceID, scope: Scope = .all, sequence: UInt64, issued: Minute, expires: Hour, severity: Severity,
            text: String?, attachment: [UInt8]? = nil, supersedes: UInt64? = nil, isDrill: Bool = false
        ) {
            self.author = author
            self.scope = scope
            self.sequence = sequence
            self.issued = issued
            self.expires = expires
            self.severity = severity
            self.text = text
            self.attachment = attachment
            self.supersedes = supersedes
            self.isDrill = isDrill
        }
    }

    private static let schema = ObjectSchema(
        .announcement,
        [
            FieldRule(0x01, .exact(16)), FieldRule(0x02, .exact(1)), FieldRule(0x03, .bytes(most: 16), required: false),
            FieldRule(0x04, .exact(8)), FieldRule(0x05, .exact(4)), FieldRule(0x06, .exact(4)),
            FieldRule(0x07, .exact(1)), FieldRule(0x08, .text(most: Bounds.text), required: false),
            FieldRule(0x09, .bytes(most: Bounds.attachment), required: false),
            FieldRule(0x0A, .exact(8), required: false), FieldRule(0x0B, .exact(1)),
        ])

    package let signed: Signed
    package let hash: AnnouncementHash
    package let content: Content

    package init(parsing signed: Signed) throws(Malformed) {
        let object = try CanonicalObject(parsing: signed, schema: Self.schema)
        let scope: Scope
        switch (object.u8(0x02), object[0x03]?.count) {
        case (0, nil): scope = .all
        case (1, 1): scope = .zone(object.u8(0x03))
        case (2, 16): scope = .group(object.octets(0x03))
        default: throw .value(0x02)
        }
        guard let severity = Severity(rawValue: object.u8(0x07)) else { throw .value(0x07) }
        guard object.u64(0x04) > 0 else { throw .value(0x04) }
        guard object.has(0x08) || object.has(0x09) else { throw .missing(0x08) }
        if object.has(0x0A), object.u64(0x0A) >= object.u64(0x04) { throw .value(0x0A) }
        guard object.u8(0x0B) <= 1 else { throw .value(0x0B) }
        content = Content(
            author: object.octets(0x01), scope: scope, sequence: object.u64(0x04), issued: Minute(object.u32(0x05)),
            expires: Hour(object.u32(0x06)), severity: severity, text: object.has(0x08) ? object.text(0x08) : nil,
            attachment: object.has(0x09) ? object.bytes(0x09) : nil,
            supersedes: object.has(0x0A) ? object.u64(0x0A) : nil, isDrill: object.u8(0x0B) == 1)
        hash = signed.hash(.announcement)
        self.signed = signed
    }

    /// Refuses what nobody could read: text that is empty, too long, or holds control characters.
    package static func make(
        _ content: Content, mesh: MeshID, key: SigningPrivateKey
    ) throws(Malformed) -> Announcement {
        var writer = CanonicalWriter(.announcement)
        writer.field(0x01, content.author)
        switch content.scope {
        case .all: writer.field(0x02, u8: 0)
        case .zone(let zone):
            writer.field(0x02, u8: 1)
            writer.field(0x03, u8: zone)
        case .group(let group):
            writer.field(0x02, u8: 2)
            writer.field(0x03, group)
        }
        writer.field(0x04, u64: content.sequence)
        writer.field(0x05, u32: content.issued.value)
        writer.field(0x06, u32: content.expires.value)
        writer.field(0x07, u8: content.severity.rawValue)
        if let text = content.text {
            guard text.utf8.count <= Bounds.text else { throw .width(0x08) }
            writer.field(0x08, text: text)
        }
        if let attachment = content.attachment {
            guard attachment.count <= Bounds.attachment else { throw .width(0x09) }
            writer.field(0x09, bytes: attachment)
        }
        if let supersedes = content.supersedes { writer.field(0x0A, u64: supersedes) }
        writer.field(0x0B, u8: content.isDrill ? 1 : 0)
        return try Announcement(
            parsing: Signed(writer.bytes, type: .object(.announcement), mesh: mesh, keys: [key]))
    }

    /// Whether its author signed it, and may say such a thing at this priority: in an emergency URGENT is enough.
    package func fault(
        of certificate: DeviceCertificate, priority: Priority, mesh: MeshID
    ) -> AnnouncementRefusal? {
        let isAllowed: Bool
        switch priority {
        case .emergency: isAllowed = !certificate.capabilities.isDisjoint(with: [.announce, .urgent])
        case .urgent, .normal, .bulk: isAllowed = certificate.capabilities.contains(.announce)
        }
        guard isAllowed else { return .capability }
        let signers = signed.signers(among: [certificate.signing], type: .object(.announcement), mesh: mesh)
        return signers?.count == 1 ? nil : .signature
    }
}

/// Why an announcement does not count.
package enum AnnouncementRefusal: Error, Hashable, Sendable {
    /// Sealed under a key we hold, and not what the header says.
    case sealing
    case malformed(Malformed)
    /// Its own expiry is not the envelope's.
    case expiry
    case unknownAuthor
    /// Of a device that is revoked or suspended, or whose certificate has ended.
    case author
    case capability
    case signature
}

extension Announcement {
    /// Seals it under an epoch's key to the smallest bucket that holds it:
    ///
    ///     nonce 24 | X(ann_e, Signed Announce, padded), the header as associated data
    ///
    /// Whoever has the key can seal it again under another header, with another priority too, not with another expiry: that is
    /// signed, and a reader compares.
    ///
    /// - Throws: when it does not fit the largest bucket that its priority may have.
    package func seal(
        priority: Priority, ttl: TTL, key: AnnouncementKey, random: any RandomSource
    ) throws(Malformed) -> Envelope {
        let overhead = EnvelopeHeader.byteCount + Nonce24.byteCount + 16 + 1
        guard let bucket = Bucket(holding: signed.bytes.count + overhead),
            priority != .emergency || bucket <= .bytes4096
        else { throw .oversized }
        let header = EnvelopeHeader(
            kind: .announcement, priority: priority, ttl: ttl, bucket: bucket, zone: .any, expiry: content.expires,
            tag: RecipientTag(day: ExpiryDay(of: content.expires), key: key.key, random: random),
            purgeCommit: PurgeCommit(to: PurgeSecret.random(from: random)))
        var padded = signed.bytes
        Padding.pad(&padded, to: bucket.size - overhead + 1)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(bucket.size)
        header.withSpan { bytes.append(copying: $0) }
        let nonce = Nonce24.random(from: random)
        header.withSpan { XChaCha20Poly1305.box(padded.span.bytes, ad: $0, key: key.key, nonce: nonce, to: &bytes) }
        do { return try Envelope(parsing: bytes) } catch { preconditionFailure("a header we made is sound") }
    }

    /// Opens an envelope whose tag is one of the key's. Its author is not looked at yet.
    package static func open(
        _ envelope: Envelope, key: AnnouncementKey
    ) throws(AnnouncementRefusal) -> Announcement {
        let opened = envelope.header.withSpan { header in
            envelope.withBody { try? XChaCha20Poly1305.unbox($0, ad: header, key: key.key) }
        }
        guard var bytes = opened else { throw .sealing }
        let announcement: Announcement
        do {
            try Padding.unpad(&bytes)
            announcement = try Announcement(parsing: Signed(parsing: bytes))
        } catch let error as Malformed {
            throw .malformed(error)
        } catch {
            throw .sealing
        }
        guard announcement.content.expires == envelope.header.expiry else { throw .expiry }
        return announcement
    }
}
