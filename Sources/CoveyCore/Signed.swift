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

    /// All there is of it: what stands in them is read when it is asked for.
    package let bytes: [UInt8]

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
        self.bytes = bytes
        var last: KeyHint?
        for index in 0..<count {
            guard bytes[3 + size + index * Self.attestationSize] == Self.ed25519 else { throw .signatures }
            let hint = attestation(index).hint
            if let last, last >= hint { throw .signatures }
            last = hint
        }
    }

    /// Where the body stands in `bytes`.
    var bodyRange: Range<Int> { 2..<2 + (Int(bytes[0]) << 8 | Int(bytes[1])) }

    /// A copy of what was signed.
    package var body: [UInt8] { Array(bytes[bodyRange]) }

    package var signatureCount: Int { Int(bytes[bodyRange.upperBound]) }

    package var attestations: [Attestation] { (0..<signatureCount).map(attestation) }

    private func attestation(_ index: Int) -> Attestation {
        let start = bodyRange.upperBound + 1 + index * Self.attestationSize
        let span = bytes.span.bytes
        return Attestation(
            hint: KeyHint(copying: span.extracting(start + 1..<start + 9)),
            signature: Signature(copying: span.extracting(start + 9..<start + Self.attestationSize)))
    }

    /// Of the body, whoever signed it.
    package func hash<Digest: FixedOctets>(_ personal: Personal, as: Digest.Type = Digest.self) -> Digest {
        Blake2b.hash(bytes.span.bytes.extracting(bodyRange), personal: personal)
    }

    private func message(_ type: SignatureType, _ mesh: MeshID) -> [UInt8] {
        Self.message(bytes.span.bytes.extracting(bodyRange), type: type, mesh: mesh)
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
    }

    /// With the signatures of these keys too; a key that signed already, or is given twice, signs once.
    /// What somebody else made may hold as many as there can be.
    package func adding(
        _ keys: [SigningPrivateKey], type: SignatureType, mesh: MeshID
    ) throws(Malformed) -> Signed {
        let message = message(type, mesh)
        var all = attestations
        for key in keys {
            let hint = KeyHint(of: key.publicKey)
            guard !all.contains(where: { $0.hint == hint }) else { continue }
            all.append(Attestation(hint: hint, signature: key.sign(message.span.bytes)))
        }
        guard all.count <= Self.mostSignatures else { throw .signatures }
        return Signed(body: body, attestations: all)
    }

    /// How many different keys of `keyset` signed. A signature by a stranger, or a wrong one, makes the object void: nil.
    ///
    /// Two hints never share a key here: the hint is a function of the key, and hints ascend.
    package func signers(
        among keys: [SigningPublicKey], type: SignatureType, mesh: MeshID
    ) -> [SigningPublicKey]? {
        signers(among: keys, hinted: keys.map { KeyHint(of: $0) }, type: type, mesh: mesh)
    }

    /// - Parameter hints: of the keys, in their order.
    func signers(
        among keys: [SigningPublicKey], hinted hints: [KeyHint], type: SignatureType, mesh: MeshID
    ) -> [SigningPublicKey]? {
        let message = message(type, mesh)
        var found: [SigningPublicKey] = []
        for index in 0..<signatureCount {
            let attestation = attestation(index)
            let signer = keys.indices.first {
                hints[$0] == attestation.hint && keys[$0].verify(attestation.signature, over: message.span.bytes)
            }
            guard let signer, !found.contains(keys[signer]) else { return nil }
            found.append(keys[signer])
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
        guard signed.bodyRange.count >= 3 else { throw .truncated }
        guard let type = ObjectType(rawValue: signed.bytes[signed.bodyRange.lowerBound + 2]) else { throw .wrongType }
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
