import CoveyReport
import CoveyScenario
import Foundation
import Testing

@Suite("covey-sim")
final class SimCommandTests {
    let program: SimProgram

    init() throws {
        program = try SimProgram()
        try program.write(Self.tiny, to: "tiny.yaml")
        try program.write(Self.late, to: "late.yaml")
        try program.write(Self.drawn, to: "drawn.yaml")
    }

    deinit { program.remove() }

    private static let places = """
        groups:
          - {name: a, count: 3}
          - {name: b, count: 3}
        links:
          wire: {rate: 1Mbit, latency: 5ms, multicast: true}
        topology:
          - {type: clique, of: a, link: wire}
          - {type: clique, of: b, link: wire}
          - {type: bridge, between: [a, b], n: 1, link: wire}

        """

    /// Holds at both levels.
    static let tiny =
        "v: 1\nname: tiny\nseed: 4\nduration: 12m\n" + places + """
            timeline:
              - {at: 4m, cut: [b.0, b.1], for: 1m}
            traffic:
              - kind: list
                messages:
                  - [2m, a.0, a.1, 300, normal, 1d]
                  - [5m, a.0, b.1, 300, normal, 1d]
            assert:
              - {deliveryVsOracle: 1}
              - {never: duplicateToApp}
            """

    /// Of its five faults one is why a message is late, and of its messages one is.
    static let late =
        "v: 1\nname: late\nlevel: contact\nduration: 40m\n" + places + """
            timeline:
              - {at: 3m, crash: a.2, restartAfter: 1m}
              - {at: 6m, cut: [b.0, b.1], for: 2m}
              - {at: 10m, partition: [[a], [b]], affects: bridge, for: 10m}
              - {at: 22m, crash: b.2, restartAfter: 3m}
              - {at: 30m, cut: [a.0, a.1], for: 1m}
            traffic:
              - kind: list
                messages:
                  - [2m, a.1, a.0, 300, normal, 1d]
                  - [5m, a.0, a.1, 300, normal, 1d]
                  - [12m, a.0, b.1, 300, urgent, 1d]
                  - [33m, b.0, b.1, 300, bulk, 1d]
            assert:
              - {deliveryVsOracle: 1}
              - {p95Latency: 1m, priority: urgent}
            """

    /// With the seed's own traffic and places.
    static let drawn = """
        v: 1
        name: drawn
        level: contact
        duration: 2h
        groups:
          - {name: walker, count: 8}
        links:
          air: {rate: 1Mbit}
        topology:
          - {type: community, of: walker, meet: 6/h, contact: 2m, link: air}
        traffic:
          - {kind: poisson, rate: 4/h/node, size: 500B, priority: normal, ttl: 1d, dst: uniform}
        assert:
          - {deliveryVsOracle: 0.5}
        swarm:
          topology.0.meet: {oneOf: [3/h, 6/h, 12/h]}
        """

    @Test(
        "run says what held, leaves files that can be read, and has a status for each end",
        arguments: ["full", "contact"])
    func run(level: String) throws {
        let said = try program.run("run", "tiny.yaml", "--level", level, "--out", "o", "--html", "--junit")
        #expect(said.output.contains("tiny  seed 4  level \(level)"))
        #expect(said.output.contains("✓ deliveryVsOracle: 100.0 %, wanted ≥ 100.0 %"))
        #expect(said.output.contains("replay: covey-sim run tiny.yaml --seed 4 --level \(level)"))
        let result = try program.result("o/result.json")
        #expect(said.output.contains("digest \(result.traceDigest)"))
        #expect(result.level.rawValue == level && result.hosts == 6 && result.counters.delivered == 2)
        #expect(try ResultFile.readRecording(program.path("o/recording.json")).hosts.count == 6)
        #expect(try program.text(of: "o/report.html").contains("</html>"))
        #expect(try program.text(of: "o/junit.xml").contains("tests=\"2\" failures=\"0\""))

        let again = try program.run("run", "tiny.yaml", "--level", level, "--json")
        let printed = try JSONDecoder().decode(RunResult.self, from: Data(again.output.utf8))
        #expect(printed.traceDigest == result.traceDigest)
    }

