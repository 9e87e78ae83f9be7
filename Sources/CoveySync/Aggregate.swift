/// How many items a range has, and the sum of their ids: what fingerprints are made of (sync-routing.md §2.3).
///
/// Adding and subtracting commute, so it is kept by each insert and removal and joined over ranges.
package struct Aggregate: Hashable, Sendable {
    package private(set) var count: UInt32 = 0
    /// Modulo 2^128.
    package private(set) var sum: UInt128 = 0

    package init() {}

    var isEmpty: Bool { count == 0 }

    mutating func add(_ number: UInt128) {
        count += 1
        sum &+= number
    }

    mutating func subtract(_ number: UInt128) {
        count -= 1
        sum &-= number
    }

    mutating func add(_ other: Aggregate) {
        count += other.count
        sum &+= other.sum
    }

    mutating func subtract(_ other: Aggregate) {
        count -= other.count
        sum &-= other.sum
    }
}

/// 32 sums of ±1 over a set, one a bit of its ids: the mean square of two sets' differences estimates how many items they
/// differ by, to a quarter or so (tug-of-war).
package struct TugOfWar: Hashable, Sendable {
    package static let counters = 32
    private static let shifts: SIMD32<Int32> = {
        var shifts = SIMD32<Int32>()
        for bit in 0..<counters { shifts[bit] = Int32(bit) }
        return shifts
    }()

    package private(set) var sums = SIMD32<Int32>()

    package init() {}

    init(_ sums: SIMD32<Int32>) { self.sums = sums }

    mutating func add(_ id: ItemID) { sums &+= Self.signs(id) }
    mutating func subtract(_ id: ItemID) { sums &-= Self.signs(id) }

    /// Ids are hashes already: the third word is one that no range bound and no sum looks at in envelope sets.
    private static func signs(_ id: ItemID) -> SIMD32<Int32> {
        let word = SIMD32<Int32>(repeating: Int32(truncatingIfNeeded: id.word(2)))
        return (((word &>> shifts) & 1) &<< 1) &- 1
    }

    /// How many items two sets differ by, roughly. Saturates: the counters of a peer may say anything.
    package func distance(to other: TugOfWar) -> Int {
        var total: UInt64 = 0
        for counter in 0..<Self.counters {
            let difference = UInt64((Int64(sums[counter]) - Int64(other.sums[counter])).magnitude)
            let (sum, overflow) = total.addingReportingOverflow(difference &* difference)
            if overflow || difference > UInt64(UInt32.max) { return Int(UInt32.max) }
            total = sum
        }
        return Int(min(total / UInt64(Self.counters), UInt64(UInt32.max)))
    }
}
