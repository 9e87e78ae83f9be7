package import CoveyCrypto

/// Inputs made of other inputs: some bytes changed, cut out, repeated, or put together from two.
package enum Damage {
    package static func damaged(_ bytes: [UInt8], _ others: [[UInt8]], _ random: SeededRandom) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<random.uniform(1...4) where !bytes.isEmpty {
            let at = random.uniform(0...bytes.count - 1)
            let end = min(bytes.count, at + random.uniform(1...16))
            switch random.uniform(0...6) {
            case 0: bytes[at] = UInt8(random.uniform(0...255))
            case 1: bytes[at] = [0, 1, 0x7F, 0x80, 0xFF][random.uniform(0...4)]
            case 2: bytes.removeSubrange(at..<end)
            case 3: bytes.insert(contentsOf: bytes[at..<end], at: at)
            case 4: bytes.removeSubrange(at...)
            case 5:
                let other = others[random.uniform(0...others.count - 1)]
                guard !other.isEmpty else { continue }
                bytes.replaceSubrange(at..., with: other[random.uniform(0...other.count - 1)...])
            default: bytes.replaceSubrange(at..<end, with: random.bytes(end - at))
            }
        }
        return bytes
    }
}