    @Test("a failed assertion and a surprise are status 1; a file that is not understood is 64, with its place")
    func statuses() throws {
        let failed = try program.run("run", "late.yaml", status: 1)
        #expect(failed.output.contains("✗ p95Latency urgent"))
        let modest = Self.tiny.replacing(
            "{deliveryVsOracle: 1}", with: "{deliveryVsOracle: 1, expected: false, because: nobody dared}")
        try program.write(modest, to: "modest.yaml")
        let surprise = try program.run("run", "modest.yaml", "--level", "contact", status: 1)
        #expect(surprise.output.contains("! surprise: deliveryVsOracle"))

        try program.write(Self.tiny.replacing("count: 3", with: "cuont: 3"), to: "bad.yaml")
        let bad = try program.run("run", "bad.yaml", status: 64)
        #expect(bad.complaint.contains("bad.yaml:6: groups[0].cuont: is not a key here"))
        #expect(bad.output.isEmpty)
        let missing = try program.run("run", "nowhere.yaml", status: 64)
        #expect(missing.complaint.contains("nowhere.yaml"))
        try program.run("run", "tiny.yaml", "--html", status: 64)
        try program.run("run", "tiny.yaml", "--level", "full", "--semantics", "the-one", status: 64)
    }

    @Test("policies side by side: direct hands each message on once, flooding more often")
    func compare() throws {
        let table = try program.run("compare", "drawn.yaml", "--policies", "direct,spray:4,flood").output
        let rows = table.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        try #require(rows.map(\.first) == ["level", "direct", "spray:4", "flood"])
        #expect(rows[1].contains("1.00"))
        #expect(rows[3].contains("100.0"))
        try program.run("compare", "drawn.yaml", "--policies", "pigeons", status: 64)

        for seed in ["1", "2"] { try program.run("run", "drawn.yaml", "--seed", seed, "--out", seed, "--quiet") }
        let results = try program.run("compare", "1/result.json", "2/result.json")
        #expect(results.output.contains("not of one scenario and seed"))
    }

    @Test("the oracle's table and a message's way; none through a partition")
    func oracle() throws {
        let table = try program.run("oracle", "late.yaml").output
        #expect(table.contains("urgent"))
        let way = try program.run("oracle", "late.yaml", "--message", "m1").output
        #expect(way.contains("a.0 → a.1"))
        try program.write(Self.late.replacing("for: 10m", with: "for: 1h"), to: "parted.yaml")
        let none = try program.run("oracle", "parted.yaml", "--message", "m2").output
        #expect(none.contains("cannot arrive"))
        try program.run("oracle", "late.yaml", "--message", "m7", status: 64)
    }

    @Test("in The ONE's semantics the result says so, and mail moves on its ticks")
    func semantics() throws {
        try program.run("run", "tiny.yaml", "--semantics", "the-one", "--router", "epidemic", "--out", "o", "--quiet")
        let result = try program.result("o/result.json")
        #expect(result.semantics == .theONE && result.level == .contact)
        #expect(result.counters.delivered == 2)
        #expect(try #require(result.delivery[0].delays).mean >= 1)
    }

    @Test("replay: two processes have one digest; an event that was tampered with is found")
    func replay() throws {
        let same = try program.run("replay", "tiny.yaml", "--level", "full")
        #expect(same.output.contains("replayed twice: the same digest"))
        try program.run("run", "tiny.yaml", "--out", "o", "--trace", "events", "--quiet")
        let digest = try program.result("o/result.json").traceDigest
        try program.run("replay", "tiny.yaml", "--digest", digest)
        let other = try program.run("replay", "tiny.yaml", "--seed", "5", "--digest", digest, status: 1)
        #expect(other.complaint.contains("diverged"))

        var events = try program.text(of: "events").split(separator: "\n", omittingEmptySubsequences: false)
        try #require(events.count > 100)
        events[41] += "0"
        try program.write(events.joined(separator: "\n"), to: "events")
        let found = try program.run("replay", "tiny.yaml", "--trace", "events", status: 1)
        #expect(found.complaint.contains("the first event that differs is number 42"))
        #expect(found.complaint.contains("  - \(events[41])"))
    }

    @Test("minimise leaves the one fault, the one message and the hosts that the failure needs, and it still fails")
    func minimise() throws {
        let said = try program.run("minimise", "late.yaml", "-o", "small.yaml")
        #expect(said.output.contains("faults 5 → 1"))
        #expect(said.output.contains("messages 4 → 1"))
        let small = try ScenarioFile.read(program.path("small.yaml")).scenario
        #expect(small.timeline.map(\.word) == [.partition])
        #expect(small.hostCount < 6 && small.hostCount >= 2)
        #expect(small.duration < .seconds(22 * 60))
        #expect(small.claims.count == 1)
        #expect(try program.text(of: "small.yaml").hasPrefix("# Seed 1 of late fails:\n#   ✗ p95Latency urgent"))
        try program.run("run", "small.yaml", status: 1)
        let fine = try program.run("minimise", "tiny.yaml", "--level", "contact", status: 1)
        #expect(fine.complaint.contains("nothing failed"))
    }

