package import CoveyCore

/// So many copies at most: whoever holds several hands on half, whoever holds one waits for the recipient
/// (Spyropoulos, Psounis and Raghavendra 2005, binary form).
package struct SprayAndWait: ReplicationPolicy {
    /// Copies of one message, 1 to 64.
    package let copies: UInt8

    @inlinable
    package init(copies: UInt8) {
        precondition((1...Tokens.mostSprayed).contains(copies), "a message has 1 to 64 copies")
        self.copies = copies
    }

    @inlinable
    package func initialTokens(_ envelope: EnvelopeMeta, mesh: @autoclosure () -> MeshView) -> Tokens {
        tokens(of: envelope, sprayed: copies)
    }

    @inlinable
    package func offer(_ envelope: EnvelopeMeta, to peer: PeerView, link: LinkView, now: Now) -> Handover? {
        offer(envelope, to: peer) { isForPeer in
            guard isForPeer || envelope.tokens.value >= 2 else { return nil }
            // With one left this is none: the zone's other members get it as an opportunistic copy.
            return Handover(
                id: envelope.id, tokens: .spray(envelope.tokens.value / 2), reason: isForPeer ? .delivery : .tokens)
        }
    }

    @inlinable
    package func shows(_ envelope: EnvelopeMeta, to peer: PeerView) -> Bool { showsAddressed(envelope, to: peer) }

    @inlinable
    package func remains(of tokens: Tokens, after handover: Handover) -> Remains {
        handover.tokens == .flood || handover.tokens == .opportunistic
            ? .whole : .tokens(tokens.without(handover.tokens))
    }
}
