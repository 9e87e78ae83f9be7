import CoveyCore
import Glibc

/// From a dial to a link that has authenticated both sides, and from two starts to a link over which mail may flow.
func measureLink() throws {
    var dials: [UInt64] = []
    var starts: [UInt64] = []
    for _ in 0..<15 {
        let place = try Place(devices: 2)
        let (listener, port) = try place.listen(place.role(1) { $0.isDurable = false })
        let dialler = try place.start(
            place.role(0) {
                $0.isDurable = false
                $0.peers = [port]
            })
        let board = place.board
        try place.wait("two nodes are linked") { board.open(0) != 0 && board.open(1) != 0 }
        dials.append(board.linkUp(0) - board.dial(0))
        starts.append(max(board.open(0), board.open(1)) - dialler.started)
        withExtendedLifetime(listener) {}
    }
    dials.sort()
    starts.sort()
    var established = Report("link_establish")
    established.set("n", dials.count)
    established.set("median_ms", Double(dials[dials.count / 2]) / 1e6, digits: 3)
    established.set("max_ms", Double(dials[dials.count - 1]) / 1e6, digits: 3)
    established.print()
    var connected = Report("start_to_connected")
    connected.set("n", starts.count)
    connected.set("seconds", Double(starts[starts.count / 2]) / 1e9, digits: 4)
    connected.print()
}

/// Two network namespaces with a cable between them, as the peers' benches make them.
enum Segment {
    static let hosts = ["pb-a", "pb-b"]

    static var missing: String? {
        hosts.allSatisfy { access("/run/netns/\($0)", R_OK) == 0 }
            ? nil : "it needs the network namespaces \(hosts.joined(separator: " and ")), and to be root"
    }
}

/// Two hosts of one network segment that know no address: from both starts to a link over which mail may flow.
func measureDiscovery() throws {
    if let missing = Segment.missing { throw Complaint("discovery: \(missing)") }
    let place = try Place(devices: 2)
    let first = try place.start(place.role(0) { $0.isMulticast = true }, in: Segment.hosts[0])
    let second = try place.start(place.role(1) { $0.isMulticast = true }, in: Segment.hosts[1])
    let board = place.board
    try place.wait("two nodes have found each other") { board.open(0) != 0 && board.open(1) != 0 }
    var report = Report("discovery_auto")
    let both = max(board.open(0), board.open(1))
    report.set("from_spawn_s", Double(both - first.started) / 1e9, digits: 4)
    report.print()
    withExtendedLifetime(second) {}
}

/// What nodes cost while nothing happens: two with one link, and one with ten.
func measureIdle() throws {
    do {
        let place = try Place(devices: 2)
        let (a, port) = try place.listen(place.role(0))
        let b = try place.start(place.role(1) { $0.peers = [port] })
        let board = place.board
        try place.wait("two nodes are linked") { board.open(0) != 0 && board.open(1) != 0 }
        sleep(2)
        var resident = Report("rss_idle")
        resident.set("rss_kb_a", a.resident)
        resident.set("rss_kb_b", b.resident)
        resident.print()
        try report("idle_10s", seconds: 10, of: [a, b], cpu: "cpu_pct_both")
    }
    let place = try Place(devices: 11)
    let (hub, port) = try place.listen(place.role(0))
    let others = try (1...10).map { device in
        try place.start(
            place.role(device) {
                $0.isDurable = false
                $0.peers = [port]
            })
    }
    try place.wait("ten nodes are linked to one") { (1...10).allSatisfy { place.board.open($0) != 0 } }
    sleep(2)
    try report("idle_ten_links", seconds: 20, of: [hub], cpu: "cpu_pct", resident: hub)
    withExtendedLifetime(others) {}

    func report(_ name: String, seconds: Int, of nodes: [Child], cpu: String, resident: Child? = nil) throws {
        let (start, used, bytes) = (Stopwatch.now, nodes.reduce(0) { $0 + $1.processor }, Proc.loopbackBytes)
        sleep(UInt32(seconds))
        let (now, more) = (Stopwatch.now, nodes.reduce(0) { $0 + $1.processor })
        var report = Report(name)
        report.set("seconds", seconds)
        if let bytes, let last = Proc.loopbackBytes {
            report.set("bytes_per_s", Double(last - bytes) / Double(seconds), digits: 1)
        }
        report.set(cpu, Double(more - used) / Double(now - start) * 100, digits: 3)
        if let resident { report.set("rss_kb", resident.resident) }
        report.print()
    }
}
