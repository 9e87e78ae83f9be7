package import CoveyCore
package import CoveyCrypto

/// Names an item of a set: the id of an envelope, the hash of a note, or device and hash of a bundle.
package struct ItemID: FixedOctets {
    private var octets = Octets32()
    package init() {}

    /// For ids of other rooms, which have 32 bytes too.
    @inlinable
    package init(_ id: some FixedOctets) { self.init(prefixOf: id) }

    enum Half { case first, second }

    /// Eight bytes as a number that sorts like them.
    func word(_ index: Int) -> UInt64 {
        withUnsafeBytes(of: self) {
            UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
        }
    }

    func number(_ half: Half) -> UInt128 {
        switch half {
        case .first: UInt128(word(0)) << 64 | UInt128(word(1))
        case .second: UInt128(word(2)) << 64 | UInt128(word(3))
        }
    }
}

/// What a set knows of an item. Its place in the set is (slot, id), the same on every node whatever its clock.
package struct Item: Hashable, Sendable {
    package var slot: Hour
    package var id: ItemID
    /// Nil: it stays until it is removed.
    package var expiry: Hour?

    package init(slot: Hour, id: ItemID, expiry: Hour?) {
        self.slot = slot
        self.id = id
        self.expiry = expiry
    }
}

/// A place between items: everything before it is smaller. Eight bytes of an id are enough to part honest items.
package struct Bound: Hashable, Comparable, Sendable {
    /// Above `UInt32.max` only in `end`.
    let slot: UInt64
    /// The first eight bytes of an id.
    let prefix: UInt64

    package init(slot: Hour, prefix: UInt64 = 0) {
        self.slot = UInt64(slot.value)
        self.prefix = prefix
    }

    private init(beyond: ()) {
        slot = 1 << 32
        prefix = 0
    }

    package static let start = Bound(slot: Hour(0))
    package static let end = Bound(beyond: ())

    package static func < (left: Bound, right: Bound) -> Bool {
        left.slot != right.slot ? left.slot < right.slot : left.prefix < right.prefix
    }
}
