package import CoveyCore

/// Everything to every neighbour, and each copy is as good as the first (Vahdat and Becker 2000).
///
/// `Flood` differs in what it says of the copies: its own make room first.
package struct Epidemic: ReplicationPolicy {
    @inlinable
    package init() {}

    @inlinable
    package func offer(_ envelope: EnvelopeMeta, to peer: PeerView, link: LinkView, now: Now) -> Handover? {
        offer(envelope, to: peer) { isForPeer in
            Handover(id: envelope.id, tokens: .spray(1), reason: isForPeer ? .delivery : .tokens)
        }
    }
}
