import CoveyReport
import Testing

@Suite("Many runs side by side")
struct SweepTests {
    @Test("A merge depends neither on the order of the parts nor on how they were cut")
    func order() throws {
        let runs = (1...24).map { Found.result(seed: UInt64($0), failing: $0 % 7 == 0) }
        let whole = try ResultFile.encoded(SweepResult(runs))
        for shards in [1, 2, 5, 24] {
            var parts = (0..<shards).map { shard in
                SweepResult(runs.indices.filter { $0 % shards == shard }.map { runs[$0] })
            }
            #expect(try ResultFile.encoded(SweepResult.merging(parts)) == whole)
            parts.reverse()
            #expect(try ResultFile.encoded(SweepResult.merging(parts)) == whole)
            let folded = parts.reduce(SweepResult()) { $1.merged(with: $0) }
            #expect(try ResultFile.encoded(folded) == whole)
        }
    }

    @Test("A run reported twice counts once, the cheaper report staying, whichever came first")
    func twice() {
        let first = Found.result(seed: 3)
        var second = first
        second.cost.cpuSeconds = 0.5
        for order in [[first, second], [second, first]] {
            let sweep = SweepResult(order)
            #expect(sweep.rows.count == 1)
            #expect(sweep.rows[0].cpuSeconds == 0.5)
            #expect(sweep.divergent.isEmpty)
        }
    }

    @Test("Two runs of one seed that differ are found, and the sweep does not succeed")
    func divergence() {
        let first = Found.result(seed: 3)
        var second = first
        second.traceDigest = "elsewhere"
        let sweep = SweepResult([second, Found.result(seed: 4), first])
        #expect(sweep.divergent.map(\.traceDigest) == ["d3", "elsewhere"])
        #expect(!sweep.succeeded)
        second.build = "another"
        #expect(SweepResult([first, second]).succeeded)
    }

    @Test("Failing seeds are listed by number, and the table names each")
    func failing() {
        let sweep = SweepResult([10, 9, 2].map { Found.result(seed: $0, failing: $0 != 9) })
        #expect(sweep.failing.map(\.seed) == [2, 10])
        #expect(sweep.failing[0].failed == ["deliveryVsOracle"])
        let lines = sweep.table().split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[1].contains("failed") && lines[2].contains("passed"))
        #expect(lines[2].contains("97.4 %"))
    }
}
