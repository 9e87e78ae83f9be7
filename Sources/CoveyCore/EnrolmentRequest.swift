package import CoveyCrypto

/// A device asks to be enrolled (CSR, protocol.md §1.6). Parsed, its form checked, nothing verified yet.
///
///     CE 0x03    01 invitation id 16 · 02 SIG 32 · 03 LNK 32 · 04 MSG 32 · 05 label text · 06 build hash 32
///                07 nonce 16 · 08 mac_lnk 32 · 09 mac_msg 32 · 0A mac_inv 32 · 0B WK 32 · 0C? supersedes 16
///                80? consent 1, always 1: the holder agrees that the organisation may lock or erase the device
///
///     mac = HMAC-SHA-256(key, "covey1-pop" | tag u8 | body through tag 07)
///     keys: X25519(LNK, enrol_pk), X25519(MSG, enrol_pk), invite_secret
///
/// Signed by its own SIG: that the X25519 keys are held is what the first two codes show, that the request comes from
/// the person who was invited is what the third shows.
package struct EnrolmentRequest: Sendable {
    private static let schema = ObjectSchema(
        .request, most: 1024,
        [
            FieldRule(0x01, .exact(16)), FieldRule(0x02, .exact(32)), FieldRule(0x03, .exact(32)),
            FieldRule(0x04, .exact(32)), FieldRule(0x05, .text(most: Invitation.longestLabel)),
            FieldRule(0x06, .exact(32)), FieldRule(0x07, .exact(16)), FieldRule(0x08, .exact(32)),
            FieldRule(0x09, .exact(32)), FieldRule(0x0A, .exact(32)), FieldRule(0x0B, .exact(32)),
            FieldRule(0x0C, .exact(16), required: false), FieldRule(0x80, .exact(1), required: false),
        ])

    package let signed: Signed
    package let invitation: InvitationID
    package let signing: SigningPublicKey
    package let link: AgreementPublicKey
    package let message: AgreementPublicKey
    package let label: String
    package let buildHash: Octets32
    package let welcomeKey: AgreementPublicKey
    package let supersedes: DeviceID?
    /// The holder was told what ORG_OWNED means, and agreed (protocol.md §6).
    package let agreesToOrders: Bool
    /// `BLAKE2b-256(body; "covey1:csr")`.
    package let hash: Octets32

    fileprivate let proven: [UInt8]
    fileprivate let linkProof: Octets32
    fileprivate let messageProof: Octets32
    fileprivate let inviteProof: Octets32

    package init(parsing bytes: [UInt8]) throws(Malformed) {
        try self.init(Signed(parsing: bytes))
    }

    fileprivate init(_ signed: Signed) throws(Malformed) {
        let object = try CanonicalObject(parsing: signed, schema: Self.schema)
        guard let nonce = object[0x07] else { throw .missing(0x07) }
        self.signed = signed
        invitation = object.octets(0x01)
        signing = object.octets(0x02)
        link = object.octets(0x03)
        message = object.octets(0x04)
        label = object.text(0x05)
        buildHash = object.octets(0x06)
        linkProof = object.octets(0x08)
        messageProof = object.octets(0x09)
        inviteProof = object.octets(0x0A)
        welcomeKey = object.octets(0x0B)
        supersedes = object.has(0x0C) ? object.octets(0x0C) : nil
        agreesToOrders = object.has(0x80)
        guard !object.has(0x80) || object.u8(0x80) == 1 else { throw .value(0x80) }
        hash = signed.hash(.request)
        proven = Array(signed.bytes[signed.bodyRange.lowerBound..<nonce.endIndex])
    }

    package func deviceHash(in mesh: MeshID) -> DeviceHash {
        DeviceHash(mesh: mesh, signing: signing, link: link, message: message)
    }

    /// 25 digits of the hash, in five groups, to be read out and compared when the request travelled.
    ///
    /// A group is five bytes of the hash as a big-endian number, modulo 100000.
    package var shortString: String { Self.shortString(of: hash) }

    package static func shortString(of hash: Octets32) -> String {
        let bytes = hash.array
        let groups = stride(from: 0, to: 25, by: 5).map { start in
            let digits = String(bytes[start..<start + 5].reduce(UInt64(0)) { $0 << 8 | UInt64($1) } % 100_000)
            return String(repeating: "0", count: 5 - digits.utf8.count) + digits
        }
        return groups.joined(separator: " ")
    }

    fileprivate static func proof(_ tag: UInt8, of proven: [UInt8], key: SymmetricKey) -> Octets32 {
        var mac = HMACSHA256(key: key)
        let prefix = Array("covey1-pop".utf8)
        mac.update(prefix.span.bytes)
        mac.update(tag)
        mac.update(proven.span.bytes)
        return mac.finish()
    }
}

