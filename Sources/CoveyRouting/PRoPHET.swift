package import CoveyCore

/// To whoever is likelier to meet the recipient, by the history of meetings (Lindgren, Doria and Schelén 2003; RFC 6693).
///
///     meeting b       P(b) += (1 − P(b)) · 0.75
///     b reaches c     P(c) += (1 − P(c)) · P(b) · P_b(c) · 0.25
///     each 30 s       P ·= 0.98
///
/// Ageing goes in whole steps of 30 s of uptime, by table, so that all machines get the same numbers.
package struct PRoPHET: ReplicationPolicy {
    package static let encounter = 0.75
    package static let transitivity = 0.25
    package static let ageing = 0.98
    /// Microseconds.
    package static let stepLength: UInt64 = 30_000_000
    /// 0.98^n; beyond the last nothing is left that could matter.
    private static let powers: [Double] = {
        var powers = [1.0]
        while powers.count < 8192 { powers.append(powers[powers.count - 1] * ageing) }
        return powers
    }()

    private struct Neighbour: Sendable {
        let device: DeviceID
        var utility = UtilityVector()
        /// What it told was counted in already, once a contact.
        var isCounted = false
    }

    /// Where contacts are studied: the destination that we are ourselves. Else our own zones are among those we meet.
    private let host: Destination
    private var own = UtilityVector()
    private var neighbours: [Neighbour] = []

    package init(host: Destination = .unknown) { self.host = host }

    package static var tellsUtility: Bool { true }

    package mutating func contactUp(_ peer: PeerView, now: Now) {
        age(now)
        neighbours.removeAll { $0.device == peer.device }
        neighbours.append(Neighbour(device: peer.device))
        if peer.host != .unknown { meet(peer.host) }
        for zone in Self.zones(of: peer) { meet(zone) }
    }

    package mutating func contactDown(_ peer: PeerView, sent: Int, got: Int, now: Now) {
        neighbours.removeAll { $0.device == peer.device }
    }

    package mutating func utility(limit: Int, now: Now) -> UtilityVector {
        age(now)
        guard own.destinations.count > limit else { return own }
        let best = own.values.indices.sorted {
            own.values[$0] != own.values[$1] ? own.values[$0] > own.values[$1] : $0 < $1
        }
        var told = UtilityVector()
        told.step = own.step
        for at in best.prefix(limit).sorted() {
            told.destinations.append(own.destinations[at])
            told.values.append(own.values[at])
        }
        return told
    }

    package mutating func heardUtility(_ utility: UtilityVector, from peer: PeerView, now: Now) {
        guard let at = neighbours.firstIndex(where: { $0.device == peer.device }) else { return }
        neighbours[at].utility = utility
        // As heard: what ages meanwhile is reckoned from now on, whatever the neighbour's uptime is.
        neighbours[at].utility.step = now.uptime / Self.stepLength
        guard !neighbours[at].isCounted else { return }
        neighbours[at].isCounted = true
        age(now)
        count(utility, from: peer)
    }

    package func offer(_ envelope: EnvelopeMeta, to peer: PeerView, link: LinkView, now: Now) -> Handover? {
        offer(envelope, to: peer) { isForPeer in
            guard isForPeer || isLikelier(peer, for: envelope.destination) else { return nil }
            return Handover(id: envelope.id, tokens: .spray(1), reason: isForPeer ? .delivery : .tokens)
        }
    }

    /// Within a class the likeliest first.
    package func rank(_ envelope: EnvelopeMeta, _ handover: Handover, to peer: PeerView, now: Now) -> UInt64 {
        let likelihood = neighbour(peer.device).map { value($0.utility, envelope.destination, now) } ?? 0
        return Self.classRank(envelope, handover) << 32 | UInt64((1 - likelihood) * 4_294_967_295)
    }

    /// How likely we reach a destination.
    package func likelihood(_ destination: Destination, now: Now) -> Double { value(own, destination, now) }

    private func value(_ utility: UtilityVector, _ destination: Destination, _ now: Now) -> Double {
        utility.value(destination) * Self.factor(now.uptime / Self.stepLength, since: utility.step)
    }

    /// Both age alike from here on: the later of the two steps is enough to compare at.
    private func isLikelier(_ peer: PeerView, for destination: Destination) -> Bool {
        guard let neighbour = neighbour(peer.device) else { return false }
        let step = max(own.step, neighbour.utility.step)
        let theirs = neighbour.utility.value(destination) * Self.factor(step, since: neighbour.utility.step)
        return theirs > own.value(destination) * Self.factor(step, since: own.step)
    }

    private func neighbour(_ device: DeviceID) -> Neighbour? { neighbours.first { $0.device == device } }

    private static func factor(_ step: UInt64, since: UInt64) -> Double {
        let steps = step > since ? step - since : 0
        return steps < powers.count ? powers[Int(steps)] : 0
    }

    private mutating func age(_ now: Now) {
        let step = now.uptime / Self.stepLength
        guard step > own.step else { return }
        let factor = Self.factor(step, since: own.step)
        for at in own.values.indices { own.values[at] *= factor }
        own.step = step
    }

    private mutating func meet(_ destination: Destination) {
        let at = place(destination)
        own.values[at] += (1 - own.values[at]) * Self.encounter
    }

    private static func zones(of peer: PeerView) -> [Destination] {
        (0..<255 as Range<UInt8>).map(ZoneHint.init).filter(peer.zones.contains).map { Destination($0) }
    }

    private mutating func place(_ destination: Destination) -> Int {
        var low = 0
        var high = own.destinations.count
        while low < high {
            let middle = (low + high) / 2
            if own.destinations[middle] < destination { low = middle + 1 } else { high = middle }
        }
        if low == own.destinations.count || own.destinations[low] != destination {
            own.destinations.insert(destination, at: low)
            own.values.insert(0, at: low)
        }
        return low
    }

    /// What the neighbour reaches, we reach through it. Both lists ascend: one walk.
    private mutating func count(_ utility: UtilityVector, from peer: PeerView) {
        let through =
            peer.host != .unknown
            ? own.value(peer.host)
            : Self.zones(of: peer).reduce(0) { max($0, own.value($1)) }
        var merged = UtilityVector()
        merged.step = own.step
        merged.destinations.reserveCapacity(own.destinations.count + utility.destinations.count)
        merged.values.reserveCapacity(own.destinations.count + utility.destinations.count)
        var at = 0
        for (destination, theirs) in zip(utility.destinations, utility.values) {
            while at < own.destinations.count, own.destinations[at] < destination {
                merged.destinations.append(own.destinations[at])
                merged.values.append(own.values[at])
                at += 1
            }
            let isOurs = at < own.destinations.count && own.destinations[at] == destination
            let before = isOurs ? own.values[at] : 0
            if isOurs { at += 1 }
            guard destination != host, !peer.receives(destination) else {
                if isOurs {
                    merged.destinations.append(destination)
                    merged.values.append(before)
                }
                continue
            }
            merged.destinations.append(destination)
            merged.values.append(before + (1 - before) * through * theirs * Self.transitivity)
        }
        merged.destinations += own.destinations[at...]
        merged.values += own.values[at...]
        own = merged
    }
}
