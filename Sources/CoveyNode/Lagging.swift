import CoveyConversation
import CoveyCore
import CoveyCrypto
import CoveyLink

// Who is behind, as far as can be told here: by what peers said on their links, under which key their beacons were sealed,
// and what others signed that has come. Nobody is asked, and whoever seems to be behind may have met others since.

extension Node {
    func laggingFindings(_ now: Now) -> [Finding] {
        var found: [Finding] = []
        if let logs = logsBehind() { found.append(logs) }
        if let epochs = epochsBehind(now) { found.append(epochs) }
        if let silent = silent(now) { found.append(silent) }
        return found + unreachedPeers()
    }

    /// Configured peers of whom no link came. Who is linked from its side is found by its device, else by its host.
    private func unreachedPeers() -> [Finding] {
        dialer.unreached.compactMap { target, name, fault in
            let isLinked = links.contains { link in
                (target.device ?? target.met).map { $0 == link.device } ?? (target.address.host == link.address.host)
            }
            guard !isLinked else { return nil }
            return Finding(
                kind: .peer, isUrgent: false, text: "the configured peer \(name) is not linked: \(fault)",
                advice: "it is tried again; see whether its node runs there, and whether a firewall lets TCP through")
        }
    }

    /// Members on links that stay at the log until theirs has what makes this device one.
    private func logsBehind() -> Finding? {
        var devices: [DeviceID] = []
        var most: UInt64 = 0
        for link in links where link.isMember && !link.isEnded {
            guard case .catchUp = link.stage, let heads = link.peerHeads else { continue }
            let lacking = lackingEntries(of: heads)
            guard lacking > 0 else { continue }
            devices.append(link.device)
            most = max(most, lacking)
        }
        guard !devices.isEmpty else { return nil }
        return Finding(
            kind: .behind, isUrgent: false,
            text: "linked now, and behind by \(most == 1 ? "an entry" : "up to \(most) entries") of the log: "
                + names(of: devices),
            advice: "nothing but the log goes to and fro until they have it: leave them together")
    }

    /// How many entries we have beyond what a peer said of its logs.
    private func lackingEntries(of heads: PeerHeads) -> UInt64 {
        var lacking: UInt64 = 0
        for row in roster.membership.heads {
            let theirs = heads.sequence(of: row.log)
            if row.sequence > theirs { lacking += row.sequence - theirs }
        }
        return lacking
    }

    /// Members whose beacons are heard, sealed under an older key than the newest here, and who are not linked.
    private func epochsBehind(_ now: Now) -> Finding? {
        let selection = epochSelection
        guard let newest = selection.clean.first else { return nil }
        let older = Set((selection.clean + selection.tainted).filter { $0.number < newest.number }.map(\.commit))
        let behind = roster.membership.devices.filter { device in
            guard let sighting = sightings.newest(of: device), older.contains(sighting.epoch) else { return false }
            return sighting.heard + Limits.beaconVouches >= now.uptime && !isLinked(to: device)
                && roster.membership.isMember(device, at: time(now))
        }
        guard !behind.isEmpty else { return nil }
        return Finding(
            kind: .behind, isUrgent: false,
            text: "heard near by, not linked, and on an older network key than epoch \(newest.number): "
                + "\(names(of: behind))",
            advice: "this device dials them; if no link comes of it, see whether the two reach each other over TCP")
    }

    /// Members of whom nothing has come for longer than a bundle lives: each makes a new one long before.
    private func silent(_ now: Now) -> Finding? {
        let view = time(now)
        let limit = max(Int64(roster.membership[policy: .freshDays]) * 1440, roster.membership.bundleLife)
        let since = view.now.adding(-limit)
        let silent = roster.membership.devices.filter { device in
            guard device != own.id, !isLinked(to: device), roster.membership.isMember(device, at: view) else {
                return false
            }
            if let bundle = bundles[device]?.bundle, bundle.created >= since { return false }
            if let enrolled = roster.enrolment(of: device), enrolled >= since { return false }
            guard let sighting = sightings.newest(of: device) else { return true }
            return now.uptime - sighting.heard > UInt64(limit) * 60_000_000
        }
        guard !silent.isEmpty else { return nil }
        return Finding(
            kind: .silent, isUrgent: false,
            text: "nothing has come of \(silent.count == 1 ? "a member" : "\(silent.count) members") for more than "
                + "\(limit / 1440) days: \(names(of: silent))",
            advice: "others may have met them; for one that is lost: \(AdvisedCommand.suspend(device: "NAME"))")
    }

    /// The first few labels, and how many more there are.
    private func names(of devices: [DeviceID]) -> String {
        let labels = devices.map { roster.membership.currentCertificate($0)?.label ?? $0.hex }.sorted()
        let shown = labels.prefix(Limits.namesShown).joined(separator: ", ")
        let rest = labels.count - Limits.namesShown
        return rest > 0 ? "\(shown) and \(rest) more" : shown
    }
}
