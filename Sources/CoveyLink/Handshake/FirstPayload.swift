import CoveyCore
package import CoveyCrypto

/// What a first message says (protocol.md §2.1).
///
///     wire_min u8 | wire_max u8 | flags u8 | 0 | slot u32 | answered[8]        flags bit 0 = AHEAD
package struct FirstPayload: Sendable, Equatable {
    package static let byteCount = 16
    private static let aheadFlag: UInt8 = 1

    package let wireMin: UInt8
    package let wireMax: UInt8
    /// The sender prefers another, newer or cleaner epoch.
    package let isAhead: Bool
    /// mail_now / 10 min, as in beacons.
    package let slot: UInt32
    /// First 8 bytes of the nonce of the beacon that is answered, or of the `e` answered in a REVERSE; zero for static
    /// peers and peer records.
    package let answered: Octets8

    package init(
        isAhead: Bool, slot: UInt32, answered: Octets8 = Octets8(), wireMin: UInt8 = LinkContext.wireVersion,
        wireMax: UInt8 = LinkContext.wireVersion
    ) {
        self.wireMin = wireMin
        self.wireMax = wireMax
        self.isAhead = isAhead
        self.slot = slot
        self.answered = answered
    }

    /// Whether the hour in which it was written is over. What lies ahead is no recording, or our own clock is behind.
    package func isPast(at ownSlot: UInt32) -> Bool { ownSlot > slot && ownSlot - slot > LinkBounds.firstSlots }

    package init(parsing bytes: [UInt8]) throws(LinkFault) {
        guard bytes.count == Self.byteCount, bytes[2] & ~Self.aheadFlag == 0, bytes[3] == 0 else { throw .firstPayload }
        guard let answered = Octets8(bytes[8..<16]) else { throw .firstPayload }
        wireMin = bytes[0]
        wireMax = bytes[1]
        isAhead = bytes[2] & Self.aheadFlag != 0
        slot = bytes[4..<8].reduce(0) { $0 << 8 | UInt32($1) }
        self.answered = answered
    }

    package func encode() -> [UInt8] {
        var bytes: [UInt8] = [wireMin, wireMax, isAhead ? Self.aheadFlag : 0, 0]
        bytes.append(u32: slot)
        bytes.append(answered)
        return bytes
    }

    /// The highest version both sides speak has to be the one in the prologue: so nobody can talk two newer nodes down.
    func checkVersion() throws(LinkFault) {
        guard wireMin <= wireMax, wireMin <= LinkContext.wireVersion,
            min(wireMax, LinkContext.wireVersion) == LinkContext.wireVersion
        else { throw .wireVersion }
    }
}
