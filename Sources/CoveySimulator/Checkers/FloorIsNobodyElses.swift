import CoveyCore

/// The time before which a host believes it cannot be is never later than the latest of: the true time, what its own clock
/// has shown, the entries of its log, and what clocks of timekeepers have shown. What other peers say of the hour does
/// not move it (invariant 37, protocol.md §1.5).
public final class FloorIsNobodyElses: Checker {
    public let name = "nobody else's clock moves the floor"
    private struct Latest {
        var clock = Minute(0)
        var log = Minute(0)
        var read: UInt64 = 0
    }

    private var latest: [Latest] = []

    public init() {}

    public func turned(_ host: Host, in world: World) {
        while latest.count <= host.index { latest.append(Latest()) }
        latest[host.index].clock = max(latest[host.index].clock, Minute(wall: world.now(at: host).wall))
    }

    public func sampled(in world: World) { look(in: world) }

    public func ended(in world: World) { look(in: world) }

    private func look(in world: World) {
        let keepers = world.hosts.filter { host in
            guard let device = world.identity(of: host)?.id else { return false }
            return world.membership.currentCertificate(device)?.capabilities.contains(.timekeeper) ?? false
        }
        let kept = keepers.compactMap { $0.index < latest.count ? latest[$0.index].clock : nil }.max() ?? Minute(0)
        let first = world.beginning.map(\.time).max() ?? Minute(0)
        for host in world.hosts where host.index < latest.count && world.node(of: host) != nil {
            for (position, entry) in world.storedEntries(of: host, after: latest[host.index].read) {
                latest[host.index].read = position
                latest[host.index].log = max(latest[host.index].log, entry.time)
            }
            guard let floor = world.floor(of: host) else { continue }
            let bound = [world.minute, latest[host.index].clock, latest[host.index].log, kept].reduce(first, max)
            if floor > bound.adding(1) {
                world.violate(
                    name, "its floor is \(floor.value - bound.value) minutes after any clock it may go by", at: host)
            }
        }
    }
}
