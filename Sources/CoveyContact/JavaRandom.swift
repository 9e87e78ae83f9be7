/// The generator of `java.util.Random`, as its documentation specifies it: 48 bits, linear congruential.
///
/// The state is kept in 64 bits; the upper 16 are rubbish that no number thrown depends on.
package struct JavaRandom: Sendable, BitwiseCopyable {
    static let multiplier: UInt64 = 0x5_DEEC_E66D
    static let increment: UInt64 = 0xB

    private var state: UInt64

    package init(seed: Int64) { state = UInt64(bitPattern: seed) ^ Self.multiplier }

    /// 31 bits: what `next(31)` gives.
    mutating func bits() -> UInt32 {
        state = state &* Self.multiplier &+ Self.increment
        return UInt32(truncatingIfNeeded: state >> 17) & 0x7fff_ffff
    }

    /// Uniform in `0..<bound`: what `nextInt(bound)` gives.
    package mutating func below(_ bound: Int32) -> Int32 {
        precondition(bound > 0, "a range has at least one value")
        let bound = UInt32(bound)
        var bits = bits()
        if bound & (bound - 1) == 0 { return Int32((UInt64(bound) * UInt64(bits)) >> 31) }
        var value = bits % bound
        while bits - value + (bound - 1) > 0x7fff_ffff {
            bits = self.bits()
            value = bits % bound
        }
        return Int32(value)
    }

    /// What `Collections.shuffle` makes of a list.
    package mutating func shuffle<Item>(_ items: inout [Item]) {
        var index = items.count - 1
        while index > 0 {
            items.swapAt(index, Int(below(Int32(index + 1))))
            index -= 1
        }
    }
}
