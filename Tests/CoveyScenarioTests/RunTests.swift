import CoveyContact
import CoveyReport
import CoveyScenario
import CoveyVectors
import Synchronization
import Testing

@Suite("Running scenarios")
struct RunTests {
    /// Two groups, one link between them that breaks for ten minutes.
    static let tiny = """
        v: 1
        name: tiny
        duration: 40m
        groups:
          - {name: a, count: 3}
          - {name: b, count: 3}
        links:
          wire: {rate: 1Mbit, latency: 5ms, multicast: true}
        topology:
          - {type: clique, of: a, link: wire}
          - {type: clique, of: b, link: wire}
          - {type: bridge, between: [a, b], n: 1, link: wire}
        timeline:
          - {at: 10m, partition: [[a], [b]], affects: bridge}
          - {at: 20m, heal: "*"}
        traffic:
          - kind: list
            messages:
              - [5m, a.0, a.1, 300, normal, 1d]
              - [12m, a.0, b.1, 300, normal, 1d]
              - [13m, b.2, a.2, 900, urgent, 1d]
              - [30m, b.0, a.0, 20000, bulk, 1d]
        assert:
          - {deliveryVsOracle: 1, priority: normal}
          - {never: duplicateToApp}
          - {always: storeWithinQuota}
          - {overheadAtMost: 0.1, expected: false, because: every copy costs more}
          - {deliveryVsOracle: 0.1, expected: false, because: somebody was too modest}
          - {linkShareAtMost: 0.3, priority: bulk, link: wire}
        """

    private func run(_ level: DetailLevel) throws -> ScenarioRun.Outcome {
        var options = ScenarioRun.Options()
        options.level = level
        return try ScenarioRun(read(Self.tiny), options: options).run(seed: 3)
    }

    @Test("At the level of contacts mail waits for the heal, and claims get their verdicts")
    func contact() throws {
        let outcome = try run(.contact)
        let result = outcome.result
        #expect(result.level == .contact && result.hosts == 6 && result.counters.created == 4)
        #expect(result.build == Build.name)
        #expect(result.delivery[0].delivered == 4 && result.delivery[0].reachable == 4)
        // Written in the 12th and 13th minute, it crosses in the 20th.
        #expect(result.delivery[0].delays.map { (470...490).contains($0.maximum) } == true)
        #expect(
            result.assertions.map(\.verdict) == [
                .passed, .notJudged, .notJudged, .expectedMiss, .surprisingPass, .notJudged,
            ])
        #expect(result.succeeded)
        let recording = try #require(outcome.recording)
        #expect(recording.intervals.map(\.lane) == ["partitions", "partitions"])
        #expect(recording.hosts.map(\.name) == ["a.0", "a.1", "a.2", "b.0", "b.1", "b.2"])
    }

    @Test("What an office cannot sign is not played, and the result says so")
    func revokedOnce() throws {
        var options = ScenarioRun.Options()
        options.level = .full
        let scenario = sample(
            groups: "- {name: a, count: 3}",
            timeline: "[{at: 1m, revoke: {device: a.2, by: a.0}}, {at: 2m, revoke: {device: a.2, by: a.1}}]")
        let result = try ScenarioRun(read(scenario), options: options).run(seed: 5).result
        #expect(result.notes.contains("Not played: revoke a.2, which this office cannot, or is done already."))
    }

    @Test("A run over contacts says how far it is, by the rules of The ONE too", arguments: [Semantics.own, .theONE])
    func progress(semantics: Semantics) throws {
        final class Told: Sendable { let times = Mutex<[UInt64]>([]) }
        let told = Told()
        var options = ScenarioRun.Options()
        options.level = .contact
        options.semantics = semantics
        options.progress = { now in told.times.withLock { $0.append(now) } }
        let scenario = sample(
            groups: "- {name: a, count: 10}",
            topology: "- {type: community, of: a, meet: 600/h, contact: 1s, link: wire}")
        _ = try ScenarioRun(read(scenario), options: options).run(seed: 3)
        let times = told.times.withLock { $0 }
        #expect(times.count >= 3 && times == times.sorted())
        #expect(times.allSatisfy { $0 > 0 && $0 <= 3_601_000_000 })
    }

    @Test("With whole nodes the same mail arrives, and what cannot be sent yet is counted with its reason")
    func full() throws {
        let outcome = try run(.full)
        let result = outcome.result
        #expect(result.level == .full && result.kem == "simulated" && result.counters.created == 3)
        #expect(result.delivery[0].delivered == 3 && result.delivery[0].reachable == 3)
        #expect(result.delivery[0].delays.map { (470...520).contains($0.maximum) } == true)
        #expect(
            result.assertions.map(\.verdict) == [
                .passed, .passed, .passed, .expectedMiss, .surprisingPass, .passed,
            ])
        #expect(result.notes.contains { $0.hasPrefix("1 messages were not sent: not sendable yet") })
    }

    @Test("The same seed gives the same result, at both levels", arguments: [DetailLevel.contact, .full])
    func determinism(_ level: DetailLevel) throws {
        var one = try run(level).result
        var two = try run(level).result
        one.cost = Cost()
        two.cost = Cost()
        #expect(one == two)
    }

    @Test("What was frozen runs to the same")
    func frozen() throws {
        var options = ScenarioRun.Options()
        options.level = .contact
        var scenario = try ScenarioFile.read("\(Shared.packageRoot)/simulations/06-mine-tunnels.yaml").scenario
        scenario.duration = .hours(1)
        let first = try ScenarioRun(scenario, options: options).run(seed: 5)
        let file = ScenarioWriter.write(first.expansion.frozen())
        let again = try ScenarioRun(ScenarioReader(file: "frozen").read(file).scenario, options: options).run()
        #expect(again.result.traceDigest == first.result.traceDigest)
        #expect(again.result.delivery == first.result.delivery && first.result.counters.delivered > 100)
    }

    @Test("A partition parts what it is about, for as long as it lasts, and who stands on two sides reaches both")
    func reach() throws {
        let topology = "- {type: line, of: a, link: wire}\n  - {type: clique, of: a, link: slow, name: mesh}"
        let timeline = """
            [{at: 10m, partition: [[a.0, a.1], [a.1, a.2]], affects: mesh, for: 10m}, {at: 30m, cut: [a.0, a.1], for: 5m}]
            """
        let source = sample(topology: topology, timeline: timeline).replacing(
            "wire: {rate: 1Mbit}", with: "wire: {rate: 1Mbit}\n  slow: {rate: 1kbit}")
        let expansion = Expansion(try read(source), seed: 1)
        let sources = try LayerContacts(expansion, density: .all).sources()
        var reach = Reach(expansion, sources: sources, partsOneWay: true)
        var told: [String] = []
        while let change = reach.next() {
            told.append("\(change.time / 60_000_000) \(change.a)-\(change.b) \(change.link.map { "\($0)" } ?? "none")")
        }
        #expect(
            told == [
                "0 0-1 0", "0 1-2 0", "0 0-2 1", "10 0-2 none", "20 0-2 1", "30 0-1 none", "35 0-1 0",
            ])
    }
}
