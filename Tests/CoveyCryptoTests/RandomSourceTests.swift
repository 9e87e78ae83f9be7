import CoveyCrypto
import Testing

@Suite("Random sources")
struct RandomSourceTests {
    @Test("the same seed gives the same bytes, however they are asked for; another seed or stream gives others")
    func seeded() {
        let whole = SeededRandom(seed: 7, stream: "links").bytes(5000)
        let parts = SeededRandom(seed: 7, stream: "links")
        var joined: [UInt8] = []
        var count = 1
        while joined.count < 5000 {
            joined += parts.bytes(min(count, 5000 - joined.count))
            count = count * 3 % 1300 + 1
        }
        #expect(joined == whole)
        #expect(SeededRandom(seed: 8, stream: "links").bytes(5000) != whole)
        #expect(SeededRandom(seed: 7, stream: "radio").bytes(5000) != whole)
        #expect(SeededRandom(seed: 7).bytes(32) != Array(whole.prefix(32)))
    }

    @Test("a seeded source gives these bytes on every machine")
    func pinned() {
        #expect(SeededRandom(seed: 1).bytes(16).hex == "4f65f0d48c99674fe3b4e22aa18c3359")
    }

    @Test("uniform stays below its bound and reaches every value of a small one, near evenly")
    func uniform() {
        let random = SeededRandom(seed: 9)
        for bound in [1, 2, 3, 7, 10, 255, 256, 257, 1 << 32, 1 << 63, (1 << 63) + 1, UInt64.max] as [UInt64] {
            for _ in 0..<200 { #expect(random.uniform(bound) < bound) }
        }
        var seen = [Int](repeating: 0, count: 10)
        for _ in 0..<10_000 { seen[Int(random.uniform(10))] += 1 }
        // Six standard deviations of a fair draw: 6 × √(10 000 × 0.1 × 0.9) = 180.
        #expect(seen.allSatisfy { abs($0 - 1000) < 180 })
    }

    /// Words as told, to stand at the edge of the range that is thrown away.
    private final class ToldRandom: RandomSource {
        var words: [UInt64]
        init(_ words: [UInt64]) { self.words = words }
        func fill(_ bytes: inout MutableRawSpan) {
            bytes.storeBytes(of: words.removeFirst().littleEndian, toByteOffset: 0, as: UInt64.self)
        }
    }

    @Test("a word above the last whole multiple of the bound is drawn again: no value is favoured")
    func unbiased() {
        // 2^64 = 3 × 6148914691236517205 + 1: the largest word alone is thrown away.
        #expect(ToldRandom([.max, 5]).uniform(3) == 2)
        #expect(ToldRandom([.max - 1]).uniform(3) == 2)
        // A power of two divides the range: no word is thrown away.
        #expect(ToldRandom([.max]).uniform(1 << 40) == (1 << 40) - 1)
        #expect(ToldRandom([.max]).uniform(1) == 0)
        // Just above half of the range nearly half of the words are thrown away.
        let bound: UInt64 = (1 << 63) + 1
        #expect(ToldRandom([.max, bound, 4]).uniform(bound) == 4)
        #expect(ToldRandom([bound - 1]).uniform(bound) == bound - 1)
        #expect(ToldRandom([.max, 3]).uniform(UInt64.max) == 3)
    }

    @Test("a closed range gives both of its ends, below zero too")
    func closedRange() {
        let random = SeededRandom(seed: 10)
        var seen: Set<Int> = []
        for _ in 0..<200 { seen.insert(random.uniform(-2...2)) }
        #expect(seen == [-2, -1, 0, 1, 2])
        #expect(random.uniform(5...5) == 5)
    }

    @Test("a shuffle keeps the items and is the same for the same seed")
    func shuffle() {
        var first = Array(0..<100)
        var second = first
        SeededRandom(seed: 11).shuffle(&first)
        SeededRandom(seed: 11).shuffle(&second)
        #expect(first == second)
        #expect(first != Array(0..<100))
        #expect(first.sorted() == Array(0..<100))
    }

    @Test("the system's source gives unlike bytes")
    func system() {
        let random = SystemRandom()
        #expect(random.bytes(32) != random.bytes(32))
        #expect(random.bytes(0).isEmpty)
    }
}
