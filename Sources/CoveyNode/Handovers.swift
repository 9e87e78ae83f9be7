import CoveyConversation
import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyRouting
import CoveySync

// What a policy other than flooding needs of the exchange: tokens that move on the acknowledgement (sync-routing.md §2.7),
// and OFFERs, in which a recipient finds what is for it among mail that its holder does not give away (§2.5).

extension Node {
    /// What a peer that lacks an envelope is given of it now; nil when the policy keeps it.
    func handover(
        of record: EnvelopeRecord, _ item: PeerLink.Outgoing, to link: PeerLink, _ now: Now
    ) -> Handover? {
        if item.isAsked {
            guard record.hops < Retention.mostHops else { return nil }
            return Handover(id: record.id, tokens: .opportunistic, reason: .delivery)
        }
        var meta = EnvelopeMeta(record)
        if !meta.isFlooded, let promised = promised[record.id] { meta.tokens = meta.tokens.without(.spray(promised)) }
        return policy.offer(meta, to: link.peerView, link: LinkView(isSparing: false), now: now)
    }

    /// Tokens on their way are not handed to a second peer.
    func promise(_ handover: Handover) {
        guard handover.tokens != .flood, handover.tokens != .opportunistic else { return }
        promised[handover.id, default: 0] += handover.tokens.value
    }

    /// The peer has answered, or its link is gone.
    func redeem(_ handover: Handover) {
        guard handover.tokens != .flood, let before = promised[handover.id] else { return }
        promised[handover.id] = before > handover.tokens.value ? before - handover.tokens.value : nil
    }

    /// The peer has stored it: what it was given is no longer ours.
    func handed(_ handover: Handover, _ store: any Store) throws {
        guard var record = shelf.record(handover.id) else { return }
        switch policy.remains(of: EnvelopeMeta(record).tokens, after: handover) {
        case .whole: break
        case .tokens(let left):
            guard left.value != record.tokens, let bytes = try store.envelope(record.id) else { return }
            record.tokens = left.value
            try store.insert(record, bytes)
            shelf.set(tokens: left.value, of: record.id)
        case .nothing: try letGo(handover.id, .evicted, store)
        }
    }

    /// Puts the header of what is kept in line to be shown.
    func show(_ record: EnvelopeRecord, _ short: Octets8, on link: PeerLink) {
        guard link.inFlight[short] == nil, policy.shows(EnvelopeMeta(record), to: link.peerView) else { return }
        link.showing.append(
            (id: record.id, row: Frame.Offer.Row(id: short, header: record.header, tokens: record.tokens)))
    }

    func sendOffers(_ link: PeerLink) {
        guard !link.showing.isEmpty else { return }
        for start in stride(from: 0, to: link.showing.count, by: Limits.offerRows) {
            let some = link.showing[start..<min(start + Limits.offerRows, link.showing.count)]
            link.offers &+= 1
            link.sender.append(Frame.Offer(session: link.offers, some.map(\.row)))
            if link.shown.count == Limits.offers { link.shown.removeFirst() }
            link.shown.append(PeerLink.Shown(session: link.offers, ids: some.map(\.id)))
        }
        link.showing.removeAll()
    }

    /// Asks for what is for us and, in half of the answers, for one row that is not: what is asked for does not show whose
    /// mail it is. Every OFFER is answered, so that its sender may forget it.
    func receive(
        _ offer: Frame.Offer, on link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        let hour = mailNow(now).hour
        let decoy = random.uniform(0...1) == 0 ? random.uniform(0...(offer.rows.count - 1)) : nil
        var bitmap = [UInt8](repeating: 0, count: (offer.rows.count + 7) / 8)
        for priority in Priority.allCases {
            // Of one set all at once: to look an id up in a reconciliation may mean to copy what it noted.
            let sought = offer.rows.indices.filter { number in
                let header = offer.rows[number].header
                return header.priority == priority && (try? header.check(now: hour)) != nil
                    && (number == decoy || contacts.sender(of: header) != nil)
            }
            guard !sought.isEmpty else { continue }
            let known = knows(sought.map { offer.rows[$0].id }, .mail(priority), link)
            for (number, isKnown) in zip(sought, known) where !isKnown { bitmap[number / 8] |= 1 << UInt8(number % 8) }
        }
        link.sender.append(Frame.Want.offered(session: offer.session, bitmap: bitmap))
        touch(link)
        try arrivedOfSomeSet(offer.rows.count, link, now, store, &effects)
    }

    private func knows(_ shorts: [Octets8], _ namespace: Namespace, _ link: PeerLink) -> [Bool] {
        guard var reconciler = link.reconcilers[namespace] else { return shorts.map { _ in true } }
        let found = withSet(namespace) { reconciler.resolve(shorts.map { ShortID(prefixOf: $0) }, set: &$0) }
        link.reconcilers[namespace] = reconciler
        return found.map { $0 != nil }
    }

    /// The peer has looked at an OFFER. One that was forgotten meanwhile is shown again at the next reconciliation.
    func answered(_ session: UInt16, _ bitmap: [UInt8], _ link: PeerLink) throws {
        guard let at = link.shown.firstIndex(where: { $0.session == session }) else { return }
        let ids = link.shown.remove(at: at).ids
        guard bitmap.count == (ids.count + 7) / 8 else { throw LinkRefusal.offerUnknown }
        for (number, id) in ids.enumerated() where bitmap[number / 8] >> UInt8(number % 8) & 1 == 1 {
            guard link.room > 0 else { return }
            link.outgoing.append(PeerLink.Outgoing(id: id, bytes: nil, run: nil, isAsked: true))
        }
        touch(link)
    }
}