    @Test("a swarm keeps the seeds that fail, cut down, and each result")
    func swarm() throws {
        let said = try program.run("swarm", "late.yaml", "--seeds", "7..8", "--out", "o", "--keep", "kept", status: 1)
        #expect(said.output.contains("kept: kept/late-7.yaml"))
        #expect(try program.sweep("o/sweep.json").failing.map(\.seed) == [7, 8])
        #expect(try program.result("o/seed-8/result.json").seed == 8)
        let kept = try program.text(of: "kept/late-8.yaml")
        #expect(kept.contains("# Replay: covey-sim run kept/late-8.yaml --seed 8"))
        let replayed = try program.run("replay", "kept/late-8.yaml")
        #expect(replayed.output.contains("✗ p95Latency urgent"))
    }

    @Test("a seed whose process dies has failed, with how it died, and the sweep is written all the same")
    func death() throws {
        // More than a second of work, where a second is all that a process may have.
        let endless = Self.drawn.replacing("count: 8", with: "count: 400").replacing("2h", with: "20d")
        try program.write(endless, to: "endless.yaml")
        let command = "ulimit -t 1; exec \(SimProgram.executable.path) swarm endless.yaml --seeds 3 --out o --shrink 0"
        let said = try program.run(["-c", command], program: URL(fileURLWithPath: "/bin/bash"))
        #expect(said.status == 1, "\(said.complaint)")
        #expect(said.output.contains("seed 3 failed: covey-sim run endless.yaml --seed 3"))
        let row = try #require(program.sweep("o/sweep.json").rows.first)
        #expect(try #require(row.stopped).contains("the process died of signal"))
        try program.run("merge", "o/sweep.json", status: 1)
    }

    @Test("shards of a sweep, merged in any order, are the whole; runs of one seed that disagree are seen")
    func shards() throws {
        try program.run("swarm", "drawn.yaml", "--seeds", "1..5", "--out", "whole", "--quiet")
        for shard in 1...2 {
            try program.run(
                "swarm", "drawn.yaml", "--seeds", "1..5", "--shard", "\(shard)/2", "--out", "part-\(shard)", "--quiet")
        }
        try program.run("merge", "part-2/sweep.json", "part-1/sweep.json", "-o", "sweep.json", "--junit", "junit.xml")
        #expect(try Self.timeless(program.sweep("sweep.json")) == Self.timeless(program.sweep("whole/sweep.json")))
        #expect(try program.sweep("sweep.json").rows.map(\.seed) == [1, 2, 3, 4, 5])
        #expect(try program.sweep("part-2/sweep.json").rows.map(\.seed) == [2, 4])
        #expect(try program.text(of: "junit.xml").contains("tests=\"5\" failures=\"0\""))

        var result = try program.result("whole/seed-3/result.json")
        result.traceDigest = "0000"
        try ResultFile.write(result, to: program.path("other.json"))
        let split = try program.run("merge", "sweep.json", "other.json", status: 1)
        #expect(split.output.contains("seed 3 diverged"))
    }

    /// What two machines have in common.
    private static func timeless(_ sweep: SweepResult) -> [SweepResult.Row] {
        sweep.rows.map { row in
            var row = row
            row.cpuSeconds = 0
            return row
        }
    }

    @Test("the array job runs its shard without Slurm too, and the sweep with what runs side by side is whole")
    func batch() throws {
        let scripts = SimProgram.root.appendingPathComponent("scripts")
        var environment = [
            "COVEY_SIM": SimProgram.executable.path, "SCENARIO": "drawn.yaml", "SEEDS": "1..4", "FOLDER": "job",
        ]
        let lost = try program.run(
            [scripts.appendingPathComponent("sweep.sbatch").path], program: URL(fileURLWithPath: "/bin/bash"),
            environment: environment)
        #expect(lost.status != 0 && lost.complaint.contains("SLURM_ARRAY_TASK_ID"))
        environment["SLURM_ARRAY_TASK_ID"] = "2"
        environment["SLURM_ARRAY_TASK_COUNT"] = "2"
        let job = try program.run(
            [scripts.appendingPathComponent("sweep.sbatch").path], program: URL(fileURLWithPath: "/bin/bash"),
            environment: environment)
        #expect(job.status == 0, "\(job.complaint)")
        #expect(try program.sweep("job/shard-2/sweep.json").rows.map(\.seed) == [2, 4])

        let all = try program.run(
            ["drawn.yaml", "1..4", "2", "side"], program: scripts.appendingPathComponent("sweep-parallel"),
            environment: environment)
        #expect(all.status == 0, "\(all.complaint)")
        #expect(try program.sweep("side/sweep.json").rows.map(\.seed) == [1, 2, 3, 4])
    }
}
