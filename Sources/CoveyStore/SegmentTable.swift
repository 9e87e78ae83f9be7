import CoveyCore
import CoveyNode

/// Which segments count, and up to which byte: one sealed record, replaced at every commit.
///
///     number u32 | kind u8 | hour u32 | length u64      for each, ascending by number
///
/// One record and not a row each, so that nothing of it can be altered or be missing unseen: what is not in it is unlinked,
/// and what stands behind a length is cut.
struct SegmentTable: Equatable {
    private(set) var lengths: [SegmentName: Int] = [:]

    init() {}

    /// Nil when the bytes are not a table.
    init?(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes.span.bytes)
        while !reader.isAtEnd {
            guard let number = try? reader.u32(), let kind = (try? reader.u8()).flatMap(SegmentKind.init(rawValue:)),
                let hour = try? reader.u32(), let length = (try? reader.u64()).flatMap(Int.init(exactly:)), length > 0
            else { return nil }
            lengths[SegmentName(number: number, kind: kind, hour: Hour(hour))] = length
        }
    }

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(lengths.count * 17)
        for (name, length) in rows {
            bytes.append(u32: name.number)
            bytes.append(name.kind.rawValue)
            bytes.append(u32: name.hour.value)
            bytes.append(u64: UInt64(length))
        }
        return bytes
    }

    var rows: [(name: SegmentName, length: Int)] {
        lengths.map { (name: $0.key, length: $0.value) }.sorted { $0.name < $1.name }
    }

    mutating func apply(_ appends: [SegmentAppend], removing removed: [SegmentName]) {
        for append in appends { lengths[append.name] = append.end }
        for name in removed { lengths[name] = nil }
    }
}
