import CoveyCore
import CoveyCrypto
import CoveyNode

/// An envelope that is not on disk yet, and where its body will stand.
struct PendingMail {
    let row: MailRow
    let bytes: [UInt8]
    /// In the segment's file.
    let offset: Int
}

/// What one batch adds to one segment.
struct PendingRows {
    var mail: [PendingMail] = []
    var ghosts: [GhostRow] = []

    var isEmpty: Bool { mail.isEmpty && ghosts.isEmpty }

    /// Ascending by offset, so a body is found by halving.
    func body(at offset: Int) -> [UInt8]? {
        var low = 0
        var high = mail.count
        while low < high {
            let middle = (low + high) / 2
            if mail[middle].offset < offset { low = middle + 1 } else { high = middle }
        }
        return low < mail.count && mail[low].offset == offset ? mail[low].bytes : nil
    }
}

/// A segment as the thread of the turns sees it.
///
///     0 ─ committed, in the file ─ durable ─ being written ─ planned ─ gathered for the next batch ─ end
final class Segment {
    let name: SegmentName
    private(set) var durable: Int
    private(set) var planned: Int
    private(set) var end: Int
    private(set) var inFlight = PendingRows()
    private(set) var gathered = PendingRows()
    /// All ids that were ever put here; the index says which still live here.
    var ids: [HalfID] = []
    /// Bytes of bodies that still live here.
    var live = 0

    init(_ name: SegmentName, durable: Int) {
        self.name = name
        self.durable = durable
        planned = durable
        end = durable + FrameHead.size
    }

    /// Whether the disk knows of it, or will when the batch in flight is written.
    var isOnDisk: Bool { planned > 0 }

    /// - Returns: where the body will stand.
    func append(_ row: MailRow, _ bytes: [UInt8]) -> Int {
        let offset = end
        gathered.mail.append(PendingMail(row: row, bytes: bytes, offset: offset))
        end += row.bodySize
        return offset
    }

    func append(_ row: GhostRow) { gathered.ghosts.append(row) }

    /// Hands over what was gathered; nil when nothing was.
    func takeAppend(batch: UInt64) -> SegmentAppend? {
        guard !gathered.isEmpty else { return nil }
        let isMail = name.kind == .mail
        let head = FrameHead(
            kind: name.kind, count: isMail ? gathered.mail.count : gathered.ghosts.count,
            bodies: end - planned - FrameHead.size, batch: batch,
            row: isMail ? MailRow.byteCount : GhostRow.byteCount)
        let append = SegmentAppend(name: name, offset: planned, head: head, content: .rows(gathered))
        inFlight = gathered
        gathered = PendingRows()
        planned += head.frame
        end = planned + FrameHead.size
        return append
    }

    /// A segment that is made by moving what lives in another; `head` is of its only frame.
    func planMove(_ head: FrameHead) {
        planned = head.frame
        end = planned + FrameHead.size
    }

    func finished() {
        durable = planned
        inFlight = PendingRows()
    }
}

/// One frame to be written to one segment.
struct SegmentAppend {
    enum Content {
        case rows(PendingRows)
        /// Bodies at these offsets of another segment, ascending, as they are.
        case moved(from: SegmentName, length: Int, offsets: Set<Int>)
    }

    let name: SegmentName
    let offset: Int
    var head: FrameHead
    let content: Content

    /// Mail for a segment that the database names already: found again without another word of it.
    var canStandAlone: Bool {
        if case .moved = content { return false }
        return name.kind == .mail && offset > 0
    }

    /// The segment's length once this is written.
    var end: Int { offset + head.frame }
}

/// The first half of an envelope's id, which nobody can make two of.
struct HalfID: HashedOctets {
    private var octets = Octets16()
    init() {}
}
