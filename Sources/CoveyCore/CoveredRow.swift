import CoveyCrypto

/// One log up to an entry, everything before included (protocol.md appendix C).
///
///     log_id 16 | seq u64 | id 32
package struct CoveredRow: Hashable, Sendable {
    package static let byteCount = 56
    /// In one entry.
    static let most = 256

    package let log: LogID
    package let sequence: UInt64
    package let id: EntryID

    package init(log: LogID, sequence: UInt64, id: EntryID) {
        self.log = log
        self.sequence = sequence
        self.id = id
    }

    /// Whole, as rows name what nobody may ever have computed: many ids that begin alike are easily written.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(Octets16(prefixOf: log))
        hasher.combine(sequence)
        hasher.combine(Octets32(prefixOf: id))
    }

    /// `bytes` holds whole rows; rows must ascend by log, one for each, and sequences count from 1.
    package static func parse(_ bytes: ArraySlice<UInt8>, tag: UInt8) throws(Malformed) -> [CoveredRow] {
        guard bytes.count.isMultiple(of: byteCount) else { throw .width(tag) }
        var rows: [CoveredRow] = []
        rows.reserveCapacity(bytes.count / byteCount)
        for start in stride(from: bytes.startIndex, to: bytes.endIndex, by: byteCount) {
            guard let log = LogID(bytes[start..<start + 16]), let id = EntryID(bytes[start + 24..<start + 56]) else {
                throw .width(tag)
            }
            let sequence = bytes[start + 16..<start + 24].reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
            guard sequence >= 1 else { throw .value(tag) }
            if let last = rows.last, last.log >= log { throw .value(tag) }
            rows.append(CoveredRow(log: log, sequence: sequence, id: id))
        }
        return rows
    }

    package static func encode(_ rows: [CoveredRow]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(rows.count * byteCount)
        for row in rows {
            bytes.append(row.log)
            bytes.append(u64: row.sequence)
            bytes.append(row.id)
        }
        return bytes
    }

    /// What two nodes compare to learn whether they hold the same logs; `rows` ascend by log.
    package static func digest(_ rows: [CoveredRow]) -> HeadsDigest {
        Blake2b.hash(encode(rows).span.bytes, personal: .covers)
    }
}

/// BLAKE2b-256 of the heads of all logs.
package struct HeadsDigest: FixedOctets {
    private var octets = Octets32()
    package init() {}
}
