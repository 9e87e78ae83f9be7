/// A device of the organisation that is ordered to lock or erase itself does so before the run ends, once in a run of its
/// node; and no device does that was not ordered, or whose holder never agreed.
public final class OrdersAreObeyed: Checker {
    public let name = "orders are obeyed"
    private var obeyed: Set<Host> = []
    private var obeyedInThisRun: Set<Host> = []

    public init() {}

    public func noticed(_ sighting: Sighting, at host: Host, in world: World) {
        guard case .wipeAccepted = sighting else { return }
        if !world.mayObey(host) { world.violate(name, "it obeys an order that it must not obey", at: host) }
        if !obeyedInThisRun.insert(host).inserted { world.violate(name, "it obeys twice", at: host) }
        obeyed.insert(host)
    }

    public func changed(_ host: Host, to state: Host.State, in world: World) {
        // What nobody carried out is found again at the start.
        if state == .up { obeyedInThisRun.remove(host) }
    }

    public func ended(in world: World) {
        for host in world.hosts where world.mustObey(host) && !obeyed.contains(host) {
            world.violate(name, "it was ordered to lock or erase itself, and never did", at: host)
        }
    }
}
