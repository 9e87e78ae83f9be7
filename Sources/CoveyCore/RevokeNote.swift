package import CoveyCrypto

package enum RevocationReason: UInt8, Sendable, CaseIterable {
    case retired = 1
    case lost = 2
    case compromised = 3
    case superseded = 4
    case policy = 5

    /// Of a code, which a later program may have written.
    package static func word(of code: UInt8) -> String { Self(rawValue: code)?.word ?? "reason \(code)" }

    /// As people type and read it.
    package var word: String {
        switch self {
        case .retired: "retired"
        case .lost: "lost"
        case .compromised: "compromised"
        case .superseded: "superseded"
        case .policy: "policy"
        }
    }

    package init?(word: String) {
        guard let reason = Self.allCases.first(where: { $0.word == word }) else { return nil }
        self = reason
    }
}

/// A command to a revoked device to lock or erase itself, riding on its note (protocol.md appendix C).
///
///     mode u8 | order_id 16 | serial u64 | expires u32
package struct WipeOrder: Hashable, Sendable {
    package static let byteCount = 29

    package enum Mode: UInt8, Sendable, CaseIterable, CustomStringConvertible {
        case lock = 1
        case erase = 2

        /// As people type it, and programs read it.
        package var description: String {
            switch self {
            case .lock: "lock"
            case .erase: "erase"
            }
        }

        package init?(word: String) {
            guard let mode = Self.allCases.first(where: { $0.description == word }) else { return nil }
            self = mode
        }
    }

    package let mode: Mode
    package let order: Octets16
    package let serial: UInt64
    package let expires: Minute

    package init(mode: Mode, order: Octets16, serial: UInt64, expires: Minute) {
        self.mode = mode
        self.order = order
        self.serial = serial
        self.expires = expires
    }

    fileprivate init?(parsing bytes: ArraySlice<UInt8>) {
        let at = bytes.startIndex
        guard bytes.count == Self.byteCount, let mode = Mode(rawValue: bytes[at]),
            let order = Octets16(bytes[at + 1..<at + 17])
        else { return nil }
        self.mode = mode
        self.order = order
        serial = bytes[at + 17..<at + 25].reduce(0) { $0 << 8 | UInt64($1) }
        expires = Minute(bytes[at + 25..<at + 29].reduce(0) { $0 << 8 | UInt32($1) })
    }

    fileprivate var bytes: [UInt8] {
        var bytes = [mode.rawValue]
        bytes.append(order)
        bytes.append(u64: serial)
        bytes.append(u32: expires.value)
        return bytes
    }
}

/// A free-standing revocation of a device (0x08, protocol.md §1.9). Parsed, not verified.
///
///     01 device_id 16 · 02 reason 1 · 03 suspect_since 4 · 04 issued 4 · 05 authority_id 16 · 06 note_no 4 ·
///     07? wipe order 29
package struct RevokeNote: Sendable, Equatable {
    private static let schema = ObjectSchema(
        .revokeNote,
        [
            FieldRule(0x01, .exact(16)), FieldRule(0x02, .exact(1)), FieldRule(0x03, .exact(4)),
            FieldRule(0x04, .exact(4)), FieldRule(0x05, .exact(16)), FieldRule(0x06, .exact(4)),
            FieldRule(0x07, .exact(WipeOrder.byteCount), required: false),
        ])

    package struct Content: Sendable, Equatable {
        package var device: DeviceID
        package var reason: RevocationReason
        package var suspectSince: Minute
        package var issued: Minute
        /// Zero: the device itself, or wipe officers.
        package var authority: AuthorityID
        /// Counts the single notes of a key from 1; 0 in all other forms.
        package var number: UInt32
        package var wipe: WipeOrder?

        package init(
            device: DeviceID, reason: RevocationReason, suspectSince: Minute, issued: Minute,
            authority: AuthorityID = AuthorityID(), number: UInt32 = 0, wipe: WipeOrder? = nil
        ) {
            self.device = device
            self.reason = reason
            self.suspectSince = suspectSince
            self.issued = issued
            self.authority = authority
            self.number = number
            self.wipe = wipe
        }

        /// Whether epochs that do not cover it are tainted (protocol.md §1.10).
        package var taints: Bool { reason == .lost || reason == .compromised || wipe != nil }
    }

    package let signed: Signed
    package let hash: NoteHash
    /// The hash; of a note that one key signs alone, with that key, as others may sign the same.
    package let id: NoteID
    package let content: Content

    package var device: DeviceID { content.device }
    package var reason: RevocationReason { content.reason }
    package var issued: Minute { content.issued }

    package var taints: Bool { content.taints }

    package init(parsing signed: Signed) throws(Malformed) {
        let object = try CanonicalObject(parsing: signed, schema: Self.schema)
        guard let reason = RevocationReason(rawValue: object.u8(0x02)) else { throw .value(0x02) }
        var wipe: WipeOrder?
        if let bytes = object[0x07] {
            guard let order = WipeOrder(parsing: bytes) else { throw .value(0x07) }
            wipe = order
        }
        content = Content(
            device: object.octets(0x01), reason: reason, suspectSince: Minute(object.u32(0x03)),
            issued: Minute(object.u32(0x04)), authority: object.octets(0x05), number: object.u32(0x06), wipe: wipe)
        hash = signed.hash(.note)
        id =
            content.number == 0
            ? NoteID(prefixOf: hash) : NoteID(of: hash, signers: signed.attestations.map(\.hint))
        self.signed = signed
    }

    package static func make(_ content: Content, mesh: MeshID, keys: [SigningPrivateKey]) -> RevokeNote {
        let signed = Signed(body(content), type: .object(.revokeNote), mesh: mesh, keys: keys)
        guard let note = try? RevokeNote(parsing: signed) else { preconditionFailure("what we write, we can read") }
        return note
    }

    /// What is signed.
    static func body(_ content: Content) -> [UInt8] {
        var writer = CanonicalWriter(.revokeNote)
        writer.field(0x01, content.device)
        writer.field(0x02, u8: content.reason.rawValue)
        writer.field(0x03, u32: content.suspectSince.value)
        writer.field(0x04, u32: content.issued.value)
        writer.field(0x05, content.authority)
        writer.field(0x06, u32: content.number)
        if let wipe = content.wipe { writer.field(0x07, bytes: wipe.bytes) }
        return writer.bytes
    }
}
