package import CoveyCore
package import CoveyCrypto

/// A prekey bundle as received: well-formed, but anybody could have made it (protocol.md §4.1).
///
///     01 device_id 16 | 02 serial 8 | 03 bundle_seq 4 | 04 created 4 | 05 expires 4 | 06 spk_id 4 | 07 SPK 32
///     08 pq_id 4 | 09 ek 1184 | 0A heads digest 32 | 0B features 4
///
/// Only `verified` makes of it something a message can be sealed to.
package struct Bundle: Sendable, Equatable {
    package let device: DeviceID
    /// Of the certificate that was current when the bundle was made.
    package let serial: UInt64
    package let sequence: UInt32
    package let created: Minute
    /// Senders never use it later.
    package let expires: Minute
    package let signedPrekeyID: UInt32
    package let signedPrekey: AgreementPublicKey
    package let kemPrekeyID: UInt32
    package let kemPrekey: KEMPublicKey
    /// Of the owner's log heads (protocol.md, appendix C).
    package let headsDigest: Octets32
    package let features: UInt32
    package let hash: BundleHash
    package let signed: Signed

    private static let schema = ObjectSchema(
        .bundle,
        [
            FieldRule(0x01, .exact(16)), FieldRule(0x02, .exact(8)), FieldRule(0x03, .exact(4)),
            FieldRule(0x04, .exact(4)), FieldRule(0x05, .exact(4)), FieldRule(0x06, .exact(4)),
            FieldRule(0x07, .exact(32)), FieldRule(0x08, .exact(4)), FieldRule(0x09, .exact(KEMPublicKey.byteCount)),
            FieldRule(0x0A, .exact(32)), FieldRule(0x0B, .exact(4)),
        ])

    /// Takes exactly one Signed bundle with one signature.
    package init(parsing bytes: [UInt8]) throws(Malformed) {
        try self.init(Signed(parsing: bytes))
    }

    package init(_ signed: Signed) throws(Malformed) {
        guard signed.signatureCount == 1 else { throw .signatures }
        let object = try CanonicalObject(parsing: signed, schema: Self.schema)
        guard let kemPrekey = KEMPublicKey(object.bytes(0x09)) else { throw .width(0x09) }
        device = object.octets(0x01)
        serial = object.u64(0x02)
        sequence = object.u32(0x03)
        created = Minute(object.u32(0x04))
        expires = Minute(object.u32(0x05))
        signedPrekeyID = object.u32(0x06)
        signedPrekey = object.octets(0x07)
        kemPrekeyID = object.u32(0x08)
        self.kemPrekey = kemPrekey
        headsDigest = object.octets(0x0A)
        features = object.u32(0x0B)
        hash = Self.hash(of: signed)
        self.signed = signed
    }

    package static func hash(of signed: Signed) -> BundleHash { signed.hash(.bundle) }

    /// The bundle, once its owner's signature and every rule of protocol.md §4.1 hold.
    ///
    /// Cheap checks come first; the signature is what costs.
    /// - Parameter known: perhaps this very bundle, verified before in this process: then its signature is not again.
    package func verified(
        of owner: BundleOwner, mesh: MeshID, now: Minute, longestLife: Int64 = ConversationBounds.bundleLife,
        known: VerifiedBundle? = nil
    ) throws(BundleRefusal) -> VerifiedBundle {
        precondition(
            longestLife <= ConversationBounds.longestBundleLife, "policy may raise the life of a bundle to 30 days")
        guard device == owner.device else { throw .otherDevice }
        guard serial >= owner.serial else { throw .oldCertificate }
        guard serial == owner.serial else { throw .unknownCertificate }
        let life = Int64(expires.value) - Int64(created.value)
        guard life > 0, life <= longestLife else { throw .life }
        guard now < expires else { throw .expired }
        if let known, known.signing == owner.signing, known.mesh == mesh, known.bundle.signed == signed { return known }
        guard signed.signers(among: [owner.signing], type: .object(.bundle), mesh: mesh) != nil else {
            throw .signature
        }
        do {
            _ = try Self.probe.agree(with: signedPrekey)
        } catch {
            throw .smallOrder
        }
        return VerifiedBundle(bundle: self, signing: owner.signing, mesh: mesh)
    }

    /// Every X25519 private key is a multiple of 8, so any of them gives zero with a key of small order.
    private static let probe = AgreementPrivateKey(copying: [UInt8](repeating: 0x40, count: 32).span.bytes)
}

