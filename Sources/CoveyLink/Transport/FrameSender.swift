import CoveyCore
import CoveyCrypto

/// Packs frames into Noise messages, and sealed messages into one buffer to send.
///
///     packet  = len u16 | 05 | 00 | message
///     message = ( type u8 | len varint | body )* | zero bytes to a multiple of 64 | tag[16]
///
/// Frames are written where they will be encrypted. A message is closed when the next frame does not fit, and by `take`.
package struct FrameSender: Sendable {
    private var cipher: DirectionCipher
    private var out: [UInt8] = []
    /// Where the plaintext of the open message begins; nil between messages.
    private var start: Int?
    /// Capacity of the next buffer: what the last one needed.
    private var room = 512
    private var body: [UInt8] = []
    /// Nil: nobody counts.
    private var tally: FrameTally?
    /// Whether bursts are also kept as they were before they were sealed.
    private var keepsOpen = false
    private var opened: OpenBurst?
    private var lastOpened: OpenBurst?

    init(_ cipher: CipherState) { self.cipher = DirectionCipher(cipher) }

    /// Bytes that wait for `take`, without the last message's padding and tag.
    package var pending: Int { out.count }
    package var isEmpty: Bool { out.isEmpty }

    /// From now on frames are counted, for `readTally`.
    package mutating func startTally() { tally = FrameTally() }

    /// Shows what was packed since the last time; nothing when nobody counts.
    package mutating func readTally(_ read: (FrameTally) -> Void) {
        guard var counted = tally.take() else { return }
        read(counted)
        counted.removeAll()
        tally = counted
    }

    /// From now on each burst is kept for `takeOpened`.
    package mutating func keepOpened() {
        keepsOpen = true
        cipher.startNaming()
    }

    /// The last burst as it was before it was sealed, once. Nil when nobody keeps it, and when a key was in it.
    package mutating func takeOpened() -> OpenBurst? { lastOpened.take() }

    package mutating func append(_ type: FrameType, _ body: RawSpan) {
        begin(type, body.byteCount)
        out.append(copying: body)
    }

    package mutating func append<Body: FrameBody>(_ frame: Body) {
        body.removeAll(keepingCapacity: true)
        frame.encode(to: &body)
        let isSecret = Body.type == .epochKey
        // A key is sealed before the buffer can move, and does not stay behind in the other one.
        if isSecret { out.reserveCapacity(out.count + 2 * LinkBounds.padding + body.count + 64) }
        begin(Body.type, body.count)
        out += body
        if isSecret {
            body.wipe()
            if let start { seal(from: start, isSecret: true) }
        }
    }

    /// One piece of an envelope. The hot path: the bytes are copied once, to where they are encrypted.
    ///
    /// Returns what is `pending` then.
    @discardableResult
    package mutating func append(_ header: Frame.DataHeader, _ bytes: RawSpan) -> Int {
        precondition(bytes.byteCount <= LinkBounds.segment, "a segment has at most 16384 bytes")
        precondition(header.offset + bytes.byteCount <= header.total, "a segment lies inside its envelope")
        let priority = tally == nil || header.offset > 0 ? nil : Self.priority(bytes)
        begin(.data, header.encodedCount + bytes.byteCount, priority)
        header.encode(to: &out)
        out.append(copying: bytes)
        return out.count
    }

    private static func priority(_ envelope: RawSpan) -> Priority? {
        guard envelope.byteCount >= EnvelopeHeader.byteCount else { return nil }
        return try? EnvelopeHeader.parse(envelope.extracting(0..<EnvelopeHeader.byteCount)).priority
    }

    /// Closes the open message and gives all packets since the last time, in one buffer.
    package mutating func take() -> [UInt8] {
        guard !out.isEmpty else { return [] }
        if let start { seal(from: start) }
        let taken = out
        room = max(512, taken.count)
        out = []
        if keepsOpen {
            lastOpened = opened?.count == taken.count ? opened : nil
            opened = nil
        }
        return taken
    }

    private mutating func begin(_ type: FrameType, _ count: Int, _ priority: Priority? = nil) {
        let size = 1 + Varint.byteCount(UInt64(count)) + count
        precondition(size <= LinkBounds.plaintext, "a frame fits one message")
        tally?.add(type, priority, bytes: size)
        if let start, out.count - start + size > LinkBounds.plaintext { seal(from: start) }
        if start == nil { open() }
        out.append(type.rawValue)
        out.append(varint: UInt64(count))
    }

    private mutating func open() {
        if out.isEmpty { out.reserveCapacity(room) }
        out.append(u16: 0)
        out.append(PacketKind.transport.rawValue)
        out.append(0)
        start = out.count
    }

    private mutating func seal(from start: Int, isSecret: Bool = false) {
        let frames = out.count
        let excess = (out.count - start) % LinkBounds.padding
        if excess > 0 { out.append(contentsOf: repeatElement(0, count: LinkBounds.padding - excess)) }
        let end = out.count
        if keepsOpen, !isSecret {
            var burst = opened.take() ?? OpenBurst(cipher)
            if burst.count == start - LinkBounds.packetHead { burst.append(out.span.extracting(burst.count..<end)) }
            opened = burst
        }
        let tag = out.withUnsafeMutableBytes { raw in
            var message = UnsafeMutableRawBufferPointer(rebasing: raw[start..<end]).mutableBytes
            do {
                return try cipher.seal(inPlace: &message)
            } catch { preconditionFailure("a link ends by its age long before its nonces do") }
        }
        out.append(tag)
        tally?.add(overhead: LinkBounds.packetHead + out.count - frames)
        let size = out.count - start + 2
        out[start - LinkBounds.packetHead] = UInt8(truncatingIfNeeded: size >> 8)
        out[start - LinkBounds.packetHead + 1] = UInt8(truncatingIfNeeded: size)
        if opened?.count == end { opened?.close(from: start, size: size) }
        self.start = nil
    }
}
