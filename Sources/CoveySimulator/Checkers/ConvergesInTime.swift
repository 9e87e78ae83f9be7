/// Hosts that are joined by links, and are left alone for so long, know the same mail (invariants 1 and 32, with a time).
///
/// The time is the test's to choose: 1.5 × the formula of sync-routing.md §4.2 + 5 s for what it lets two sides differ in.
/// For worlds with room for all mail and a policy that gives it to everybody; it looks at each sample.
public final class ConvergesInTime: Checker {
    public let name: String
    private let time: Duration
    /// Since when nothing happened that may make sets differ: hosts, their states, who is joined, and what was sent.
    private var since = Duration.zero
    private var islands: [[Host]] = []
    private var sent = 0

    /// - Parameter time: how long hosts that are joined may differ after the last change.
    public init(within time: Duration) {
        self.time = time
        name = "converges within \(time)"
    }

    public func noticed(_ sighting: Sighting, at host: Host, in world: World) {
        switch sighting {
        case .linkUp, .linkDown, .started: since = world.time
        case .heardBeacon, .dialling, .refused, .logAccepted, .revocationLearnt, .epochLearnt, .stored, .handedOn,
            .delivered, .announced, .expired, .warning,
            .suspensionLearnt, .quarantined, .staleness, .wipeAccepted, .wipeRefused, .wipeReceipt:
            break
        }
    }

    public func changed(_ host: Host, to state: Host.State, in world: World) { since = world.time }

    public func sampled(in world: World) { look(in: world) }

    public func ended(in world: World) { look(in: world) }

    private func look(in world: World) {
        let now = world.islands
        if now != islands || world.sentMessages.count != sent {
            islands = now
            sent = world.sentMessages.count
            since = world.time
        }
        guard world.time - since > time else { return }
        for island in islands {
            guard let first = island.first else { continue }
            for other in island.dropFirst() {
                let missing = world.difference(first, other)
                guard missing > 0 else { continue }
                world.violate(
                    name, "\(first) and \(other) differ in \(missing), left alone for \(world.time - since)", at: other)
            }
        }
    }
}
