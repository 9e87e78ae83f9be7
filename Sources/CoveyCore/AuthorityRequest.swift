import CoveyCrypto

/// Somebody asks to become an authority below another (CE 0x0C), with keys made on a machine of their own.
///
///     01 keyset n×33 · 02 threshold 1 · 03 next_commit 32 · 04 label text of 1 to 32 bytes
///
/// Signed by every key of the keyset: that all of them are held is what the signatures show. What the authority may do
/// is for its parent to decide.
package struct AuthorityRequest: Sendable {
    private static let schema = ObjectSchema(
        .authorityRequest, most: 1024,
        [Keyset.rule(0x01), FieldRule(0x02, .exact(1)), FieldRule(0x03, .exact(32)), FieldRule(0x04, .text(most: 32))])

    package let signed: Signed
    package let keyset: Keyset
    package let nextCommit: KeysetCommit
    package let label: String
    private let hash: Octets32

    package init(parsing bytes: [UInt8]) throws(Malformed) {
        let signed = try Signed(parsing: bytes)
        let object = try CanonicalObject(parsing: signed, schema: Self.schema)
        keyset = try Keyset(
            parsing: object.bytes(0x01)[...], threshold: object.u8(0x02), tags: (keys: 0x01, threshold: 0x02))
        nextCommit = object.octets(0x03)
        label = object.text(0x04)
        hash = signed.hash(.request)
        self.signed = signed
    }

    /// `keys`: all of them are at hand. `label`: 1 to 32 bytes of canonical text.
    package static func make(
        _ keys: AuthorityKeys, label: String
    ) throws(Malformed) -> AuthorityRequest {
        precondition(keys.current.isWhole, "a request is signed by every key")
        let body = body(keys.current.keyset, promising: keys.next.keyset.commit, label: label)
        return try AuthorityRequest(
            parsing: Signed(
                body, type: .object(.authorityRequest), mesh: keys.mesh, keys: keys.current.keys
            ).bytes)
    }

    private static func body(_ keyset: Keyset, promising next: KeysetCommit, label: String) -> [UInt8] {
        var writer = CanonicalWriter(.authorityRequest)
        writer.field(0x01, bytes: keyset.bytes)
        writer.field(0x02, u8: UInt8(keyset.threshold))
        writer.field(0x03, next)
        writer.field(0x04, text: label)
        return writer.bytes
    }

    package var authority: AuthorityID { keyset.authorityID }

    /// Whether every key signed, and nobody else.
    package func verify(in mesh: MeshID) -> Bool {
        signed.signers(among: keyset.keys, type: .object(.authorityRequest), mesh: mesh)?.count == keyset.keys.count
    }

    /// 25 digits to be compared when the request travelled, as for a device.
    package var shortString: String { EnrolmentRequest.shortString(of: hash) }

    /// The same digits, of the certificate that answers a request: all that was asked stands in it.
    package static func shortString(of content: AuthorityCertificate.Content) -> String {
        let body = body(content.keyset, promising: content.nextCommit, label: content.label)
        return EnrolmentRequest.shortString(of: Blake2b.hash(body.span.bytes, personal: .request))
    }
}

/// What a parent lets an authority do.
package struct Mandate: Sendable {
    package var grantable: Capabilities
    /// Empty: all that the parent has.
    package var zones: [UInt8]
    package var mostDevices: UInt16
    /// Longest life of a device's certificate.
    package var mostDays: UInt16
    /// Levels of authorities that may stand below it: 0 enrols devices only.
    package var depth: UInt8
    /// Days that the authority's own certificate is good for.
    package var days: UInt16

    package init(
        grantable: Capabilities = .all, zones: [UInt8] = [], mostDevices: UInt16 = 500, mostDays: UInt16 = 400,
        depth: UInt8 = 0, days: UInt16 = 730
    ) {
        self.grantable = grantable
        self.zones = zones
        self.mostDevices = mostDevices
        self.mostDays = mostDays
        self.depth = depth
        self.days = days
    }
}

