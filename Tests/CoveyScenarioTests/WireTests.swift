import CoveyReport
import CoveyScenario
import CoveySimulator
import Testing

@Suite("What travelled, and what claims say of it")
struct WireTests {
    /// Two groups of whole nodes; the wire between them stands for twenty minutes in the middle.
    private func source(claims: String, timeline: String = "[]") -> String {
        """
        v: 1
        name: wire
        duration: 40m
        groups:
          - {name: a, count: 2}
          - {name: b, count: 2}
        links:
          near: {rate: 1Mbit, latency: 5ms, multicast: true}
          far: {rate: 64kbit, latency: 300ms, multicast: true}
        topology:
          - {type: clique, of: a, link: near}
          - {type: clique, of: b, link: near}
          - {type: plan, format: ion, contacts: [{a: a.0, b: b.0, at: 10m, every: 2h, for: 20m, link: far}]}
        timeline: \(timeline)
        traffic:
          - kind: list
            messages:
              - [5m, a.0, b.1, 300, normal, 1d]
              - [5m, a.1, b.1, 300, normal, 1d]
              - [15m, b.1, a.1, 300, normal, 1d]
        assert: \(claims)
        """
    }

    private func run(_ claims: String, timeline: String = "[]", records: Bool = false) throws -> ScenarioRun.Outcome {
        var options = ScenarioRun.Options()
        options.level = .full
        options.records = records
        return try ScenarioRun(read(source(claims: claims, timeline: timeline)), options: options).run(seed: 3)
    }

    @Test("A result says what travelled by frame and by link, what reconciliation took, and what hosts had in common")
    func result() throws {
        let outcome = try run("[{deliveryVsOracle: 1}]", records: true)
        let result = outcome.result
        #expect(result.counters.delivered == 3)
        let frames = result.bytesByFrame.reduce(0) { $0 + $1.bytes }
        #expect(frames > 0 && result.bytesByLink.reduce(0) { $0 + $1.bytes } == frames)
        #expect(result.bytesByFrame.contains { $0.name == "data normal" && $0.count >= 9 })
        #expect(result.bytesByLink.map(\.name).prefix(2) == ["near", "far"])
        let found = try #require(result.reconciliation)
        let parts = ["digest", "summary", "recon", "reconDone"]
        #expect(found.bytes == result.bytesByFrame.reduce(0) { parts.contains($1.name) ? $0 + $1.bytes : $0 })
        // Two letters waited for the far link.
        #expect(found.differences >= 2)
        #expect(result.bufferMaxima.contains { $0.name == "all" && $0.bytes > 0 && $0.quota != nil })
        #expect(result.interning.contains { $0.name == "envelopes" && $0.kept == 3 && $0.bytesSaved ?? 0 > 0 })
        #expect(result.interning.contains { $0.name == "key agreements" && $0.kept > 0 && $0.reused > 0 })
        #expect(result.interning.contains { $0.name == "verified beacons" && $0.kept > 0 })
        // The same over time.
        let drawn = try #require(outcome.recording).frames
        #expect(drawn.reduce(0) { $0 + $1.bytes.reduce(0, +) } == frames)
        #expect(drawn.contains { $0.name == "data normal" })
    }

    @Test("Shares of a link, reconciliation and duplicates are judged by the frames that went")
    func judged() throws {
        let results = try run(
            """

              - {linkShareAtMost: 0.99, what: control, link: far}
              - {linkShareAtMost: 0.01, what: control, link: far}
              - {linkShareAtMost: 0.9, priority: normal, link: far}
              - {linkShareAtMost: 0.001, priority: normal, link: far}
              - {reconBytesAtMost: 64KB, per: window}
              - {reconBytesAtMost: 10B, per: window, link: far}
              - {reconBytesAtMost: 10B, per: window, link: near}
              - {reconBytesPerDiffAtMost: 100000}
              - {reconBytesPerDiffAtMost: 1}
              - {duplicatesPerNodeAtMost: 3}
            """
        ).result.assertions
        #expect(
            results.map(\.verdict) == [
                .passed, .failed, .passed, .failed, .passed, .failed, .notJudged, .passed, .failed, .passed,
            ])
        #expect(results[5].because?.hasPrefix("a.0 and b.0 took") == true)
        #expect(results.allSatisfy { $0.verdict == .notJudged || $0.measured != nil })
    }

    @Test("A device that turns keeps what it is given, mail to it does not count, and it can be won back")
    func harm() throws {
        let outcome = try run(
            "[{deliveryVsOracle: 0.5}]",
            timeline: "[{at: 1m, byzantine: {node: b.0, behaviours: [blackhole, utilityLie]}, for: 25m}]")
        let result = outcome.result
        #expect(result.notes.contains { $0.hasPrefix("Not played: utilityLie;") })
        #expect(result.notes.allSatisfy { !$0.contains("blackhole") })
        // All from a to b go by way of b.0, which keeps them while it means harm, and hands them on afterwards.
        #expect(result.delivery[0].delays.map { $0.maximum > 1200 } == true)
    }

    @Test("A drifting clock and a loss one way are played")
    func faults() throws {
        let timeline = """
            [{at: 2m, clockDrift: {node: a, ppm: 500}, for: 10m}, {at: 12m, asymLoss: {from: a, to: b, p: 0.3}, for: 10m}]
            """
        let result = try run("[{deliveryVsOracle: 1}]", timeline: timeline).result
        #expect(result.counters.delivered == 3 && result.succeeded)
        #expect(!result.notes.contains { $0.contains("clockDrift") || $0.contains("asymLoss") })
        #expect(try run("[{deliveryVsOracle: 1}]").result.traceDigest != result.traceDigest)
    }
}
