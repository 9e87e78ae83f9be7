/// In the end everything has arrived that could: between two hosts that run and can reach each other over others, no taken
/// message is still missing, and all of them know the same mail (invariants 1 and 30).
///
/// For the end of a run whose faults are over: it looks once, in `ended`.
public final class EverythingArrives: Checker {
    public let name = "everything arrives"

    public init() {}

    public func ended(in world: World) {
        let islands = world.islands
        for message in world.sentMessages where message.isTaken && message.received == nil {
            guard let from = message.from, let island = islands.first(where: { $0.contains(from) }),
                island.contains(message.to), world.isUnexpired(message)
            else { continue }
            world.violate(name, "\"\(message.text)\" from \(from) has not arrived", at: message.to)
        }
        for island in islands {
            guard let first = island.first else { continue }
            for other in island.dropFirst() {
                let missing = world.difference(first, other)
                if missing > 0 {
                    world.violate(name, "\(first) and \(other) do not know the same mail: \(missing) differ", at: other)
                }
            }
        }
    }
}