/// What a bundle is held against: a device of the log, with its current certificate.
package struct BundleOwner: Sendable {
    package let device: DeviceID
    package let serial: UInt64
    package let signing: SigningPublicKey

    package init(device: DeviceID, serial: UInt64, signing: SigningPublicKey) {
        self.device = device
        self.serial = serial
        self.signing = signing
    }

    /// The device of a certificate that the log made current.
    package init(_ certificate: DeviceCertificate) {
        self.init(device: certificate.device, serial: certificate.serial, signing: certificate.signing)
    }
}

/// Why a well-formed bundle is not used (protocol.md §7.2, 63).
package enum BundleRefusal: Error, Hashable, CaseIterable, Sendable {
    case otherDevice
    /// Of a certificate that a newer one has replaced.
    case oldCertificate
    /// Of a certificate that we do not have yet; it may be offered again after the log.
    case unknownCertificate
    /// Longer than policy allows, or not longer than nothing.
    case life
    case expired
    case signature
    /// X25519 with this prekey gives zero.
    case smallOrder
}

/// A bundle whose owner signed it and which keeps all rules.
///
/// An object, as the books of many nodes hold the same one: a copy of a book takes no copy of what is in it.
package final class VerifiedBundle: Sendable {
    package let bundle: Bundle
    /// SHA-256 of the KEM key: part of every transcript.
    let kemPrekeyHash: Octets32
    /// What the signature was verified with.
    fileprivate let signing: SigningPublicKey
    fileprivate let mesh: MeshID

    fileprivate init(bundle: Bundle, signing: SigningPublicKey, mesh: MeshID) {
        self.bundle = bundle
        self.signing = signing
        self.mesh = mesh
        kemPrekeyHash = SHA256.hash(bundle.kemPrekey.bytes.span.bytes)
    }

    /// Whether a message may be sealed to it: the time is right, and the owner has not got a newer certificate since.
    package func isUsable(now: Minute, serial: UInt64) -> Bool {
        now < bundle.expires && bundle.serial == serial
    }

    /// What this bundle is beside the one we hold of the same device. The highest sequence wins.
    package func standing(beside held: VerifiedBundle) -> BundleStanding {
        precondition(bundle.device == held.bundle.device, "only bundles of one device are compared")
        if bundle.sequence != held.bundle.sequence { return bundle.sequence > held.bundle.sequence ? .newer : .older }
        return bundle.hash == held.bundle.hash ? .known : .equivocation
    }
}

package enum BundleStanding: Hashable, Sendable {
    case newer
    case known
    case older
    /// Two bundles with one sequence: the device was cloned or rolled back. The pair is the proof (protocol.md §4.1).
    case equivocation
}

extension Bundle {
    /// A bundle of one's own. It is verified by having been made here.
    static func make(
        device: DeviceID, serial: UInt64, sequence: UInt32, created: Minute, signedPrekey: AgreementPublicKey,
        kemPrekey: KEMPublicKey, headsDigest: Octets32, life: Int64, signing: SigningPrivateKey, mesh: MeshID
    ) -> VerifiedBundle {
        var writer = CanonicalWriter(.bundle)
        writer.field(0x01, device)
        writer.field(0x02, u64: serial)
        writer.field(0x03, u32: sequence)
        writer.field(0x04, u32: created.value)
        writer.field(0x05, u32: created.adding(life).value)
        writer.field(0x06, u32: sequence)
        writer.field(0x07, signedPrekey)
        writer.field(0x08, u32: sequence)
        writer.field(0x09, bytes: kemPrekey.bytes)
        writer.field(0x0A, headsDigest)
        writer.field(0x0B, u32: 0)
        let signed = Signed(writer.bytes, type: .object(.bundle), mesh: mesh, keys: [signing])
        do {
            return VerifiedBundle(bundle: try Bundle(signed), signing: signing.publicKey, mesh: mesh)
        } catch {
            preconditionFailure("what the writer wrote keeps the schema")
        }
    }
}
