package import CoveyCore

/// Who is given what, what is taken in, and what goes first (sync-routing.md §3.5).
///
/// Pure: told the time, no dice, no I/O. Used as `some ReplicationPolicy`, so that nothing per envelope is boxed.
package protocol ReplicationPolicy: Sendable {
    mutating func contactUp(_ peer: PeerView, now: Now)
    /// `sent` and `got`: bytes of the contact.
    mutating func contactDown(_ peer: PeerView, sent: Int, got: Int, now: Now)
    /// Of an envelope sealed here.
    func initialTokens(_ envelope: EnvelopeMeta) -> Tokens
    /// One envelope and one neighbour, which is not known to have it: what it is given, if anything.
    func offer(_ envelope: EnvelopeMeta, to peer: PeerView, link: LinkView, now: Now) -> Handover?
    /// Ranked, up to `budget` bytes, appended to `plan`.
    func plan(
        _ candidates: [EnvelopeMeta], to peer: PeerView, link: LinkView, budget: Int, now: Now,
        into plan: inout [Handover])
    mutating func handed(_ handover: Handover, to peer: DeviceID, ack: Ack)
    /// `from` nil: sealed here. `isWithinRate`: by the neighbour's allowance.
    func admit(
        _ envelope: EnvelopeMeta, from peer: PeerView?, isWithinRate: Bool, store: StoreView
    ) -> Intake
    /// What to let go of so that an envelope of this priority and size has room; nil when there is no way.
    func victims(_ priority: Priority, need: Int, store: StoreView, now: Hour) -> [EnvelopeID]?
}

/// One envelope for one neighbour.
package struct Handover: Hashable, Sendable {
    package enum Reason: Sendable {
        /// The neighbour lists its zone.
        case delivery
        case flood
        case opportunistic
    }

    package var id: EnvelopeID
    package var tokens: Tokens
    package var reason: Reason

    package init(id: EnvelopeID, tokens: Tokens, reason: Reason) {
        self.id = id
        self.tokens = tokens
        self.reason = reason
    }
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
