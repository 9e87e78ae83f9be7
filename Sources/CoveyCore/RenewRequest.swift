package import CoveyCrypto

/// BLAKE2b-256 of a RenewReq's body.
package struct RenewHash: FixedOctets {
    private var octets = Octets32()
    package init() {}
}

/// A device asks for its next certificate (0x06, protocol.md §1.6). Parsed, not verified.
///
///     01 device_id 16 · 02 serial 8 · 03 nonce 16
///
/// The serial is that of the certificate it has. One signature, by its SIG: its keys stay, so that is all the proof
/// there is to give.
package struct RenewRequest: Sendable, Equatable {
    private static let schema = ObjectSchema(
        .renewRequest, most: 512,
        [FieldRule(0x01, .exact(16)), FieldRule(0x02, .exact(8)), FieldRule(0x03, .exact(16))])

    package let signed: Signed
    /// Appendix B has no label for it. It lies among the notes and is named as they are; the type in its body tells the
    /// two apart.
    package let hash: RenewHash
    package let device: DeviceID
    package let serial: UInt64

    package init(parsing signed: Signed) throws(Malformed) {
        let object = try CanonicalObject(parsing: signed, schema: Self.schema)
        device = object.octets(0x01)
        serial = object.u64(0x02)
        hash = signed.hash(.note)
        self.signed = signed
    }

    package static func make(
        of device: DeviceID, serial: UInt64, mesh: MeshID, key: SigningPrivateKey, random: any RandomSource
    ) -> RenewRequest {
        var writer = CanonicalWriter(.renewRequest)
        writer.field(0x01, device)
        writer.field(0x02, u64: serial)
        writer.field(0x03, Octets16.random(from: random))
        let signed = Signed(writer.bytes, type: .object(.renewRequest), mesh: mesh, keys: [key])
        guard let request = try? RenewRequest(parsing: signed) else {
            preconditionFailure("what we write, we can read")
        }
        return request
    }

    /// Whether the device of a certificate asks for the one after it.
    package func asksToFollow(_ certificate: DeviceCertificate, in mesh: MeshID) -> Bool {
        device == certificate.device && serial == certificate.serial && signed.signatureCount == 1
            && signed.signers(among: [certificate.signing], type: .object(.renewRequest), mesh: mesh) != nil
    }
}

extension DeviceCertificate {
    private var life: Int64 { Int64(notAfter.value) - Int64(notBefore.value) }

    /// When its device asks for the next one: with a third of the life left (protocol.md §1.6), or up to a tenth of that
    /// third later. The certificate says how much later, so that a fleet enrolled in one hour does not ask in one.
    package var renewalDue: Minute {
        let spread = life / 30
        let word = hash.array.prefix(4).reduce(0) { $0 << 8 | Int64($1) }
        return lastThird.adding(word % (spread + 1))
    }

    /// From when on the issuer answers.
    package var lastThird: Minute { notAfter.adding(-(life / 3)) }

    /// From when on any authority answers, as the issuer did not: with a sixth of the life left.
    package var lastSixth: Minute { notAfter.adding(-(life / 6)) }

    /// Until when a request to follow it is kept and answered.
    package var renewalEnds: Minute { notAfter.adding(Self.renewableAfter) }

    /// Minutes after its end in which a certificate can still be renewed without a word from its holder.
    package static let renewableAfter: Int64 = 30 * 1440
}
