/// What `FrameSender.take` gave, as it was before it was sealed: packet for packet in the same places, zeros for the tags.
///
/// For nodes of one process. Whoever has these very bytes, and the key and nonce they were sealed with, would open them to
/// this; `FrameReceiver` compares both before it believes it.
package struct OpenBurst: Sendable {
    /// Before the first message.
    let cipher: DirectionCipher
    private(set) var packets: [UInt8] = []

    init(_ cipher: DirectionCipher) { self.cipher = cipher }

    /// Takes over what was written since the last message, up to the padding.
    mutating func append(_ packets: Span<UInt8>) {
        // Most bursts are one message.
        if self.packets.isEmpty { self.packets.reserveCapacity(packets.count + CipherState.tagSize) }
        packets.withUnsafeBufferPointer { self.packets.append(contentsOf: $0) }
    }

    /// The last message, whose plaintext begins at `start`, is sealed to `size` bytes of packet after the length.
    mutating func close(from start: Int, size: Int) {
        packets.append(contentsOf: repeatElement(0, count: CipherState.tagSize))
        packets[start - LinkBounds.packetHead] = UInt8(truncatingIfNeeded: size >> 8)
        packets[start - LinkBounds.packetHead + 1] = UInt8(truncatingIfNeeded: size)
    }

    var count: Int { packets.count }
}
