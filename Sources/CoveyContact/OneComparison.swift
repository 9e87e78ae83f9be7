/// One run of The ONE that somebody kept: what it was told, what it counted, what it cost.
package struct OneScenario: Sendable {
    package var id: String
    package var settings: OneSettings
    package var tracePath: String
    package var workloadPath: String
    package var deliveredPath: String
    package var counters: MessageCounters
    /// Seconds.
    package var latencyAverage: Double
    package var latencyMedian: Double
    package var hopAverage: Double
    package var hopMedian: Double
    /// Seconds of processor time, one a run.
    package var cost: [Double]

    package init(
        id: String, settings: OneSettings, tracePath: String, workloadPath: String, deliveredPath: String,
        counters: MessageCounters, latencyAverage: Double, latencyMedian: Double, hopAverage: Double, hopMedian: Double,
        cost: [Double]
    ) {
        self.id = id
        self.settings = settings
        self.tracePath = tracePath
        self.workloadPath = workloadPath
        self.deliveredPath = deliveredPath
        self.counters = counters
        self.latencyAverage = latencyAverage
        self.latencyMedian = latencyMedian
        self.hopAverage = hopAverage
        self.hopMedian = hopMedian
        self.cost = cost
    }

    /// Reads the contacts and the messages, and runs them.
    /// - Throws: `TraceError` or `OneMistake`.
    package func run() throws -> OneResult {
        try OneEngine.run(
            settings, trace: ContactTrace(oneEvents: TraceFile(path: tracePath), nodes: settings.nodes),
            workload: [PlannedMessage](oneWorkload: TraceFile(path: workloadPath), nodes: settings.nodes))
    }

    /// The messages that arrived in The ONE's run.
    package func delivered() throws(TraceError) -> [OneDelivery] {
        try [OneDelivery](oneDelivered: TraceFile(path: deliveredPath))
    }
}

/// The same run here and in The ONE, side by side.
package struct OneComparison: Sendable {
    package struct Row: Equatable, Sendable {
        package var name: String
        package var ours: Double
        package var theirs: Double
        /// How far apart the two may be: nothing for what is counted.
        package var tolerance: Double

        package var isEqual: Bool { abs(ours - theirs) <= tolerance }
    }

    package var id: String
    package var rows: [Row]
    /// The first place where the lists of delivered messages differ, in words; nil when they are the same.
    package var listDifference: String?
    package var listLength: Int
    /// Seconds of processor time, reading the files included.
    package var cost: Double
    /// The median of The ONE's runs.
    package var theirCost: Double

    package var isEqual: Bool { listDifference == nil && rows.allSatisfy(\.isEqual) }
    package var ratio: Double { theirCost / cost }

    package init(_ scenario: OneScenario, result: OneResult, list: [OneDelivery], cost: Double) {
        id = scenario.id
        self.cost = cost
        theirCost = Self.median(scenario.cost)
        let ours = result.counters
        let theirs = scenario.counters
        let latencyTolerance: Double
        if case .prophet = scenario.settings.router { latencyTolerance = 0.01 } else { latencyTolerance = 0.001 }
        // The ONE prints four digits.
        let printed = 0.000_051
        rows = [
            Row(name: "created", ours: Double(ours.created), theirs: Double(theirs.created), tolerance: 0),
            Row(name: "started", ours: Double(ours.started), theirs: Double(theirs.started), tolerance: 0),
            Row(name: "relayed", ours: Double(ours.relayed), theirs: Double(theirs.relayed), tolerance: 0),
            Row(name: "aborted", ours: Double(ours.aborted), theirs: Double(theirs.aborted), tolerance: 0),
            Row(name: "dropped", ours: Double(ours.dropped), theirs: Double(theirs.dropped), tolerance: 0),
            Row(name: "removed", ours: Double(ours.removed), theirs: Double(theirs.removed), tolerance: 0),
            Row(name: "delivered", ours: Double(ours.delivered), theirs: Double(theirs.delivered), tolerance: 0),
            Row(
                name: "latency mean (s)", ours: result.latencyAverage, theirs: scenario.latencyAverage,
                tolerance: latencyTolerance),
            Row(
                name: "latency median (s)", ours: result.latencyMedian, theirs: scenario.latencyMedian,
                tolerance: latencyTolerance),
            Row(name: "hops mean", ours: result.hopAverage, theirs: scenario.hopAverage, tolerance: printed),
            Row(name: "hops median", ours: result.hopMedian, theirs: scenario.hopMedian, tolerance: 0),
        ]
        listLength = list.count
        listDifference = Self.difference(result.delivered, list)
    }

    private static func median(_ values: [Double]) -> Double {
        guard !values.isEmpty else { return .nan }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    private static func difference(_ ours: [OneDelivery], _ theirs: [OneDelivery]) -> String? {
        for (index, (mine, their)) in zip(ours, theirs).enumerated() where !mine.isSame(as: their) {
            return "line \(index + 1): ours \(mine.summary), theirs \(their.summary)"
        }
        if ours.count == theirs.count { return nil }
        let more = ours.count > theirs.count ? ("ours", ours[theirs.count]) : ("theirs", theirs[ours.count])
        return "only \(more.0) has line \(min(ours.count, theirs.count) + 1): \(more.1.summary)"
    }
}

extension OneDelivery {
    /// Times in files have microseconds; all else is equal or not.
    fileprivate func isSame(as other: OneDelivery) -> Bool {
        name == other.name && path == other.path && abs(time - other.time) < 1e-6
            && abs(latency - other.latency) < 1e-6
    }

    fileprivate var summary: String { "\(name) at \(time) s over \(path.map { "\($0)" }.joined(separator: "->"))" }
}

extension [OneDelivery] {
    /// Reads `id delivered_at_s latency_s hops path`, after one line that says so; the path is nodes joined by `->`.
    package init(oneDelivered file: TraceFile) throws(TraceError) {
        var lines = TraceLines(file)
        self.init()
        guard lines.nextLine() else { return }
        let head = lines.field()
        guard lines.says(head, "id") else { throw lines.error(.expected("id", found: lines.text(head))) }
        while lines.nextLine() {
            let name = lines.text(lines.field())
            let time = Double(try lines.time()) / 1e6
            let latency = Double(try lines.time()) / 1e6
            let hops = try lines.number("a number of hops", highest: TraceLimits.nodes)
            let way = lines.text(lines.field())
            var path: [UInt32] = []
            for step in way.split(separator: "->") {
                guard let node = UInt32(step) else { throw lines.error(.expected("nodes joined by ->", found: way)) }
                path.append(node)
            }
            guard path.count == hops + 1 else { throw lines.error(.expected("\(hops) hops", found: way)) }
            try lines.endOfLine()
            append(OneDelivery(name: name, time: time, latency: latency, path: path))
        }
    }
}
