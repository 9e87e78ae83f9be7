import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyRouting
import CoveySync

// Live mail (sync-routing.md §2.4, after Plumtree: Leitão, Pereira and Rodrigues 2007). At first every link is eager: mail
// goes on it at once. A link on which mail came that had come before becomes lazy for both ends: ids are announced there.
// So the eager links come to be a tree. What was announced and does not come along the tree is asked for, and the link it
// was announced on joins the tree. Digests find what is missing still.

extension Node {
    /// New mail goes to every open link but the one it came from: itself where the tree goes, elsewhere its id. A tree's ways
    /// are longer than the shortest, and hops end at 32: mail that has come far goes everywhere, and does not shape the tree.
    func offer(_ envelope: Envelope, hops: UInt8, except source: PeerLink?, _ now: Now) {
        recent.insert(envelope.id)
        for link in links where link.isOpen {
            // Who has told of it has it.
            if link.branch.isAwaiting, link.branch.came(link.shortIDs.shortID(of: envelope.id)) { continue }
            guard link !== source, link.room > 0 else { continue }
            guard !link.branch.isEager, policy.growsTree, hops < Limits.treeHops else {
                // Behind a long queue the bytes would only fill memory; they are read back from the store then.
                let isShort = link.outgoing.count < 256
                link.outgoing.append(
                    PeerLink.Outgoing(id: envelope.id, bytes: isShort ? envelope.bytes : nil, run: nil))
                touch(link)
                continue
            }
            let row = Frame.IHave.Row(
                id: link.shortIDs.shortID(of: envelope.id), header: envelope.header, origin: syncClock(link, now).origin
            )
            let time = now.uptime + Limits.announceAfter
            link.branch.tell(row, of: envelope.id, by: time)
            deadlines.set(.link(link.connection), noLaterThan: time)
        }
    }

    /// What came on a link first makes it a branch.
    func grow(_ link: PeerLink, hops: UInt8) {
        if hops < Limits.treeHops { link.branch.isEager = true }
    }

    /// What came on a link again is cut off, unless it had come from the same device.
    func cut(_ link: PeerLink, after id: EnvelopeID, _ short: Octets8, hops: UInt8, _ now: Now) {
        link.branch.forgetAnnouncement(of: short)
        guard policy.growsTree, link.isOpen, hops < Limits.treeHops, shelf.record(id)?.ingress != link.device,
            link.branch.prunedAt.map({ now.uptime >= $0 + Limits.pruneAgain }) ?? true
        else { return }
        link.branch.isEager = false
        link.branch.prunedAt = now.uptime
        link.sender.append(Frame.Prune())
        touch(link)
    }

    func receive(_ iHave: Frame.IHave, on link: PeerLink, _ now: Now) {
        guard policy.growsTree else { return }
        for row in iHave.rows where !link.branch.wasTold(row.id) && link.inFlight[row.id] == nil {
            link.branch.expect(row.id, by: now.uptime + Limits.graftAfter)
        }
        if link.branch.isAwaiting { deadlines.set(.link(link.connection), noLaterThan: link.branch.next) }
    }

    func receive(_ graft: Frame.Graft, on link: PeerLink) {
        link.branch.isEager = true
        for short in graft.ids {
            guard link.room > 0, let id = link.branch.takeTold(short) else { continue }
            link.outgoing.append(PeerLink.Outgoing(id: id, bytes: nil, run: nil))
        }
        touch(link)
    }

    func pruned(_ link: PeerLink) {
        if policy.growsTree { link.branch.isEager = false }
    }

    /// Asks for what was announced and has not come.
    func graft(_ link: PeerLink, _ now: Now) {
        guard link.branch.asks(at: now.uptime) else { return }
        var missing = link.branch.takeMissing(at: now.uptime)
        guard !missing.isEmpty else { return }
        // The peer may tell of what was here before the link became lazy.
        let here = Set(recent.ids.map { link.shortIDs.shortID(of: $0) })
        missing.removeAll { here.contains($0) }
        guard !missing.isEmpty else { return }
        link.branch.isEager = true
        for start in stride(from: 0, to: missing.count, by: Frame.Graft.mostRows) {
            link.sender.append(Frame.Graft(Array(missing[start..<min(start + Frame.Graft.mostRows, missing.count)])))
        }
        // What does not come so either, digests find.
        startDigests(link, after: Limits.digestFirst, now)
        for other in links where other !== link { other.branch.wait(until: now.uptime + Limits.graftAfter) }
        touch(link)
    }

    /// With what is written anyway, or when it is due.
    func announce(_ link: PeerLink, _ now: Now) {
        guard link.branch.announces(at: now.uptime) || !link.acks.isEmpty && !link.branch.announcing.isEmpty else {
            return
        }
        let rows = link.branch.takeAnnouncements()
        for start in stride(from: 0, to: rows.count, by: Frame.IHave.mostRows) {
            link.sender.append(Frame.IHave(Array(rows[start..<min(start + Frame.IHave.mostRows, rows.count)])))
        }
    }
}

/// The last mail that came in, whatever its fate.
struct RecentMail {
    private(set) var ids: [EnvelopeID] = []
    private var next = 0

    mutating func insert(_ id: EnvelopeID) {
        if ids.count < Limits.recent {
            ids.append(id)
        } else {
            ids[next] = id
            next = (next + 1) % Limits.recent
        }
    }
}
