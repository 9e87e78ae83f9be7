import CoveyContact
import CoveySimulator

/// Whole nodes for an hour, each linked with a few others. Everybody writes ten messages in the hour; for twenty minutes
/// half of them are cut off from the other half.
struct BenchFull {
    var hosts: Int
    var minutes = 60
    var routing: Routing

    /// How mail between two persons goes.
    enum Routing {
        case flood
        case spray(copies: Int)
        /// Hosts belong to teams of so many, which hang together; mail goes towards the recipient's.
        case teams(of: Int)

        fileprivate var policy: RoutingPolicy {
            switch self {
            case .flood: .flood
            case .spray(let copies): .sprayAndWait(copies: copies)
            case .teams: .adaptive
            }
        }

        fileprivate var name: String {
            switch self {
            case .flood: "flood"
            case .spray(let copies): "spray and wait \(copies)"
            case .teams(let size): "adaptive, teams of \(size)"
            }
        }
    }

    private static let messagesPerHour = 10

    func run() {
        let start = Usage.processor
        var options = World.Options()
        options.lan = nil
        options.keepsSightings = false
        options.routing = routing.policy
        let world = World(seed: 1, options: options)
        var dice = Dice(seed: 1).stream("bench-full")

        // Two trees of narrow branches with some links across, and a few lines from one to the other.
        let half = hosts / 2
        var branches = [Int](repeating: 0, count: hosts)
        var parents = [Int?](repeating: nil, count: hosts)
        for host in 0..<hosts where host != 0 && host != half {
            let first = host < half ? 0 : half
            var parent = first + dice.below(host - first)
            while branches[parent] == 3 { parent = first + dice.below(host - first) }
            branches[parent] += 1
            parents[host] = parent
        }
        let teams = teams(parents)
        let all = (0..<hosts).map { world.addHost("host \($0)", certificate: Certificate(zones: teams[$0])) }
        for (host, parent) in parents.enumerated() {
            if let parent { world.connect(all[host], all[parent]) }
        }
        for _ in 0..<hosts / 10 {
            let first = dice.chance(0.5) ? 0 : half
            let (a, b) = (first + dice.below(half), first + dice.below(half))
            if a != b, !world.isConnected(all[a], all[b]) { world.connect(all[a], all[b]) }
        }
        for _ in 0..<4 { world.connect(all[dice.below(half)], all[half + dice.below(half)]) }
        let enrolled = Usage.processor

        let length = UInt64(minutes) * 60_000_000
        for _ in 0..<hosts * Self.messagesPerHour * minutes / 60 {
            let from = all[dice.below(all.count)]
            var to = from
            while to == from { to = all[dice.below(all.count)] }
            let recipient = to
            world.at(.microseconds(Int64(dice.below(length)))) { world in
                world.send("A line or two of what people write to each other.", from: from, to: recipient)
            }
        }
        world.at(.minutes(minutes / 3)) { $0.partition(Array(all[..<half]), Array(all[half...])) }
        world.at(.minutes(minutes * 2 / 3)) { $0.heal() }
        world.run(for: .minutes(minutes))
        let report = world.finish()
        let used = Usage.processor

        var figures = Figures("full")
        figures.set("hosts", hosts)
        figures.set("routing", routing.name)
        figures.set("simulated_s", minutes * 60)
        figures.set("cpu_s", used - start)
        figures.set("enrolment_cpu_s", enrolled - start)
        figures.set("events", report.events)
        figures.set("sent", report.sent)
        figures.set("delivered", report.delivered)
        figures.set("connections", report.connections)
        figures.set("bytes", report.bytes)
        figures.set("peak_rss_kib", Usage.peakMemory)
        figures.set("digest", report.digest)
        figures.print()
    }

    /// The zones of each host: those of its parent's team while there is room, else of a team of its own.
    private func teams(_ parents: [Int?]) -> [[UInt8]] {
        guard case .teams(let size) = routing else { return parents.map { _ in [] } }
        var members: [Int] = []
        var teams: [Int] = []
        for parent in parents {
            if let parent, members[teams[parent]] < size {
                teams.append(teams[parent])
            } else {
                members.append(0)
                teams.append(members.count - 1)
            }
            members[teams[teams.count - 1]] += 1
        }
        precondition(members.count <= 255, "there are 255 zones: larger teams are needed")
        return teams.map { [UInt8($0)] }
    }
}
