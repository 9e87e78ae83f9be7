package import CoveyCore

/// One copy, handed to whoever comes first and does not know it (Jain, Fall and Patra 2004).
///
/// Nobody takes it twice: an id that was handed on stays known.
package struct FirstContact: ReplicationPolicy {
    @inlinable
    package init() {}

    @inlinable
    package func offer(_ envelope: EnvelopeMeta, to peer: PeerView, link: LinkView, now: Now) -> Handover? {
        offer(envelope, to: peer) { isForPeer in
            guard envelope.tokens != .opportunistic else {
                return isForPeer ? Handover(id: envelope.id, tokens: .opportunistic, reason: .delivery) : nil
            }
            return Handover(id: envelope.id, tokens: envelope.tokens, reason: isForPeer ? .delivery : .tokens)
        }
    }

    @inlinable
    package func shows(_ envelope: EnvelopeMeta, to peer: PeerView) -> Bool { showsAddressed(envelope, to: peer) }

    @inlinable
    package func remains(of tokens: Tokens, after handover: Handover) -> Remains {
        handover.tokens == .flood || handover.tokens == .opportunistic ? .whole : .nothing
    }
}
