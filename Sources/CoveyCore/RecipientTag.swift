package import CoveyCrypto

/// Whole days since 1970 of an expiry: what tags are made for, so that matching needs no clock (protocol.md §3.2).
package struct ExpiryDay: Hashable, Comparable, Sendable {
    package let value: UInt32

    package init(_ value: UInt32) { self.value = value }
    package init(of expiry: Hour) { value = expiry.value / 24 }

    package static func < (left: ExpiryDay, right: ExpiryDay) -> Bool { left.value < right.value }
}

extension RecipientTag {
    /// Tags one key has in a day; the sender draws one, so that equal keys do not make equal tags.
    package static let indices: Range<UInt8> = 0..<4

    /// `BLAKE2b-128(expiry_day u32 | i u8; key; "covey1:tag")`.
    package init(day: ExpiryDay, index: UInt8, key: SymmetricKey) {
        precondition(Self.indices.contains(index), "a key has four tags a day")
        let input: [5 of UInt8] = [
            UInt8(truncatingIfNeeded: day.value >> 24), UInt8(truncatingIfNeeded: day.value >> 16),
            UInt8(truncatingIfNeeded: day.value >> 8), UInt8(truncatingIfNeeded: day.value), index,
        ]
        self = Blake2b.hash(input.span.bytes, personal: .tag, key: key)
    }

    /// A sender's choice among the four of the day.
    package init(day: ExpiryDay, key: SymmetricKey, random: any RandomSource) {
        self.init(day: day, index: UInt8(random.uniform(UInt64(Self.indices.count))), key: key)
    }
}
