import CoveyCore

/// What a packet carries (protocol.md §2.1). Cookies belong to datagram links, which do not exist yet.
package enum PacketKind: UInt8, Sendable {
    case first = 1
    case second = 2
    case third = 3
    case cookie = 4
    case transport = 5
}

/// One packet of a handshake, without its head.
///
///     len u16 | kind u8 | flags u8 | bytes        len counts everything after itself; flags bit 0 = REVERSE, kind 1 only
package struct HandshakePacket: Sendable, Equatable {
    package let kind: PacketKind
    package let isReverse: Bool
    package let bytes: [UInt8]

    package init(kind: PacketKind, isReverse: Bool = false, bytes: [UInt8]) {
        precondition(!isReverse || kind == .first, "only a first message turns roles")
        self.kind = kind
        self.isReverse = isReverse
        self.bytes = bytes
    }

    static let reverseFlag: UInt8 = 1

    /// Bytes of the Noise message of a kind: they are fixed, so a wrong one is known by its head.
    static func sizes(of kind: PacketKind) -> [Int] {
        switch kind {
        case .first: [32 + FirstPayload.byteCount + 16]
        case .second: [32 + 48 + LinkBounds.fullPayload + 16]
        case .third: [48 + LinkBounds.fullPayload + 16, 48 + LinkBounds.shortPayload + 16]
        case .cookie, .transport: []
        }
    }

    package func encode() -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(LinkBounds.packetHead + bytes.count)
        out.append(u16: UInt16(bytes.count + 2))
        out.append(kind.rawValue)
        out.append(isReverse ? Self.reverseFlag : 0)
        out += bytes
        return out
    }
}

/// Puts the pieces of a stream together into packets, until the handshake is through.
///
/// A head that cannot begin a packet is refused as soon as its four bytes are here, so a stranger makes us hold no more
/// than one packet and one piece.
package struct PacketBuffer: Sendable {
    private var bytes: [UInt8] = []

    package init() {}

    package mutating func append(_ piece: [UInt8]) { bytes += piece }

    /// The next whole packet, or nil until more has come.
    package mutating func next() throws(LinkFault) -> HandshakePacket? {
        guard bytes.count >= LinkBounds.packetHead else { return nil }
        let size = Int(bytes[0]) << 8 | Int(bytes[1])
        guard let kind = PacketKind(rawValue: bytes[2]) else { throw .unknownKind(bytes[2]) }
        let flags = bytes[3]
        guard flags == 0 || (kind == .first && flags == HandshakePacket.reverseFlag) else { throw .unknownFlags(flags) }
        guard kind != .cookie, kind != .transport else { throw .outOfOrder(kind) }
        guard HandshakePacket.sizes(of: kind).contains(size - 2) else { throw .packetLength(size) }
        guard bytes.count >= size + 2 else { return nil }
        let packet = HandshakePacket(
            kind: kind, isReverse: flags != 0, bytes: Array(bytes[LinkBounds.packetHead..<size + 2]))
        bytes.removeFirst(size + 2)
        return packet
    }

    /// What came after the last packet: the beginning of the link.
    package mutating func takeRest() -> [UInt8] {
        let rest = bytes
        bytes = []
        return rest
    }
}
