import CoveyCore
import CoveyCrypto
import CoveyNode

/// What a segment file holds. They live for different times, so they are apart: mail until its expiry, ghosts a day longer.
enum SegmentKind: UInt8, CaseIterable {
    case mail = 1
    case ghosts = 2

    var fileExtension: String {
        switch self {
        case .mail: "mail"
        case .ghosts: "ghosts"
        }
    }

    var table: SealedTable {
        switch self {
        case .mail: .mail
        case .ghosts: .ghosts
        }
    }

    /// The last hour at which a segment of `expiry` is still kept, plus one: then its file is unlinked.
    func end(of expiry: Hour) -> Hour {
        switch self {
        case .mail: expiry
        case .ghosts: expiry.adding(24)
        }
    }
}

/// One segment: all it holds expires in the same hour. `number` is never used again.
struct SegmentName: Hashable, Comparable {
    let number: UInt32
    let kind: SegmentKind
    let hour: Hour

    /// `HOUR-NUMBER.mail` or `HOUR-NUMBER.ghosts`, decimal.
    var file: String { "\(hour.value)-\(number).\(kind.fileExtension)" }

    /// Nil when the name is not one of ours.
    static func isSegment(_ file: String) -> Bool {
        let parts = file.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, SegmentKind.allCases.contains(where: { $0.fileExtension == parts[1] }) else {
            return false
        }
        let numbers = parts[0].split(separator: "-", omittingEmptySubsequences: false)
        return numbers.count == 2 && numbers.allSatisfy { UInt32($0) != nil }
    }

    static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

/// A segment is a row of frames, one for each batch that touched it:
///
///     magic "CVSG" | format u8 | kind u8 | whole u16 | count u32 | bodies u64 | rows u32 | batch u64      head, 32
///     body 1 | … | body count                        each a sealed envelope; none for ghosts
///     nonce 24 | X(row 1 | … | row count) | tag 16   AD = table u8 | head 32 | schema u8
///
/// `bodies` and `rows` are sizes in bytes. `whole` is 1 for a frame that is all of its batch: it counts without the database
/// telling of it, if every body opens. Reading the heads and rows tells everything held without touching a body.
struct FrameHead: Equatable {
    static let size = 32
    private static let magic: UInt32 = 0x4356_5347
    private static let format: UInt8 = 1

    var kind: SegmentKind
    var count: Int
    /// Bytes of all bodies.
    var bodies: Int
    var batch: UInt64
    /// Bytes of one row.
    var row: Int
    var isWholeBatch = false

    /// Bytes of the sealed rows.
    var rows: Int { count * row + RecordSealer.overhead }
    /// Bytes of the whole frame.
    var frame: Int { Self.size + bodies + rows }

    enum Fault: Error { case malformed, newer }

    /// Whether bytes begin as a head does.
    static func begins(_ bytes: ArraySlice<UInt8>) -> Bool { bytes.starts(with: [0x43, 0x56, 0x53, 0x47]) }

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.size)
        bytes.append(u32: Self.magic)
        bytes.append(Self.format)
        bytes.append(kind.rawValue)
        bytes.append(u16: isWholeBatch ? 1 : 0)
        bytes.append(u32: UInt32(count))
        bytes.append(u64: UInt64(bodies))
        bytes.append(u32: UInt32(rows))
        bytes.append(u64: batch)
        return bytes
    }

    init(kind: SegmentKind, count: Int, bodies: Int, batch: UInt64, row: Int) {
        self.kind = kind
        self.count = count
        self.bodies = bodies
        self.batch = batch
        self.row = row
    }

    /// - Parameter room: bytes from the head's first to the end of what was committed.
    init(_ bytes: [UInt8], kind: SegmentKind, row: Int, room: Int) throws {
        var reader = ByteReader(bytes.span.bytes)
        guard try reader.u32() == Self.magic else { throw Fault.malformed }
        guard try reader.u8() == Self.format else { throw Fault.newer }
        guard try reader.u8() == kind.rawValue else { throw Fault.malformed }
        let whole = try reader.u16()
        guard whole <= 1 else { throw Fault.malformed }
        let count = Int(try reader.u32())
        let bodies = try reader.u64()
        let rows = Int(try reader.u32())
        let batch = try reader.u64()
        guard bodies <= UInt64(room) else { throw Fault.malformed }
        self.init(kind: kind, count: count, bodies: Int(bodies), batch: batch, row: row)
        isWholeBatch = whole == 1
        guard rows == self.rows, frame <= room else { throw Fault.malformed }
    }
}

