import CoveyCore
import CoveyLink
import CoveyRouting

// What neighbours tell each other of the zones they reach, where the policy follows it (sync-routing.md §3.3): on contact, a
// second after it changed, and once a minute.

extension Node {
    /// What own mail's number of copies is reckoned from.
    var meshView: MeshView {
        MeshView(members: roster.membership.enrolledCount, contactsPerHour: reach?.contactsPerHour ?? 0)
    }

    /// Mail flows on a link from now on.
    func reachOver(_ link: PeerLink, _ now: Now) {
        guard reach != nil else { return }
        reach?.contactUp(link.peerView, now: now)
        link.reached = reach?.reached ?? ZoneSet()
        tellReach(link, now)
    }

    func reachNoMore(over link: PeerLink, _ now: Now) {
        // The newer of two links to one device may stand already.
        guard reach != nil, link.isOpen, !isOpen(to: link.device) else { return }
        follow(reach?.contactDown(link.device, now: now) ?? [], now)
    }

    func receive(_ utility: Frame.Utility, on link: PeerLink, _ now: Now) {
        // What comes too often is passed over; the next one tells the same anew.
        guard reach != nil, link.reachReports.take(1, at: now.uptime) == 1 else { return }
        follow(reach?.heard(utility.rows, from: link.device, now: now) ?? [], now)
    }

    /// The minute is over, or something changed a second ago.
    func tellReach(_ now: Now) {
        follow(reach?.tell(now: now) ?? [], now)
        for link in links where link.isOpen { tellReach(link, now) }
    }

    private func tellReach(_ link: PeerLink, _ now: Now) {
        guard let reach else { return }
        link.utilities &+= 1
        link.sender.append(
            Frame.Utility(sequence: link.utilities, reach.rows(for: link.device, now: now)))
        touch(link)
    }

    /// Mail that waits here is offered to whoever has come to reach its zone better than we do.
    private func follow(_ nearer: [ZoneReach.Nearer], _ now: Now) {
        guard let reach else { return }
        deadlines.set(.reach, at: reach.due)
        for link in links { link.reached = reach.reached }
        for (device, zones) in nearer {
            guard let link = links.first(where: { $0.device == device && $0.isOpen }) else { continue }
            let gained = link.gain(zones.subtracting(link.nearer), at: now.uptime)
            link.nearer = zones
            guard !gained.isEmpty else { continue }
            for id in shelf.heldIDs(for: gained) {
                shelf.forgetReturn(of: id)
                guard link.showing.count < Limits.outgoing else { break }
                if let record = shelf.record(id), record.tokens > 0 { link.showing.append(id) }
            }
            link.showAt = link.showing.isEmpty ? nil : 0
            touch(link)
        }
    }
}
