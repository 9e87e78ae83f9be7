internal import CSodium

/// Where randomness comes from. The node is given one; it never asks the machine itself.
package protocol RandomSource: AnyObject {
    func fill(_ bytes: inout MutableRawSpan)
}

extension RandomSource {
    /// Uniform in `0..<bound`, without modulo bias.
    package func uniform(_ bound: UInt64) -> UInt64 {
        precondition(bound > 0, "a range has at least one value")
        let limit = UInt64.max - (UInt64.max % bound + 1) % bound
        while true {
            let word = nextWord()
            if word <= limit { return word % bound }
        }
    }

    package func uniform(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(uniform(UInt64(range.upperBound - range.lowerBound) + 1))
    }

    package func nextWord() -> UInt64 {
        var word: UInt64 = 0
        withUnsafeMutableBytes(of: &word) { raw in
            var span = raw.mutableBytes
            fill(&span)
        }
        return UInt64(littleEndian: word)
    }

    package func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        bytes.withUnsafeMutableBytes { raw in
            var span = raw.mutableBytes
            fill(&span)
        }
        return bytes
    }

    /// Fisher–Yates, drawn from this source only.
    package func shuffle<Element>(_ items: inout [Element]) {
        guard items.count > 1 else { return }
        for index in (1..<items.count).reversed() { items.swapAt(index, uniform(0...index)) }
    }
}

/// The operating system's generator, through `randombytes_buf`.
package final class SystemRandom: RandomSource, Sendable {
    package init() { Sodium.start() }

    package func fill(_ bytes: inout MutableRawSpan) {
        bytes.withUnsafeMutableBytes { raw in
            if let base = raw.baseAddress { randombytes_buf(base, raw.count) }
        }
    }
}

/// The same bytes for the same seed, for simulation and tests: a ChaCha20 stream, cut into blocks.
package final class SeededRandom: RandomSource {
    private static let blockSize = 1024
    private let seed: Octets32
    private var block: [UInt8] = []
    private var position = 0
    private var blocks: UInt64 = 0

    package init(seed: Octets32) {
        Sodium.start()
        self.seed = seed
    }

    package convenience init(seed: UInt64, stream: String = "") {
        var material = Array("covey-seed".utf8)
        for shift in stride(from: 56, through: 0, by: -8) { material.append(UInt8(truncatingIfNeeded: seed >> shift)) }
        material += Array(stream.utf8)
        self.init(seed: Blake2b.hash256(material.span.bytes, personal: "covey1:random"))
    }

    package func fill(_ bytes: inout MutableRawSpan) {
        bytes.withUnsafeMutableBytes { raw in
            var at = 0
            while at < raw.count {
                if position == block.count { refill() }
                let count = min(raw.count - at, block.count - position)
                block.withUnsafeBytes { source in
                    UnsafeMutableRawBufferPointer(rebasing: raw[at..<at + count])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[position..<position + count]))
                }
                at += count
                position += count
            }
        }
    }

    private func refill() {
        if block.isEmpty { block = [UInt8](repeating: 0, count: Self.blockSize) }
        var nonce = blocks.littleEndian
        blocks += 1
        position = 0
        seed.withSpan { key in
            key.withUnsafeBytes { key in
                block.withUnsafeMutableBytes { out in
                    withUnsafeBytes(of: &nonce) { nonce in
                        _ = crypto_stream_chacha20(
                            out.baseAddress!.assumingMemoryBound(to: UInt8.self), UInt64(out.count),
                            nonce.baseAddress!.assumingMemoryBound(to: UInt8.self),
                            key.baseAddress!.assumingMemoryBound(to: UInt8.self))
                    }
                }
            }
        }
    }
}
