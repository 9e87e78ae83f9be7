import CoveyCore

/// Whom a host takes for a member, gives mail to or takes mail from, its own log names: a certificate that was issued in
/// secret makes nobody a member (protocol.md §1.7).
public final class OnlyLoggedAreMembers: Checker {
    public let name = "only the log makes members"
    private var readings: [LogReading] = []

    private struct Pair: Hashable {
        let host: Host
        let other: Host
    }

    /// Found in the log once: logs only grow.
    private var named: Set<Pair> = []

    public init() {}

    public func noticed(_ sighting: Sighting, at host: Host, in world: World) {
        guard let (other, deed) = sighting.dealing else { return }
        look(for: other, deed, host, world)
    }

    private func look(for other: Host, _ deed: String, _ host: Host, _ world: World) {
        let pair = Pair(host: host, other: other)
        guard !named.contains(pair), let device = world.identity(of: other)?.id else { return }
        while readings.count <= host.index { readings.append(LogReading()) }
        readings[host.index].catchUp(with: host, in: world)
        if readings[host.index].names(device) {
            named.insert(pair)
        } else {
            world.violate(name, "\(deed) \(other), whom its log does not name", at: host)
        }
    }
}
