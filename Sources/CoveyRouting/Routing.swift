package import CoveyCore

/// The policy of a node, chosen at its start.
///
/// PRoPHET is not among them: it follows destinations one by one, and a link tells of zones only. Where contacts are studied
/// it has what it needs.
package enum Routing: ReplicationPolicy, Hashable {
    case flood
    case direct
    case epidemic
    /// 1 to 64 copies.
    case sprayAndWait(copies: UInt8)
    case firstContact
    /// ABR, lean: towards the recipient's zone.
    case adaptive

    /// Neighbours tell each other how well they reach zones, for `PeerView.nearer`.
    package var tellsReach: Bool {
        switch self {
        case .adaptive: true
        case .flood, .direct, .epidemic, .sprayAndWait, .firstContact: false
        }
    }

    /// Everything is meant for everybody: one copy along a tree of links is enough.
    package var growsTree: Bool {
        switch self {
        case .flood, .epidemic: true
        case .direct, .sprayAndWait, .firstContact, .adaptive: false
        }
    }

    package func initialTokens(_ envelope: EnvelopeMeta, mesh: @autoclosure () -> MeshView) -> Tokens {
        switch self {
        case .flood, .direct, .epidemic, .firstContact: tokens(of: envelope, sprayed: 1)
        case .sprayAndWait(let copies): tokens(of: envelope, sprayed: copies)
        case .adaptive: AdaptiveReplication().initialTokens(envelope, mesh: mesh())
        }
    }

    package func offer(_ envelope: EnvelopeMeta, to peer: PeerView, link: LinkView, now: Now) -> Handover? {
        switch self {
        case .flood: Flood().offer(envelope, to: peer, link: link, now: now)
        case .direct: Direct().offer(envelope, to: peer, link: link, now: now)
        case .epidemic: Epidemic().offer(envelope, to: peer, link: link, now: now)
        case .sprayAndWait(let copies): SprayAndWait(copies: copies).offer(envelope, to: peer, link: link, now: now)
        case .firstContact: FirstContact().offer(envelope, to: peer, link: link, now: now)
        case .adaptive: AdaptiveReplication().offer(envelope, to: peer, link: link, now: now)
        }
    }

    package func shows(_ envelope: EnvelopeMeta, to peer: PeerView) -> Bool {
        switch self {
        case .flood, .epidemic: false
        case .direct: Direct().shows(envelope, to: peer)
        case .sprayAndWait(let copies): SprayAndWait(copies: copies).shows(envelope, to: peer)
        case .firstContact: FirstContact().shows(envelope, to: peer)
        case .adaptive: AdaptiveReplication().shows(envelope, to: peer)
        }
    }

    package func remains(of tokens: Tokens, after handover: Handover) -> Remains {
        switch self {
        case .flood, .direct, .epidemic: .whole
        case .sprayAndWait(let copies): SprayAndWait(copies: copies).remains(of: tokens, after: handover)
        case .firstContact: FirstContact().remains(of: tokens, after: handover)
        case .adaptive: AdaptiveReplication().remains(of: tokens, after: handover)
        }
    }
}
