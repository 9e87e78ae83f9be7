import Glibc

/// Fast dice for what a simulated world decides itself: delays, losses, steps, meetings. Never for keys.
///
/// xoshiro256** (Blackman and Vigna), its state filled by SplitMix64. A value: a copy throws the same numbers.
package struct Dice: RandomNumberGenerator, Sendable, BitwiseCopyable {
    private var state: (UInt64, UInt64, UInt64, UInt64)
    private let seed: UInt64

    package init(seed: UInt64) {
        self.seed = seed
        var mix = seed
        state = (Self.split(&mix), Self.split(&mix), Self.split(&mix), Self.split(&mix))
    }

    /// Dice of their own for one purpose, so that one more throw for this does not change what comes of that.
    /// The name and the number say which; what was thrown before does not matter.
    package func stream(_ name: StaticString, _ number: UInt64 = 0) -> Dice {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        name.withUTF8Buffer { bytes in
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        }
        var mix = seed ^ hash
        let first = Self.split(&mix)
        mix = first ^ number
        return Dice(seed: Self.split(&mix))
    }

    package mutating func next() -> UInt64 {
        let result = Self.rotate(state.1 &* 5, 7) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = Self.rotate(state.3, 45)
        return result
    }

    /// Uniform in `0..<bound` (Lemire's multiplication).
    package mutating func below(_ bound: UInt64) -> UInt64 {
        precondition(bound > 0, "a range has at least one value")
        var product = next().multipliedFullWidth(by: bound)
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
        }
        return product.high
    }

    package mutating func below(_ bound: Int) -> Int { Int(below(UInt64(bound))) }

    /// Uniform in `0..<1`, 53 bits.
    package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    package mutating func uniform(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound + unit() * (range.upperBound - range.lowerBound)
    }

    /// Uniform among the whole numbers of the range.
    package mutating func within(_ range: ClosedRange<UInt64>) -> UInt64 {
        let spread = range.upperBound - range.lowerBound
        return spread == 0 ? range.lowerBound : range.lowerBound + below(spread + 1)
    }

    /// Of mean 1: how long until something that happens once in a while, at any time, happens.
    package mutating func exponential() -> Double { -log(1 - unit()) }

    package mutating func chance(_ probability: Double) -> Bool { unit() < probability }

    private static func split(_ state: inout UInt64) -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    private static func rotate(_ word: UInt64, _ count: UInt64) -> UInt64 { word << count | word >> (64 - count) }
}
