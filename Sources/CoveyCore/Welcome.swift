package import CoveyCrypto

/// Why a device does not install a Welcome.
package enum WelcomeRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    case tooLarge
    case malformed(Malformed)
    /// Another request's, altered, or sealed by somebody who does not know the invitation's secret.
    case seal
    /// The genesis is not the one that the invitation names, or not all root keys signed it.
    case genesis
    /// The log does not hold this device's certificate.
    case notEnrolled
    /// An epoch key that no announcement in the log commits to.
    case epoch(EntryID)
    case entry(EntryID, EntryRefusal)
    /// An entry whose predecessor does not stand before it.
    case gap(EntryID)
    case note(NoteHash, NoteRefusal)
    /// The log revokes the device that it enrols.
    case revoked

    package var description: String {
        switch self {
        case .tooLarge: "The welcome is larger than 48 MiB: the log has outgrown it."
        case .malformed(.unknownVersion), .malformed(.unknownCritical): "\(CoveyFileError.newerVersion)"
        case .malformed(let cause): "The welcome is damaged (\(cause)); ask the authority for it again."
        case .seal:
            "The welcome was not made for this device's request, or was cut off or altered on its way; copy it again, or ask the authority for it."
        case .genesis: "The welcome is of another mesh than the invitation."
        case .notEnrolled: "The welcome's log does not hold this device's certificate."
        case .epoch: "The welcome holds a network key that its log does not announce."
        case .entry(let id, let cause): "The welcome's log is not valid at entry \(id.hex.prefix(8)): \(cause)."
        case .gap(let id): "The welcome's log has a gap before entry \(id.hex.prefix(8))."
        case .note(let hash, let cause): "The welcome's revocation \(hash.hex.prefix(8)) is not valid: \(cause)."
        case .revoked: "This device has been revoked; it needs new keys and a new invitation."
        }
    }
}

