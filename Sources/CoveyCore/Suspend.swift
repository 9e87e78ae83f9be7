import CoveyCrypto

/// BLAKE2b-256 of a Suspend's body.
package struct SuspendHash: FixedOctets {
    private var octets = Octets32()
    package init() {}
}

/// Members ask that a lost device be kept out until its authority decides (0x05, protocol.md §1.6). Parsed, not verified.
///
///     01 device_id 16 · 02 issued 4 · 03 until 4 · 04 reason 1
package struct Suspend: Sendable, Equatable {
    package static let mostMinutes: Int64 = 7 * 1440

    private static let schema = ObjectSchema(
        .suspend,
        [
            FieldRule(0x01, .exact(16)), FieldRule(0x02, .exact(4)), FieldRule(0x03, .exact(4)),
            FieldRule(0x04, .exact(1)),
        ])

    package let signed: Signed
    package let hash: SuspendHash
    package let device: DeviceID
    package let issued: Minute
    package let until: Minute
    package let reason: UInt8

    /// Refuses one that ends before it begins, or lasts longer than seven days.
    package init(parsing signed: Signed) throws(Malformed) {
        let object = try CanonicalObject(parsing: signed.body, schema: Self.schema)
        device = object.octets(0x01)
        issued = Minute(object.u32(0x02))
        until = Minute(object.u32(0x03))
        reason = object.u8(0x04)
        guard issued < until, until <= issued.adding(Self.mostMinutes) else { throw .value(0x03) }
        hash = Blake2b.hash(signed.body.span.bytes, personal: .suspend)
        self.signed = signed
    }
}
