/// Not one byte goes to somebody who is no member's device, on any stream it opens (invariants 16 and 24).
public final class StrangersHearNothing: Checker, WireTap {
    public let name = "strangers hear nothing"

    public init() {}

    public func begin(in world: World) { world.add(tap: self) }

    package func heard(stream: [UInt8], from host: Host, to other: Host, in world: World) {
        if world.identity(of: host) != nil, world.identity(of: other) == nil {
            world.violate(name, "\(stream.count) bytes went to \(other), a stranger", at: host)
        }
    }
}
