import CoveyContact
import CoveyScenario
import Testing

@Suite("Delta debugging")
struct DeltaDebuggingTests {
    @Test("The two faults that must come together are found among a hundred")
    func pair() {
        let found = DeltaDebugging.minimum(of: Array(0..<100)) { $0.contains(17) && $0.contains(63) }
        #expect(found == [17, 63])
    }

    @Test("A failure that needs nothing is left with nothing")
    func nothing() {
        #expect(DeltaDebugging.minimum(of: [1, 2, 3]) { _ in true }.isEmpty)
        #expect(DeltaDebugging.minimum(of: [Int]()) { _ in true }.isEmpty)
    }

    @Test("A failure that needs everything keeps everything, in order")
    func all() {
        #expect(DeltaDebugging.minimum(of: Array(0..<7)) { $0.count == 7 } == Array(0..<7))
    }

    @Test("Whatever fails: the result fails, and no item of it can be left out")
    func minimal() {
        var dice = Dice(seed: 4)
        for _ in 0..<200 {
            let count = dice.below(40) + 1
            // Any of a few small groups makes it fail.
            let groups = (0..<3).map { _ in (0..<dice.below(4) + 1).map { _ in dice.below(count) } }
            let fails = { (items: [Int]) in groups.contains { $0.allSatisfy(items.contains) } }
            let found = DeltaDebugging.minimum(of: Array(0..<count), fails: fails)
            #expect(fails(found))
            for index in found.indices {
                var less = found
                less.remove(at: index)
                #expect(!fails(less))
            }
        }
    }

    @Test("A thousand items and one culprit take few runs")
    func cost() {
        var runs = 0
        let found = DeltaDebugging.minimum(of: Array(0..<1_000)) {
            runs += 1
            return $0.contains(700)
        }
        #expect(found == [700])
        #expect(runs < 40)
    }
}

@Suite("Shards of a sweep")
struct ShardTests {
    @Test("Every seed is run by exactly one shard")
    func cover() throws {
        let seeds = try #require(SeedRange("5..41")).seeds
        var run: [UInt64] = []
        for number in 1...4 { run += try #require(Shard("\(number)/4")).seeds(of: seeds) }
        #expect(run.sorted() == Array(seeds))
    }

    @Test("A shard beyond the last seed has nothing to do")
    func empty() throws {
        #expect(try #require(Shard("8/8")).seeds(of: 1...3).isEmpty)
    }

    @Test("What is not a shard is refused", arguments: ["", "0/3", "4/3", "1/0", "a/b", "1", "1/2/3", "-1/3", "1/-3"])
    func refused(text: String) { #expect(Shard(text) == nil) }

    @Test("What is not a range of seeds is refused", arguments: ["", "..", "5..1", "1..", "x", "1..9999999999"])
    func noRange(text: String) { #expect(SeedRange(text) == nil) }

    @Test("A single seed is a range of one")
    func single() throws { #expect(try #require(SeedRange("7")).seeds == 7...7) }
}
