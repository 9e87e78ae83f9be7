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
        if let handover = given(record, to: link, now) { return handover }
        guard item.isAsked, record.hops < Retention.mostHops else { return nil }
        return Handover(id: record.id, tokens: .opportunistic, reason: .delivery)
    }

    private func given(_ record: EnvelopeRecord, to link: PeerLink, _ now: Now) -> Handover? {
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
        // What is meant for everybody stays ours as well.
        guard !policy.growsTree, var record = shelf.record(handover.id) else { return }
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

    /// Tokens come to a copy that has none: it is carried on from here. False: they stay with the peer.
    func takeTokens(
        of header: Frame.DataHeader, with envelope: Envelope, from link: PeerLink, _ now: Now, _ store: any Store
    ) throws -> Bool {
        guard !policy.growsTree, header.tokens > 0, header.tokens != Tokens.flood.value,
            shelf.takesTokens(header.id, reached: reach?.reached ?? ZoneSet()), var record = shelf.record(header.id)
        else { return false }
        record.tokens = Tokens.spray(header.tokens).value
        try store.insert(record, envelope.bytes)
        shelf.takeTokens(record.tokens, to: record.id)
        offer(envelope, hops: record.hops, except: link, now)
        return true
    }

    /// Whether mail of a priority is found by OFFERs on a link: one of the two keeps some of it back, and sets that differ
    /// on purpose are not made equal again and again (sync-routing.md D11).
    func isLean(_ priority: Priority, _ link: PeerLink) -> Bool {
        !policy.growsTree || link.peerHello?.modes[priority] == .lean
    }

    /// The sets that this side compares on a link.
    func compared(on link: PeerLink) -> [Namespace] {
        link.reconcilers.namespaces.filter { namespace in
            !Priority.allCases.contains { namespace == .mail($0) && isLean($0, link) }
        }
    }

    /// All that is held is put in line to be shown, at the beginning of a contact.
    func showAll(on link: PeerLink) {
        let lean = Priority.allCases.filter { isLean($0, link) }
        guard !lean.isEmpty else { return }
        link.showAt = 0
        for id in shelf.heldIDs() {
            guard let record = shelf.record(id), lean.contains(record.header.priority) else { continue }
            link.showing.append(id)
        }
        touch(link)
    }

    /// Puts the header of what is kept in line to be shown. It waits for others: of each OFFER a row may be asked for that
    /// nobody needs.
    func show(_ record: EnvelopeRecord, _ short: Octets8, on link: PeerLink, _ now: Now) {
        guard link.inFlight[short] == nil, policy.shows(EnvelopeMeta(record), to: link.peerView) else { return }
        link.showing.append(record.id)
        if link.showAt == nil {
            link.showAt = now.uptime + Limits.showAfter
            deadlines.set(.link(link.connection), noLaterThan: now.uptime + Limits.showAfter)
        }
    }

    /// Rows as long as OFFERs are answered. A row's tokens are what would be given with it; 0: only its recipient asks.
    func sendOffers(_ link: PeerLink, _ now: Now) {
        guard let due = link.showAt, now.uptime >= due || link.showing.count >= Limits.offerRows else { return }
        defer { if link.showing.isEmpty { link.showAt = nil } }
        while !link.showing.isEmpty, link.shown.count < Limits.offers {
            var ids: [EnvelopeID] = []
            var rows: [Frame.Offer.Row] = []
            while rows.count < Limits.offerRows, let id = link.showing.popFirst() {
                guard let record = shelf.record(id) else { continue }
                let handover = given(record, to: link, now)
                let short = link.shortIDs.shortID(of: id)
                guard handover != nil || policy.shows(EnvelopeMeta(record), to: link.peerView),
                    link.inFlight[short] == nil
                else { continue }
                ids.append(id)
                rows.append(
                    Frame.Offer.Row(id: short, header: record.header, tokens: handover?.tokens.value ?? 0))
            }
            guard !rows.isEmpty else { return }
            link.offers &+= 1
            link.sender.append(Frame.Offer(session: link.offers, rows))
            link.shown.append(PeerLink.Shown(session: link.offers, ids: ids))
        }
    }

    /// Asks for what is for us, for what comes with tokens and, in half of the answers, for one row more: what is asked for
    /// does not show whose mail it is. Every OFFER is answered, so that its sender may forget it.
    func receive(
        _ offer: Frame.Offer, on link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        let hour = mailNow(now).hour
        let decoy = random.uniform(0...1) == 0 ? random.uniform(0...(offer.rows.count - 1)) : nil
        var bitmap = [UInt8](repeating: 0, count: (offer.rows.count + 7) / 8)
        let sought = offer.rows.indices.filter { number in
            let row = offer.rows[number]
            return (try? row.header.check(now: hour)) != nil
                && (number == decoy || row.tokens > 0 || contacts.sender(of: row.header) != nil)
        }
        let known = known(sought.map { offer.rows[$0] }, on: link)
        for number in sought {
            let row = offer.rows[number]
            // What is here without a token is asked for again when it comes with some.
            if let id = known[row.id],
                row.tokens == 0 || !shelf.takesTokens(id, reached: reach?.reached ?? ZoneSet())
            {
                continue
            }
            bitmap[number / 8] |= 1 << UInt8(number % 8)
        }
        link.sender.append(Frame.Want.offered(session: offer.session, bitmap: bitmap))
        touch(link)
        try arrivedOfSomeSet(offer.rows.count, link, now, store, &effects)
    }

    /// By short id: which of the rows are known. All of the hours that they show mail of is hashed for the link.
    private func known(_ rows: [Frame.Offer.Row], on link: PeerLink) -> [Octets8: EnvelopeID] {
        let shown = Set(rows.map(\.id))
        var known: [Octets8: EnvelopeID] = [:]
        var seen: [(priority: Priority, slot: Hour)] = []
        for row in rows {
            let (priority, slot) = (row.header.priority, row.header.slot)
            guard !seen.contains(where: { $0 == (priority, slot) }) else { continue }
            seen.append((priority, slot))
            for id in shelf.known(priority, of: slot) {
                let short = link.shortIDs.shortID(of: id)
                if shown.contains(short) { known[short] = id }
            }
        }
        return known
    }

    /// The peer has looked at an OFFER.
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
