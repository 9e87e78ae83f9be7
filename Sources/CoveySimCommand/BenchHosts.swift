import CoveySimulator

/// What whole hosts take that have nothing to do: sites of five on a LAN each, all members of one mesh, for five minutes.
struct BenchHosts {
    var hosts: Int

    func run() {
        let start = Usage.processor
        let before = Usage.residentMemory
        var options = World.Options()
        options.lan = nil
        options.keepsSightings = false
        let world = World(seed: 1, options: options)
        let sites = (0..<(hosts + 4) / 5).map { _ in world.addSegment(.lan) }
        for number in 0..<hosts { world.addHost("host \(number)", segments: [sites[number / 5]]) }
        let enrolled = Usage.processor
        world.run(for: .seconds(1))
        let begun = Usage.processor
        world.run(for: .minutes(5))
        let report = world.finish()

        var figures = Figures("hosts")
        figures.set("hosts", hosts)
        figures.set("enrolment_cpu_s", enrolled - start)
        figures.set("start_cpu_s", begun - enrolled)
        figures.set("five_minutes_cpu_s", Usage.processor - begun)
        figures.set("connections", report.connections)
        figures.set("rss_kib", Usage.residentMemory)
        figures.set("kib_a_host", Double(Usage.residentMemory - before) / Double(hosts))
        figures.set("peak_rss_kib", Usage.peakMemory)
        figures.print()
    }
}
