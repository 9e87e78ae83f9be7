import CoveyNode

/// A node dials at most four times in a second, whatever beacons it hears (invariant 25).
public final class DialsAreBounded: Checker {
    public let name = "dials are bounded"
    private var dials: [[Duration]] = []

    public init() {}

    public func noticed(_ sighting: Sighting, at host: Host, in world: World) {
        guard case .dialling = sighting else { return }
        while dials.count <= host.index { dials.append([]) }
        dials[host.index].removeAll { world.time - $0 >= .seconds(1) }
        dials[host.index].append(world.time)
        if dials[host.index].count > Limits.dialsPerSecond {
            world.violate(name, "\(dials[host.index].count) dials within a second", at: host)
        }
    }

    public func changed(_ host: Host, to state: Host.State, in world: World) {
        if host.index < dials.count { dials[host.index] = [] }
    }
}