extension Authority {
    /// What the certificate of a new authority says. Nothing in it goes beyond what this authority may do itself: asked
    /// for more days, zones by "all" or rights by "all", it gives what it has.
    package func certificate(
        for request: AuthorityRequest, _ mandate: Mandate, _ membership: Membership, now: Minute
    ) throws(AuthorityRefusal) -> AuthorityCertificate.Content {
        guard let limits = membership.limits(of: keys.authority) else { throw .unknown }
        guard membership.logs[request.authority] == nil else { throw .alreadyEnrolled }
        let time = entryTime(membership, now)
        let grantable = mandate.grantable == .all ? limits.grantable : mandate.grantable
        // Of one key no two signatures can come: such rights would be no more than a promise.
        let given = request.keyset.keys.count >= 2 ? grantable : grantable.subtracting(.privileged)
        guard mandate.grantable == .all || given == grantable else { throw .void(.privilege) }
        return AuthorityCertificate.Content(
            parent: keys.authority, serial: nextAuthoritySerial(membership), keyset: request.keyset,
            depthLeft: mandate.depth, grantable: given, mostDays: min(mandate.mostDays, limits.mostDays),
            mostDevices: mandate.mostDevices, notBefore: time,
            notAfter: min(time.adding(Int64(mandate.days) * 1440), limits.notAfter),
            zones: mandate.zones.isEmpty ? limits.zones : mandate.zones, label: request.label,
            nextCommit: request.nextCommit)
    }

    /// The next certificate of an authority below: the same keys, rights and beginning, another end.
    ///
    /// It begins when the first one began, so that what was issued under that stays within it: old and new overlap, and
    /// no device loses its place on the day of the change.
    package func certificate(
        renewing authority: AuthorityID, days: UInt16, _ membership: Membership, now: Minute
    ) throws(AuthorityRefusal) -> AuthorityCertificate.Content {
        guard let limits = membership.limits(of: keys.authority) else { throw .unknown }
        guard
            let grant = membership.logs[authority]?.grants.filter({ $0.place.log == keys.authority }).max(by: {
                $0.certificate.content.serial < $1.certificate.content.serial
            })
        else { throw .notOurs }
        guard membership.dismissal(of: authority) == nil else { throw .dismissed }
        var content = grant.certificate.content
        content.serial = nextAuthoritySerial(membership)
        content.notAfter = min(entryTime(membership, now).adding(Int64(days) * 1440), limits.notAfter)
        return content
    }

    /// Signs a certificate for an authority into the log. `authority`: when its keyset is no longer the first one.
    package func add(
        _ content: AuthorityCertificate.Content, authority: AuthorityID? = nil, into membership: inout Membership,
        now: Minute
    ) throws(AuthorityRefusal) -> LogEntry {
        // The same way as with many officers, in one step.
        var record = SigningRecord()
        let draft = try draftAuthority(content, authority: authority, on: membership, now: now)
        guard keys.current.isSufficient else {
            throw .keys(here: keys.current.keys.count, needed: keys.current.threshold)
        }
        let signed: Draft
        do {
            signed = try cosign(draft, on: membership, record: &record, now: now)
        } catch .fault(let fault) {
            throw .void(fault)
        } catch .act(let refusal) {
            throw refusal
        } catch .malformed(let cause) {
            throw .malformed(cause)
        } catch {
            throw .unknown
        }
        guard case .entry(let entry) = try finish(signed, into: &membership) else {
            preconditionFailure("an authority is added by an entry")
        }
        return entry
    }

    private func nextAuthoritySerial(_ membership: Membership) -> UInt64 {
        let serials = membership.logs.values.flatMap { log in
            log.grants.filter { $0.place.log == keys.authority }.map(\.certificate.content.serial)
        }
        return (serials.max() ?? 0).addingReportingOverflow(1).partialValue
    }
}
