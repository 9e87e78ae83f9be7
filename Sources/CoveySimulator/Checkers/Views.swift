import CoveyContact
import CoveyCore
import CoveyNode

// What checkers ask of a world.

extension World {
    /// Listens from now on.
    package func add(tap: any WireTap) { taps.append(tap) }

    /// A message that a node took from its user, by its name.
    func sent(_ id: MessageID) -> Message? { sentIndex[id].map { messages[$0] } }

    /// Bytes of mail a host's node may hold; nil when it is no node.
    func quota(of host: Host) -> UInt64? { machines[host.index].configuration?.quota }

    /// Hosts whose addresses a host was told.
    func staticPeers(of host: Host) -> [Host] {
        let peers = machines[host.index].configuration?.peers ?? []
        return peers.compactMap { $0.device.flatMap { self.host(of: $0) } }
    }

    /// Hosts that run and reach each other over open links, island by island, each in the order of hosts.
    public var islands: [[Host]] {
        let running = hosts.filter { state(of: $0) == .up && node(of: $0) != nil }
        var left = running
        var islands: [[Host]] = []
        while let first = left.first {
            var island = [first]
            left.removeFirst()
            var next = 0
            while next < island.count {
                let host = island[next]
                next += 1
                let near = left.filter { isLinked(host, $0) }
                left.removeAll { near.contains($0) }
                island += near
            }
            islands.append(island.sorted { $0.index < $1.index })
        }
        return islands
    }

    /// Whether somebody has enrolled a host, so that it can be written to.
    public func hasDevice(_ host: Host) -> Bool { machines[host.index].identity != nil }

    /// Whether the authority in office calls the device of a host a member, at the true time.
    public func isMember(_ host: Host) -> Bool {
        guard let device = identity(of: host)?.id else { return false }
        return membership.isMember(device, at: TimeView(now: minute, isTrusted: true, floor: minute))
    }

    /// Whether bytes go from one host to the other and back now.
    func isInReach(_ one: Host, _ other: Host) -> Bool {
        let (a, b) = (UInt32(one.index), UInt32(other.index))
        guard let route = route(a, b), case .free = passage(route, a, b), case .free = passage(route, b, a) else {
            return false
        }
        return true
    }

    /// The revocations on a host's disk. What else is gossiped with them comes and goes.
    func storedRevocations(of host: Host) -> [(key: [UInt8], value: [UInt8])] {
        store(of: host).all(.notes).filter { record in
            guard let signed = try? Signed(parsing: record.value) else { return false }
            return (try? ObjectType(of: signed)) == .revokeNote
        }
    }

    /// Before when a host's node believes it cannot be, as far as it has written it down.
    func floor(of host: Host) -> Minute? {
        store(of: host).get(.state, Array("floor".utf8)).map { bytes in
            Minute(UInt32(clamping: bytes.reduce(0 as UInt64) { $0 << 8 | UInt64($1) }))
        }
    }

    /// Whether a text is still to be delivered now. Texts live for two weeks; what is nearly over is left out.
    func isUnexpired(_ message: Message) -> Bool { time - message.sent < .days(13) }

    /// How many envelopes one of two hosts knows, held or let go of, that the other does not. Mail that expires within
    /// two hours is not reconciled, and not counted.
    package func difference(_ a: Host, _ b: Host) -> Int {
        let floor = minute.hour.adding(3)
        func known(_ host: Host) -> Set<EnvelopeID> {
            let (held, ghosts) = store(of: host).known()
            return Set(held.filter { $0.header.expiry >= floor }.map(\.id))
                .union(ghosts.filter { $0.expiry >= floor }.map(\.id))
        }
        return known(a).symmetricDifference(known(b)).count
    }
}

/// All checkers of invariants that hold in any world, whatever happens in it.
public enum Invariants {
    /// A new set, for one world.
    public static func all() -> [any Checker] {
        [
            ExactlyOnce(), DeliveredAsSent(), HeldInTime(), AcknowledgedIsKept(), LogOnlyGrows(), RevokedIsShutOut(),
            StrangersHearNothing(), BeaconsTellNothing(), NoPlaintext(), StoreStaysWithinQuota(), OneLinkEach(),
            DialsAreBounded(), StaticPeersAreTried(), TokensAreConserved(), NotesBeforeMail(), OnlyLoggedAreMembers(),
            VoidGrantsAdmitNobody(), FloorIsNobodyElses(),
        ]
    }
}
