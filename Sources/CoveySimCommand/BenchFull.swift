import CoveyContact
import CoveySimulator

/// Whole nodes for an hour: sites of twenty-five hosts on a LAN each, joined in a ring by two hosts of every site and by one
/// far line a site. Everybody writes ten messages in the hour; for twenty minutes half of the sites are cut off from the others.
struct BenchFull {
    var hosts: Int
    var minutes = 60
    /// Nil: flood.
    var copies: Int?

    private static let siteSize = 25
    private static let messagesPerHour = 10

    func run() {
        let start = Usage.processor
        var options = World.Options()
        options.lan = nil
        options.keepsSightings = false
        options.routing = copies.map { .sprayAndWait(copies: $0) } ?? .flood
        let world = World(seed: 1, options: options)
        var dice = Dice(seed: 1).stream("bench-full")

        let sites = max(2, hosts / Self.siteSize)
        let segments = (0..<sites).map { _ in world.addSegment(.lan) }
        var members = [[Host]](repeating: [], count: sites)
        for number in 0..<hosts {
            let site = number % sites
            var plugs = [segments[site]]
            // The first two of a site are on the next site's LAN too.
            if number / sites < 2 { plugs.append(segments[(site + 1) % sites]) }
            members[site].append(world.addHost("host \(number)", segments: plugs))
        }
        for site in 0..<sites where sites > 3 {
            let other = (site + 2 + dice.below(sites - 3)) % sites
            world.connect(members[site][2], members[other][2], .lan)
        }
        let enrolled = Usage.processor

        let all = members.flatMap { $0 }
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
        let near = members[..<(sites / 2)].flatMap { $0 }
        let far = members[(sites / 2)...].flatMap { $0 }
        world.at(.minutes(minutes / 3)) { $0.partition(near, far) }
        world.at(.minutes(minutes * 2 / 3)) { $0.heal() }
        world.run(for: .minutes(minutes))
        let report = world.finish()
        let used = Usage.processor

        var figures = Figures("full")
        figures.set("hosts", hosts)
        figures.set("routing", copies.map { "spray and wait \($0)" } ?? "flood")
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
}