/// What is told of one envelope or ghost at the end of its frame.
protocol SegmentRow {
    static var kind: SegmentKind { get }
    static var byteCount: Int { get }
    /// Bytes of its body in the frame.
    var bodySize: Int { get }
    func append(to bytes: inout [UInt8])
    init(from reader: inout ByteReader) throws
}

/// An envelope in a segment.
///
///     sequence u64 | size u32 | id 32 | header 40 | ingress 16 | tokens u8 | hops u8 | own u8
///
/// `sequence` rises with every record written: of two that speak of one id, the later counts.
struct MailRow: SegmentRow {
    static let kind = SegmentKind.mail
    static let byteCount = 103

    let sequence: UInt64
    /// Bytes of the envelope.
    let size: Int
    let record: EnvelopeRecord

    var bodySize: Int { size + RecordSealer.overhead }

    init(sequence: UInt64, size: Int, record: EnvelopeRecord) {
        self.sequence = sequence
        self.size = size
        self.record = record
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(u64: sequence)
        bytes.append(u32: UInt32(size))
        bytes.append(record.id)
        bytes.append(record.header.octets)
        bytes.append(record.ingress)
        bytes.append(record.tokens)
        bytes.append(record.hops)
        bytes.append(record.isOwn ? 1 : 0)
    }

    init(from reader: inout ByteReader) throws {
        sequence = try reader.u64()
        size = Int(try reader.u32())
        let id = try reader.octets(EnvelopeID.self)
        let header = try EnvelopeHeader.parse(reader.span(EnvelopeHeader.byteCount))
        let ingress = try reader.octets(DeviceID.self)
        let tokens = try reader.u8()
        let hops = try reader.u8()
        record = EnvelopeRecord(
            id: id, header: header, tokens: tokens, hops: hops, isOwn: try reader.u8() == 1, ingress: ingress)
    }
}

/// A ghost in a segment.
///
///     sequence u64 | id 32 | expiry u32 | ttl hours u16 | priority u8 | reason u8
struct GhostRow: SegmentRow {
    static let kind = SegmentKind.ghosts
    static let byteCount = 48

    let sequence: UInt64
    let ghost: Ghost

    var bodySize: Int { 0 }

    init(sequence: UInt64, ghost: Ghost) {
        self.sequence = sequence
        self.ghost = ghost
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(u64: sequence)
        bytes.append(ghost.id)
        bytes.append(u32: ghost.expiry.value)
        bytes.append(u16: ghost.ttlHours)
        bytes.append(ghost.priority.rawValue)
        bytes.append(ghost.reason.rawValue)
    }

    init(from reader: inout ByteReader) throws {
        sequence = try reader.u64()
        let id = try reader.octets(EnvelopeID.self)
        let expiry = Hour(try reader.u32())
        let ttl = try reader.u16()
        guard let priority = Priority(rawValue: try reader.u8()), let reason = GhostReason(rawValue: try reader.u8())
        else { throw FrameHead.Fault.malformed }
        ghost = Ghost(id: id, expiry: expiry, ttlHours: ttl, priority: priority, reason: reason)
    }
}

/// Reads what a segment tells without its bodies.
struct SegmentScan<Row: SegmentRow> {
    let sealer: RecordSealer

