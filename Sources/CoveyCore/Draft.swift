import CoveyCrypto

/// An act of an authority on its way among the officers who must sign it, with the signatures that it has so far.
///
/// An act goes round in passes. Most need one: everybody signs the entry, or the note. An entry that holds certificates
/// holds them with their signatures, so its body is fixed only when those are there: in the first pass officers sign the
/// certificates, whoever completes it signs the entry too, and in the second pass the others sign the entry. With a
/// threshold of m that is m visits in one pass, or 2m - 1 in two.
///
/// A draft names its place in the log. When another act took that place it is of no more use and is drafted anew: the
/// log of an authority has one writer at a time.
///
///     CE 0x0B   01 authority_id 16 · 02 kind 1 (of the log entry; 0: RevokeNote) · 03? place: seq u64 | prev 32 | time u32
///               04? payload of a kind without certificates · 05? list of certificates, 1 to 32 · 06? RevokeNote
///               07? signatures on the entry n × ( alg u8 | key_id[8] | sig[64] ) · 08? list of requests
///
/// Certificates and notes in a draft are Signed objects that may have no signature yet. Requests are carried for the
/// officers: what they compare with the device is in them, not in the certificate.
package struct Draft: Sendable {
    package enum Bounds {
        /// Bytes of a draft, without the log that travels with it.
        package static let draft = 65536
        /// Entries and notes that travel with a draft, for officers who were away.
        package static let basis = 256
        /// Bytes of the file.
        package static let file = 1 << 20
    }

    package enum Matter: Sendable {
        /// `requests`: those that came with new devices.
        case issue([DeviceCertificate], requests: [EnrolmentRequest])
        case addAuthority(AuthorityCertificate)
        /// Everything whose body is fixed from the start. Holds neither CertIssue nor AuthorityAdd.
        case act(LogPayload)
    }

    package enum Content: Sendable {
        case entry(Matter, LogPlace, [Signed.Attestation])
        case note(RevokeNote)
    }

    package let mesh: MeshID
    /// Whose act it is; also the log in which it will stand.
    package let authority: AuthorityID
    package internal(set) var content: Content

    package init(mesh: MeshID, authority: AuthorityID, content: Content) {
        self.mesh = mesh
        self.authority = authority
        self.content = content
    }

    /// Of an entry whose body is fixed from the start; nil for others.
    package var entryID: EntryID? {
        guard case .entry(.act(let payload), let place, _) = content,
            let body = try? LogEntry.body(log: authority, place, payload: payload)
        else { return nil }
        return LogEntry.id(of: Signed(body: body, attestations: []))
    }

    // MARK: Bytes

    private static let placeSize = 44
    private static let attestationSize = 73

    private static let schema = ObjectSchema(
        .draft, most: Bounds.draft,
        [
            FieldRule(0x01, .exact(16)), FieldRule(0x02, .exact(1)),
            FieldRule(0x03, .exact(placeSize), required: false),
            FieldRule(0x04, .bytes(most: 16384), required: false),
            FieldRule(0x05, .list(least: 1, most: LogPayload.mostCertificates), required: false),
            FieldRule(0x06, .bytes(most: 4096), required: false),
            FieldRule(0x07, .items(size: attestationSize, least: 1, most: Signed.mostSignatures), required: false),
            FieldRule(0x08, .list(least: 1, most: LogPayload.mostCertificates), required: false),
        ])

    package var bytes: [UInt8] {
        var writer = CanonicalWriter(.draft)
        writer.field(0x01, authority)
        switch content {
        case .note(let note):
            writer.field(0x02, u8: 0)
            writer.field(0x06, bytes: note.signed.bytes)
        case .entry(let matter, let place, let attestations):
            writer.field(0x02, u8: matter.kind.rawValue)
            var bytes: [UInt8] = []
            bytes.append(u64: place.sequence)
            bytes.append(place.previous)
            bytes.append(u32: place.time.value)
            writer.field(0x03, bytes: bytes)
            switch matter {
            case .issue(let certificates, _): writer.field(0x05, list: certificates.map(\.signed.bytes))
            case .addAuthority(let certificate): writer.field(0x05, list: [certificate.signed.bytes])
            case .act(let payload): writer.field(0x04, bytes: payload.bytes)
            }
            if !attestations.isEmpty {
                var bytes: [UInt8] = []
                for attestation in attestations { attestation.append(to: &bytes) }
                writer.field(0x07, bytes: bytes)
            }
            if case .issue(_, let requests) = matter { writer.field(0x08, list: requests.map(\.signed.bytes)) }
        }
        return writer.bytes
    }

    package init(parsing bytes: [UInt8], mesh: MeshID) throws(Malformed) {
        let object = try CanonicalObject(parsing: bytes, schema: Self.schema)
        self.mesh = mesh
        authority = object.octets(0x01)
        let kind = object.u8(0x02)
        func only(_ tags: [UInt8], of optional: [UInt8] = []) throws(Malformed) {
            for tag in UInt8(0x03)...0x08 where object.has(tag) && !tags.contains(tag) && !optional.contains(tag) {
                throw .value(tag)
            }
            for tag in tags where !object.has(tag) { throw .missing(tag) }
        }
        guard kind != 0 else {
            try only([0x06])
            content = .note(try RevokeNote(parsing: Signed(parsing: object.bytes(0x06), least: 0)))
            return
        }
        guard let kind = LogPayload.Kind(rawValue: kind) else { throw .value(0x02) }
        let matter: Matter
        switch kind {
        case .certIssue:
            try only([0x03, 0x05], of: [0x07, 0x08])
            var certificates: [DeviceCertificate] = []
            for item in object.list(0x05) {
                certificates.append(try DeviceCertificate(parsing: Signed(parsing: item, least: 0), mesh: mesh))
            }
            var requests: [EnrolmentRequest] = []
            for item in object.list(0x08) { requests.append(try EnrolmentRequest(parsing: item)) }
            matter = .issue(certificates, requests: requests)
        case .authorityAdd:
            try only([0x03, 0x05], of: [0x07])
            let list = object.list(0x05)
            guard list.count == 1 else { throw .width(0x05) }
            matter = .addAuthority(try AuthorityCertificate(parsing: Signed(parsing: list[0], least: 0)))
        case .policySet, .authorityRotate, .authorityRevoke, .certRevoke, .epochAnnounce, .checkpoint,
            .groupDefinition, .releaseManifest, .recoverFork:
            try only([0x03, 0x04], of: [0x07])
            matter = .act(try LogPayload(parsing: object.slice(0x04), kind: kind, mesh: mesh))
        }
        content = .entry(matter, try Self.place(object.bytes(0x03)), try Self.attestations(object[0x07]))
    }

    private static func place(_ bytes: [UInt8]) throws(Malformed) -> LogPlace {
        var reader = ByteReader(bytes.span.bytes)
        let place = LogPlace(
            sequence: try reader.u64(), previous: try reader.octets(), time: Minute(try reader.u32()))
        guard place.sequence >= 1, place.sequence < UInt64(Int.max) else { throw .value(0x03) }
        return place
    }

    /// Read as those of an object without a body.
    private static func attestations(_ bytes: ArraySlice<UInt8>?) throws(Malformed) -> [Signed.Attestation] {
        guard let bytes else { return [] }
        return try Signed(parsing: [0, 0, UInt8(bytes.count / attestationSize)] + bytes).attestations
    }

    // MARK: Files

    /// The file of a draft: `draft length u32 | draft | ( length u32 | Signed )*`. The entries and notes behind it are
    /// what the draft stands on, for officers who were away.
    package func file(basis: [Signed]) -> CoveyFile {
        let draft = bytes
        var content: [UInt8] = []
        content.append(u32: UInt32(draft.count))
        content += draft
        var kept: [Signed] = []
        var room = Bounds.file - content.count
        // The newest are what an officer lacks.
        for object in basis.reversed() where kept.count < Bounds.basis {
            room -= 4 + object.bytes.count
            guard room >= 0 else { break }
            kept.append(object)
        }
        for object in kept.reversed() {
            content.append(u32: UInt32(object.bytes.count))
            content += object.bytes
        }
        return CoveyFile(kind: .draft, mesh: mesh, content: content)
    }

    package static func read(
        _ file: CoveyFile, of mesh: MeshID
    ) throws(CoveyFileError) -> (draft: Draft, basis: [Signed]) {
        let content = try file.content(.draft, of: mesh)
        guard content.count <= Bounds.file else { throw .damaged(.oversized) }
        var reader = ByteReader(content.span.bytes)
        do {
            let draft = try Draft(parsing: reader.bytes(Int(reader.u32())), mesh: mesh)
            var basis: [Signed] = []
            while !reader.isAtEnd {
                guard basis.count < Bounds.basis else { throw Malformed.oversized }
                basis.append(try Signed(parsing: reader.bytes(Int(reader.u32()))))
            }
            return (draft, basis)
        } catch let cause as Malformed {
            throw CoveyFileError(cause)
        } catch {
            preconditionFailure("bytes are malformed or not")
        }
    }
}

extension Draft.Matter {
    package var kind: LogPayload.Kind {
        switch self {
        case .issue: .certIssue
        case .addAuthority: .authorityAdd
        case .act(let payload): payload.kind
        }
    }

    /// As it will stand in the entry, with the signatures that certificates have so far.
    var payload: LogPayload {
        switch self {
        case .issue(let certificates, _): .certIssue(certificates)
        case .addAuthority(let certificate): .authorityAdd(certificate)
        case .act(let payload): payload
        }
    }
}
