import CoveyCrypto

/// Acknowledges mail as stored and passes some of it on to nobody: all of it, as a black hole. What it keeps once it keeps,
/// however often it is asked.
final class Greyhole: Conduct {
    /// Of what an id comes to under the key, below this it is kept; nil for all.
    private let bound: UInt64?
    private let key: SipHash

    init(share: Double, random: SeededRandom) {
        precondition((0...1).contains(share), "a share is from 0 to 1")
        bound = share == 1 ? nil : UInt64(share * 0x1p64)
        key = SipHash(key: Octets16.random(from: random))
    }

    func handsOn(_ envelope: HandedOn, of insider: Insider) -> HandedOn? {
        guard let bound else { return nil }
        let word = key.hash(envelope.id).array.reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        return word < bound ? nil : envelope
    }
}
