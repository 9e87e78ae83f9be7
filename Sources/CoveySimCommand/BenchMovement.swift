import CoveyContact

/// Random waypoint with contact detection, at the density of the trace rwp100: 22,500 m² a host, a range of 30 m, 0.5 to
/// 1.5 m/s, pauses of up to two minutes, one look a second, for an hour.
struct BenchMovement {
    var nodes: Int
    var hours: UInt64 = 1

    func run() {
        let side = (22_500 * Double(nodes)).squareRoot()
        let ground = Ground(width: side, height: side)
        let until = hours * 3_600_000_000

        let start = Usage.processor
        let motion = RandomWaypoint(ground: ground, speed: 0.5...1.5, pause: 0...120_000_000)
        let tracks = Tracks(
            ground: ground, groups: [.init(.waypoint(motion), hosts: Array(0..<UInt32(nodes)), range: 30)],
            dice: Dice(seed: 1))
        var contacts = Proximity(tracks, .init(until: until))
        let placed = Usage.processor - start
        var ups = 0
        var changes = 0
        var checksum: UInt64 = 0
        while let change = contacts.next() {
            changes += 1
            if change.isUp { ups += 1 }
            checksum = (checksum ^ change.time ^ UInt64(change.a) << 32 ^ UInt64(change.b)) &* 0x100_0000_01b3
        }
        let used = Usage.processor - start

        var figures = Figures("movement")
        figures.set("nodes", nodes)
        figures.set("simulated_s", Int(hours) * 3_600)
        figures.set("contacts", ups)
        figures.set("changes", changes)
        figures.set("cpu_s", used)
        figures.set("of_which_placing_s", placed)
        figures.set("peak_rss_kib", Usage.peakMemory)
        figures.set("checksum", checksum)
        figures.print()
    }
}
