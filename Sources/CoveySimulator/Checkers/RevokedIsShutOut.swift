/// Once a host knows that a device is revoked, it links no more with it, takes nothing new from it and gives it nothing
/// (invariants 13 and 14). It dials it once at most, to find out who sends beacons without a name there; but an address that
/// it was told it tries on. One that was ordered to lock or erase itself may be let in to be told so, and for nothing else,
/// until the host has heard that it obeys.
public final class RevokedIsShutOut: Checker {
    public let name = "revoked is shut out"
    private var known: Set<Pair> = []
    /// Who is told no more.
    private var told: Set<Pair> = []
    private var dialled: Set<Pair> = []

    private struct Pair: Hashable {
        let host: Host
        let revoked: Host
    }

    public init() {}

    public func noticed(_ sighting: Sighting, at host: Host, in world: World) {
        switch sighting {
        case .revocationLearnt(of: let revoked?):
            if revoked != host { known.insert(Pair(host: host, revoked: revoked)) }
        case .wipeReceipt(of: let other?, _): told.insert(Pair(host: host, revoked: other))
        case .linkUp(with: let other?, isCatchUp: true) where mayTell(other, host, world): break
        case .dialling(let other?) where mayTell(other, host, world): break
        case .dialling(let other?) where !world.staticPeers(of: host).contains(other):
            guard known.contains(Pair(host: host, revoked: other)) else { break }
            if !dialled.insert(Pair(host: host, revoked: other)).inserted {
                refuse(other, "it dials again", host, world)
            }
        case .linkUp(with: let other?, _): refuse(other, "it links with", host, world)
        case .stored(_, from: let other?): refuse(other, "it takes mail from", host, world)
        case .handedOn(_, to: let other?): refuse(other, "it gives mail to", host, world)
        case .revocationLearnt, .linkUp, .stored, .handedOn, .started, .heardBeacon, .dialling, .linkDown, .refused,
            .logAccepted, .epochLearnt, .delivered, .announced, .expired, .warning, .suspensionLearnt,
            .quarantined, .staleness, .wipeAccepted, .wipeRefused, .wipeReceipt:
            break
        }
    }

    public func changed(_ host: Host, to state: Host.State, in world: World) {
        // What stood in memory is lost.
        if state == .up { dialled = dialled.filter { $0.host != host } }
    }

    private func mayTell(_ other: Host, _ host: Host, _ world: World) -> Bool {
        world.wasOrdered(other) && !told.contains(Pair(host: host, revoked: other))
    }

    private func refuse(_ other: Host, _ deed: String, _ host: Host, _ world: World) {
        if known.contains(Pair(host: host, revoked: other)) {
            world.violate(name, "\(deed) \(other), of whom it knows that it is revoked", at: host)
        }
    }
}
