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
    package private(set) var sums = [Int32](repeating: 0, count: counters)

    package init() {}

    init(_ sums: [Int32]) {
        precondition(sums.count == Self.counters, "there are 32 sums")
        self.sums = sums
    }

    mutating func add(_ id: ItemID) { change(id, by: 1) }
    mutating func subtract(_ id: ItemID) { change(id, by: -1) }

    /// Ids are hashes already: the third word is one that no range bound and no sum looks at in envelope sets. A plain loop:
    /// it is one vector instruction after another, where SIMD32's own operators took seventy times as long.
    private mutating func change(_ id: ItemID, by step: Int32) {
        let word = UInt32(truncatingIfNeeded: id.word(2))
        sums.withUnsafeMutableBufferPointer { sums in
            for bit in 0..<Self.counters {
                sums[bit] &+= (Int32(bitPattern: word &>> UInt32(bit) & 1) &* 2 &- 1) &* step
            }
        }
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
