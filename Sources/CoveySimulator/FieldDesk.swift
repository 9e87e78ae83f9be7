import CoveyCore
import CoveyNode

/// The field authority of a world at work beside a node: it answers requests for renewal, and has one record of what it
/// signed, wherever it sits.
final class FieldDesk: AuthorityDesk {
    private unowned let world: World

    init(_ world: World) { self.world = world }

    var authority: AuthorityID { world.enrolment.authority.keys.authority }

    func obstacle(to device: DeviceID, _ membership: Membership, at time: TimeView) -> RenewalObstacle? {
        // Where several must sign, they come together.
        guard world.enrolment.authority.keys.current.threshold == 1 else { return .keys }
        return world.enrolment.authority.obstacle(to: device, membership, at: time)
    }

    func renew(_ devices: [DeviceID], _ membership: Membership, at time: TimeView) throws -> [LogEntry] {
        try world.enrolment.renew(devices, known: membership, at: time)
    }
}

extension World {
    /// The field authority works beside this host's node, from its next start on: it answers requests for renewal that
    /// come through the mesh. It has to be one that signs alone (`Options.officers`).
    public func openOffice(at host: Host) {
        checkIdle()
        machines[host.index].hasOffice = true
    }

    /// When the certificate of a host's device ends, as the node of another host knows it, or its own; nil when no node
    /// runs there.
    public func certificateEnds(of host: Host, knownAt other: Host) -> Duration? {
        guard let device = machines[host.index].identity?.id, let ends = node(of: other)?.certificateExpires(device)
        else { return nil }
        return .seconds(Int64(ends.value) * 60 - options.start)
    }
}
