package import CoveyCore

/// ABR, lean: as many copies as the mesh's meetings make it take, which walk towards the recipient's zone; in the zone
/// everybody gets one (sync-routing.md §3.2).
///
///     the neighbour lists the zone      → a copy with one token, which the zone hands on
///     it is nearer, two tokens or more  → the larger half
///     it is nearer, one token           → that moves, the payload stays; its origin gives a token more and keeps its own
///     it is not, and no way leads there → of two tokens or more the smaller half
///     zone 255                          → the halves alone: the last token stays with its holder
///
/// Who is nearer, and whether a way leads there, `ZoneReach` knows; the view of the neighbour says it.
package struct AdaptiveReplication: ReplicationPolicy {
    /// Copies of mail for no zone in particular, by priority.
    private static let sprayed = PerPriority<UInt8>(emergency: 16, urgent: 16, normal: 8, bulk: 8)
    /// Copies of mail for a zone.
    private static let fewest = 6.0
    private static let most = 64.0

    @inlinable
    package init() {}

    /// From P(miss) = exp(−copies · TTL / E[M]) ≤ 5 % with E[M] = (N − 1) / meetings an hour; in a mesh of which that is
    /// half and more, everybody (sync-routing.md §3.2, rule 1).
    package func initialTokens(_ envelope: EnvelopeMeta, mesh: @autoclosure () -> MeshView) -> Tokens {
        guard envelope.destination.zone != nil else {
            return tokens(of: envelope, sprayed: Self.sprayed[envelope.priority])
        }
        let mesh = mesh()
        let others = Double(max(1, mesh.members - 1))
        let met = max(mesh.contactsPerHour, 1 / 24.0) * Double(envelope.ttl.hours)
        var copies = min(max((3 * others / met).rounded(.up), Self.fewest), Self.most)
        if copies >= Double(mesh.members) / 2 { copies = min(Double(max(1, mesh.members)), Self.most) }
        return tokens(of: envelope, sprayed: UInt8(copies))
    }

    @inlinable
    package func offer(_ envelope: EnvelopeMeta, to peer: PeerView, link: LinkView, now: Now) -> Handover? {
        offer(envelope, to: peer) { isForPeer in
            if isForPeer { return Handover(id: envelope.id, tokens: .spray(1), reason: .delivery) }
            let tokens = envelope.tokens.value
            if peer.isNearer(to: envelope.destination) {
                if tokens >= 2 {
                    return Handover(id: envelope.id, tokens: .spray(tokens - tokens / 2), reason: .tokens)
                }
                // What went first may be lost, or stand where no way leads on: whoever comes to be nearer begins anew.
                if envelope.isOwn { return Handover(id: envelope.id, tokens: .spray(1), reason: .opportunistic) }
                return tokens == 1 ? Handover(id: envelope.id, tokens: .spray(1), reason: .tokens) : nil
            }
            guard tokens >= 2, !peer.isNeedless(for: envelope.destination) else { return nil }
            return Handover(id: envelope.id, tokens: .spray(tokens / 2), reason: .tokens)
        }
    }

    @inlinable
    package func shows(_ envelope: EnvelopeMeta, to peer: PeerView) -> Bool { showsAddressed(envelope, to: peer) }

    @inlinable
    package func remains(of tokens: Tokens, after handover: Handover) -> Remains {
        switch handover.reason {
        case .tokens: .tokens(tokens.without(handover.tokens))
        case .delivery, .flood, .opportunistic: .whole
        }
    }
}

/// What a node knows of its mesh when it reckons how many copies its mail needs.
package struct MeshView: Sendable {
    /// Devices that have or had a certificate, our own among them: rather too many than too few.
    package var members: Int
    /// Different neighbours that are met in an hour.
    package var contactsPerHour: Double

    @inlinable
    package init(members: Int, contactsPerHour: Double) {
        self.members = members
        self.contactsPerHour = contactsPerHour
    }
}
