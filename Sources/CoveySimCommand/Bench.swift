import ArgumentParser
import CoveyCore

/// Measures of the simulator itself, for docs/performance.md.
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures the simulator itself: one JSON object a line.",
        discussion: """
            Times are seconds of processor time of this process, kernel included, so that what else the machine does \
            hardly matters.
            """)

    enum Measure: String, CaseIterable, ExpressibleByArgument {
        case contact, events, movement, pump, idle, hosts, full, renewals, revocation
    }

    @Argument(help: "What to measure. (default: everything)")
    var measures: [Measure] = Measure.allCases

    @Option(help: "Hosts of the measures `hosts` (10,000), `full` (1,000), `renewals` (50) and `revocation` (30).")
    var hosts: Int?

    @Option(help: "Hosts of a team in the measure `full`: mail goes towards the recipient's. (default: 25)")
    var team: Int?

    @Option(help: "Copies of a message in the measure `full`, sprayed without regard to teams.")
    var copies: Int?

    @Flag(help: "In the measure `full` every message goes to everybody.")
    var flood = false

    @Option(help: "Days of the measure `renewals` (120).")
    var days: Int?

    private var routing: BenchFull.Routing {
        if flood { return .flood }
        return copies.map { .spray(copies: $0) } ?? .teams(of: team ?? 25)
    }

    func validate() throws {
        guard [flood, copies != nil, team != nil].count(where: \.self) < 2 else {
            throw ValidationError("--team, --copies and --flood are three ways of routing; choose one")
        }
        if let copies, !(1...64).contains(copies) { throw ValidationError("--copies is 1 to 64") }
        if let team, team < 1 { throw ValidationError("--team is 1 or more") }
    }

    func run() throws {
        for measure in measures {
            switch measure {
            case .contact: BenchContact().run()
            case .events:
                BenchEvents(nodes: 10_000).run()
                BenchEvents(nodes: 100_000).run()
            case .movement:
                BenchMovement(nodes: 10_000).run()
                BenchMovement(nodes: 100_000).run()
            case .pump:
                try BenchPump(envelopes: 50_000, bucket: .bytes512).run()
                try BenchPump(envelopes: 50_000, bucket: .bytes2048).run()
            case .idle:
                try BenchIdle(nodes: 4_000).run()
            case .hosts: BenchHosts(hosts: hosts ?? 10_000).run()
            case .full: BenchFull(hosts: hosts ?? 1_000, routing: routing).run()
            case .revocation: try BenchRevocation(hosts: max(4, hosts ?? 30)).run()
            case .renewals:
                try BenchRenewals(hosts: max(2, hosts ?? 50), days: max(1, days ?? 120)).run()
            }
        }
    }
}
