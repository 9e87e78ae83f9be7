import ArgumentParser
import CoveyContact

/// `covey-sim compare-own ../shared/traces`
struct CompareOwnCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare-own",
        abstract: "Run what The ONE has run in our own semantics, and say how far apart they are.",
        discussion: """
            DIR holds expected/one-results.json and the traces and workloads that it names. Delivery should be within \
            2 %, mean latency within 3 %, and every delivery one that earliest arrival reaches. Where chance decides \
            whom a copy goes to, runs of one simulator are further apart than that: "within_chance" says that The \
            ONE's run is no further from our mean than two of our standard deviations. The status is 1 when any is not. Ours is the mean over several seeds. Times are seconds of processor time, for reading the \
            files and running once; The ONE's are the median of its runs.
            """)

    @Argument(help: ArgumentHelp("The folder of the results.", valueName: "dir"))
    var folder: String

    @Option(help: "Only the scenario with this id.")
    var only: String?

    @Option(help: "Seeds the mean is over.")
    var runs = 20

    func validate() throws {
        guard (1...10_000).contains(runs) else { throw ValidationError("--runs is from 1 to 10000") }
    }

    func run() throws {
        var scenarios = try OneResultsFile.read(folder: folder)
        if let only {
            scenarios.removeAll { $0.id != only }
            if scenarios.isEmpty { throw ValidationError("no scenario of \(folder) has the id \(only)") }
        }
        var isWithin = true
        var speeds: [Double] = []
        for scenario in scenarios {
            let comparison = try OwnComparison.run(scenario, runs: runs) { Usage.processor }
            isWithin = isWithin && (comparison.isWithinBar || comparison.isWithinChance)
            speeds.append(comparison.speed)
            print(comparison)
        }
        var figures = Figures("compare-own")
        figures.set("within", isWithin ? "yes" : "no")
        figures.set("median_speed", speeds.sorted()[speeds.count / 2])
        figures.print()
        guard isWithin else { throw ExitCode(1) }
    }

    private func print(_ comparison: OwnComparison) {
        var figures = Figures("compare-own")
        figures.set("id", comparison.id)
        figures.set("within", comparison.isWithinBar ? "yes" : "no")
        figures.set("within_chance", comparison.isWithinChance ? "yes" : "no")
        figures.set("within_oracle", comparison.isWithinOracle ? "yes" : "no")
        figures.set("runs", comparison.runs)
        figures.set("messages", comparison.messages)
        figures.set("reachable", comparison.reachable)
        figures.set("delivered", comparison.delivered)
        figures.set("delivered_theirs", comparison.theirDelivered)
        figures.set("delivered_theirs_mean", comparison.meanDelivered)
        figures.set("delivery_ratio", comparison.deliveryRatio)
        figures.set("delivered_spread", comparison.deliveredSpread)
        figures.set("latency_s", comparison.latency)
        figures.set("latency_s_theirs", comparison.theirLatency)
        figures.set("latency_s_theirs_mean", comparison.meanLatency)
        figures.set("latency_ratio", comparison.latencyRatio)
        figures.set("latency_spread_s", comparison.latencySpread)
        figures.set("cpu_s", comparison.cost)
        figures.set("cpu_s_theirs", comparison.theirCost)
        figures.set("speed", comparison.speed)
        figures.print()
    }
}
