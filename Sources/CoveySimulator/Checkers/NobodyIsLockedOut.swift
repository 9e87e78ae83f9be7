/// Two honest members that have been up and in reach of each other for so long are linked, directly or over others: nobody
/// is locked out for what it has missed.
///
/// For worlds of some dozen hosts: each sample looks at every two of them. A member is whom the authority in office calls
/// one at the true time.
public final class NobodyIsLockedOut: Checker {
    public let name: String
    private let time: Duration

    private struct Pair: Hashable {
        let one: Host
        let other: Host
    }

    private var since: [Pair: Duration] = [:]

    /// - Parameter time: how long two may be up and in reach of each other without a link.
    public init(within time: Duration) {
        self.time = time
        name = "nobody is locked out for \(time)"
    }

    public func sampled(in world: World) { look(in: world) }

    public func ended(in world: World) { look(in: world) }

    private func look(in world: World) {
        let members = world.hosts.filter { world.isUp($0) && world.isHonest($0) && world.isMember($0) }
        let islands = world.islands
        var next: [Pair: Duration] = [:]
        for (number, one) in members.enumerated() {
            for other in members.dropFirst(number + 1) where world.isInReach(one, other) {
                let pair = Pair(one: one, other: other)
                let begin = since[pair] ?? world.time
                next[pair] = begin
                guard world.time - begin > time else { continue }
                if !islands.contains(where: { $0.contains(one) && $0.contains(other) }) {
                    world.violate(
                        name, "it and \(one) have been in reach of each other for \(world.time - begin) without a link",
                        at: other)
                }
            }
        }
        since = next
    }
}
