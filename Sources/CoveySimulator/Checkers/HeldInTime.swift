import CoveyCore
import CoveyNode

/// Mail is neither kept beyond its time nor given up before it: what a node holds is gone soon after it expired, and until
/// then it leaves only as a ghost, whatever clocks show (invariants 5, 6, 12 and 37).
///
/// A host whose own clock is wrong, or that trusts fewer than three others', may keep mail longer; nobody may lose it.
public final class HeldInTime: Checker {
    public let name = "held in time"
    /// Hours after its expiry that a host whose clock is right may still hold mail: its timer runs each hour.
    private static let grace: Int64 = 2

    private struct Memory {
        var held: [EnvelopeID: Hour] = [:]
        var ghosts: [EnvelopeID: Hour] = [:]
    }

    private var memories: [Memory] = []
    private var skewed: Set<Host> = []

    public init() {}

    /// Hosts whose clocks a test puts wrong on purpose: they may keep mail too long.
    public func excuse(_ host: Host) { skewed.insert(host) }

    public func sampled(in world: World) { look(in: world) }

    public func ended(in world: World) { look(in: world) }

    private func look(in world: World) {
        let now = world.minute.hour
        for host in world.hosts {
            while memories.count <= host.index { memories.append(Memory()) }
            // A disk that nobody reads does not change.
            guard world.node(of: host) != nil else { continue }
            let (held, ghosts) = world.store(of: host).known()
            var seen = Memory()
            for record in held {
                seen.held[record.id] = record.header.expiry
                if memories[host.index].ghosts[record.id] != nil, memories[host.index].held[record.id] == nil {
                    world.violate(name, "\(MailID(record.id)) was let go of and is held again", at: host)
                }
                if !skewed.contains(host), record.header.expiry.adding(Self.grace) <= now {
                    world.violate(name, "\(MailID(record.id)) is held beyond its time", at: host)
                }
            }
            for ghost in ghosts { seen.ghosts[ghost.id] = ghost.expiry }
            let before = memories[host.index]
            for (id, expiry) in before.held.sorted(by: { $0.key < $1.key })
            where seen.held[id] == nil && seen.ghosts[id] == nil && expiry > now {
                world.violate(name, "\(MailID(id)) is gone before its time", at: host)
            }
            for (id, expiry) in before.ghosts.sorted(by: { $0.key < $1.key })
            where seen.ghosts[id] == nil && seen.held[id] == nil && expiry > now {
                world.violate(name, "\(MailID(id)) is no longer remembered, before its time", at: host)
            }
            memories[host.index] = seen
        }
    }
}
