import CoveyCore
import CoveyCrypto

/// Puts a stream together into packets, opens them where they lie, and shows their frames.
///
/// A fault is final: the link is closed, nothing more is read from it.
package struct FrameReceiver: Sendable {
    private var cipher: DirectionCipher
    private var inbox: [UInt8] = []

    init(_ cipher: CipherState) { self.cipher = DirectionCipher(cipher) }

    /// Takes the next bytes of the stream and visits every whole frame, in order. Allocates nothing once the buffer has
    /// grown to the size of the pieces.
    /// - Parameter visit: gets a body that lives for the call. What it throws ends the receiving.
    package mutating func receive(_ bytes: RawSpan, _ visit: (FrameType, RawSpan) throws -> Void) throws {
        inbox.append(copying: bytes)
        let used = try open(visit)
        if used == inbox.count {
            inbox.removeAll(keepingCapacity: true)
        } else {
            inbox.removeSubrange(0..<used)
        }
    }

    /// The same for a buffer that is given away: it is opened where it is, when nothing was left over before, and a link
    /// at rest keeps no buffer.
    /// - Parameter opened: what whoever sealed these bytes says they are. Believed when the keys agree; nothing is opened then.
    package mutating func receive(
        adopting bytes: consuming [UInt8], opened: OpenBurst? = nil, _ visit: (FrameType, RawSpan) throws -> Void
    ) throws {
        if opened != nil { cipher.startNaming() }
        if let opened, inbox.isEmpty, opened.count == bytes.count, opened.cipher.isEqual(to: cipher) {
            inbox = opened.packets
            _ = try open(isOpened: true, visit)
            inbox = []
            return
        }
        if inbox.isEmpty { inbox = bytes } else { inbox += bytes }
        let used = try open(visit)
        inbox = used == inbox.count ? [] : Array(inbox[used...])
    }

    /// Bytes of a packet that is not whole yet.
    package var pending: Int { inbox.count }

    private mutating func open(
        isOpened: Bool = false, _ visit: (FrameType, RawSpan) throws -> Void
    ) throws -> Int {
        var at = 0
        while inbox.count - at >= LinkBounds.packetHead {
            let size = Int(inbox[at]) << 8 | Int(inbox[at + 1])
            guard let kind = PacketKind(rawValue: inbox[at + 2]) else { throw LinkFault.unknownKind(inbox[at + 2]) }
            guard kind == .transport else { throw LinkFault.outOfOrder(kind) }
            guard inbox[at + 3] == 0 else { throw LinkFault.unknownFlags(inbox[at + 3]) }
            let count = size - 2 - CipherState.tagSize
            guard (0...LinkBounds.plaintext).contains(count) else { throw LinkFault.packetLength(size) }
            guard inbox.count - at >= size + 2 else { break }
            let message = at + LinkBounds.packetHead..<at + LinkBounds.packetHead + count
            if isOpened { try skip() } else { try decrypt(message) }
            try show(message, visit)
            at += size + 2
        }
        return at
    }

    private mutating func skip() throws(LinkFault) {
        do { try cipher.skip() } catch { throw LinkFault(error, kind: .transport) }
    }

    private mutating func decrypt(_ message: Range<Int>) throws(LinkFault) {
        let tag = AuthenticationTag(
            copying: inbox.span.bytes.extracting(message.upperBound..<message.upperBound + CipherState.tagSize))
        let failure: NoiseFailure? = inbox.withUnsafeMutableBytes { raw in
            var bytes = UnsafeMutableRawBufferPointer(rebasing: raw[message]).mutableBytes
            do throws(NoiseFailure) {
                try cipher.open(inPlace: &bytes, tag: tag)
                return nil
            } catch { return error }
        }
        if let failure { throw LinkFault(failure, kind: .transport) }
    }

    private mutating func show(_ message: Range<Int>, _ visit: (FrameType, RawSpan) throws -> Void) throws {
        var at = message.lowerBound
        while at < message.upperBound {
            let number = inbox[at]
            if number == FrameType.padding {
                guard inbox[at..<message.upperBound].allSatisfy({ $0 == 0 }) else { throw LinkFault.padding }
                return
            }
            let (head, count) = try length(at + 1, message.upperBound)
            let body = head..<head + count
            at = body.upperBound
            if let type = FrameType(rawValue: number) {
                // The one frame with a key: it does not stay behind in a buffer, taken or refused.
                defer { if type == .epochKey { inbox.replaceSubrange(body, with: repeatElement(0, count: count)) } }
                try visit(type, inbox.span.bytes.extracting(body))
            } else if number < FrameType.firstSkippable {
                throw LinkFault.unknownFrame(number)
            }
        }
    }

    /// The length at `at`, and where the body begins.
    private func length(_ at: Int, _ end: Int) throws(LinkFault) -> (head: Int, count: Int) {
        var reader = ByteReader(inbox.span.bytes.extracting(at..<end))
        let count: UInt64
        do { count = try reader.varint() } catch { throw .frame(error) }
        guard count <= UInt64(reader.remaining) else { throw .frame(.truncated) }
        return (end - reader.remaining, Int(count))
    }
}
