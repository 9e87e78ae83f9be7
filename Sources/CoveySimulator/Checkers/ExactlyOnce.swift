import CoveyCore

/// No message comes to a user twice: not after crashes, replays, over several links, or by a stick
/// (sync-routing.md §6, invariant 4).
public final class ExactlyOnce: Checker {
    public let name = "exactly once"
    private var delivered: Set<Delivery> = []

    private struct Delivery: Hashable {
        let host: Host
        let message: MessageID
    }

    public init() {}

    public func noticed(_ sighting: Sighting, at host: Host, in world: World) {
        guard case .delivered(let message) = sighting else { return }
        if !delivered.insert(Delivery(host: host, message: message.id)).inserted {
            world.violate(name, "\"\(message.text)\" came a second time", at: host)
        }
    }
}
