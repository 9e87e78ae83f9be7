import CoveyContact
import CoveyReport
import CoveyScenario
import Testing

@Suite("Cutting runs down")
struct ReductionTests {
    /// Places, faults and letters of the seed.
    static let drawn = """
        v: 1
        name: drawn
        duration: 6h
        level: contact
        groups:
          - {name: n, count: 12}
          - {name: s, count: 6}
        links:
          air: {rate: 1Mbit}
          wire: {rate: 10Mbit}
        topology:
          - {type: community, of: all, meet: 4/h, contact: 3m, link: air}
          - {type: clique, of: s, link: wire}
          - {type: bridge, between: [n, s], n: 2, link: wire}
        timeline:
          - {at: 1h, partition: [[n], [s]], affects: bridge, for: 1h}
          - {every: 1h, churn: {fraction: 0.2, off: 20m}}
          - {at: 2h, load: x3, for: 1h}
        traffic:
          - {kind: poisson, rate: 2/h/node, size: 500B, priority: normal, ttl: 1d, dst: uniform}
        assert:
          - {deliveryVsOracle: 0.9}
          - {p95Latency: 1h}
        """

    private func reduction(seed: UInt64) throws -> (whole: Expansion, cut: Reduction) {
        let whole = Expansion(try read(Self.drawn), seed: seed)
        return (whole, try Reduction(whole, level: .contact))
    }

    @Test(
        "A run written out with its contacts goes as the run it was, from the file too",
        arguments: [1, 2, 3] as [UInt64])
    func whole(seed: UInt64) throws {
        let (whole, cut) = try reduction(seed: seed)
        let scenario = cut.scenario(cut.everything, claims: ["deliveryVsOracle", "p95Latency"])
        var options = ScenarioRun.Options()
        options.records = false
        let before = try ScenarioRun(read(Self.drawn), options: options).run(seed: seed).result
        let after = try ScenarioRun(read(ScenarioWriter.write(scenario)), options: options).run().result
        #expect(before.counters.delivered > 100)
        #expect(after.traceDigest == before.traceDigest)
        #expect(after.assertions == before.assertions)
        #expect(scenario.groups == whole.scenario.groups)
    }

    @Test("A host that goes takes its letters, its links and its part in faults with it; the others keep theirs")
    func hosts() throws {
        let (whole, cut) = try reduction(seed: 5)
        var kept = cut.everything
        // s.0 and n.3 leave.
        kept.hosts.removeAll { $0 == 12 || $0 == 3 }
        let scenario = cut.scenario(kept, claims: [])
        #expect(scenario.groups.map(\.count) == [11, 5])
        #expect(scenario.claims.isEmpty)
        let left = Expansion(scenario, seed: scenario.seed)
        #expect(left.letters.count == whole.letters.count { ![3, 12].contains($0.from) && ![3, 12].contains($0.to) })
        let before = whole.letters.filter { ![3, 12].contains($0.from) && ![3, 12].contains($0.to) }
        #expect(left.letters.map(\.at) == before.map(\.at))
        let names = Dictionary(uniqueKeysWithValues: cut.renamed(kept).map { ($0.now, $0.before) })
        #expect(names["n.3"] == "n.4" && names["s.0"] == "s.1" && names["n.2"] == nil)
        for (now, was) in zip(left.letters, before) {
            let name = left.cast.name(now.from)
            #expect(names[name] ?? name == whole.cast.name(was.from))
        }
        guard case .partition(let sides, _, _) = try #require(left.deeds.first { $0.lane == "partitions" }).act else {
            Issue.record("the partition is gone")
            return
        }
        #expect(sides.map(\.count) == [11, 5])
        _ = try read(ScenarioWriter.write(scenario))
    }

    @Test("Without one of its sides a partition is gone, and so are layers in which nobody meets anybody")
    func emptied() throws {
        let (_, cut) = try reduction(seed: 5)
        var kept = cut.everything
        kept.hosts = [0, 1, 2]
        kept.duration = .seconds(1800)
        let scenario = cut.scenario(kept, claims: [])
        #expect(scenario.groups.map(\.name) == ["n"])
        #expect(scenario.topology.allSatisfy { $0.handle == "community" })
        #expect(scenario.timeline.allSatisfy { $0.word != .partition })
        #expect(Expansion(scenario, seed: 5).letters.allSatisfy { $0.at < 1_800_000_000 })
    }

    @Test("A partition of more sides than there may be is a problem of the file")
    func sides() {
        let sides = (0..<65).map { "[x.\($0)]" }.joined(separator: ", ")
        let text = """
            v: 1
            name: many
            duration: 1h
            groups: [{name: x, count: 65}]
            links: {wire: {rate: 1Mbit}}
            topology: [{type: ring, of: x, link: wire}]
            timeline:
              - {at: 1m, partition: [\(sides)]}
            """
        #expect(throws: ScenarioProblems.self) { try read(text) }
    }
}
