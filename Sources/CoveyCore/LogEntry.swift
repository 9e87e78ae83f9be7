package import CoveyCrypto

/// Where an entry stands in its log, and when it was written.
package struct LogPlace: Hashable, Sendable {
    /// From 1.
    package let sequence: UInt64
    package let previous: EntryID
    package let time: Minute
}

/// One entry of an authority's log (0x04, protocol.md §1.8). Parsed, not verified.
///
///     01 log_id 16 · 02 seq 8 · 03 prev 32 · 04 time 4 · 05 kind 1 · 06 payload
package struct LogEntry: Sendable, Equatable {
    /// Of the body.
    static let mostOctets = 16384
    private static let schema = ObjectSchema(
        .logEntry, most: mostOctets,
        [
            FieldRule(0x01, .exact(16)), FieldRule(0x02, .exact(8)), FieldRule(0x03, .exact(32)),
            FieldRule(0x04, .exact(4)), FieldRule(0x05, .exact(1)), FieldRule(0x06, .bytes(most: mostOctets)),
        ])

    package let signed: Signed
    package let id: EntryID
    package let log: LogID
    /// From 1.
    package let sequence: UInt64
    /// Of the first entry: the mesh for the root, the AuthorityAdd for others.
    package let previous: EntryID
    package let time: Minute
    package let payload: LogPayload

    package init(parsing signed: Signed, mesh: MeshID) throws(Malformed) {
        let object = try CanonicalObject(parsing: signed, schema: Self.schema)
        guard let kind = LogPayload.Kind(rawValue: object.u8(0x05)) else { throw .value(0x05) }
        log = object.octets(0x01)
        sequence = object.u64(0x02)
        previous = object.octets(0x03)
        time = Minute(object.u32(0x04))
        guard sequence >= 1, sequence < UInt64(Int.max) else { throw .value(0x02) }
        payload = try LogPayload(parsing: object.slice(0x06), kind: kind, mesh: mesh)
        id = Self.id(of: signed)
        self.signed = signed
    }

    /// Of the body, whoever signed it.
    package static func id(of signed: Signed) -> EntryID { signed.hash(.log) }

    /// What stands as `previous` in the first entry of the root.
    package static func anchor(of mesh: MeshID) -> EntryID { EntryID(prefixOf: mesh) }

    /// Throws when the payload makes the entry too large.
    package static func make(
        log: LogID, sequence: UInt64, previous: EntryID, time: Minute, payload: LogPayload, mesh: MeshID,
        keys: [SigningPrivateKey]
    ) throws(Malformed) -> LogEntry {
        let body = try body(
            log: log, LogPlace(sequence: sequence, previous: previous, time: time), payload: payload)
        return try LogEntry(parsing: Signed(body, type: .object(.logEntry), mesh: mesh, keys: keys), mesh: mesh)
    }

    /// What is signed.
    static func body(log: LogID, _ place: LogPlace, payload: LogPayload) throws(Malformed) -> [UInt8] {
        let bytes = payload.bytes
        guard bytes.count <= mostOctets else { throw .oversized }
        var writer = CanonicalWriter(.logEntry)
        writer.field(0x01, log)
        writer.field(0x02, u64: place.sequence)
        writer.field(0x03, place.previous)
        writer.field(0x04, u32: place.time.value)
        writer.field(0x05, u8: payload.kind.rawValue)
        writer.field(0x06, bytes: bytes)
        return writer.bytes
    }
}
