/// To an outsider beacons are noise: always 220 bytes, or 24 in HOLD, no eight bytes of one seen again in another, and all
/// byte values equally often (invariant 16).
public final class BeaconsTellNothing: Checker, WireTap {
    public let name = "beacons tell nothing"
    /// Datagrams whose words are remembered.
    private static let remembered = 100_000
    private var words: Set<UInt64> = []
    private var datagrams = 0
    private var counts = [Int](repeating: 0, count: 256)

    public init() {}

    public func begin(in world: World) { world.add(tap: self) }

    package func heard(datagram: [UInt8], from host: Host, in world: World) {
        guard world.isHonest(host) else { return }
        guard datagram.count == 220 || datagram.count == 24 else {
            return world.violate(name, "a datagram has \(datagram.count) bytes", at: host)
        }
        for byte in datagram { counts[Int(byte)] += 1 }
        datagrams += 1
        guard datagrams <= Self.remembered else { return }
        for start in stride(from: 0, through: datagram.count - 8, by: 4) {
            let word = datagram[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) }
            // Each word overlaps its neighbour by half: one at every fourth byte meets any repetition that is aligned so.
            if !words.insert(word).inserted {
                world.violate(name, "eight bytes of a datagram were seen before", at: host)
            }
        }
    }

    public func ended(in world: World) {
        let total = counts.reduce(0, +)
        guard total >= 256 * 40 else { return }
        let expected = Double(total) / 256
        let square = counts.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        // 255 degrees of freedom: noise is beyond 400 once in ten million runs.
        if square > 400 { world.violate(name, "some byte values are commoner than others, chi-square \(square)") }
    }
}
