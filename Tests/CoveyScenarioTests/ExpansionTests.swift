import CoveyCore
import CoveyScenario
import CoveyVectors
import Testing

@Suite("Expanding scenarios")
struct ExpansionTests {
    @Test("Every scenario we keep is read without a note, and expands equal for equal seeds")
    func kept() throws {
        let ours = [
            "20-revocation-race", "21-stolen-authority", "22-forked-authority", "23-rotation-while-asleep",
            "24-wipe-order", "25-no-clocks", "26-revoked-comes-back", "27-renewals",
        ]
        for name in ScenarioReaderTests.names + ours {
            let reading = try ScenarioFile.read("\(Shared.packageRoot)/simulations/\(name).yaml")
            #expect(reading.notes.isEmpty, "\(name) is written in our spelling: \(reading.notes)")
            var scenario = reading.scenario
            // A part of the long ones is enough to see that the same comes out.
            scenario.duration = min(scenario.duration, .hours(12))
            let one = Expansion(scenario, seed: 7)
            let two = Expansion(scenario, seed: 7)
            #expect(one.deeds == two.deeds && one.letters == two.letters)
            let other = Expansion(scenario, seed: 8)
            #expect(other.letters != one.letters)
            #expect(one.letters.allSatisfy { $0.from != $0.to && $0.at < UInt64(scenario.duration.microseconds) })
        }
    }

    @Test("A frozen scenario leaves nothing to chance: it expands to the same with any seed, through its file too")
    func frozen() throws {
        var scenario = try ScenarioFile.read("\(Shared.packageRoot)/simulations/11-farm-co-op.yaml").scenario
        scenario.duration = .hours(20)
        let expansion = Expansion(scenario, seed: 3)
        #expect(!expansion.deeds.isEmpty && !expansion.letters.isEmpty)
        let file = ScenarioWriter.write(expansion.frozen())
        let again = Expansion(try ScenarioReader(file: "frozen").read(file).scenario, seed: 99)
        #expect(again.letters == expansion.letters)
        #expect(again.deeds.map(\.act) == expansion.deeds.map(\.act))
        #expect(again.deeds.map(\.at) == expansion.deeds.map(\.at))
        #expect(again.deeds.map(\.until) == expansion.deeds.map(\.until))
    }

    @Test("Faults fall on as many hosts as the file says, each time on others")
    func picks() throws {
        let timeline = "[{every: 10m, churn: {fraction: 0.2, off: 2m}}, {at: 5m, kill: {count: 3}}]"
        let scenario = try read(sample(groups: "- {name: a, count: 50}", timeline: timeline))
        let deeds = Expansion(scenario, seed: 1).deeds
        #expect(deeds.map(\.at) == [300, 600, 1200, 1800, 2400, 3000, 3600].map { $0 * 1_000_000 })
        #expect(deeds[0].hosts.count == 3 && deeds[0].until == nil)
        #expect(deeds.dropFirst().allSatisfy { $0.hosts.count == 10 && $0.until == $0.at + 120_000_000 })
        #expect(Set(deeds.dropFirst().map(\.hosts)).count == 6)
    }

    @Test("Poisson traffic has its rate, and ten times as much under load x10")
    func poisson() throws {
        let flow = "[{kind: poisson, rate: 60/h/node, size: 300, ttl: 1d, dst: uniform}]"
        let quiet = Expansion(try read(sample(groups: "- {name: a, count: 50}", traffic: flow)), seed: 1)
        #expect((2800...3200).contains(quiet.letters.count))
        let busy = Expansion(
            try read(
                sample(
                    groups: "- {name: a, count: 50}", timeline: "[{at: 30m, load: x10, for: 6m}]", traffic: flow)),
            seed: 1)
        let within = busy.letters.filter { (1_800_000_000..<2_160_000_000).contains($0.at) }
        #expect((2800...3200).contains(within.count))
        #expect((2500...2900).contains(busy.letters.count - within.count))
    }

    @Test("Destinations are drawn as the file says")
    func destinations() throws {
        let groups = "- {name: a, count: 10}\n  - {name: b, count: 10}"
        func letters(_ destination: String) throws -> [Letter] {
            let flow = "[{kind: burst, count: 2000, at: 0, size: 300, ttl: 1d, dst: \(destination)}]"
            return Expansion(try read(sample(groups: groups, traffic: flow)), seed: 5).letters
        }
        func share(_ letters: [Letter], _ holds: (UInt32, UInt32) -> Bool) -> Double {
            Double(letters.filter { holds($0.from, $0.to ?? .max) }.count) / Double(letters.count)
        }
        let same = share(try letters("sameGroup:0.7")) { $0 / 10 == $1 / 10 }
        // The others are drawn from anybody: 9 of 19 are of one's own group too.
        #expect(abs(same - (0.7 + 0.3 * 9 / 19)) < 0.03)
        #expect(share(try letters("sameGroup")) { $0 / 10 == $1 / 10 } == 1)
        #expect(share(try letters("otherGroup")) { $0 / 10 != $1 / 10 } == 1)
        #expect(share(try letters("b")) { $1 / 10 == 1 } == 1)
        #expect(share(try letters("[a.0, a.1]")) { $1 < 2 } == 1)
        #expect(try letters("broadcast").allSatisfy { $0.to == nil })
        let zipf = try letters("zipf:1")
        #expect(share(zipf) { $1 == 0 } > 3 * share(zipf) { $1 == 9 })
    }

    @Test("Sizes about a median, one in a hundred above the 99th percentile")
    func sizes() throws {
        let flow =
            "[{kind: burst, count: 20000, at: 0, size: {dist: lognormal, median: 700, p99: 8000}, ttl: 1d, dst: uniform}]"
        let bytes = Expansion(try read(sample(traffic: flow)), seed: 5).letters.map(\.bytes).sorted()
        #expect(abs(bytes[10_000] - 700) < 30)
        #expect(abs(bytes.filter { $0 > 8000 }.count - 200) < 50)
    }
}
