import ArgumentParser
import CoveyReport
import CoveyScenario

/// `covey-sim compare simulations/03-mule-motorbike.yaml --policies direct,spray:8,epidemic`
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Put policies, or results, side by side.",
        discussion: """
            With a scenario file, each policy carries the same messages over the same contacts. With results \
            (result.json), the figures they hold; what a run did not measure is –.
            """)

    /// A policy over contacts, or the whole node.
    struct Policy: ExpressibleByArgument {
        var text: String
        /// Nil: the node's own, at full level.
        var router: RouterName?

        init?(argument: String) {
            text = argument
            router = RouterName(argument: argument)
            if router == nil, argument != "node" { return nil }
        }
    }

    @Argument(help: "A scenario file, or two or more files result.json.")
    var files: [String]

    @Option(
        help: "With commas between: \(RouterName.known); node is the whole node at full level.",
        transform: { text in
            try text.split(separator: ",").map {
                guard let policy = Policy(argument: String($0)) else {
                    throw ValidationError("“\($0)” is no policy; known: node, \(RouterName.known)")
                }
                return policy
            }
        })
    var policies: [Policy]?

    @Option(help: "Decides all that is left to chance. Without it: the file's.")
    var seed: UInt64?

    @Flag(help: "No progress.")
    var quiet = false

    func validate() throws {
        guard files.count == 1 || policies == nil else { throw ValidationError("--policies is for one scenario file") }
        if files.count == 1, policies == nil {
            throw ValidationError(
                "one scenario file needs --policies a,b,c; results are compared two or more at a time")
        }
    }

    func run() throws {
        try Complaint.told {
            let columns = try policies.map(ran) ?? files.map { ($0, try ResultFile.readResult($0)) }
            let hashes = Set(columns.map { "\($0.result.scenarioHash) \($0.result.seed)" })
            print(Self.table(columns), terminator: "")
            if hashes.count > 1 { print("note: these are not of one scenario and seed") }
        }
    }

    private func ran(_ policies: [Policy]) throws -> [(name: String, result: RunResult)] {
        let scenario = try ScenarioFile.read(files[0]).scenario
        return try policies.map { policy in
            var options = ScenarioRun.Options()
            options.records = false
            options.level = policy.router == nil ? .full : .contact
            if let router = policy.router { options.router = router.router }
            let outcome = try WatchedRun.run(scenario, seed: seed, options: options, isQuiet: quiet)
            return (policy.text, outcome.result)
        }
    }

    static func table(_ columns: [(name: String, result: RunResult)]) -> String {
        let head = [
            "", "level", "delivered", "written", "of oracle", "copies a delivery", "half in", "95 % in", "mean",
            "bytes",
            "processor",
        ]
        let rows = columns.map { row($0.name, $0.result) }
        return TextTable.aligned([head] + rows, leading: [0, 1])
    }

    private static func row(_ name: String, _ result: RunResult) -> [String] {
        let all = result.delivery.first { $0.name == "all" }
        let delivered = all?.delivered ?? result.counters.delivered
        let written = all?.created ?? result.counters.created
        let level = result.semantics == .own ? result.level.rawValue : result.semantics.rawValue
        let copies = delivered > 0 ? Figure.decimal(Double(result.counters.relayed) / Double(delivered)) : "–"
        func seconds(_ value: Double?) -> String { value.map(Figure.seconds) ?? "–" }
        return [
            name, level, "\(delivered)", "\(written)", all?.shareOfOracle.map(Figure.percent) ?? "–", copies,
            seconds(all?.delays?.p50), seconds(all?.delays?.p95), seconds(all?.delays?.mean),
            bytes(result).map(Figure.bytes) ?? "–", Figure.seconds(result.cost.cpuSeconds),
        ]
    }

    /// Nil where nobody counted them.
    private static func bytes(_ result: RunResult) -> Double? {
        if let sent = result.measures.first(where: { $0.name == "bytes sent by all hosts" }) {
            return sent.quantity.value
        }
        let frames = result.bytesByFrame.reduce(UInt64(0)) { $0 + $1.bytes }
        return frames > 0 ? Double(frames) : nil
    }
}
