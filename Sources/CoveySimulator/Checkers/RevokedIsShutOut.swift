/// Once a host knows that a device is revoked, it links no more with it, takes nothing new from it and gives it nothing
/// (invariants 13 and 14). One that was ordered to lock or erase itself may be let in to be told so, and for nothing else.
public final class RevokedIsShutOut: Checker {
    public let name = "revoked is shut out"
    private var known: Set<Pair> = []

    private struct Pair: Hashable {
        let host: Host
        let revoked: Host
    }

    public init() {}

    public func noticed(_ sighting: Sighting, at host: Host, in world: World) {
        switch sighting {
        case .revocationLearnt(of: let revoked?):
            if revoked != host { known.insert(Pair(host: host, revoked: revoked)) }
        case .linkUp(with: let other?, isCatchUp: true) where world.wasOrdered(other): break
        case .linkUp(with: let other?, _): refuse(other, "it links with", host, world)
        case .stored(_, from: let other?): refuse(other, "it takes mail from", host, world)
        case .handedOn(_, to: let other?): refuse(other, "it gives mail to", host, world)
        case .revocationLearnt, .linkUp, .stored, .handedOn, .started, .heardBeacon, .dialling, .linkDown, .refused,
            .logAccepted, .epochLearnt, .delivered, .announced, .expired, .warning, .suspensionLearnt,
            .quarantined, .staleness, .wipeAccepted, .wipeRefused, .wipeReceipt:
            break
        }
    }

    private func refuse(_ other: Host, _ deed: String, _ host: Host, _ world: World) {
        if known.contains(Pair(host: host, revoked: other)) {
            world.violate(name, "\(deed) \(other), of whom it knows that it is revoked", at: host)
        }
    }
}
