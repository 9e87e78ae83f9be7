/// A run of The ONE beside the same contacts, messages, policy, buffers and rate in our own, event-driven semantics.
///
/// There the dice fall otherwise, and where chance decides whom a copy goes to one run says little. So ours is the mean
/// over several seeds, and its spread is told.
package struct OwnComparison: Sendable {
    package var id: String
    package var messages: Int
    /// Delivered messages and seconds of mean latency.
    package var delivered: Double
    package var theirDelivered: Double
    package var latency: Double
    package var theirLatency: Double
    /// Standard deviations of one run.
    package var deliveredSpread: Double
    package var latencySpread: Double
    /// Means of runs in The ONE's semantics, begun a second later each: the same study, other dice.
    package var meanDelivered: Double
    package var meanLatency: Double
    /// What earliest arrival reaches.
    package var reachable: Int
    /// Every run reached a subset of that, and nothing sooner.
    package var isWithinOracle: Bool
    package var runs: Int
    /// Seconds of processor time for one run, and the median of The ONE's.
    package var cost: Double
    package var theirCost: Double

    /// Of our mean to the mean of The ONE's semantics.
    package var deliveryRatio: Double { delivered / meanDelivered }
    package var latencyRatio: Double { latency / meanLatency }
    package var speed: Double { theirCost / cost }
    /// Delivery within 2 %, mean latency within 3 %.
    package var isWithinBar: Bool { abs(deliveryRatio - 1) <= 0.02 && abs(latencyRatio - 1) <= 0.03 && isWithinOracle }
    /// No further apart than one run with other dice, The ONE's, may be from the mean: two standard deviations.
    package var isWithinChance: Bool {
        let width = 2 * (1 + 1 / Double(runs)).squareRoot()
        return abs(delivered - theirDelivered) <= max(width * deliveredSpread, 0.02 * theirDelivered)
            && abs(latency - theirLatency) <= max(width * latencySpread, 0.03 * theirLatency) && isWithinOracle
    }

    /// Reads the files once a run, as a single run would.
    /// - Parameter processorTime: seconds of processor time of this process so far.
    /// - Throws: `TraceError`.
    package static func run(
        _ scenario: OneScenario, runs: Int, processorTime: () -> Double
    ) throws -> OwnComparison {
        precondition(runs > 0, "a mean is over some runs")
        var (settings, router) = scenario.settings.own
        var counts: [Double] = []
        var latencies: [Double] = []
        var results: [ContactResult] = []
        var last: (trace: ContactTrace, messages: [PlannedMessage])?
        let start = processorTime()
        for seed in 1...runs {
            let trace = try ContactTrace(oneEvents: TraceFile(path: scenario.tracePath), nodes: settings.nodes)
            let messages = try [PlannedMessage](
                oneWorkload: TraceFile(path: scenario.workloadPath), nodes: settings.nodes)
            settings.seed = UInt64(seed)
            let result = router.run(trace.reader, messages: messages, settings: settings)
            counts.append(Double(result.counters.delivered))
            latencies.append(result.meanLatency(messages))
            results.append(result)
            last = (trace, messages)
        }
        let cost = (processorTime() - start) / Double(runs)
        var reachable: [Oracle.Arrival?] = []
        if let last { reachable = Oracle(last.trace.reader, settings: settings).arrivals(last.messages) }
        var theirs: [OneResult] = []
        if let last {
            for later in 0..<UInt64(runs) {
                theirs.append(try scenario.run(later: later * 1_000_000, last.trace, last.messages))
            }
        }
        let isWithinOracle = results.allSatisfy { result in
            result.deliveries.allSatisfy { delivery in
                reachable[delivery.message].map { $0.time <= delivery.time } ?? false
            }
        }
        return OwnComparison(
            id: scenario.id, messages: scenario.counters.created, delivered: mean(counts),
            theirDelivered: Double(scenario.counters.delivered), latency: mean(latencies),
            theirLatency: scenario.latencyAverage, deliveredSpread: spread(counts), latencySpread: spread(latencies),
            meanDelivered: mean(theirs.map { Double($0.counters.delivered) }),
            meanLatency: mean(theirs.map { mean($0.delivered.map(\.latency)) }),
            reachable: reachable.count { $0 != nil }, isWithinOracle: isWithinOracle, runs: runs, cost: cost,
            theirCost: scenario.cost.sorted()[scenario.cost.count / 2])
    }

    private static func mean(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    }

    private static func spread(_ values: [Double]) -> Double {
        guard values.count > 1 else { return 0 }
        let mean = mean(values)
        return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
    }
}

extension OneSettings {
    /// The same study in our own semantics: The ONE's buffers, its one transfer at a time and a tick, its recipients that do
    /// not carry on.
    package var own: (ContactSettings, ContactRouter) {
        var settings = ContactSettings(
            nodes: nodes, end: UInt64(end * 1_000_000), lifetime: ttl.map { UInt64($0) * 60_000_000 }, buffer: buffer,
            rate: speed)
        settings.channel = .host
        settings.turn = UInt64(tick * 1_000_000)
        settings.dropping = .oldest
        settings.recipientsCarry = false
        settings.boundsHops = false
        settings.order =
            switch queue {
            case .random: .shuffled
            case .fifo: .oldest
            }
        // The ONE's PRoPHET has an order of its own: the likeliest first.
        if case .prophet = router { settings.order = .ranked }
        let own: ContactRouter =
            switch router {
            case .epidemic: .epidemic
            case .sprayAndWait(let copies): .sprayAndWait(copies: UInt8(clamping: copies))
            case .directDelivery: .direct
            case .firstContact: .firstContact
            case .prophet: .prophet
            }
        return (settings, own)
    }
}

extension OneScenario {
    /// The same in The ONE's semantics, everything so many microseconds later. Its dice are seeded by the time.
    fileprivate func run(
        later: UInt64, _ trace: ContactTrace, _ messages: [PlannedMessage]
    ) throws -> OneResult {
        var settings = settings
        settings.end += Double(later) / 1_000_000
        var trace = trace
        for at in trace.changes.indices { trace.changes[at].time += later }
        var messages = messages
        for at in messages.indices { messages[at].time += later }
        return try OneEngine.run(settings, trace: trace, workload: messages)
    }
}
