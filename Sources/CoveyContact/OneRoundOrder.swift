/// The order in which The ONE updates its nodes, round after round.
///
/// Every round shuffles the list of nodes again, from where the round before left it, with a generator seeded by the
/// rounded second (SEMANTICS.md §2). Which places a shuffle exchanges does not depend on what stands there. So it is
/// one permutation a second, made once however many rounds that second has, and only when someone asks for places.
struct OneRoundOrder {
    /// Where each node stands, as of the rounds that were settled.
    private(set) var places: [Int32]
    /// The place that a node goes to from each place, in a round of `second`.
    private var moves: [Int32]
    private var second: Int64 = .min
    private var movesAreOfSecond = false
    /// Rounds of `second` that are not settled.
    private var rounds = 0
    private let isShuffled: Bool
    /// For each bound the number by which a division becomes two multiplications (Lemire, Kaser and Kurz 2019).
    private let inverses: [UInt64]
    private var draws: [Int32]

    init(nodes: Int, isShuffled: Bool) {
        places = (0..<Int32(nodes)).map { $0 }
        moves = places
        draws = places
        self.isShuffled = isShuffled && nodes > 1
        inverses = [0, 0] + (2..<UInt64(max(2, nodes) + 1)).map { UInt64.max / $0 + 1 }
    }

    /// One more round is due at this rounded second.
    mutating func advance(second next: Int64) {
        if next != second {
            settle()
            second = next
            movesAreOfSecond = false
        }
        rounds += 1
    }

    /// Brings the places up to date.
    mutating func settle() {
        guard rounds > 0, isShuffled else {
            rounds = 0
            return
        }
        if !movesAreOfSecond { makeMoves() }
        let count = places.count
        places.withUnsafeMutableBufferPointer { places in
            moves.withUnsafeBufferPointer { moves in
                for _ in 0..<rounds {
                    for node in 0..<count { places[node] = moves[Int(places[node])] }
                }
            }
        }
        rounds = 0
    }

    /// The shuffle exchanges the places n-1 and j(n), then n-2 and j(n-1), and so on to 1 and j(2), where j(i) is
    /// thrown below i. Where a node goes is the inverse of that: the same exchanges from the last to the first. Then
    /// place i-1 has not been touched before its exchange, and one pass writes all.
    private mutating func makeMoves() {
        movesAreOfSecond = true
        let count = places.count
        var state = UInt64(bitPattern: second) ^ JavaRandom.multiplier
        let inverses = inverses
        draws.withUnsafeMutableBufferPointer { draws in
            inverses.withUnsafeBufferPointer { inverses in
                // Above this the generator may have to throw again, which happens about once in a thousand shuffles.
                let doubtful = 0x8000_0000 - UInt64(count)
                var bound = UInt64(count)
                while bound > 1 {
                    state = state &* JavaRandom.multiplier &+ JavaRandom.increment
                    let bits = state >> 17 & 0x7fff_ffff
                    if bound & (bound - 1) == 0 {
                        draws[Int(bound) - 1] = Int32(truncatingIfNeeded: (bound &* bits) >> 31)
                    } else {
                        let rest = (inverses[Int(bound)] &* bits).multipliedFullWidth(by: bound).high
                        if bits >= doubtful, bits - rest + (bound - 1) > 0x7fff_ffff { continue }
                        draws[Int(bound) - 1] = Int32(truncatingIfNeeded: rest)
                    }
                    bound -= 1
                }
            }
        }
        moves.withUnsafeMutableBufferPointer { moves in
            draws.withUnsafeBufferPointer { draws in
                moves[0] = 0
                var place = 1
                while place < count {
                    let other = Int(draws[place])
                    moves[place] = moves[other]
                    moves[other] = Int32(truncatingIfNeeded: place)
                    place += 1
                }
            }
        }
    }
}
