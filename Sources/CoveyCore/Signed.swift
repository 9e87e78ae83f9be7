package import CoveyCrypto

/// A body with its signatures, as received. Nothing is verified yet.
///
///     body_len u16 | body | nsig u8 | nsig × ( alg u8 | key_id[8] | sig[64] )
///
/// Signatures ascend by key hint without repeats (protocol.md §0.4).
package struct Signed: Sendable, Equatable {
    package struct Attestation: Sendable, Equatable {
        package let hint: KeyHint
        package let signature: Signature

        /// `alg u8 | key_id[8] | sig[64]`
        func append(to bytes: inout [UInt8]) {
            bytes.append(Signed.ed25519)
            bytes.append(hint)
            bytes.append(signature)
        }
    }

    package static let mostSignatures = 16
    private static let ed25519: UInt8 = 0x01
    private static let attestationSize = 73

    package let bytes: [UInt8]
    package let body: [UInt8]
    package let attestations: [Attestation]

    /// Takes exactly one signed object; anything after it is refused.
    package init(parsing bytes: [UInt8]) throws(Malformed) { try self.init(parsing: bytes, least: 1) }

    /// `least`: 0 for an object of a draft, which nobody may have signed yet.
    init(parsing bytes: [UInt8], least: Int) throws(Malformed) {
        guard bytes.count >= 3 else { throw .truncated }
        let size = Int(bytes[0]) << 8 | Int(bytes[1])
        guard bytes.count >= size + 3 else { throw .truncated }
        let count = Int(bytes[2 + size])
        guard (least...Self.mostSignatures).contains(count) else { throw .signatures }
        let expected = 3 + size + count * Self.attestationSize
        guard bytes.count >= expected else { throw .truncated }
        guard bytes.count == expected else { throw .trailing }
        var attestations: [Attestation] = []
        for start in stride(from: 3 + size, to: expected, by: Self.attestationSize) {
            guard bytes[start] == Self.ed25519 else { throw .signatures }
            guard let hint = KeyHint(bytes[start + 1..<start + 9]),
                let signature = Signature(bytes[start + 9..<start + 73])
            else { throw .truncated }
            if let last = attestations.last, last.hint >= hint { throw .signatures }
            attestations.append(Attestation(hint: hint, signature: signature))
        }
        self.bytes = bytes
        self.body = Array(bytes[2..<2 + size])
        self.attestations = attestations
    }

    /// Signs `body` with every key; the order of `keys` does not matter.
    package init(_ body: [UInt8], type: SignatureType, mesh: MeshID, keys: [SigningPrivateKey]) {
        precondition(!keys.isEmpty && keys.count <= Self.mostSignatures, "an object has 1 to 16 signers")
        let message = Self.message(body.span.bytes, type: type, mesh: mesh)
        let made = keys.map {
            Attestation(hint: KeyHint(of: $0.publicKey), signature: $0.sign(message.span.bytes))
        }
        self.init(body: body, attestations: made)
    }

    /// With the signatures that are there, in any order; none for an object of a draft that nobody signed yet.
    init(body: [UInt8], attestations: [Attestation]) {
        precondition(attestations.count <= Self.mostSignatures, "an object has at most 16 signers")
        let sorted = attestations.sorted { $0.hint < $1.hint }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(3 + body.count + sorted.count * Self.attestationSize)
        bytes.append(u16: UInt16(body.count))
        bytes += body
        bytes.append(UInt8(sorted.count))
        for attestation in sorted { attestation.append(to: &bytes) }
        self.bytes = bytes
        self.body = body
        self.attestations = sorted
    }

    /// With the signatures of these keys too; a key that signed already signs no second time.
    func adding(_ keys: [SigningPrivateKey], type: SignatureType, mesh: MeshID) -> Signed {
        let message = Self.message(body.span.bytes, type: type, mesh: mesh)
        let new = keys.filter { key in !attestations.contains { $0.hint == KeyHint(of: key.publicKey) } }
        return Signed(
            body: body,
            attestations: attestations
                + new.map { Attestation(hint: KeyHint(of: $0.publicKey), signature: $0.sign(message.span.bytes)) })
    }

    /// How many different keys of `keyset` signed. A signature by a stranger, or a wrong one, makes the object void: nil.
    ///
    /// Two hints never share a key here: the hint is a function of the key, and hints ascend.
    package func signers(
        among keyset: [SigningPublicKey], type: SignatureType, mesh: MeshID
    ) -> [SigningPublicKey]? {
        let message = Self.message(body.span.bytes, type: type, mesh: mesh)
        var found: [SigningPublicKey] = []
        for attestation in attestations {
            guard
                let key = keyset.first(where: {
                    KeyHint(of: $0) == attestation.hint && $0.verify(attestation.signature, over: message.span.bytes)
                }), !found.contains(key)
            else { return nil }
            found.append(key)
        }
        return found
    }

    /// `"covey1-sig" 0x00 | type u8 | mesh_id[32] | body`: a signature says what it is and where it counts.
    package static func message(_ body: RawSpan, type: SignatureType, mesh: MeshID) -> [UInt8] {
        var message: [UInt8] = []
        message.reserveCapacity(44 + body.byteCount)
        message += Array("covey1-sig".utf8)
        message.append(0)
        message.append(type.byte)
        message.append(mesh)
        message.append(copying: body)
        return message
    }
}

extension ObjectType {
    /// What a signed object says it is.
    package init(of signed: Signed) throws(Malformed) {
        guard signed.body.count >= 3 else { throw .truncated }
        guard let type = ObjectType(rawValue: signed.body[2]) else { throw .wrongType }
        self = type
    }
}

/// What a signature is about: an object's type, or one of the contexts that are not objects (appendix B).
package enum SignatureType: Sendable, Equatable {
    case object(ObjectType)
    case groupIntroduction
    case groupMessage
    case timeAttestation
    case wipeReceipt
    case lanBeacon
    case peerRecord

    package var byte: UInt8 {
        switch self {
        case .object(let type): type.rawValue
        case .groupIntroduction: 0xF0
        case .groupMessage: 0xF1
        case .timeAttestation: 0xF2
        case .wipeReceipt: 0xF3
        case .lanBeacon: 0xF4
        case .peerRecord: 0xF5
        }
    }
}
