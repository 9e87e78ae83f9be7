import CoveyCore
import CoveyNode

/// What a host acknowledged, to a neighbour or to its own user, is there after any crash: held, let go of on purpose,
/// delivered, or past its time (invariants 10 and 11).
public final class AcknowledgedIsKept: Checker {
    public let name = "acknowledged is kept"
    private var stored: [[EnvelopeID: Hour]] = []

    public init() {}

    public func noticed(_ sighting: Sighting, at host: Host, in world: World) {
        guard case .stored(let mail, _) = sighting else { return }
        while stored.count <= host.index { stored.append([:]) }
        // Mail that is not even there now is found missing at the next start.
        let envelope = world.store(of: host).envelope(mail.envelope).flatMap { try? Envelope(parsing: $0) }
        stored[host.index][mail.envelope] = envelope?.header.expiry ?? Hour(.max)
    }

    public func changed(_ host: Host, to state: Host.State, in world: World) {
        guard state == .up, host.index < stored.count, !stored[host.index].isEmpty else { return }
        let (held, ghosts) = world.store(of: host).known()
        let known = Set(held.map(\.id)).union(ghosts.map(\.id))
        let now = world.minute.hour
        stored[host.index] = stored[host.index].filter { $0.value > now }
        for id in stored[host.index].keys.sorted() where !known.contains(id) {
            world.violate(name, "\(MailID(id)) was acknowledged and is not there after the start", at: host)
        }
    }
}
