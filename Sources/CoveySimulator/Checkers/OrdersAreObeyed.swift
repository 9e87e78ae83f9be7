/// A device of the organisation that is ordered to lock or erase itself does just that before the run ends, and does it once
/// in a run of its node; and no device does that was not ordered, or whose holder never agreed.
public final class OrdersAreObeyed: Checker {
    public let name = "orders are obeyed"
    private var obeyed: Set<Host> = []
    private var obeyedInThisRun: Set<Act> = []

    private struct Act: Hashable {
        let host: Host
        let erases: Bool
    }

    public init() {}

    public func noticed(_ sighting: Sighting, at host: Host, in world: World) {
        guard case .wipeAccepted(let erases) = sighting else { return }
        if !world.mayObey(host, erasing: erases) {
            world.violate(name, "it obeys an order that it must not obey", at: host)
        }
        if !obeyedInThisRun.insert(Act(host: host, erases: erases)).inserted {
            world.violate(name, "it obeys twice", at: host)
        }
        obeyed.insert(host)
    }

    public func changed(_ host: Host, to state: Host.State, in world: World) {
        // A crash may come before it is on disk that the order was carried out.
        if state == .up { obeyedInThisRun = obeyedInThisRun.filter { $0.host != host } }
    }

    public func ended(in world: World) {
        for host in world.hosts where world.mustObey(host) && !obeyed.contains(host) {
            world.violate(name, "it was ordered to lock or erase itself, and never did", at: host)
        }
    }
}
