package import CoveyCore

/// Everything to every neighbour, bounded by quotas alone.
///
/// Group mail and announcements flood in any policy. Pairwise mail and chunks go along as opportunistic copies: whoever
/// walks from one island to another carries them, and they make room first.
package struct Flood: ReplicationPolicy {
    @inlinable
    package init() {}

    @inlinable
    package func offer(_ envelope: EnvelopeMeta, to peer: PeerView, link: LinkView, now: Now) -> Handover? {
        offer(envelope, to: peer) { isForPeer in
            Handover(id: envelope.id, tokens: .opportunistic, reason: isForPeer ? .delivery : .opportunistic)
        }
    }
}
