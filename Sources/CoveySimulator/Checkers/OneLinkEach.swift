/// Two devices have one link between them, a moment after they met (invariant 34): when both dial at once, or one dials
/// again, one of the two links goes.
public final class OneLinkEach: Checker {
    public let name = "one link each"
    /// How long a second link may stand beside the first. Links set up within ten seconds of each other count as one
    /// meeting.
    private static let patience = Duration.seconds(30)

    private struct Pair: Hashable, Comparable {
        let host: Host
        let other: Host

        static func < (left: Pair, right: Pair) -> Bool {
            (left.host.index, left.other.index) < (right.host.index, right.other.index)
        }
    }

    private var links: [Pair: Int] = [:]
    private var doubled: [Pair: Duration] = [:]

    public init() {}

    public func noticed(_ sighting: Sighting, at host: Host, in world: World) {
        switch sighting {
        case .linkUp(with: let other?, _): change(Pair(host: host, other: other), by: 1, world)
        case .linkDown(with: let other?, _): change(Pair(host: host, other: other), by: -1, world)
        case .linkUp, .linkDown, .started, .heardBeacon, .dialling, .refused, .logAccepted, .revocationLearnt,
            .epochLearnt, .stored, .handedOn, .delivered, .announced, .expired, .warning, .suspensionLearnt,
            .quarantined,
            .staleness, .wipeAccepted, .wipeRefused, .wipeReceipt:
            break
        }
    }

    public func changed(_ host: Host, to state: Host.State, in world: World) {
        switch state {
        case .up, .paused: break
        case .down, .failed:
            links = links.filter { $0.key.host != host }
            doubled = doubled.filter { $0.key.host != host }
        }
    }

    private func change(_ pair: Pair, by difference: Int, _ world: World) {
        let count = max(0, links[pair, default: 0] + difference)
        links[pair] = count == 0 ? nil : count
        if count > 1, doubled[pair] == nil { doubled[pair] = world.time }
        if count <= 1 { doubled[pair] = nil }
    }

    public func sampled(in world: World) {
        for (pair, since) in doubled.sorted(by: { $0.key < $1.key }) where world.time - since > Self.patience {
            // A host that stands still cannot hang up.
            guard world.state(of: pair.host) == .up else { continue }
            world.violate(name, "\(links[pair] ?? 0) links with \(pair.other) for \(world.time - since)", at: pair.host)
            doubled[pair] = world.time
        }
    }
}
