import CoveyNode

/// No peer that a node was told of is given up: while there is no link with it, it is dialled again and again, whatever
/// came of it so far (invariant 33). Of its peers this mesh has static ones only: pauses grow to two minutes, and to half
/// as much again by chance.
public final class StaticPeersAreTried: Checker {
    public let name = "static peers are tried"
    /// The longest pause and half of it, and the end of a handshake that came to nothing.
    private static let longest = Duration.seconds(180 + 10)

    private struct Pair: Hashable {
        let host: Host
        let peer: Host
    }

    /// Since when nothing was tried.
    private var since: [Pair: Duration] = [:]
    private var links: [Pair: Int] = [:]
    private var linksOf: [Host: Int] = [:]
    private var revoked: Set<Pair> = []

    public init() {}

    public func noticed(_ sighting: Sighting, at host: Host, in world: World) {
        switch sighting {
        case .dialling(let peer?): since[Pair(host: host, peer: peer)] = world.time
        case .linkUp(with: let peer, _): change(host, peer, by: 1, world)
        case .linkDown(with: let peer, _): change(host, peer, by: -1, world)
        case .revocationLearnt(of: let peer?): revoked.insert(Pair(host: host, peer: peer))
        case .dialling, .revocationLearnt, .started, .heardBeacon, .refused, .logAccepted, .epochLearnt, .stored,
            .handedOn, .delivered, .announced, .expired, .warning,
            .suspensionLearnt, .quarantined, .staleness, .wipeAccepted, .wipeRefused, .wipeReceipt:
            break
        }
    }

    private func change(_ host: Host, _ peer: Host?, by difference: Int, _ world: World) {
        linksOf[host, default: 0] += difference
        guard let peer else { return }
        let pair = Pair(host: host, peer: peer)
        links[pair, default: 0] += difference
        since[pair] = world.time
    }

    public func changed(_ host: Host, to state: Host.State, in world: World) {
        since = since.filter { $0.key.host != host }
        switch state {
        case .up, .paused: break
        case .down, .failed:
            links = links.filter { $0.key.host != host }
            linksOf[host] = nil
        }
    }

    public func sampled(in world: World) {
        for host in world.hosts where world.state(of: host) == .up && world.isHonest(host) {
            for peer in world.staticPeers(of: host) {
                let pair = Pair(host: host, peer: peer)
                let last = since[pair] ?? world.time
                since[pair] = last
                // With all its places taken a node dials nobody.
                guard links[pair, default: 0] <= 0, linksOf[host, default: 0] < Limits.links, !revoked.contains(pair)
                else {
                    since[pair] = world.time
                    continue
                }
                if world.time - last > Self.longest + world.options.dialTimeout {
                    world.violate(name, "nothing was tried with \(peer) for \(world.time - last)", at: host)
                    since[pair] = world.time
                }
            }
        }
    }
}