/// What a new member is given: the whole past of the mesh and the keys of its present (protocol.md §1.6).
///
///     0x63 0x31 0x0A 0x01 | enc 32 | ciphertext | tag 16              at most 48 MiB
///
/// Sealed by HPKE mode_psk to the request's WK: psk = invite_secret, psk_id = SHA-256 of the whole signed request, info =
/// hash of the request, associated data = the four bytes of the head. The plaintext is
///
///     genesis   len u32 | Signed
///     log       n u32 | n × ( len u32 | Signed )      in the order in which entries can be accepted
///     notes     n u32 | n × ( len u32 | Signed )
///     epochs    n u32 | n × ( entry id 32 | K_e 32 )  n ≤ 32
///     bundles   n u32 | n × ( len u32 | Signed )
///
/// A field of the canonical encoding ends at 65535 bytes, so this object has a head and no fields.
package struct Welcome: Sendable {
    package struct Epoch: Sendable {
        /// The EpochAnnounce that commits to the key.
        package let entry: EntryID
        package let key: EpochKey

        package init(entry: EntryID, key: EpochKey) {
            self.entry = entry
            self.key = key
        }
    }

    /// Bytes, sealed: the log of 5,000 devices over five years, and small enough for a file that commands read.
    package static let mostBytes = 48 << 20
    /// Epochs held at once (protocol.md §1.10).
    package static let mostEpochs = 32
    private static let head: [UInt8] = [0x63, 0x31, ObjectType.welcome.rawValue, 1]

    package let genesis: Genesis
    package let log: [LogEntry]
    package let notes: [RevokeNote]
    package let epochs: [Epoch]
    /// Prekey bundles, not looked into here.
    package let bundles: [Signed]

    package init(
        genesis: Genesis, log: [LogEntry], notes: [RevokeNote], epochs: [Epoch], bundles: [Signed]
    ) {
        precondition(epochs.count <= Self.mostEpochs, "a welcome hands over at most 32 epochs")
        self.genesis = genesis
        self.log = log
        self.notes = notes
        self.epochs = epochs
        self.bundles = bundles
    }

    /// - Throws: `.tooLarge` when the log has outgrown a Welcome; give it fewer bundles, or the log by another way.
    package func sealed(
        for request: VerifiedRequest, random: any RandomSource
    ) throws(WelcomeRefusal) -> [UInt8] {
        var plaintext = plaintext
        defer { plaintext.wipe() }
        guard Self.head.count + 32 + plaintext.count + 16 <= Self.mostBytes else { throw .tooLarge }
        let sealed: (encapsulated: AgreementPublicKey, ciphertext: [UInt8])
        do {
            sealed = try HPKE.seal(
                plaintext.span.bytes, ad: Self.head.span.bytes, to: request.request.welcomeKey,
                info: request.request.hash.array, psk: Self.psk(request.secret, request.request), random: random)
        } catch {
            throw .seal
        }
        var bytes = Self.head
        bytes.reserveCapacity(Self.head.count + 32 + sealed.ciphertext.count)
        bytes.append(sealed.encapsulated)
        bytes += sealed.ciphertext
        return bytes
    }

    /// Opens a Welcome and checks what needs no judgement about the log: that it is of the invitation's mesh, that it
    /// holds this device's certificate, and that every epoch key is one that an entry commits to. The log itself, and
    /// with it the certificate, is for the membership to verify.
    package init(opening bytes: [UInt8], of pending: PendingEnrolment) throws(WelcomeRefusal) {
        guard bytes.count <= Self.mostBytes else { throw .tooLarge }
        guard bytes.count >= Self.head.count + 32 + 16 else { throw .malformed(.truncated) }
        guard bytes[0] == 0x63, bytes[1] == 0x31 else { throw .malformed(.notAnObject) }
        guard bytes[2] == Self.head[2] else { throw .malformed(.wrongType) }
        guard bytes[3] == Self.head[3] else { throw .malformed(.unknownVersion(bytes[3])) }
        let whole = bytes.span.bytes
        var plaintext: [UInt8]
        do {
            plaintext = try HPKE.open(
                whole.extracting(droppingFirst: 36), ad: whole.extracting(first: 4),
                encapsulated: AgreementPublicKey(copying: whole.extracting(4..<36)), with: pending.welcomeKey,
                info: pending.request.hash.array, psk: Self.psk(pending.invitation.secret, pending.request))
        } catch {
            throw .seal
        }
        defer { plaintext.wipe() }
        do {
            self = try Self(plaintext: plaintext.span.bytes, mesh: pending.invitation.mesh)
        } catch let refusal as WelcomeRefusal {
            throw refusal
        } catch let cause as Malformed {
            throw .malformed(cause)
        } catch {
            preconditionFailure("a Welcome is refused, malformed or taken")
        }
        guard certificate(of: pending.identity.hash) != nil else { throw .notEnrolled }
    }

    /// The newest certificate in the log for these keys. What it is worth is for the membership to say.
    package func certificate(of device: DeviceHash) -> DeviceCertificate? {
        for entry in log.reversed() {
            guard case .certIssue(let certificates) = entry.payload else { continue }
            if let found = certificates.last(where: { $0.deviceHash == device }) { return found }
        }
        return nil
    }

    /// Verifies the log, entry by entry, and with it the device's certificate: trust comes from what the root signed, not
    /// from who sealed the welcome (protocol.md §1.6 step 5). What this returns is the state the device starts from.
    package func membership(of pending: PendingEnrolment) throws(WelcomeRefusal) -> Membership {
        var membership = Membership(genesis: genesis)
        for entry in log {
            let outcome: EntryOutcome
            do {
                outcome = try membership.accept(entry.signed)
            } catch {
                throw .entry(entry.id, error)
            }
            switch outcome {
            case .accepted, .known: continue
            case .held where membership.lacksKnownSigners(entry): throw .entry(entry.id, .signatures)
            case .held: throw .gap(entry.id)
            }
        }
        for note in notes {
            do { _ = try membership.accept(note: note.signed) } catch { throw .note(note.hash, error) }
        }
        let device = pending.identity.id
        guard membership.currentCertificate(device)?.deviceHash == pending.identity.hash else { throw .notEnrolled }
        guard !membership.isRevoked(device) else { throw .revoked }
        for epoch in epochs {
            guard membership.isKey(epoch.key.commit, of: epoch.entry) else { throw .epoch(epoch.entry) }
        }
        return membership
    }

    private static func psk(_ secret: InviteSecret, _ request: EnrolmentRequest) -> HPKE.PreSharedKey {
        HPKE.PreSharedKey(key: secret.key, id: SHA256.hash(request.signed.bytes.span.bytes).array)
    }

    private var plaintext: [UInt8] {
        var size = 5 * 4 + genesis.signed.bytes.count + epochs.count * 64
        for entry in log { size += 4 + entry.signed.bytes.count }
        for note in notes { size += 4 + note.signed.bytes.count }
        for bundle in bundles { size += 4 + bundle.bytes.count }
        var bytes: [UInt8] = []
        // All the room from the start: an array that grows leaves its secrets behind in the old place.
        bytes.reserveCapacity(size)
        func append(_ signed: Signed) {
            bytes.append(u32: UInt32(signed.bytes.count))
            bytes += signed.bytes
        }
        append(genesis.signed)
        bytes.append(u32: UInt32(log.count))
        for entry in log { append(entry.signed) }
        bytes.append(u32: UInt32(notes.count))
        for note in notes { append(note.signed) }
        bytes.append(u32: UInt32(epochs.count))
        for epoch in epochs {
            bytes.append(epoch.entry)
            epoch.key.exposing { bytes.append(copying: $0) }
        }
        bytes.append(u32: UInt32(bundles.count))
        for bundle in bundles { append(bundle) }
        return bytes
    }

    private init(plaintext: RawSpan, mesh: MeshID) throws {
        var reader = ByteReader(plaintext)
        genesis = try Genesis(parsing: try Self.signed(&reader))
        guard genesis.meshID == mesh, genesis.verify() else { throw WelcomeRefusal.genesis }
        var log: [LogEntry] = []
        for _ in 0..<(try reader.u32()) {
            log.append(try LogEntry(parsing: try Self.signed(&reader), mesh: mesh))
        }
        var notes: [RevokeNote] = []
        for _ in 0..<(try reader.u32()) { notes.append(try RevokeNote(parsing: try Self.signed(&reader))) }
        var epochs: [Epoch] = []
        let count = try reader.u32()
        guard count <= Self.mostEpochs else { throw Malformed.oversized }
        for _ in 0..<count {
            let entry: EntryID = try reader.octets()
            let key = EpochKey(copying: try reader.span(EpochKey.byteCount))
            guard log.contains(where: { $0.id == entry && $0.payload.commits(to: key) }) else {
                throw WelcomeRefusal.epoch(entry)
            }
            epochs.append(Epoch(entry: entry, key: key))
        }
        var bundles: [Signed] = []
        for _ in 0..<(try reader.u32()) { bundles.append(try Self.signed(&reader)) }
        guard reader.isAtEnd else { throw Malformed.trailing }
        self.log = log
        self.notes = notes
        self.epochs = epochs
        self.bundles = bundles
    }

    private static func signed(_ reader: inout ByteReader) throws -> Signed {
        try Signed(parsing: try reader.bytes(Int(try reader.u32())))
    }
}

extension LogPayload {
    fileprivate func commits(to key: EpochKey) -> Bool {
        guard case .epochAnnounce(let announcement) = self else { return false }
        return announcement.commit == key.commit
    }
}
