import ArgumentParser
import CoveyContact
import Glibc

/// `covey-sim one settings.txt --base traces`
struct OneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "one", abstract: "Run a settings file of The ONE over a trace, in its semantics.",
        discussion: """
            Prints what The ONE's MessageStatsReport says, and what the run cost. The settings have to name a trace \
            as Events1 and a workload as Events2; %BASE% in their paths is what --base says. A file that is not there \
            is looked for with .gz at its end, and in the folders traces and workloads of the base.
            """)

    @Argument(help: "The settings file.")
    var settings: String

    @Option(help: "The folder that %BASE% stands for.")
    var base = "."

    @Option(help: "Write the delivered messages here: id, time, latency, hops, path, tab separated.")
    var delivered: String?

    @Flag(help: "Answer with JSON, one object.")
    var json = false

    func run() throws {
        do {
            let start = Usage.processor
            let file = try OneSettingsFile(TraceFile(path: settings, limit: 1 << 20), base: base)
            let nodes = file.settings.nodes
            let trace = try ContactTrace(oneEvents: TraceFile(path: find(file.tracePath)), nodes: nodes)
            let workload = try [PlannedMessage](oneWorkload: TraceFile(path: find(file.workloadPath)), nodes: nodes)
            let result = try OneEngine.run(file.settings, trace: trace, workload: workload)
            printReport(file.name, result, cost: Usage.processor - start)
            if let delivered { try write(result.delivered, to: delivered) }
        } catch let error as TraceError {
            StandardError.tell("\(error)")
            throw ExitCode(error.mistake == .unreadable ? 74 : 1)
        } catch let error as OneMistake {
            StandardError.tell("\(settings): \(error)")
            throw ExitCode(1)
        }
    }

    /// The first of the places a file may be at; the path itself when it is at none.
    private func find(_ path: String) -> String {
        var places = [path]
        if path.hasPrefix(base) {
            let rest = path.dropFirst(base.count).drop { $0 == "/" }
            places += [base + "/traces/" + rest, base + "/workloads/" + rest]
        }
        for place in places {
            if access(place, R_OK) == 0 { return place }
            if access(place + ".gz", R_OK) == 0 { return place + ".gz" }
        }
        return path
    }

    private func printReport(_ name: String, _ result: OneResult, cost: Double) {
        let counters = result.counters
        let counts = [
            ("created", counters.created), ("started", counters.started), ("relayed", counters.relayed),
            ("aborted", counters.aborted), ("dropped", counters.dropped), ("removed", counters.removed),
            ("delivered", counters.delivered),
        ]
        let values = [
            ("delivery_prob", result.deliveryProbability), ("overhead_ratio", result.overheadRatio),
            ("latency_avg", result.latencyAverage), ("latency_med", result.latencyMedian),
            ("hopcount_avg", result.hopAverage), ("hopcount_med", result.hopMedian), ("cpu_s", cost),
        ]
        guard !json else {
            var figures = Figures("one")
            figures.set("name", CompareOneCommand.plain(name))
            for (key, count) in counts { figures.set(key, count) }
            for (key, value) in values where value.isFinite { figures.set(key, value) }
            figures.print()
            return
        }
        print("Message stats for scenario \(name)")
        for (key, count) in counts { print("\(key): \(count)") }
        for (key, value) in values { print("\(key): \(value.isFinite ? CompareOneCommand.decimals(value, 4) : "NaN")") }
    }

    private func write(_ list: [OneDelivery], to path: String) throws {
        guard let file = fopen(path, "w") else {
            StandardError.tell("\(path) cannot be written: \(String(cString: strerror(errno)))")
            throw ExitCode(73)
        }
        var text = "id\tdelivered_at_s\tlatency_s\thops\tpath\n"
        for item in list {
            let path = item.path.map { "\($0)" }.joined(separator: "->")
            text += "\(item.name)\t\(CompareOneCommand.short(item.time))\t\(CompareOneCommand.short(item.latency))"
            text += "\t\(item.hops)\t\(path)\n"
        }
        let isWritten = fputs(text, file) >= 0
        guard fclose(file) == 0, isWritten else {
            StandardError.tell("\(path) could not be written to its end")
            throw ExitCode(74)
        }
    }
}
