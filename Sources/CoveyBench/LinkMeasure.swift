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

/// How long it takes until a device that has just joined is of use: from its first link's handshake to the delivery of
/// what it wrote before, at somebody whom it has never heard of. Both have disks; the network is the loopback.
///
/// Once it has the whole log of its welcome, and the mesh has not heard of it; once it was away while everybody else
/// was enrolled, and has all that to get and to verify.
func measureJoin() throws {
    let crowd = 2_000
    let most = 1_000.0
    for late in [BenchMesh.Late.others, .first] {
        var times: [UInt64] = []
        for _ in 0..<5 {
            let place = try Place(devices: 2)
            func role(_ device: Int, _ change: (inout NodeRole) -> Void) -> NodeRole {
                place.role(device) {
                    $0.crowd = crowd
                    $0.late = late
                    change(&$0)
                }
            }
            let (resident, port) = try place.listen(role(1) { _ in })
            let newcomer = try place.start(
                role(0) {
                    $0.peers = [port]
                    $0.feed = .letter
                })
            let board = place.board
            try place.wait("the newcomer's message arrives") { board[.delivered] != 0 }
            times.append(board[.delivered] - board.linkUp(0))
            withExtendedLifetime((resident, newcomer)) {}
        }
        times.sort()
        let slowest = Double(times[times.count - 1]) / 1e6
        var report = Report("join")
        report["log"] = late == .others ? "had" : "to get"
        report.set("entries", crowd)
        report.set("n", times.count)
        report.set("median_ms", Double(times[times.count / 2]) / 1e6, digits: 1)
        report.set("max_ms", slowest, digits: 1)
        report.set("ceiling_ms", most, digits: 0)
        report.print()
        guard Double(times[times.count / 2]) / 1e6 <= most else {
            throw Complaint("a device that joins is of use after more than a second")
        }
    }
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
