package import CoveyCore

/// Everything to every neighbour, bounded by quotas alone.
///
/// Group mail and announcements flood in any policy. Pairwise mail and chunks go along as opportunistic copies: whoever
/// walks from one island to another carries them, and they make room first.
package struct Flood: ReplicationPolicy {
    package init() {}

    package mutating func contactUp(_ peer: PeerView, now: Now) {}

    package mutating func contactDown(_ peer: PeerView, sent: Int, got: Int, now: Now) {}

    package func initialTokens(_ envelope: EnvelopeMeta) -> Tokens {
        switch envelope.kind {
        case .group, .announcement: .flood
        // The last token stays with the origin.
        case .pairwise, .chunk: .spray(1)
        }
    }

    package func offer(_ envelope: EnvelopeMeta, to peer: PeerView, link: LinkView, now: Now) -> Handover? {
        guard envelope.hops < Retention.mostHops, envelope.ingress != peer.device || envelope.isOwn else { return nil }
        let isForZone = peer.zones.contains(envelope.zone)
        guard isForZone || peer.pressure[envelope.priority] <= .nearlyFull else { return nil }
        switch envelope.kind {
        case .group, .announcement: return Handover(id: envelope.id, tokens: .flood, reason: .flood)
        case .chunk where envelope.tokens == .flood:
            return Handover(id: envelope.id, tokens: .flood, reason: .flood)
        case .pairwise, .chunk:
            return Handover(
                id: envelope.id, tokens: .opportunistic, reason: isForZone ? .delivery : .opportunistic)
        }
    }

    /// Emergencies, then by class: mail of the peer's zones, floods, the rest; small before large, new before old.
    package func plan(
        _ candidates: [EnvelopeMeta], to peer: PeerView, link: LinkView, budget: Int, now: Now,
        into plan: inout [Handover]
    ) {
        var left = budget
        let ranked = candidates.compactMap { envelope in
            offer(envelope, to: peer, link: link, now: now).map { (envelope: envelope, handover: $0) }
        }.sorted { Self.precedes($0, $1) }
        for (envelope, handover) in ranked {
            guard envelope.size <= left else { break }
            left -= envelope.size
            plan.append(handover)
        }
    }

    private static func precedes(
        _ left: (envelope: EnvelopeMeta, handover: Handover), _ right: (envelope: EnvelopeMeta, handover: Handover)
    ) -> Bool {
        let (a, b) = (left.envelope, right.envelope)
        if a.priority != b.priority { return a.priority < b.priority }
        let (first, second) = (rank(left.handover.reason), rank(right.handover.reason))
        if first != second { return first < second }
        if a.bucket != b.bucket { return a.bucket < b.bucket }
        if a.slot != b.slot { return a.slot > b.slot }
        return a.id < b.id
    }

    private static func rank(_ reason: Handover.Reason) -> Int {
        switch reason {
        case .delivery: 0
        case .flood: 1
        case .opportunistic: 2
        }
    }

    package mutating func handed(_ handover: Handover, to peer: DeviceID, ack: Ack) {}

    package func admit(
        _ envelope: EnvelopeMeta, from peer: PeerView?, isWithinRate: Bool, store: StoreView
    ) -> Intake {
        let tokens =
            peer == nil
            ? initialTokens(envelope)
            : Tokens(received: envelope.tokens.value, kind: envelope.kind, zone: envelope.zone)
        return Retention.admit(
            envelope, from: peer?.device, tokens: tokens, isWithinRate: isWithinRate, store: store)
    }

    /// A hundred-and-twenty-eighth of the class at a time, when that can go: choosing reads the whole class, and a full class
    /// would be read for every envelope that comes.
    package func victims(_ priority: Priority, need: Int, store: StoreView, now: Hour) -> [EnvelopeID]? {
        if store.room.holds(need, priority) { return [] }
        let stride = store.share(priority) / 128
        if stride > need, let many = Retention.victims(priority, need: stride, store: store, now: now) { return many }
        return Retention.victims(priority, need: need, store: store, now: now)
    }
}
