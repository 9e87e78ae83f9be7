package import CoveyCore

/// Who is given what, what is taken in, and what goes first (sync-routing.md §3.5).
///
/// Pure: told the time, no dice, no I/O. Used as `some ReplicationPolicy`, so that nothing per envelope is boxed.
package protocol ReplicationPolicy: Sendable {
    /// Neighbours tell each other whom they meet.
    static var tellsUtility: Bool { get }

    mutating func contactUp(_ peer: PeerView, now: Now)
    /// `sent` and `got`: bytes of the contact.
    mutating func contactDown(_ peer: PeerView, sent: Int, got: Int, now: Now)
    /// What a neighbour is told of how well we reach destinations: the `limit` best.
    mutating func utility(limit: Int, now: Now) -> UtilityVector
    /// What a neighbour tells on contact, and again when it changed.
    mutating func heardUtility(_ utility: UtilityVector, from peer: PeerView, now: Now)
    /// Of an envelope sealed here. The mesh is looked at only where that is asked.
    func initialTokens(_ envelope: EnvelopeMeta, mesh: @autoclosure () -> MeshView) -> Tokens
    /// One envelope and one neighbour, which is not known to have it: what it is given, if anything.
    func offer(_ envelope: EnvelopeMeta, to peer: PeerView, link: LinkView, now: Now) -> Handover?
    /// Whether a neighbour is at least shown the header of what it is not given, so that a recipient can ask for its own.
    func shows(_ envelope: EnvelopeMeta, to peer: PeerView) -> Bool
    /// What goes first of what is offered: the smallest. Below it, the smallest id.
    func rank(_ envelope: EnvelopeMeta, _ handover: Handover, to peer: PeerView, now: Now) -> UInt64
    /// Ranked, up to `budget` bytes, appended to `plan`.
    func plan(
        _ candidates: [EnvelopeMeta], to peer: PeerView, link: LinkView, budget: Int, now: Now,
        into plan: inout [Handover])
    /// What becomes of our own copy, of so many tokens, once the neighbour has stored what it was handed.
    func remains(of tokens: Tokens, after handover: Handover) -> Remains
    mutating func handed(_ handover: Handover, to peer: DeviceID, ack: Ack)
    /// `from` nil: sealed here, and its tokens are those it begins with. `isWithinRate`: by the neighbour's allowance.
    func admit(
        _ envelope: EnvelopeMeta, from peer: PeerView?, isWithinRate: Bool, store: some Holdings
    ) -> Intake
    /// What to let go of so that an envelope of this priority and size has room; nil when there is no way.
    func victims(_ priority: Priority, need: Int, store: some Holdings, now: Hour) -> [EnvelopeID]?
}

/// One envelope for one neighbour.
package struct Handover: Hashable, Sendable {
    package enum Reason: Sendable {
        /// The neighbour lists its zone, or is whom it is for.
        case delivery
        /// The neighbour takes over some of its tokens.
        case tokens
        case flood
        case opportunistic
    }

    package var id: EnvelopeID
    package var tokens: Tokens
    package var reason: Reason

    @inlinable
    package init(id: EnvelopeID, tokens: Tokens, reason: Reason) {
        self.id = id
        self.tokens = tokens
        self.reason = reason
    }
}

/// Our own copy after a handover.
package enum Remains: Hashable, Sendable {
    /// As it was.
    case whole
    case tokens(Tokens)
    /// It has moved: the id stays known, the bytes go.
    case nothing
}

package enum Ack: Hashable, Sendable {
    case stored
    case duplicate
    case refused
}

/// Whether an envelope is taken in (`Admission` in sync-routing.md §3.5; that word is taken by members here).
package enum Intake: Hashable, Sendable {
    case keep(Tokens)
    /// Kept while there is room, and first to go.
    case surplus(Tokens)
    case refuse(Refusal)

    package enum Refusal: Hashable, Sendable {
        /// Own mail fills half the store.
        case outboxFull
        /// Handed on more than 32 times.
        case hops
        /// The neighbour's rate or share, while room is short.
        case share
        /// The class is nearly full, and this is not for one of our zones.
        case pressure
        /// There is no room, and nothing that may go.
        case full
    }
}

// MARK: What policies have in common

extension ReplicationPolicy {
    @inlinable package static var tellsUtility: Bool { false }

    @inlinable
    package mutating func contactUp(_ peer: PeerView, now: Now) {}

    @inlinable
    package mutating func contactDown(_ peer: PeerView, sent: Int, got: Int, now: Now) {}

    @inlinable
    package mutating func utility(limit: Int, now: Now) -> UtilityVector { UtilityVector() }

