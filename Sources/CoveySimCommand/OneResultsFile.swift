import CoveyContact
import FoundationEssentials

/// `expected/one-results.json`: what The ONE was told, counted and cost, scenario by scenario.
struct OneResultsFile: Decodable {
    /// What a file of results may be long, in bytes.
    static let largest = 1 << 24

    var scenarios: [Scenario]

    struct Scenario: Decodable {
        var id: String
        var trace: String
        var workload: String
        var nodes: Int
        var end_s: Double
        var router: String
        var ttl_min: Int?
        var buffer_bytes: Int
        var link_bytes_per_s: Int
        var send_queue: String
        var tick_s: Double
        var router_params: RouterParameters?
        var the_one: Counted
        var the_one_cost: Cost
        var delivered_list: String
    }

    struct RouterParameters: Decodable {
        var copies: Int?
        var binary: Bool?
        var p_init: Double?
        var beta: Double?
        var gamma: Double?
        var seconds_in_unit: Double?
    }

    struct Counted: Decodable {
        var created: Int
        var started: Int
        var relayed: Int
        var aborted: Int
        var dropped: Int
        var removed: Int
        var delivered: Int
        var latency_avg: Double
        var latency_med: Double
        var hopcount_avg: Double
        var hopcount_med: Double
    }

    struct Cost: Decodable {
        var cpu_s: [Double]
    }

    /// - Throws: `TraceError`, also for a value this program does not know.
    static func read(folder: String) throws(TraceError) -> [OneScenario] {
        let file = try TraceFile(path: folder + "/expected/one-results.json", limit: largest)
        let results: OneResultsFile
        do {
            results = try JSONDecoder().decode(OneResultsFile.self, from: Data(file.bytes))
        } catch {
            throw TraceError(path: file.path, line: 0, mistake: .expected("results of The ONE", found: "\(error)"))
        }
        var scenarios: [OneScenario] = []
        for scenario in results.scenarios {
            guard let settings = scenario.settings else {
                throw TraceError(
                    path: file.path, line: 0,
                    mistake: .unsupported("\(scenario.router) with the queue \(scenario.send_queue) of \(scenario.id)"))
            }
            let counted = scenario.the_one
            var counters = MessageCounters()
            counters.created = counted.created
            counters.started = counted.started
            counters.relayed = counted.relayed
            counters.aborted = counted.aborted
            counters.dropped = counted.dropped
            counters.removed = counted.removed
            counters.delivered = counted.delivered
            scenarios.append(
                OneScenario(
                    id: scenario.id, settings: settings, tracePath: folder + "/" + scenario.trace,
                    workloadPath: folder + "/" + scenario.workload,
                    deliveredPath: folder + "/" + scenario.delivered_list, counters: counters,
                    latencyAverage: counted.latency_avg, latencyMedian: counted.latency_med,
                    hopAverage: counted.hopcount_avg, hopMedian: counted.hopcount_med,
                    cost: scenario.the_one_cost.cpu_s))
        }
        return scenarios
    }
}

extension OneResultsFile.Scenario {
    fileprivate var settings: OneSettings? {
        let kind: OneSettings.Router
        switch router {
        case "Epidemic": kind = .epidemic
        case "DirectDelivery": kind = .directDelivery
        case "FirstContact": kind = .firstContact
        case "SprayAndWait":
            guard let copies = router_params?.copies, router_params?.binary ?? true else { return nil }
            kind = .sprayAndWait(copies: copies)
        case "Prophet":
            var rules = OneProphet()
            if let value = router_params?.p_init { rules.first = value }
            if let value = router_params?.beta { rules.beta = value }
            if let value = router_params?.gamma { rules.gamma = value }
            if let value = router_params?.seconds_in_unit { rules.unit = value }
            kind = .prophet(rules)
        default: return nil
        }
        let queue: OneSettings.Queue
        switch send_queue {
        case "RANDOM": queue = .random
        case "FIFO": queue = .fifo
        default: return nil
        }
        return OneSettings(
            nodes: nodes, end: end_s, tick: tick_s, router: kind, queue: queue, ttl: ttl_min, buffer: buffer_bytes,
            speed: link_bytes_per_s)
    }
}
