import CoveyConversation
import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveySync

// What a node still does when it has heard nothing of its authorities for long (protocol.md §1.9). The limits are the
// policy's; a node never makes its own longer.
//
//     FRESH      everything
//     STALE      no first contact, no wipe order, no BULK
//     STRANDED   log and notes only: no mail on links, what is written waits, what was read can be read

extension Node {
    /// Looks at the grade again; says so when it changed, and does what that means.
    func regrade(_ now: Now, _ store: any Store, _ effects: inout Effects) throws {
        let grade = roster.membership.staleness(at: time(now))
        guard grade != self.grade else { return }
        self.grade = grade
        effects.append(.observe(.staleness(grade)))
        if grade == .stranded {
            for link in links where link.stage.isBeyondNotes { end(link, .policy, .notAdmitted, now, &effects) }
            return
        }
        for link in links where !link.isEnded { try advance(link, now, store, &effects) }
        try sealWaiting(for: nil, now, store, &effects)
        guard grade == .fresh else { return }
        for link in links where link.isOpen { startDigests(link, after: Limits.digestFirst, now) }
        for note in roster.membership.revocation(of: own.id)?.notes ?? [] { try obey(note, now, store, &effects) }
    }

    /// Mail that is neither taken nor given now.
    func isQuiet(_ namespace: Namespace) -> Bool { grade != .fresh && namespace == .mail(.bulk) }

    /// Whether a device may be written to: one that is new to us only while the log is fresh.
    func mayWrite(to device: DeviceID) -> Bool {
        switch grade {
        case .fresh: true
        case .stale: met.contains(device)
        case .stranded: false
        }
    }

    /// A device was written to or heard from.
    func meet(_ device: DeviceID, _ store: any Store) throws {
        guard met.insert(device).inserted else { return }
        try store.put(.peers, device.array, [1])
    }
}

extension Membership {
    /// When the log goes over to the next grade if no authority is heard of; nil when it is stranded.
    func gradeEnds(at time: TimeView) -> Minute? {
        guard let heard = authorityHeard(at: time) else { return nil }
        let days: Policy.Key
        switch staleness(at: time) {
        case .fresh: days = .freshDays
        case .stale: days = .staleDays
        case .stranded: return nil
        }
        return heard.adding(Int64(self[policy: days]) * 1440)
    }
}

extension PeerLink.Stage {
    fileprivate var isBeyondNotes: Bool {
        switch self {
        case .catchUp, .notes: false
        case .hello, .open: true
        }
    }
}
