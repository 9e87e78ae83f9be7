import CoveyCore
import CoveyNode

/// Once a host holds the proof that an authority's log is forked, whoever was enrolled by an entry after the fork is no
/// member there: on neither branch, but for what a Checkpoint had named before, and until a branch is chosen. Nor is whoever
/// a dismissed authority enrolled after its last good entry (protocol.md §1.8).
public final class VoidGrantsAdmitNobody: Checker {
    public let name = "void grants admit nobody"
    private var readings: [LogReading] = []

    public init() {}

    public func noticed(_ sighting: Sighting, at host: Host, in world: World) {
        guard let (other, deed) = sighting.dealing else { return }
        look(for: other, deed, host, world)
    }

    /// Links that stood when the proof came.
    public func sampled(in world: World) {
        for host in world.hosts {
            read(host, world)
            guard readings[host.index].mayVoid, let node = world.node(of: host) else { continue }
            for other in world.hosts where other != host {
                guard let device = world.identity(of: other)?.id, node.isOpen(to: device) else { continue }
                look(for: other, "it has a link with", host, world)
            }
        }
    }

    private func read(_ host: Host, _ world: World) {
        while readings.count <= host.index { readings.append(LogReading()) }
        readings[host.index].catchUp(with: host, in: world)
    }

    private func look(for other: Host, _ deed: String, _ host: Host, _ world: World) {
        // Such logs are rare: what came since the last sample is read for those that have one.
        if readings.count <= host.index || readings[host.index].mayVoid { read(host, world) }
        guard let device = world.identity(of: other)?.id, readings[host.index].isVoid(device) else { return }
        world.violate(name, "\(deed) \(other), whose enrolment is void", at: host)
    }
}
