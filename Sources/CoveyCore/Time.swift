/// What the driver tells the node of time at each event. The core has no clock of its own.
package struct Now: Hashable, Sendable {
    /// Microseconds since the node started; never goes back.
    package var uptime: UInt64
    /// Microseconds since 1970 as the machine's clock shows them; may be wrong, and may jump.
    package var wall: Int64

    package init(uptime: UInt64, wall: Int64) {
        self.uptime = uptime
        self.wall = wall
    }
}

/// Whole minutes since 1970: times in signed objects (protocol.md §0.4).
package struct Minute: Hashable, Comparable, Sendable {
    package var value: UInt32

    package init(_ value: UInt32) { self.value = value }

    /// Clamped to what the field holds.
    package init(wall microseconds: Int64) {
        value = UInt32(clamping: microseconds / 60_000_000)
    }

    package static func < (left: Minute, right: Minute) -> Bool { left.value < right.value }

    /// Saturates instead of trapping: distances come from strangers' numbers.
    package func adding(_ minutes: Int64) -> Minute { Minute(UInt32(clamping: Int64(value) + minutes)) }

    package var hour: Hour { Hour(value / 60) }
}

/// Whole hours since 1970: expiry of mail and slots (protocol.md §3.1).
package struct Hour: Hashable, Comparable, Sendable {
    package var value: UInt32

    package init(_ value: UInt32) { self.value = value }

    package static func < (left: Hour, right: Hour) -> Bool { left.value < right.value }

    package func adding(_ hours: Int64) -> Hour { Hour(UInt32(clamping: Int64(value) + hours)) }
}

extension RandomAccessCollection {
    /// The first index from which on all are `true`; the elements stand in such an order.
    package func partitioningIndex(where isBeyond: (Element) -> Bool) -> Index {
        var low = startIndex
        var left = count
        while left > 0 {
            let middle = index(low, offsetBy: left / 2)
            if isBeyond(self[middle]) {
                left /= 2
            } else {
                low = index(after: middle)
                left -= left / 2 + 1
            }
        }
        return low
    }
}
