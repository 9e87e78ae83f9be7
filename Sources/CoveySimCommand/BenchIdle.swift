import CoveyCore
import CoveyNode
import Glibc

/// Memory of nodes that do nothing, all of one mesh: what stands beside the log and the bundles they share.
struct BenchIdle {
    var nodes: Int

    func run() throws {
        let mesh = try BenchNodes(devices: nodes)
        let before = Usage.residentMemory
        let began = Usage.processor
        var running: [(node: Node, store: MemoryStore)] = []
        running.reserveCapacity(nodes)
        for index in 0..<nodes { running.append(try mesh.node(index)) }
        let started = Usage.processor
        var effects = Effects()
        let address = SocketAddress(v4: 10, 0, 0, 1, port: 26117)
        for one in running {
            try one.node.handle(
                .endpoints([LocalEndpoint(address: address, interface: 1, isLoopback: false)]), at: BenchNodes.now(0),
                store: one.store, into: &effects)
            one.store.commit()
            effects.removeAll()
        }
        // One virtual hour of whatever they have to do.
        var uptime: UInt64 = 0
        var turns = 0
        while uptime < 3_600_000_000 {
            uptime += 60_000_000
            for one in running where one.node.nextDeadline ?? .max <= uptime {
                try one.node.handle(.deadline, at: BenchNodes.now(uptime), store: one.store, into: &effects)
                one.store.commit()
                effects.removeAll()
                turns += 1
            }
        }
        let ended = Usage.processor
        var figures = Figures("idle")
        figures.set("nodes", nodes)
        figures.set("start_us_per_node", (started - began) * 1_000_000 / Double(nodes))
        figures.set("hour_us_per_node", (ended - started) * 1_000_000 / Double(nodes))
        figures.set("turns", turns)
        figures.set("bytes_per_node", (Usage.residentMemory - before) * 1024 / nodes)
        figures.set("shared_kib", before)
        figures.set("resident_kib", Usage.residentMemory)
        figures.print()
        withExtendedLifetime(running) {}
    }
}

extension Usage {
    /// Memory that is resident now, KiB.
    static var residentMemory: Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
        var rest = UnsafeMutablePointer<CChar>?.none
        _ = strtol(line, &rest, 10)
        return rest.map { strtol($0, nil, 10) * Int(sysconf(Int32(_SC_PAGESIZE))) / 1024 } ?? 0
    }
}