    @inlinable
    package mutating func heardUtility(_ utility: UtilityVector, from peer: PeerView, now: Now) {}

    @inlinable
    package mutating func handed(_ handover: Handover, to peer: DeviceID, ack: Ack) {}

    /// The last token stays with the origin.
    @inlinable
    package func initialTokens(_ envelope: EnvelopeMeta, mesh: @autoclosure () -> MeshView) -> Tokens {
        tokens(of: envelope, sprayed: 1)
    }

    @inlinable
    package func remains(of tokens: Tokens, after handover: Handover) -> Remains { .whole }

    @inlinable
    package func shows(_ envelope: EnvelopeMeta, to peer: PeerView) -> Bool { false }

    /// The bounds that every policy keeps, and the floods; of the rest `addressed` decides.
    @inlinable
    func offer(
        _ envelope: EnvelopeMeta, to peer: PeerView, addressed: (_ isForPeer: Bool) -> Handover?
    ) -> Handover? {
        guard envelope.hops < Retention.mostHops, envelope.ingress != peer.device || envelope.isOwn else { return nil }
        let isForPeer = peer.receives(envelope.destination)
        guard isForPeer || peer.pressure[envelope.priority] <= .nearlyFull else { return nil }
        if envelope.isFlooded { return Handover(id: envelope.id, tokens: .flood, reason: .flood) }
        return addressed(isForPeer)
    }

    /// What floods is given, not shown; and nothing is shown to where it came from.
    @inlinable
    func showsAddressed(_ envelope: EnvelopeMeta, to peer: PeerView) -> Bool {
        !envelope.isFlooded && envelope.hops < Retention.mostHops
            && (envelope.ingress != peer.device || envelope.isOwn)
    }

    /// Emergencies, then by class: mail of the peer's zones, token moves, floods, the rest; small before large, new before
    /// old.
    ///
    ///     priority 2 | reason 2 | bucket 3 | age of the slot 32
    @inlinable
    package func rank(_ envelope: EnvelopeMeta, _ handover: Handover, to peer: PeerView, now: Now) -> UInt64 {
        Self.classRank(envelope, handover) << 35 | UInt64(envelope.bucket.rawValue) << 32
            | UInt64(~envelope.slot.value)
    }

    @inlinable
    static func classRank(_ envelope: EnvelopeMeta, _ handover: Handover) -> UInt64 {
        let reason: UInt64 =
            switch handover.reason {
            case .delivery: 0
            case .tokens: 1
            case .flood: 2
            case .opportunistic: 3
            }
        return UInt64(envelope.priority.rawValue) << 2 | reason
    }

    package func plan(
        _ candidates: [EnvelopeMeta], to peer: PeerView, link: LinkView, budget: Int, now: Now,
        into plan: inout [Handover]
    ) {
        var left = budget
        let ranked = candidates.compactMap { envelope in
            offer(envelope, to: peer, link: link, now: now).map { handover in
                (rank: rank(envelope, handover, to: peer, now: now), size: envelope.size, handover: handover)
            }
        }.sorted { $0.rank != $1.rank ? $0.rank < $1.rank : $0.handover.id < $1.handover.id }
        for (_, size, handover) in ranked {
            guard size <= left else { break }
            left -= size
            plan.append(handover)
        }
    }

    package func admit(
        _ envelope: EnvelopeMeta, from peer: PeerView?, isWithinRate: Bool, store: some Holdings
    ) -> Intake {
        let tokens =
            peer == nil
            ? envelope.tokens
            : Tokens(received: envelope.tokens.value, kind: envelope.kind, zone: envelope.zone)
        return Retention.admit(
            envelope, from: peer?.device, tokens: tokens, isWithinRate: isWithinRate, store: store)
    }

    /// A hundred-and-twenty-eighth of the class at a time, when that can go: choosing reads the whole class, and a full class
    /// would be read for every envelope that comes.
    package func victims(_ priority: Priority, need: Int, store: some Holdings, now: Hour) -> [EnvelopeID]? {
        if store.holdsWithinShare(need, priority) || store.room.holds(need, priority) { return [] }
        let stride = store.share(priority) / 128
        if stride > need, let many = Retention.victims(priority, need: stride, store: store, now: now) { return many }
        return Retention.victims(priority, need: need, store: store, now: now)
    }

    /// Tokens of mail that floods in any policy, or so many of the rest.
    @inlinable
    func tokens(of envelope: EnvelopeMeta, sprayed: UInt8) -> Tokens {
        switch envelope.kind {
        case .group, .announcement: .flood
        case .pairwise, .chunk: .spray(sprayed)
        }
    }
}
