package import CoveyCore
package import CoveyCrypto

/// Whom to dial and when: backoff for each target, bounds over all (sync-routing.md §1.4).
package struct Dialer: Sendable {
    /// How good the reason is to believe that somebody listens there.
    package enum Kind: UInt8, Comparable, Sendable {
        case `static`
        case beacon
        case seen

        /// Longest pause between two dials, in microseconds.
        var cap: UInt64 {
            switch self {
            case .static: 120_000_000
            case .beacon: 30_000_000
            case .seen: 300_000_000
            }
        }

        package static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }
    }

    package struct Target: Sendable {
        package let address: SocketAddress
        package var kind: Kind
        /// Known for beacons and for static peers written with `#device`.
        package var device: DeviceID?
        /// Who answered there last, or was heard there by name: a beacon in HOLD has none.
        package fileprivate(set) var met: DeviceID?
        /// First 8 bytes of the beacon being answered; zero for static peers (protocol.md §2.1).
        package var answered: Octets8
        /// The epoch the beacon was under; nil takes the preferred one.
        package var epoch: EpochCommit?
        /// Steps down the list of held epochs taken because nobody answered.
        package var epochsTried = 0
        fileprivate var failures = 0
        /// Who answered there last had no right by our log.
        fileprivate var isRefused = false
        /// How the configuration names it; nil for who is not configured.
        fileprivate var name: String?
        /// Why no link came of the last dial; nil once one has.
        fileprivate var fault: String?
        /// The faults since the last link that people were told of.
        fileprivate var told: Set<String> = []
        /// When a beacon last made it be dialled afresh.
        fileprivate var freshAt: UInt64 = 0
        fileprivate var notBefore: UInt64
        fileprivate var connection: ConnectionID?
    }

    private static let first: UInt64 = 1_000_000
    private var targets: [SocketAddress: Target] = [:]
    private var staticHosts: Set<Octets16> = []
    /// When the dials of the last second began.
    private var starts: [UInt64] = []
    /// Dials under way.
    private var inFlight: [ConnectionID: SocketAddress] = [:]
    /// Links that came of dials.
    private var linked: [ConnectionID: SocketAddress] = [:]

    package init() {}

    /// A static peer is never forgotten.
    package mutating func add(
        static address: SocketAddress, device: DeviceID?, name: String? = nil, at uptime: UInt64
    ) {
        staticHosts.insert(address.host)
        targets[address] = Target(
            address: address, kind: .static, device: device, answered: Octets8(), epoch: nil, name: name,
            notBefore: uptime)
    }

    /// Configured peers of whose last dial no link came, in the order of their addresses.
    package var unreached: [(target: Target, name: String, fault: String)] {
        targets.values.sorted { $0.address < $1.address }.compactMap { target in
            guard let name = target.name, let fault = target.fault else { return nil }
            return (target, name, fault)
        }
    }

    /// A fresh, verified beacon resets the pause.
    package mutating func hear(
        _ address: SocketAddress, device: DeviceID?, answered: Octets8, epoch: EpochCommit, notBefore: UInt64
    ) {
        if var known = targets[address] {
            if known.kind == .static { return }
            known.answered = answered
            known.epoch = epoch
            if let device, device != known.device { known.isRefused = false }
            if device == nil, let before = known.device { known.met = before }
            known.device = device
            // Whoever plays recorded beacons again gets no more dials out of it than one a minute.
            if !known.isRefused, notBefore >= known.freshAt + Limits.beaconRefresh {
                known.epochsTried = 0
                known.failures = 0
                known.freshAt = notBefore
                if known.connection == nil { known.notBefore = min(known.notBefore, notBefore) }
            }
            targets[address] = known
            return
        }
        if targets.count >= Limits.heard, let oldest = oldest() { targets[oldest] = nil }
        var target = Target(
            address: address, kind: .beacon, device: device, answered: answered, epoch: epoch, notBefore: notBefore)
        target.freshAt = notBefore
        targets[address] = target
    }

    /// Whether an address is nobody else's than this device's.
    package func isFree(_ address: SocketAddress, for device: DeviceID) -> Bool {
        targets[address].map { $0.device == device } ?? true
    }

    private func oldest() -> SocketAddress? {
        targets.values.filter { $0.kind != .static && $0.connection == nil }
            .min { ($0.notBefore, $0.address) < ($1.notBefore, $1.address) }?.address
    }

    /// The next target that is due and wanted; marks it as being dialled. Which of several is left to the dice: if all went
    /// by one order, those who come first would be full and the others hang together loosely, or not at all.
    package mutating func take(
        at uptime: UInt64, as connection: ConnectionID, random: any RandomSource, wanted: (Target) -> Bool
    ) -> Target? {
        guard inFlight.count < Limits.dials else { return nil }
        starts.removeAll { $0 + 1_000_000 <= uptime }
        guard starts.count < Limits.dialsPerSecond else { return nil }
        let due = targets.values.filter { $0.connection == nil && $0.notBefore <= uptime && wanted($0) }
        guard let kind = due.map(\.kind).min() else { return nil }
        let first = due.filter { $0.kind == kind }.sorted { $0.address < $1.address }
        var best = first[Int(random.uniform(UInt64(first.count)))]
        starts.append(uptime)
        best.connection = connection
        targets[best.address] = best
        inFlight[connection] = best.address
        return best
    }

    /// When `take` may next succeed; nil when nobody waits.
    package func next(wanted: (Target) -> Bool) -> UInt64? {
        targets.values.filter { $0.connection == nil && wanted($0) }.map(\.notBefore).min()
    }

    package func target(of connection: ConnectionID) -> Target? {
        inFlight[connection].flatMap { targets[$0] }
    }

    /// What became of a dial without a link.
    package enum Failure {
        case unreachable
        /// Connected, but nobody answered; the next older epoch is next.
        case silent
        /// Whoever answered has no right by our log. Until that changes the same would come of it, and each time takes one
        /// of the few answers that the other side gives us in an hour.
        case refused
    }

    /// The dial ended without a link.
    ///
    /// - Parameter fault: why, for people; nil while that cannot be said.
    /// - Returns: the name of a configured peer whose fault is new since its last link.
    @discardableResult
    package mutating func failed(
        _ connection: ConnectionID, at uptime: UInt64, _ failure: Failure, because fault: String? = nil,
        random: any RandomSource
    ) -> String? {
        guard let address = inFlight.removeValue(forKey: connection), var target = targets[address] else { return nil }
        target.connection = nil
        var isNew = false
        if let fault, target.name != nil {
            target.fault = fault
            isNew = target.told.insert(fault).inserted
        }
        if failure == .silent { target.epochsTried += 1 }
        target.isRefused = failure == .refused
        let pause =
            target.isRefused
            ? Limits.refusedPause : min(target.kind.cap, Self.first << UInt64(min(target.failures, 20)))
        target.failures += 1
        target.notBefore = uptime + pause / 2 + random.uniform(pause + 1)
        if target.kind == .beacon, target.failures > 10 {
            targets[address] = nil
        } else {
            targets[address] = target
        }
        return isNew ? target.name : nil
    }

    /// A link to `device` came of the dial.
    package mutating func established(_ connection: ConnectionID, with device: DeviceID) {
        guard let address = inFlight.removeValue(forKey: connection) else { return }
        linked[connection] = address
        targets[address]?.met = device
        targets[address]?.fault = nil
        targets[address]?.told = []
    }

    /// Who answers at an address, whatever came of it.
    package mutating func met(_ device: DeviceID, at address: SocketAddress) { targets[address]?.met = device }

    /// The link ended: the target may be dialled again soon.
    package mutating func ended(_ connection: ConnectionID, at uptime: UInt64, random: any RandomSource) {
        guard let address = linked.removeValue(forKey: connection), var target = targets[address] else { return }
        target.connection = nil
        target.failures = 0
        target.epochsTried = 0
        target.notBefore = uptime + Self.first / 2 + random.uniform(Self.first)
        targets[address] = target
    }

    /// The link over this connection stands, and another is wanted to take its place.
    package mutating func again(_ connection: ConnectionID, at uptime: UInt64) {
        guard let address = linked.removeValue(forKey: connection), var target = targets[address] else { return }
        target.connection = nil
        target.epoch = nil
        target.notBefore = uptime
        targets[address] = target
    }

    /// After a change of interfaces everything may be reachable again.
    package mutating func reset(at uptime: UInt64) {
        for address in targets.keys.sorted() {
            guard var target = targets[address], target.connection == nil else { continue }
            target.failures = 0
            target.isRefused = false
            target.notBefore = uptime
            targets[address] = target
        }
    }

    /// Other certificates count now: who was refused may be a member.
    package mutating func retryRefused(at uptime: UInt64) {
        for (address, target) in targets where target.isRefused && target.connection == nil {
            targets[address]?.isRefused = false
            targets[address]?.failures = 0
            targets[address]?.notBefore = uptime
        }
    }

    /// Whether a static peer has this host. Whoever dials us comes from a port of its own.
    package func isStatic(_ address: SocketAddress) -> Bool { staticHosts.contains(address.host) }
}
