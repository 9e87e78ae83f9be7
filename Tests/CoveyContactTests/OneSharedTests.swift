import CoveyContact
import CoveyVectors
import Testing

private let folder = Shared.folder + "/traces"

/// The counters of The ONE's runs, in the order of `MessageCounters`. `covey-sim compare-one` compares all of the shared
/// scenarios and more of each; these here are what a debug build runs in little time.
private let runs: [(id: String, counters: [Int])] = [
    ("s10-conf98-snw8", [60, 455, 455, 0, 0, 0, 54]),
    ("s11-conf98-firstcontact", [60, 2345, 2344, 1, 0, 2344, 42]),
    ("s15-partition20-epidemic", [165, 3135, 3135, 0, 0, 0, 165]),
    ("s16-partition20-snw8", [165, 1036, 1036, 0, 0, 0, 106]),
]

@Suite("What The ONE made of the shared scenarios")
struct OneSharedTests {
    @Test(
        "Counters and delivered messages are the same, run from The ONE's own settings", .needsShared, arguments: runs)
    func same(id: String, counters: [Int]) throws {
        let file = try OneSettingsFile(TraceFile(path: "\(folder)/settings/\(id).txt"), base: folder)
        #expect(file.name == id)
        let trace = file.tracePath.replacing(folder, with: folder + "/traces") + ".gz"
        let workload = file.workloadPath.replacing(folder, with: folder + "/workloads") + ".gz"
        let result = try OneEngine.run(
            file.settings, trace: ContactTrace(oneEvents: TraceFile(path: trace)),
            workload: [PlannedMessage](oneWorkload: TraceFile(path: workload)))
        let ours = result.counters
        #expect(
            [ours.created, ours.started, ours.relayed, ours.aborted, ours.dropped, ours.removed, ours.delivered]
                == counters)
        let list = try [OneDelivery](oneDelivered: TraceFile(path: "\(folder)/expected/delivered/\(id).tsv.gz"))
        #expect(result.delivered == list)
        #expect(list.count == counters[6])
    }

    private func compared(_ change: (inout OneResult) -> Void) -> OneComparison {
        let list = [
            OneDelivery(name: "M", time: 10, latency: 4, path: [1, 2]),
            OneDelivery(name: "N", time: 12, latency: 5, path: [1, 3, 2]),
        ]
        var counters = MessageCounters()
        counters.created = 3
        counters.delivered = 2
        let theirs = OneResult(counters: counters, delivered: list)
        let scenario = OneScenario(
            id: "made", settings: OneSettings(nodes: 4, end: 20, router: .epidemic), tracePath: "", workloadPath: "",
            deliveredPath: "", counters: counters, latencyAverage: 4.5, latencyMedian: 5, hopAverage: 1.5,
            hopMedian: 2, cost: [30, 10, 20])
        var ours = theirs
        change(&ours)
        return OneComparison(scenario, result: ours, list: list, cost: 0.5)
    }

    @Test("A comparison finds a counter, a mean, a path and a missing message that differ")
    func differences() {
        #expect(compared { _ in }.isEqual)
        #expect(compared { _ in }.ratio == 40)
        #expect(compared { $0.counters.relayed += 1 }.rows.filter { !$0.isEqual }.map(\.name) == ["relayed"])
        let later = compared {
            $0.delivered[1].latency += 0.01
            $0.delivered[1].time += 0.01
        }
        #expect(later.rows.filter { !$0.isEqual }.map(\.name) == ["latency mean (s)", "latency median (s)"])
        #expect(
            compared { $0.delivered[1].path = [1, 0, 2] }.listDifference
                == "line 2: ours N at 12.0 s over 1->0->2, theirs N at 12.0 s over 1->3->2")
        #expect(
            compared { $0.delivered.removeLast() }.listDifference == "only theirs has line 2: N at 12.0 s over 1->3->2")
    }
}

@Suite("Settings files of The ONE")
struct OneSettingsFileTests {
    private static let lines = [
        "Scenario.name = small", "Scenario.simulateConnections = false", "Scenario.updateInterval = 0.5",
        "Scenario.endTime = 2k", "bt.transmitSpeed = 250k", "Group.interface1 = bt", "Group.nrofHosts = 7",
        "Group.router = SprayAndWaitRouter", "SprayAndWaitRouter.nrofCopies = 6", "Group.bufferSize = 5M",
        "Group.sendQueue = 2", "Group.msgTtl = -1", "Events.nrof = 2", "Events1.class = ExternalEventsQueue",
        "Events1.filePath = %BASE%/t.txt", "Events2.class = ExternalEventsQueue", "Events2.filePath = w.txt",
    ]

    private func read(_ change: (inout [String]) -> Void = { _ in }) throws -> OneSettingsFile {
        var lines = Self.lines
        change(&lines)
        let text = "## made\n" + lines.joined(separator: "\n") + "\n"
        return try OneSettingsFile(TraceFile(path: "s.txt", bytes: Array(text.utf8)), base: "here")
    }

    @Test("What decides a run is read, with thousands and millions as The ONE writes them")
    func reads() throws {
        let file = try read()
        #expect(
            file.settings
                == OneSettings(
                    nodes: 7, end: 2000, tick: 0.5, router: .sprayAndWait(copies: 6), queue: .fifo, ttl: nil,
                    buffer: 5_000_000, speed: 250_000))
        #expect(file.tracePath == "here/t.txt")
        #expect(file.workloadPath == "w.txt")
    }

    @Test("What is missing or cannot be followed is named, with its line")
    func mistakes() {
        func mistake(_ change: (inout [String]) -> Void) -> String {
            do {
                return "\(try read(change))"
            } catch {
                return "\(error)"
            }
        }
        #expect(
            mistake { $0.removeAll { $0.hasPrefix("Group.msgTtl") } }
                == "s.txt: expected Group.msgTtl = a life in minutes, -1 for one without end, found the end")
        #expect(mistake { $0[7] = "Group.router = MaxPropRouter" } == "s.txt:9: cannot follow the router MaxPropRouter")
        #expect(
            mistake { $0[1] = "Scenario.simulateConnections = true" }
                == "s.txt:3: cannot follow Scenario.simulateConnections = true, only false")
        #expect(mistake { $0[6] = "Group.nrofHosts = 7.5" } == "s.txt:8: expected a number of hosts, found '7.5'")
        #expect(mistake { $0[0] = "Scenario.name" } == "s.txt:2: expected Key = value, found 'Scenario.name'")
        #expect(mistake { $0[10] = "Group.sendQueue = 3" } == "s.txt:12: cannot follow the queue mode 3")
    }
}
