import CoveyCore
import CoveyNode

/// The mail a host holds never takes more than its quota, and its own mail makes no room for others' (invariants 20
/// and 21).
public final class StoreStaysWithinQuota: Checker {
    public let name = "store stays within quota"
    private var own: [Set<MailID>] = []

    public init() {}

    public func sampled(in world: World) {
        let now = world.minute.hour
        for host in world.hosts {
            while own.count <= host.index { own.append([]) }
            guard world.node(of: host) != nil, let quota = world.quota(of: host) else { continue }
            let (held, ghosts) = world.store(of: host).known()
            let bytes = held.reduce(0) { $0 + UInt64($1.header.bucket.size) }
            if bytes > quota { world.violate(name, "\(bytes) bytes of mail, \(quota) are allowed", at: host) }
            for ghost in ghosts
            where ghost.reason == .evicted && ghost.expiry > now && own[host.index].contains(MailID(ghost.id)) {
                world.violate(name, "its own \(MailID(ghost.id)) made room for others' mail", at: host)
            }
            own[host.index].formUnion(held.lazy.filter(\.isOwn).map { MailID($0.id) })
        }
    }
}
