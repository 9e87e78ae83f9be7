package import CoveyCore

/// Mail stays with its origin until it meets the recipient, or somebody of its zone.
package struct Direct: ReplicationPolicy {
    @inlinable
    package init() {}

    @inlinable
    package func offer(_ envelope: EnvelopeMeta, to peer: PeerView, link: LinkView, now: Now) -> Handover? {
        offer(envelope, to: peer) { isForPeer in
            isForPeer ? Handover(id: envelope.id, tokens: .opportunistic, reason: .delivery) : nil
        }
    }

    @inlinable
    package func shows(_ envelope: EnvelopeMeta, to peer: PeerView) -> Bool { showsAddressed(envelope, to: peer) }
}
