import CoveyCore
import CoveyScenario
import CoveyVectors
import Testing

/// The smallest scenario, into which each test puts its own parts.
func sample(
    groups: String = "- {name: a, count: 3}", topology: String = "- {type: clique, of: a, link: wire}",
    timeline: String = "[]", traffic: String = "[]", claims: String = "[]", rest: String = ""
) -> String {
    """
    v: 1
    name: sample
    duration: 1h
    groups:
      \(groups)
    links:
      wire: {rate: 1Mbit}
    topology:
      \(topology)
    timeline: \(timeline)
    traffic: \(traffic)
    assert: \(claims)
    \(rest)
    """
}

func read(_ source: String) throws -> Scenario { try ScenarioReader(file: "x.yaml").read(source).scenario }

func problems(_ source: String) -> [String] {
    do {
        _ = try ScenarioReader(file: "x.yaml").read(source)
        return []
    } catch {
        return error.all.map(\.description)
    }
}

@Suite("Reading scenarios")
struct ScenarioReaderTests {
    @Test("An unknown key is told with its line and the name that is near")
    func unknownKey() {
        #expect(
            problems(sample(groups: "- {name: a, cuont: 3}")) == [
                "x.yaml:5: groups[0]: lacks “count”",
                "x.yaml:5: groups[0].cuont: is not a key here; is “count” meant?",
            ])
    }

    @Test("Several problems are told at once, by line")
    func several() {
        let told = problems(
            sample(
                topology: "- {type: clik, of: a, link: wire}",
                timeline: "[{at: 1x, kill: a.0}, {at: 1h, kill: a.7}, {at: 1h, kil: a.0}]",
                claims: "[{never: plaintextOnWir}, {deliveryVsOracle: 1.5}]"))
        #expect(
            told == [
                "x.yaml:9: topology[0].type: “clik” is not known; known: bridge, clique, community, commute, core, edges, "
                    + "grid, lan, line, overlay, plan, random-regular, ring, routes, rwp, shuttle, static, trace, tree, walk",
                "x.yaml:10: timeline[0].at: “1x” is not a duration such as 90s, 15m, 72h or 30d",
                "x.yaml:10: timeline[1].kill: “a” has hosts 0 … 2, not 7",
                "x.yaml:10: timeline[2]: names nothing to do; is “kill” meant?",
                "x.yaml:12: assert[0].never: “plaintextOnWir” is not known; is “plaintextOnWire” meant?",
                "x.yaml:12: assert[1].deliveryVsOracle: 1.5 is not within 0.0 … 1.0",
            ])
    }

    @Test("What is no YAML, or no scenario, is told with the line")
    func noYAML() {
        #expect(problems("v: 1\nname: [").first?.hasPrefix("x.yaml:3: is not YAML") == true)
        #expect(problems("v: 1\nv: 1").first?.hasSuffix("v: is there twice") == true)
        #expect(problems("- 1") == ["x.yaml:1: is a list; a map is expected"])
        #expect(problems("") == ["x.yaml:1: holds no document"])
    }

    @Test("A file cannot ask for more than there are bounds for")
    func bounds() {
        let many = problems(sample(groups: "- {name: \"g{0..9999}\", count: 1000}", topology: "[]"))
        #expect(many == ["x.yaml:1: has 10000000 hosts; 1000000 are the most"])
        let bomb = (1...9).reduce("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n") { text, level in
            text + "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ",")
                + "]\n"
        }
        #expect(problems(bomb).first?.contains("holds more than 4000000 values") == true)
    }

    @Test("Braces that multiply are stopped as they are made")
    func bracesMultiply() {
        let names = problems(sample(topology: "- {type: core, of: [\"v{0..9999}{0..9999}\"], link: wire}"))
        #expect(names.first == "x.yaml:9: topology[0].of[0]: braces make more than 100000 names")
    }

    @Test(
        "What would take no time, have no reach or no end is told with its line and key",
        arguments: [
            ("type: shuttle, of: a, stops: [a], leg: 1s, dwell: 0s", "dwell: is no time"),
            ("type: community, of: a, meet: 3/h, contact: 0s", "contact: is no time"),
            ("type: rwp, of: a, world: 99999km x 9km, speed: 1mps, range: 1m", "world: “99999km x 9km” is not an area"),
            ("type: rwp, of: a, world: 1km x 9km, speed: 0.0000001mps, range: 1m", "speed: “0.0000001mps” is not a"),
            ("type: rwp, of: a, world: 1km x 9km, speed: 1mps, range: 0m", "range: 0m is not within"),
            ("type: commute, of: a, homes: 1, works: 1, trains: 1, am: '00:00', pm: '00:20'", "needs 40 min"),
            (
                "type: commute, of: a, homes: 1, works: 1, trains: 1, am: 9223372036854775807, pm: 9",
                "is not a time of day"
            ),
        ])
    func impossible(layer: String, reason: String) {
        let told = problems(sample(topology: "- {\(layer), link: wire}"))
        #expect(told.count == 1 && told[0].hasPrefix("x.yaml:9: topology[0]") && told[0].contains(reason), "\(told)")
    }

    @Test(
        "A short file that comes to more than a machine holds is told what of it",
        arguments: [
            ("type: shuttle, of: a, stops: [a], leg: 0s, dwell: 1us", "1000000000 contacts or ways"),
            ("type: community, of: a, meet: 999999999/s, contact: 1us", "1000000000 contacts or ways"),
            ("type: rwp, of: a, world: 0.0001m x 0.0001m, speed: 9999mps, range: 1m", "1000000000 contacts or ways"),
            ("type: plan, contacts: [{a: a.0, b: a.1, for: 1us, every: 2us}]", "8000000 contacts"),
        ])
    func tooMuchTopology(layer: String, amount: String) {
        let told = problems(sample(topology: "- {\(layer), link: wire}"))
        #expect(told == ["x.yaml:9: topology[0]: comes to more than \(amount)"])
    }

    @Test("Links, deeds and messages have their bounds too")
    func tooMuch() {
        let clique = sample(groups: "- {name: a, count: 5000}")
        #expect(problems(clique) == ["x.yaml:9: topology[0]: comes to more than 8000000 links"])
        let years = { (part: String) in part.replacing("duration: 1h", with: "duration: 3650d") }
        let churn = years(sample(timeline: "[{every: 1s, churn: {fraction: 1, off: 1s}}]"))
        #expect(problems(churn) == ["x.yaml:10: timeline[0]: comes to more than 1000000 deeds up to here"])
        for kind in ["periodic, every: 1us", "poisson, rate: 999999999/s", "poisson, rate: 1/min/node"] {
            let flow = years(sample(traffic: "[{kind: \(kind), size: 300, ttl: 1h, dst: uniform}]"))
            #expect(problems(flow) == ["x.yaml:11: traffic[0]: comes to more than 4000000 messages up to here"])
        }
    }

    @Test("Numbers that no clock, radio or sender has are told")
    func strangeNumbers() {
        let jump = sample(timeline: "[{at: 1m, clockJump: {node: a.0, by: +9223372036854775807us}}]")
        #expect(problems(jump).first?.contains("is more than 1000y") == true)
        let duty = sample().replacing("rate: 1Mbit", with: "rate: 1Mbit, duty: 0")
        #expect(problems(duty).first?.contains("links.wire.duty: 0.0 is not within") == true)
        let flood = sample(timeline: "[{at: 1m, byzantine: {node: a.0, behaviours: ['flood:999999999/s']}}]")
        #expect(problems(flood).first?.contains("is not a behaviour") == true)
    }

    @Test("A range of a swarm ends where whole numbers do")
    func swarmEnds() {
        for high in ["99999999999999999999", String(repeating: "9", count: 400)] {
            let told = problems(sample(rest: "swarm: {\"groups.*.count\": [1, \(high)]}"))
            #expect(told.count == 1 && told[0].contains("two numbers of the same unit below 2^53"), "\(told)")
        }
    }

    @Test("Braces make entries, and names within a list")
    func braces() throws {
        let scenario = try read(
            sample(
                groups: "- {name: \"v{0..2}\", count: 2, routingGroup: \"v{0..2}\"}",
                topology:
                    "- {type: clique, of: \"v{0..2}\", link: wire}\n  - {type: core, of: [\"v{0..2}\"], link: wire}"))
        #expect(scenario.groups.map(\.name) == ["v0", "v1", "v2"])
        #expect(scenario.groups.map(\.routingGroup) == ["v0", "v1", "v2"])
        #expect(
            scenario.topology.map(\.shape) == [
                .clique([.group("v0")]), .clique([.group("v1")]), .clique([.group("v2")]), .core(["v0", "v1", "v2"]),
            ])
    }

    @Test("Lifetimes round up to the protocol's, and the reader says so")
    func lifetimes() throws {
        let flow = "[{kind: periodic, every: 1h, size: 90, class: P1, ttl: 30d, dst: uniform}]"
        let reading = try ScenarioReader(file: "x.yaml").read(sample(traffic: flow))
        #expect(reading.scenario.traffic[0].ttl == .twoWeeks)
        #expect(reading.scenario.traffic[0].priority == .urgent)
        #expect(
            reading.notes.map(\.reason) == [
                "class P1 is priority urgent", "a lifetime of 30d is 14d: the protocol's are 1h, 6h, 1d, 3d, 7d, 14d",
            ])
        for (written, hours) in [("1h", 1), ("2h", 6), ("12h", 24), ("2d", 72), ("3d", 72), ("4d", 168), ("8d", 336)] {
            let flow = "[{kind: periodic, every: 1h, size: 90, ttl: \(written), dst: uniform}]"
            #expect(try read(sample(traffic: flow)).traffic[0].ttl.hours == UInt32(hours))
        }
    }

    @Test("A claim that is not expected to hold says why")
    func knownMiss() throws {
        #expect(
            problems(sample(claims: "[{overheadAtMost: 3, expected: false}]")) == [
                "x.yaml:12: assert[0]: is not expected to hold, but “because” does not say why"
            ])
        let claim = try read(sample(claims: "[{overheadAtMost: 3, expected: false, because: floods}]")).claims[0]
        #expect(claim.knownMiss == "floods" && claim.measure == .overheadAtMost(3))
    }

    @Test("A range of a swarm is drawn from the seed, wherever its path leads")
    func swarm() throws {
        let rest = "swarm: {groups.a.count: [3, 9], links.*.loss: [0.0, 0.5], duration: [10m, 20m, 30m]}"
        let scenario = try read(sample(rest: rest))
        let one = try scenario.drawn(seed: 5)
        let again = try scenario.drawn(seed: 5)
        #expect(
            one.choices == again.choices && ScenarioWriter.write(one.scenario) == ScenarioWriter.write(again.scenario))
        let all = try (0..<50).map { try scenario.drawn(seed: $0) }
        #expect(Set(all.map { $0.scenario.groups[0].count }) == Set(3...9))
        #expect(Set(all.map { $0.scenario.duration }) == [.seconds(600), .seconds(1200), .seconds(1800)])
        #expect(all.allSatisfy { (0...0.5).contains($0.scenario.links[0].loss.mean) })
        #expect(Set(all.map { $0.scenario.links[0].loss }).count > 30)
        #expect(
            problems(sample(rest: "swarm: {timeline.*.churn.fraction: [0.0, 0.1]}")) == [
                "x.yaml:13: swarm.timeline.*.churn.fraction: leads to no value of the scenario"
            ])
    }

    @Test("All drafts are read as they are, and written in our way say the same", .needsShared)
    func drafts() throws {
        for name in Self.names {
            let reading = try ScenarioFile.read("\(Shared.folder)/scenarios/\(name).json")
            #expect(reading.scenario.name == name)
            let written = ScenarioWriter.write(reading.scenario)
            let again = try ScenarioReader(file: name).read(written)
            #expect(ScenarioWriter.write(again.scenario) == written)
            #expect(again.notes.isEmpty, "what we write needs no mapping: \(again.notes)")
            #expect(again.scenario.hostCount == reading.scenario.hostCount)
            #expect(again.scenario.topology == reading.scenario.topology)
            #expect(again.scenario.timeline == reading.scenario.timeline)
            #expect(again.scenario.traffic == reading.scenario.traffic)
            #expect(again.scenario.claims == reading.scenario.claims)
            #expect(again.scenario.groups == reading.scenario.groups && again.scenario.links == reading.scenario.links)
        }
    }

    @Test(
        "What authorities, thieves and clocks do is read, written and expanded to the same, and a role that takes two is told"
    )
    func authorities() throws {
        let groups = "- {name: a, count: 4, roles: [timekeeper], certificate: 30d, clock: {rtc: false, year: 1970}}"
        let timeline = """
            [{at: 1m, copyAuthority: a.1}, {at: 2m, enrol: {device: a.2, by: a.1, secretly: true}},
              {at: 3m, enrol: {device: a.3, by: a.0}}, {at: 4m, checkpoint: a.0}, {at: 5m, newEpoch: a.1},
              {at: 5m, newKeys: a.1}, {at: 5m, recoverFork: a.1}, {at: 6m, revokeAuthority: {since: a.1, by: a.0}}]
            """
        let claims = """
            [{revocationWithin: 10m, share: 0.95}, {lockedOutAtMost: 15m}, {never: stealthMember}, {never: voidGrant},
              {never: floorMovedByOthers}, {never: certificateLapsed}]
            """
        let source = sample(groups: groups, timeline: timeline, claims: claims, rest: "officers: 2of3")
        let scenario = try read(source)
        let written = try read(ScenarioWriter.write(scenario))
        #expect(written.officers == scenario.officers && written.groups == scenario.groups)
        #expect(written.timeline == scenario.timeline && written.claims == scenario.claims)
        #expect(scenario.groups[0].clock.shows == 0)
        let expansion = Expansion(scenario, seed: 1)
        let again = Expansion(try read(ScenarioWriter.write(expansion.frozen())), seed: 9)
        #expect(again.deeds.map(\.act) == expansion.deeds.map(\.act) && expansion.deeds.count == 8)
        #expect(expansion.deeds.allSatisfy { $0.lane == "membership" && $0.hosts.count == 1 })
        #expect(
            problems(sample(groups: groups)) == [
                "x.yaml:1: gives a a role that takes two signatures; say officers: 2of3"
            ])
        let office = "[{at: 7m, openOffice: a.1}]"
        let open = try read(sample(timeline: office))
        #expect(try read(ScenarioWriter.write(open)).timeline == open.timeline)
        #expect(
            problems(sample(timeline: office, rest: "officers: 2of3")) == [
                "x.yaml:1: opens an office, which signs alone, where 2 officers sign"
            ])
    }

    static let names = [
        "01-split-town", "02-ship-fleet", "03-mule-motorbike", "04-office-vlan-split", "05-train-commuters",
        "06-mine-tunnels", "07-festival", "08-research-station", "09-hospital-campus", "10-mountain-rescue",
        "11-farm-co-op", "12-scale-5000",
    ]
}
