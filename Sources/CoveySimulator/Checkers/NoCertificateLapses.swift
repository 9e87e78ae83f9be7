import CoveyCore

/// The certificate that a host's own node knows as its device's has not ended, by the true time: renewals come in time.
/// Revoked devices get none.
///
/// No invariant of every world: nobody renews a certificate where no authority is at work.
public final class NoCertificateLapses: Checker {
    public let name = "no certificate lapses"
    private var lapsed: Set<Host> = []

    public init() {}

    public func sampled(in world: World) { look(in: world) }

    public func ended(in world: World) { look(in: world) }

    private func look(in world: World) {
        for host in world.hosts where world.isUp(host) && world.isHonest(host) {
            guard let device = world.identity(of: host)?.id, !world.membership.isRevoked(device),
                let ends = world.certificateEnds(of: host, knownAt: host)
            else { continue }
            if ends >= world.time {
                lapsed.remove(host)
            } else if lapsed.insert(host).inserted {
                world.violate(name, "its certificate ended at \(ends), and its node knows no other", at: host)
            }
        }
    }
}
