import CoveyCrypto

/// What an officer's keys signed at which place of which log, kept for good until the log has passed it.
///
/// Two entries for one place, each signed by enough keys, freeze the log for everybody (protocol.md §1.8). Drafts are
/// signed days before their entry stands in the log, so the log alone cannot say what was signed: this does. It is
/// written to disk before the signature leaves the house.
///
///     version 1 | ( log_id 16 | seq u64 | entry id 32 | signed u32 )*        at most 256
package struct SigningRecord: Sendable, Equatable {
    package struct Line: Sendable, Equatable {
        package let log: LogID
        package let sequence: UInt64
        package let entry: EntryID
        package let signed: Minute
    }

    package static let mostLines = 256
    private static let version: UInt8 = 1

    package private(set) var lines: [Line] = []

    package init() {}

    /// What else was signed at this place.
    package func other(than entry: EntryID, in log: LogID, at sequence: UInt64) -> Line? {
        lines.first { $0.log == log && $0.sequence == sequence && $0.entry != entry }
    }

    /// The first act that was signed and is not in the log yet.
    package func open(in log: LogID) -> Line? {
        lines.filter { $0.log == log }.min { $0.sequence < $1.sequence }
    }

    /// False when another entry was signed there before, or when the record is full: then nothing may be signed.
    mutating func take(_ entry: EntryID, in log: LogID, at sequence: UInt64, now: Minute) -> Bool {
        guard other(than: entry, in: log, at: sequence) == nil else { return false }
        guard !lines.contains(where: { $0.entry == entry }) else { return true }
        guard lines.count < Self.mostLines else { return false }
        lines.append(Line(log: log, sequence: sequence, entry: entry, signed: now))
        return true
    }

    /// Forgets places that the logs have passed: what stands there is in them for all to see.
    package mutating func prune(by membership: Membership) {
        lines.removeAll { UInt64(membership.entryIDs(of: $0.log).count) >= $0.sequence }
    }

    /// Forgets one act. Only for whoever destroyed all copies of its draft: a copy that comes back may fork the log.
    package mutating func withdraw(_ entry: EntryID) { lines.removeAll { $0.entry == entry } }

    package var bytes: [UInt8] {
        var bytes = [Self.version]
        for line in lines {
            bytes.append(line.log)
            bytes.append(u64: line.sequence)
            bytes.append(line.entry)
            bytes.append(u32: line.signed.value)
        }
        return bytes
    }

    package init(parsing bytes: [UInt8]) throws(Malformed) {
        var reader = ByteReader(bytes.span.bytes)
        let version = try reader.u8()
        guard version == Self.version else { throw .unknownVersion(version) }
        while !reader.isAtEnd {
            let line = Line(
                log: try reader.octets(), sequence: try reader.u64(), entry: try reader.octets(),
                signed: Minute(try reader.u32()))
            guard lines.count < Self.mostLines else { throw .oversized }
            guard line.sequence >= 1,
                !lines.contains(where: { $0.log == line.log && $0.sequence == line.sequence })
            else { throw .value(0) }
            lines.append(line)
        }
    }
}
