import CoveyContact
import CoveyCore
import CoveyCrypto
import CoveyNode

/// How two hosts reach each other: a link of their own, or a segment both are on.
struct Route: Hashable, BitwiseCopyable {
    private let code: Int32

    static func link(_ index: Int32) -> Route { Route(code: index) }
    static func segment(_ index: Int32) -> Route { Route(code: ~index) }

    enum Kind { case link(Int), segment(Int) }
    var kind: Kind { code >= 0 ? .link(Int(code)) : .segment(Int(~code)) }
    /// As nodes number their interfaces; links of one's own share one.
    var interface: UInt32 { code >= 0 ? 1 : UInt32(~code) + 2 }
}

/// A link between two hosts.
struct Link {
    let low: UInt32
    let high: UInt32
    var physics: Physics
    var isUp: Bool
    /// The channel of `low`; that of `high` is the next.
    let channel: Int32

    func other(than host: UInt32) -> UInt32 { host == low ? high : low }
    func channel(of host: UInt32) -> Int32 { host == low ? channel : channel + 1 }
}

/// A network on which each reaches each.
struct SegmentState {
    var physics: Physics
    /// Ascending.
    var members: [UInt32] = []
}

/// Names a segment of a world.
public struct Segment: Hashable, Sendable {
    let index: Int32

    /// The segment of `World.Options.lan`.
    public static let lan = Segment(index: 0)
    /// Segments of one world. An event names its interface in 16 bits.
    static let most = 65_000
}

/// Hosts that do not reach those of another side, until it is healed.
struct Cut {
    let number: Int
    /// By host: its side from 1, or 0 when the cut does not concern it. Hosts added later are not concerned.
    let sides: [UInt8]
    /// From the first side to the second only.
    let isOneWay: Bool

    func blocks(_ from: UInt32, _ to: UInt32) -> Bool {
        guard from < sides.count, to < sides.count else { return false }
        let (a, b) = (sides[Int(from)], sides[Int(to)])
        return isOneWay ? a == 1 && b == 2 : a != b && a != 0 && b != 0
    }
}

/// Names a partition until it is healed.
public struct Partition: Hashable, Sendable {
    let number: Int
}

extension World {
    private static func key(_ a: UInt32, _ b: UInt32) -> UInt64 { UInt64(min(a, b)) << 32 | UInt64(max(a, b)) }

    // MARK: Addresses

    static func address(of index: Int) -> SocketAddress {
        let number = index + 1
        return SocketAddress(
            v4: 10, UInt8(truncatingIfNeeded: number >> 16), UInt8(truncatingIfNeeded: number >> 8),
            UInt8(truncatingIfNeeded: number), port: 26_117)
    }

    func hostIndex(at address: SocketAddress) -> Int? {
        let number = address.host.withSpan { bytes -> Int in
            bytes.withUnsafeBytes { $0[12] == 10 ? Int($0[13]) << 16 | Int($0[14]) << 8 | Int($0[15]) : 0 }
        }
        return number >= 1 && number <= machines.count ? number - 1 : nil
    }

    // MARK: Looking

    func route(_ from: UInt32, _ to: UInt32) -> Route? {
        if !links.isEmpty, let index = linkIndex[Self.key(from, to)], links[Int(index)].isUp { return .link(index) }
        for port in machines[Int(from)].ports
        where machines[Int(to)].ports.contains(where: { $0.segment == port.segment }) {
            return .segment(port.segment)
        }
        return nil
    }

    func physics(_ route: Route) -> Physics {
        switch route.kind {
        case .link(let index): links[index].physics
        case .segment(let index): segments[index].physics
        }
    }

    func channel(_ route: Route, of host: UInt32) -> Int? {
        switch route.kind {
        case .link(let index): Int(links[index].channel(of: host))
        case .segment(let index):
            machines[Int(host)].ports.first { $0.segment == Int32(index) }.map { Int($0.channel) }
        }
    }

    enum Passage { case free, held, cut }

    /// Whether something that comes over `route` from one host to another arrives now.
    func passage(_ route: Route, _ from: UInt32, _ to: UInt32) -> Passage {
        switch route.kind {
        case .link(let index): if !links[index].isUp { return .cut }
        case .segment(let index):
            let segment = Int32(index)
            if !machines[Int(from)].ports.contains(where: { $0.segment == segment })
                || !machines[Int(to)].ports.contains(where: { $0.segment == segment })
            {
                return .cut
            }
        }
        for cut in cuts where cut.blocks(from, to) { return .cut }
        for hold in holds where hold.from == from && hold.to == to { return .held }
        return .free
    }

    // MARK: Links and segments

    /// Joins two hosts by a link of their own, or changes the one they have.
    public func connect(_ a: Host, _ b: Host, _ quality: LinkQuality? = nil) {
        checkIdle()
        precondition(a != b, "a link has two ends")
        let (low, high) = (UInt32(min(a.index, b.index)), UInt32(max(a.index, b.index)))
        let physics = Physics(quality ?? options.link)
        if let index = linkIndex[Self.key(low, high)] {
            links[Int(index)].physics = physics
            links[Int(index)].isUp = true
        } else {
            let index = Int32(links.count)
            links.append(Link(low: low, high: high, physics: physics, isUp: true, channel: Int32(channels.count)))
            channels += [Channel(), Channel()]
            linkIndex[Self.key(low, high)] = index
            machines[Int(low)].links.append(index)
            machines[Int(high)].links.append(index)
        }
        passagesOpened()
    }

