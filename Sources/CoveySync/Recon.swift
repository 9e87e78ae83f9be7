import CoveyCore
package import CoveyCrypto

/// A piece of one side's view of the key space, range by range.
///
///     ns varint | sid 2 | range*
///     range = slot varint | prefixLength << 4 | mode 1 | prefix 0…8 | what the mode says
///
/// A range begins where the one before ended; the first of a frame where the last frame of the batch ended, or at the
/// start. It goes up to, not including, (slot, prefix 00…). `slot` is 0 for the end of everything, which ends the batch,
/// else 1 + the distance to the slot of the range before in this frame.
///
///     0 skip          –                    nothing to do here
///     1 fingerprint   fp 8                 of the sender's items
///     2 list          n varint | n × id    all ids of the sender; 8 bytes, in round 2 16
///     6 all           –                    the sender has nothing here
///
/// Modes 3 (cells) and 5 (more) belong to the sketch, 4 is reserved.
package struct Recon: Hashable, Sendable {
    package enum Mode: Hashable, Sendable {
        case skip
        case fingerprint(Octets8)
        case list([ShortID])
        case wideList([Octets16])
        case all
    }

    package struct Part: Hashable, Sendable {
        package var upper: Bound
        package var mode: Mode
    }

    package var namespace: Namespace
    package var session: SessionID
    package var parts: [Part]

    init(namespace: Namespace, session: SessionID, parts: [Part]) {
        self.namespace = namespace
        self.session = session
        self.parts = parts
    }

    init(from reader: inout ByteReader) throws(SyncFault) {
        namespace = try reader.namespace()
        session = try reader.session()
        parts = []
        var slot: UInt64 = 0
        var last = Bound.start
        while !reader.isAtEnd {
            guard last != .end else { throw .order }
            let distance = try reader.number()
            guard let head = try? reader.u8() else { throw .malformed }
            let length = Int(head >> 4)
            guard length <= 8, let prefix = try? reader.bytes(length) else { throw .malformed }
            if distance == 0 {
                guard length == 0 else { throw .malformed }
                last = .end
            } else {
                slot += min(distance - 1, 1 << 32)
                guard let hour = UInt32(exactly: slot) else { throw .malformed }
                // The shortest prefix only: one bound has one form.
                guard prefix.last != 0 else { throw .malformed }
                let word = prefix.enumerated().reduce(0 as UInt64) { $0 | UInt64($1.element) << (56 - 8 * $1.offset) }
                let upper = Bound(slot: Hour(hour), prefix: word)
                guard upper > last else { throw .order }
                last = upper
            }
            parts.append(Part(upper: last, mode: try Self.mode(head & 15, session, &reader)))
        }
        guard !parts.isEmpty else { throw .malformed }
    }

    private static func mode(
        _ code: UInt8, _ session: SessionID, _ reader: inout ByteReader
    ) throws(SyncFault) -> Mode {
        switch code {
        case 0: return .skip
        case 1: return .fingerprint(try reader.fixed())
        case 2: return session.isWide ? .wideList(try list(&reader)) : .list(try list(&reader))
        case 6: return .all
        default: throw .mode
        }
    }

    private static func list<ID: FixedOctets>(_ reader: inout ByteReader) throws(SyncFault) -> [ID] {
        let count = try reader.number()
        guard count <= UInt64(reader.remaining / ID.byteCount) else { throw .malformed }
        var ids: [ID] = []
        ids.reserveCapacity(Int(count))
        for _ in 0..<count { ids.append(try reader.fixed()) }
        return ids
    }

    package var body: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(varint: namespace.number)
        bytes.append(u16: session.value)
        var slot: UInt64 = 0
        for part in parts { part.write(to: &bytes, after: &slot) }
        return bytes
    }

    /// A whole batch in frames of bounded size. The parts cover everything, so the last one ends at `.end`.
    static func frames(namespace: Namespace, session: SessionID, parts: [Part]) -> [Recon] {
        precondition(parts.last?.upper == .end, "a batch goes to the end")
        var frames: [Recon] = []
        var open: [Part] = []
        var size = 0
        for part in parts {
            if size + part.byteCount > Limits.frameBytes, !open.isEmpty {
                frames.append(Recon(namespace: namespace, session: session, parts: open))
                open = []
                size = 0
            }
            open.append(part)
            size += part.byteCount
        }
        frames.append(Recon(namespace: namespace, session: session, parts: open))
        return frames
    }
}

extension Recon.Part {
    fileprivate func write(to bytes: inout [UInt8], after slot: inout UInt64) {
        let prefix = upper == .end ? [] : upper.prefixBytes
        if upper == .end {
            bytes.append(varint: 0)
        } else {
            bytes.append(varint: upper.slot - slot + 1)
            slot = upper.slot
        }
        bytes.append(UInt8(prefix.count) << 4 | code)
        bytes += prefix
        switch mode {
        case .skip, .all: break
        case .fingerprint(let fingerprint): bytes.append(fingerprint)
        case .list(let ids):
            bytes.append(varint: UInt64(ids.count))
            for id in ids { bytes.append(id) }
        case .wideList(let ids):
            bytes.append(varint: UInt64(ids.count))
            for id in ids { bytes.append(id) }
        }
    }

    private var code: UInt8 {
        switch mode {
        case .skip: 0
        case .fingerprint: 1
        case .list, .wideList: 2
        case .all: 6
        }
    }

    /// At most so many bytes.
    var byteCount: Int {
        let head = 5 + 1 + 8
        return switch mode {
        case .skip, .all: head
        case .fingerprint: head + 8
        case .list(let ids): head + 3 + ids.count * 8
        case .wideList(let ids): head + 3 + ids.count * 16
        }
    }
}

extension Bound {
    /// Without the zeros at the end.
    fileprivate var prefixBytes: [UInt8] {
        let count = 8 - prefix.trailingZeroBitCount / 8
        return (0..<max(0, count)).map { UInt8(truncatingIfNeeded: prefix >> (56 - 8 * UInt64($0))) }
    }
}