/// A device between its request and the Welcome: its keys, the invitation, and the key the Welcome is sealed to.
package struct PendingEnrolment: Sendable {
    package let identity: DeviceIdentity
    package let invitation: Invitation
    package let request: EnrolmentRequest
    package let welcomeKey: AgreementPrivateKey

    /// Makes keys and the request for them.
    /// - Throws: `.badPublicKey` when the invitation's key is of small order.
    package init(
        accepting invitation: Invitation, buildHash: Octets32, supersedes: DeviceID? = nil,
        agreesToOrders: Bool = false, random: any RandomSource
    ) throws(CryptoFailure) {
        let identity = DeviceIdentity(mesh: invitation.mesh, random: random)
        let welcomeKey = AgreementPrivateKey(from: random)
        var writer = CanonicalWriter(.request)
        writer.field(0x01, invitation.id)
        writer.field(0x02, identity.signing.publicKey)
        writer.field(0x03, identity.link.publicKey)
        writer.field(0x04, identity.message.publicKey)
        writer.field(0x05, text: invitation.label)
        writer.field(0x06, buildHash)
        writer.field(0x07, Octets16.random(from: random))
        let proven = writer.bytes
        let linkKey = try identity.link.agree(with: invitation.enrolKey)
        let messageKey = try identity.message.agree(with: invitation.enrolKey)
        writer.field(0x08, EnrolmentRequest.proof(0x08, of: proven, key: linkKey))
        writer.field(0x09, EnrolmentRequest.proof(0x09, of: proven, key: messageKey))
        writer.field(0x0A, EnrolmentRequest.proof(0x0A, of: proven, key: invitation.secret.key))
        writer.field(0x0B, welcomeKey.publicKey)
        if let supersedes { writer.field(0x0C, supersedes) }
        if agreesToOrders { writer.field(0x80, u8: 1) }
        let signed = Signed(
            writer.bytes, type: .object(.request), mesh: invitation.mesh, keys: [identity.signing])
        guard let request = try? EnrolmentRequest(signed) else {
            preconditionFailure("a request of one's own has the form of one")
        }
        self.identity = identity
        self.invitation = invitation
        self.request = request
        self.welcomeKey = welcomeKey
    }

    /// For a file kept until the Welcome arrives, mode 0600. Wipe them once they are written.
    ///
    ///     identity 129 | WK private 32 | invitation length u16 | invitation | request, to the end
    package var bytes: [UInt8] {
        var identity = identity.bytes
        var invitation = invitation.bytes
        var bytes: [UInt8] = []
        bytes.reserveCapacity(identity.count + 34 + invitation.count + request.signed.bytes.count)
        bytes += identity
        welcomeKey.exposing { bytes.append(copying: $0) }
        bytes.append(u16: UInt16(invitation.count))
        bytes += invitation
        bytes += request.signed.bytes
        identity.wipe()
        invitation.wipe()
        return bytes
    }

    package init(parsing bytes: RawSpan) throws(Malformed) {
        var reader = ByteReader(bytes)
        identity = try DeviceIdentity(parsing: try reader.span(DeviceIdentity.byteCount))
        welcomeKey = AgreementPrivateKey(copying: try reader.span(AgreementPrivateKey.byteCount))
        invitation = try Invitation(parsing: try reader.bytes(Int(try reader.u16())))
        request = try EnrolmentRequest(parsing: try reader.bytes(reader.remaining))
    }
}

/// Why an authority does not enrol a device.
package enum RequestRefusal: Error, Equatable, CaseIterable, Sendable, CustomStringConvertible {
    case otherInvitation
    case expired
    case label
    /// An X25519 key in a form that is not its own, of small order, or used twice.
    case key
    case signature
    case invitationProof
    case possession

    package var description: String {
        switch self {
        case .otherInvitation: "The request answers another invitation."
        case .expired: "The invitation has expired; make a new one."
        case .label: "The request asks for another name than the invitation gives."
        case .key: "The request holds a key that must not be certified."
        case .signature: "The request is not signed by its own key."
        case .invitationProof: "The request was made by somebody who does not know the invitation's secret."
        case .possession: "The request holds a key that its sender does not have."
        }
    }
}

/// A request that came from the invited person and from the holder of all its keys.
package struct VerifiedRequest: Sendable {
    package let request: EnrolmentRequest
    package let mesh: MeshID
    package let deviceHash: DeviceHash
    /// What the Welcome is bound to, besides the request.
    let secret: InviteSecret
}

