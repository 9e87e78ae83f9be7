package import CoveyCrypto

/// Enrolment over one TCP connection, between two who hold the same invitation (protocol.md §1.6 step 4).
///
///     device → desk    call      enc 32 | AEAD( len u16 | Signed request | zeros, 1200 in all ) 1216
///     desk → device    verdict   AEAD( 1 welcome follows, 2 refused: u8 | length of the welcome u32 ) 21
///                      welcome   AEAD( Welcome ) length + 16
///     device → desk    done      AEAD( nothing ) 16                                after the device has installed it
///
/// The call is HPKE mode_psk to the invitation's enrol_pk, psk = invite_secret, psk_id = invitation id, info =
/// "covey1-nearby" | mesh_id. The keys of the answers are exported from it (RFC 9180 §9.8): "answer" for the desk, with
/// nonces 0 and 1; "done" for the device, with nonce 0. Nothing on the wire is in the clear but a key made for this call,
/// and a desk says nothing before a call has opened.
package enum NearbyEnrolment {
    /// Bytes of a call; a desk reads no more before it knows who is there.
    package static let callSize = 32 + plainSize + 16
    package static let verdictSize = 5 + 16
    package static let doneSize = 16
    private static let plainSize = 1200

    package enum Verdict: Equatable, Sendable {
        /// A welcome of so many bytes follows; `sealedSize` is what it takes on the wire.
        case welcome(sealedSize: Int)
        case refused
    }

    private static func info(_ mesh: MeshID) -> [UInt8] { HKDF.bytes(of: DerivationLabel.nearby) + mesh.array }

    private static func psk(_ invitation: Invitation) -> HPKE.PreSharedKey {
        HPKE.PreSharedKey(key: invitation.secret.key, id: invitation.id.array)
    }

    private static func seal(_ bytes: [UInt8], _ number: UInt8, _ key: SymmetricKey) -> [UInt8] {
        ChaCha20Poly1305.seal(bytes.span.bytes, ad: RawSpan(), nonce: nonce(number), key: key)
    }

    private static func open(_ bytes: [UInt8], _ number: UInt8, _ key: SymmetricKey) throws(CryptoFailure) -> [UInt8] {
        try ChaCha20Poly1305.open(bytes.span.bytes, ad: RawSpan(), nonce: nonce(number), key: key)
    }

    private static func nonce(_ number: UInt8) -> Nonce12 {
        let bytes = [UInt8](repeating: 0, count: 11) + [number]
        return Nonce12(copying: bytes.span.bytes)
    }

    /// The side that wants to become a member.
    package struct Device: Sendable {
        /// What is sent first, made anew for each connection.
        package let call: [UInt8]
        private let answerKey: SymmetricKey
        private let doneKey: SymmetricKey

        /// - Throws: `.badPublicKey` when the invitation's key is of small order.
        package init(_ pending: PendingEnrolment, random: any RandomSource) throws(CryptoFailure) {
            let invitation = pending.invitation
            var sealer = try HPKE.Sealer(
                to: invitation.enrolKey, info: info(invitation.mesh), psk: psk(invitation), random: random)
            let request = pending.request.signed.bytes
            precondition(request.count + 2 <= plainSize, "a request has at most 1100 bytes")
            var plain: [UInt8] = []
            plain.append(u16: UInt16(request.count))
            plain += request
            plain += [UInt8](repeating: 0, count: plainSize - plain.count)
            var call: [UInt8] = []
            call.append(sealer.encapsulated)
            call += sealer.seal(plain.span.bytes, ad: RawSpan())
            self.call = call
            answerKey = sealer.export(context: Array("answer".utf8))
            doneKey = sealer.export(context: Array("done".utf8))
        }

        package func verdict(_ bytes: [UInt8]) throws -> Verdict {
            let plain = try open(bytes, 0, answerKey)
            var reader = ByteReader(plain.span.bytes)
            let word = try reader.u8()
            let length = Int(try reader.u32())
            try reader.end()
            switch word {
            case 1:
                guard length <= Welcome.mostBytes else { throw Malformed.oversized }
                return .welcome(sealedSize: length + 16)
            case 2: return .refused
            default: throw Malformed.value(word)
            }
        }

        /// The content of a welcome file; what it is worth is for `Welcome` to say.
        package func welcome(_ bytes: [UInt8]) throws(CryptoFailure) -> [UInt8] { try open(bytes, 1, answerKey) }

        /// Said once the welcome is installed.
        package var done: [UInt8] { seal([], 0, doneKey) }
    }

    /// The side of the authority, once a call has opened.
    package struct Desk: Sendable {
        /// Its form is checked, and that it comes from somebody with the invitation; the rest is for `verify`.
        package let request: EnrolmentRequest
        private let answerKey: SymmetricKey
        private let doneKey: SymmetricKey

        /// Nil when the caller does not hold this invitation: it gets no answer.
        package init?(taking call: [UInt8], of open: OpenInvitation) {
            let invitation = open.invitation
            guard call.count == callSize else { return nil }
            let bytes = call.span.bytes
            guard
                var opener = try? HPKE.Opener(
                    AgreementPublicKey(copying: bytes.extracting(first: 32)), with: open.enrolKey,
                    info: info(invitation.mesh), psk: psk(invitation)),
                let plain = try? opener.open(bytes.extracting(droppingFirst: 32), ad: RawSpan())
            else { return nil }
            var reader = ByteReader(plain.span.bytes)
            guard let length = try? reader.u16(), let request = try? reader.bytes(Int(length)),
                let parsed = try? EnrolmentRequest(parsing: request), parsed.invitation == invitation.id
            else { return nil }
            self.request = parsed
            answerKey = opener.export(context: Array("answer".utf8))
            doneKey = opener.export(context: Array("done".utf8))
        }

        package func answer(welcome: [UInt8]) -> [UInt8] {
            var verdict: [UInt8] = [1]
            verdict.append(u32: UInt32(welcome.count))
            return seal(verdict, 0, answerKey) + seal(welcome, 1, answerKey)
        }

        package var refusal: [UInt8] { seal([2, 0, 0, 0, 0], 0, answerKey) }

        /// Whether the device has installed the welcome.
        package func isDone(_ bytes: [UInt8]) -> Bool { (try? open(bytes, 0, doneKey)) == [] }
    }
}
