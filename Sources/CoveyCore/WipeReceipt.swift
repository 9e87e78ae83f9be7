package import CoveyCrypto

/// A device's last word: it has taken a wipe order and carries it out now. Parsed, not verified.
///
///     01 device_id 16 · 02 order_id 16 · 03 note hash 32 · 04 mode 1 · 05 done 4
///
/// Signed by SIG under the context 0xF3 (protocol.md appendix B), which is also the type of the object.
package struct WipeReceipt: Sendable, Equatable {
    private static let schema = ObjectSchema(
        .wipeReceipt,
        [
            FieldRule(0x01, .exact(16)), FieldRule(0x02, .exact(16)), FieldRule(0x03, .exact(32)),
            FieldRule(0x04, .exact(1)), FieldRule(0x05, .exact(4)),
        ])

    package let signed: Signed
    package let device: DeviceID
    package let order: Octets16
    package let note: NoteHash
    package let mode: WipeOrder.Mode
    /// When the device took the order, by its own clock.
    package let done: Minute

    package init(parsing signed: Signed) throws(Malformed) {
        let object = try CanonicalObject(parsing: signed, schema: Self.schema)
        guard let mode = WipeOrder.Mode(rawValue: object.u8(0x04)) else { throw .value(0x04) }
        device = object.octets(0x01)
        order = object.octets(0x02)
        note = object.octets(0x03)
        self.mode = mode
        done = Minute(object.u32(0x05))
        self.signed = signed
    }

    package static func make(
        of order: WipeOrder, in note: NoteHash, by device: DeviceID, done: Minute, mesh: MeshID,
        key: SigningPrivateKey
    ) -> WipeReceipt {
        var writer = CanonicalWriter(.wipeReceipt)
        writer.field(0x01, device)
        writer.field(0x02, order.order)
        writer.field(0x03, note)
        writer.field(0x04, u8: order.mode.rawValue)
        writer.field(0x05, u32: done.value)
        let signed = Signed(writer.bytes, type: .wipeReceipt, mesh: mesh, keys: [key])
        guard let receipt = try? WipeReceipt(parsing: signed) else {
            preconditionFailure("what we write, we can read")
        }
        return receipt
    }
}