/// The authority's half of an invitation. Kept from the day it is made until it is used up.
///
/// The rule is one invitation, one device. A counted one is for a box of devices that one person enrols: each of its
/// requests counts as one use, and what one device was given is sealed to that device alone. Uses are claimed by device
/// before anything is signed, so that neither a repeated command nor a draft that takes days spends one twice.
package struct OpenInvitation: Sendable {
    /// Devices that one invitation may enrol.
    package static let mostUses = 64

    package let invitation: Invitation
    package let uses: Int
    /// Devices that claimed a use, in order.
    package private(set) var claims: [DeviceID] = []
    let enrolKey: AgreementPrivateKey

    /// - Parameters:
    ///   - label: what the device will be called: 1 to 32 bytes of canonical text.
    ///   - expires: at most 7 days after `now`.
    ///   - uses: 1 to 64.
    package init(
        mesh: MeshID, authority: AuthorityID, label: String, manifest: Octets32? = nil, now: Minute,
        expires: Minute, uses: Int = 1, asksConsent: Bool = false, random: any RandomSource
    ) {
        let bytes = Array(label.utf8)
        precondition(
            (1...Invitation.longestLabel).contains(bytes.count) && CanonicalText.isValid(bytes[...]),
            "a label has 1 to 32 bytes of canonical text")
        precondition(
            expires <= now.adding(Invitation.longest), "an invitation is open for at most seven days")
        precondition((1...Self.mostUses).contains(uses), "an invitation has 1 to 64 uses")
        self.uses = uses
        enrolKey = AgreementPrivateKey(from: random)
        invitation = Invitation(
            mesh: mesh, authority: authority, enrolKey: enrolKey.publicKey, secret: InviteSecret(from: random),
            expires: expires, label: label, manifest: manifest, asksConsent: asksConsent)
    }

    package var id: InvitationID { invitation.id }

    /// Whether every use is claimed.
    package var isSpent: Bool { claims.count >= uses }

    /// Claims a use for a device: its number from 1, the same one however often it asks; nil when all are claimed. To be
    /// kept before anything is signed for the device.
    package mutating func claim(_ device: DeviceID) -> Int? {
        if let at = claims.firstIndex(of: device) { return at + 1 }
        guard !isSpent else { return nil }
        claims.append(device)
        return claims.count
    }

    /// Everything that shows whose keys these are. That an invitation is used no more often than it says is `claim`'s,
    /// and the caller's, who keeps it.
    package func verify(_ request: EnrolmentRequest, now: Minute) throws(RequestRefusal) -> VerifiedRequest {
        guard request.invitation == id else { throw .otherInvitation }
        guard !invitation.isExpired(now: now) else { throw .expired }
        guard
            equalInConstantTime(
                EnrolmentRequest.proof(0x0A, of: request.proven, key: invitation.secret.key), request.inviteProof)
        else { throw .invitationProof }
        let signers = request.signed.signers(
            among: [request.signing], type: .object(.request), mesh: invitation.mesh)
        guard signers == [request.signing] else { throw .signature }
        guard request.label == invitation.label else { throw .label }
        let keys = [request.link, request.message, request.welcomeKey]
        guard keys.allSatisfy(\.isCanonical), Set(keys).count == keys.count else { throw .key }
        try prove(request.linkProof, tag: 0x08, key: request.link, request)
        try prove(request.messageProof, tag: 0x09, key: request.message, request)
        return VerifiedRequest(
            request: request, mesh: invitation.mesh, deviceHash: request.deviceHash(in: invitation.mesh),
            secret: invitation.secret)
    }

    private func prove(
        _ proof: Octets32, tag: UInt8, key: AgreementPublicKey, _ request: EnrolmentRequest
    ) throws(RequestRefusal) {
        guard let shared = try? enrolKey.agree(with: key) else { throw .key }
        guard equalInConstantTime(EnrolmentRequest.proof(tag, of: request.proven, key: shared), proof) else {
            throw .possession
        }
    }

    private static let single: UInt8 = 1
    private static let counted: UInt8 = 2

    /// For a file in the authority's directory, mode 0600. Wipe them once they are written.
    ///
    ///     version 1 | enrol private key 32 | invitation                                         one use, not claimed
    ///     version 2 | uses u8 | n u8 | n × device_id 16 | enrol private key 32 | invitation
    package var bytes: [UInt8] {
        var invitation = invitation.bytes
        var bytes: [UInt8] = []
        bytes.reserveCapacity(35 + 16 * claims.count + invitation.count)
        if uses == 1, claims.isEmpty {
            bytes.append(Self.single)
        } else {
            bytes.append(Self.counted)
            bytes.append(UInt8(uses))
            bytes.append(UInt8(claims.count))
            for device in claims { bytes.append(device) }
        }
        enrolKey.exposing { bytes.append(copying: $0) }
        bytes += invitation
        invitation.wipe()
        return bytes
    }

    package init(parsing bytes: RawSpan) throws(Malformed) {
        var reader = ByteReader(bytes)
        let version = try reader.u8()
        switch version {
        case Self.single: uses = 1
        case Self.counted:
            uses = Int(try reader.u8())
            let count = Int(try reader.u8())
            guard (1...Self.mostUses).contains(uses), count <= uses, uses > 1 || count > 0 else { throw .value(0) }
            for _ in 0..<count { claims.append(try reader.octets()) }
        default: throw .unknownVersion(version)
        }
        enrolKey = AgreementPrivateKey(copying: try reader.span(32))
        invitation = try Invitation(parsing: try reader.bytes(reader.remaining))
        // Two halves of different invitations would refuse everybody without saying why.
        guard invitation.enrolKey == enrolKey.publicKey else { throw .value(0x03) }
    }
}