    /// Takes the link of two hosts away. What they have in common besides, a segment perhaps, stays.
    public func disconnect(_ a: Host, _ b: Host) {
        checkIdle()
        guard let index = linkIndex[Self.key(UInt32(a.index), UInt32(b.index))] else { return }
        links[Int(index)].isUp = false
        links[Int(index)].physics = Physics(links[Int(index)].physics.quality)
        passagesClosed()
    }

    /// What one host sends over the link that it has with another is lost in this share, besides what the link loses
    /// both ways; until it is called with 0.
    public func lose(_ share: Double, from: Host, to: Host) {
        checkIdle()
        precondition((0...1).contains(share), "a share is between 0 and 1")
        guard let index = linkIndex[Self.key(UInt32(from.index), UInt32(to.index))] else {
            preconditionFailure("\(from.name) and \(to.name) have a link of their own")
        }
        note(.fault, number: UInt64(share * 1_000_000), host: UInt32(from.index))
        channels[Int(links[Int(index)].channel(of: UInt32(from.index)))].loss = share
    }

    /// Whether two hosts have a link of their own that is up.
    public func isConnected(_ a: Host, _ b: Host) -> Bool {
        linkIndex[Self.key(UInt32(a.index), UInt32(b.index))].map { links[Int($0)].isUp } ?? false
    }

    /// A network of its own, without hosts.
    public func addSegment(_ quality: LinkQuality) -> Segment {
        precondition(segments.count < Segment.most, "a world has at most \(Segment.most) segments")
        segments.append(SegmentState(physics: Physics(quality)))
        return Segment(index: Int32(segments.count - 1))
    }

    /// Another quality for a whole segment, from now on.
    public func change(_ segment: Segment, to quality: LinkQuality) {
        segments[Int(segment.index)].physics = Physics(quality)
    }

    /// Plugs a host into a segment. Its node learns that its interfaces changed.
    public func attach(_ host: Host, to segment: Segment) {
        checkIdle()
        let machine = machines[host.index]
        guard !machine.ports.contains(where: { $0.segment == segment.index }) else { return }
        plug(machine, into: segment)
        tellEndpoints(machine)
        passagesOpened()
    }

    func plug(_ machine: Machine, into segment: Segment) {
        precondition(segments.indices.contains(Int(segment.index)), "the segment is one of this world")
        machine.ports.append((segment.index, Int32(channels.count)))
        channels.append(Channel())
        let members = segments[Int(segment.index)].members
        let at = members.firstIndex { $0 > machine.index } ?? members.count
        segments[Int(segment.index)].members.insert(machine.index, at: at)
    }

    /// Unplugs a host. Its node learns that its interfaces changed.
    public func detach(_ host: Host, from segment: Segment) {
        checkIdle()
        let machine = machines[host.index]
        machine.ports.removeAll { $0.segment == segment.index }
        segments[Int(segment.index)].members.removeAll { $0 == machine.index }
        tellEndpoints(machine)
        passagesClosed()
    }

    func endpoints(of machine: Machine) -> [LocalEndpoint] {
        var interfaces = machine.ports.map { Route.segment($0.segment).interface }
        // Radio and cable of one's own are there whether somebody is at the other end or not.
        if interfaces.isEmpty || !machine.links.isEmpty { interfaces.append(1) }
        return interfaces.sorted().map { LocalEndpoint(address: machine.address, interface: $0, isLoopback: false) }
    }

    func tellEndpoints(_ machine: Machine) {
        if machine.resident != nil { turn(machine, .endpoints(endpoints(of: machine))) }
    }

    // MARK: Partitions

    /// Hosts of one side no longer reach those of another. Hosts that are on no side reach all, as before.
    @discardableResult
    public func partition(_ sides: [Host]...) -> Partition { partition(sides: sides) }

    /// The same for sides that are in a list: at most 255, and no host on two of them.
    @discardableResult
    public func partition(sides: [[Host]]) -> Partition { cut(sides, isOneWay: false) }

    /// What `from` sends no longer comes to `to`; the other way it does.
    @discardableResult
    public func partitionOneWay(from: [Host], to: [Host]) -> Partition { cut([from, to], isOneWay: true) }

    /// Nobody reaches a host.
    @discardableResult
    public func isolate(_ host: Host) -> Partition { partition([host], hosts.filter { $0 != host }) }

    private func cut(_ groups: [[Host]], isOneWay: Bool) -> Partition {
        checkIdle()
        precondition(groups.count < 256, "a partition has at most 255 sides")
        var sides = [UInt8](repeating: 0, count: machines.count)
        for (number, group) in groups.enumerated() {
            for host in group {
                precondition(sides[host.index] == 0, "\(host.name) is on one side of a partition")
                sides[host.index] = UInt8(number + 1)
            }
        }
        lastCut += 1
        cuts.append(Cut(number: lastCut, sides: sides, isOneWay: isOneWay))
        note(.fault, number: UInt64(lastCut))
        passagesClosed()
        return Partition(number: lastCut)
    }

    /// Ends all partitions.
    public func heal() {
        checkIdle()
        cuts = []
        note(.fault, number: 0)
        passagesOpened()
    }

    /// Ends one partition.
    public func heal(_ partition: Partition) {
        checkIdle()
        cuts.removeAll { $0.number == partition.number }
        note(.fault, number: UInt64(partition.number) << 32)
        passagesOpened()
    }
}
