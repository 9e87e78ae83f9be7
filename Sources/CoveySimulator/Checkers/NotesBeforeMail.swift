import CoveyNode

/// Before the first mail crosses a link, each of the two knows every revocation that the other knew when the link came up
/// (invariants 13 and 32).
public final class NotesBeforeMail: Checker {
    public let name = "notes before mail"

    private struct Pair: Hashable {
        let host: Host
        let other: Host
    }

    /// What either knew when a link came up that no mail has crossed yet.
    private var known: [Pair: (own: Set<[UInt8]>, other: Set<[UInt8]>)] = [:]

    public init() {}

    public func noticed(_ sighting: Sighting, at host: Host, in world: World) {
        switch sighting {
        case .linkUp(with: let other?, _):
            let pair = Pair(host: host, other: other)
            // Of two links at once the first counts: notes only grow.
            guard known[pair] == nil, world.isHonest(other) else { return }
            known[pair] = (notes(of: host, world), notes(of: other, world))
        case .linkDown(with: let other?, _): known[Pair(host: host, other: other)] = nil
        case .stored(_, from: let other?):
            guard let before = known.removeValue(forKey: Pair(host: host, other: other)) else { return }
            look(for: before.other, at: host, before: other, world)
            look(for: before.own, at: other, before: host, world)
        case .linkUp, .linkDown, .stored, .started, .heardBeacon, .dialling, .refused, .logAccepted,
            .revocationLearnt, .epochLearnt, .handedOn, .delivered, .announced, .expired, .warning,
            .suspensionLearnt, .quarantined, .staleness, .wipeAccepted, .wipeRefused, .wipeReceipt:
            break
        }
    }

    public func changed(_ host: Host, to state: Host.State, in world: World) {
        switch state {
        case .up, .paused: break
        case .down, .failed: known = known.filter { $0.key.host != host && $0.key.other != host }
        }
    }

    private func notes(of host: Host, _ world: World) -> Set<[UInt8]> {
        Set(world.storedRevocations(of: host).map(\.key))
    }

    private func look(for notes: Set<[UInt8]>, at host: Host, before other: Host, _ world: World) {
        let missing = notes.subtracting(self.notes(of: host, world)).count
        if missing > 0 {
            world.violate(name, "mail crosses its link with \(other), and \(missing) revocations have not", at: host)
        }
    }
}