    /// - Parameters:
    ///   - length: the committed bytes; what stands behind them is not looked at.
    ///   - visit: a row, and the offset of its body.
    /// - Returns: the highest batch number.
    func read(_ file: borrowing File, length: Int, visit: (Row, Int) -> Void) throws -> UInt64 {
        var offset = 0
        var batch: UInt64 = 0
        while offset < length {
            let head: FrameHead
            do {
                head = try FrameHead(
                    file.read(FrameHead.size, at: offset), kind: Row.kind, row: Row.byteCount, room: length - offset)
            } catch FrameHead.Fault.newer {
                throw StoreError.newer("\(file.name) has a newer format: run the newer program")
            } catch let error as StoreError {
                throw error
            } catch {
                throw damaged(file.name, offset)
            }
            let sealed = try file.read(head.rows, at: offset + FrameHead.size + head.bodies)
            let rows = try sealer.open(sealed.span.bytes, in: Row.kind.table, at: head.encoded, file: file.name)
            var reader = ByteReader(rows.span.bytes)
            var body = offset + FrameHead.size
            for _ in 0..<head.count {
                guard let row = try? Row(from: &reader) else { throw damaged(file.name, offset) }
                visit(row, body)
                body += row.bodySize
            }
            guard reader.isAtEnd, body == offset + FrameHead.size + head.bodies else {
                throw damaged(file.name, offset)
            }
            batch = max(batch, head.batch)
            offset += head.frame
        }
        return batch
    }

    /// Visits the frames behind the end that the database tells, each of them a whole batch.
    ///
    /// Stops at the first byte that is no such frame: what a crash cut off is not damage. But a frame is only written when
    /// the one before it is durable, so a whole one further on tells of damage between.
    /// - Parameters:
    ///   - batch: of the last frame before `start`; later ones have higher numbers.
    ///   - isSound: judges a row and its sealed body, once the frame's rows have opened.
    /// - Returns: where the last whole frame ends, and its batch.
    func readTail(
        _ file: borrowing File, from start: Int, after batch: UInt64, isSound: (Row, [UInt8]) -> Bool,
        visit: (Row, Int) -> Void
    ) throws -> (end: Int, batch: UInt64) {
        var (end, last) = (start, batch)
        let size = try file.size()
        while let (head, rows) = try wholeBatch(file, at: end, after: last, size: size) {
            var reader = ByteReader(rows.span.bytes)
            var found: [(row: Row, offset: Int)] = []
            var body = end + FrameHead.size
            for _ in 0..<head.count {
                guard let row = try? Row(from: &reader), isSound(row, try file.read(row.bodySize, at: body)) else {
                    break
                }
                found.append((row, body))
                body += row.bodySize
            }
            guard found.count == head.count, reader.isAtEnd, body == end + FrameHead.size + head.bodies else { break }
            for (row, offset) in found { visit(row, offset) }
            end += head.frame
            last = head.batch
        }
        guard size > end else { return (end, last) }
        let rest = try file.read(size - end, at: end)
        for at in rest.indices.dropFirst() where FrameHead.begins(rest[at...]) {
            if try wholeBatch(file, at: end + at, after: last, size: size) != nil { throw damaged(file.name, end) }
        }
        return (end, last)
    }

    /// The head and rows of a frame that is a whole batch; nil when none begins there.
    private func wholeBatch(
        _ file: borrowing File, at offset: Int, after batch: UInt64, size: Int
    ) throws -> (head: FrameHead, rows: [UInt8])? {
        guard size - offset >= FrameHead.size,
            let head = try? FrameHead(
                file.read(FrameHead.size, at: offset), kind: Row.kind, row: Row.byteCount, room: size - offset),
            head.isWholeBatch, head.batch > batch
        else { return nil }
        let sealed = try file.read(head.rows, at: offset + FrameHead.size + head.bodies)
        guard let rows = try? sealer.open(sealed.span.bytes, in: Row.kind.table, at: head.encoded, file: file.name)
        else { return nil }
        return (head, rows)
    }

    private func damaged(_ name: String, _ offset: Int) -> StoreError {
        .damaged("\(name) at byte \(offset): \(StoreAdvice.restore)")
    }
}
