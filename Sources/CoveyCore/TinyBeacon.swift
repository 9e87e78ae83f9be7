import CoveyCrypto

/// Names one beacon for those who answer it: the first 8 bytes of its nonce (protocol.md §2.1).
package struct BeaconNonce: FixedOctets {
    private var octets = Octets8()
    package init() {}
}

/// Ten minutes of `mail_now`, counted from 1970.
package struct BeaconSlot: Hashable, Comparable, Sendable {
    package let value: UInt32

    package init(_ value: UInt32) { self.value = value }
    package init(of mailNow: Minute) { value = mailNow.value / 10 }

    package static func < (left: BeaconSlot, right: BeaconSlot) -> Bool { left.value < right.value }
}

/// The beacon of tiny adverts and of HOLD (protocol.md §1.10): it tells an outsider nothing, not even a version.
///
///     nonce 8 | tag 16        tag = BLAKE2b-128(nonce | slot u32; key beacon_e; "covey1:beacon")
package struct TinyBeacon: Hashable, Sendable {
    package static let byteCount = 24

    /// How far a hearer's slot may be off the sender's.
    package enum ClockTrust: Sendable {
        case trusted
        case untrusted

        /// Slots on either side: twenty minutes, or a day.
        package var slots: UInt32 {
            switch self {
            case .trusted: 2
            case .untrusted: 144
            }
        }
    }

    package let nonce: BeaconNonce
    private let tag: Octets16

    package init(slot: BeaconSlot, key: BeaconKey, nonce: BeaconNonce) {
        self.nonce = nonce
        tag = Self.tag(nonce, slot, key)
    }

    /// Nil unless there are exactly 24 bytes: nothing else can be wrong with a beacon that nobody has recognised yet.
    package init?(parsing bytes: RawSpan) {
        guard bytes.byteCount == Self.byteCount else { return nil }
        nonce = BeaconNonce(copying: bytes.extracting(first: 8))
        tag = Octets16(copying: bytes.extracting(last: 16))
    }

    package var bytes: [UInt8] { nonce.array + tag.array }

    /// The slot it was made for, when it was made with this key; the nearest slots are tried first.
    package func recognised(by key: BeaconKey, around slot: BeaconSlot, clock: ClockTrust) -> BeaconSlot? {
        for distance in 0...clock.slots {
            let (later, past) = slot.value.addingReportingOverflow(distance)
            if !past, isMade(BeaconSlot(later), key) { return BeaconSlot(later) }
            if distance > 0, distance <= slot.value, isMade(BeaconSlot(slot.value - distance), key) {
                return BeaconSlot(slot.value - distance)
            }
        }
        return nil
    }

    private func isMade(_ slot: BeaconSlot, _ key: BeaconKey) -> Bool {
        equalInConstantTime(Self.tag(nonce, slot, key), tag)
    }

    private static func tag(_ nonce: BeaconNonce, _ slot: BeaconSlot, _ key: BeaconKey) -> Octets16 {
        NonceAndSlot(nonce: nonce, slot: slot).withSpan { Blake2b.hash($0, personal: .beacon, key: key.key) }
    }
}

/// The 12 bytes that a tag is the hash of.
private struct NonceAndSlot: FixedOctets {
    private var nonce = BeaconNonce()
    private var slot: UInt32 = 0

    init() {}

    init(nonce: BeaconNonce, slot: BeaconSlot) {
        self.nonce = nonce
        self.slot = slot.value.bigEndian
    }
}
