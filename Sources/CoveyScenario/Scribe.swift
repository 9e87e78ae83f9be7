import CoveyContact
import CoveyReport

/// Tells a recorder what both levels have in common: who is in reach, where hosts are, and the deeds.
struct Scribe {
    private let expansion: Expansion
    private var movements: [any Moving]
    private var up: [UInt64: Int] = [:]
    private var begun = 0
    private var open: [(until: UInt64, interval: Recorder.OpenInterval)] = []

    init(_ expansion: Expansion, _ movements: [any Moving]) {
        self.expansion = expansion
        self.movements = movements
    }

    mutating func reach(_ change: Reach.Change, _ recorder: inout Recorder?) {
        let key = UInt64(change.a) << 32 | UInt64(change.b)
        if let before = up[key] { recorder?.linkDown(change.a, change.b, kind: before, at: change.time) }
        if let link = change.link { recorder?.linkUp(change.a, change.b, kind: link, at: change.time) }
        up[key] = change.link
    }

    /// Deeds that begin and end up to `time`, and where hosts are by then.
    mutating func advance(to time: UInt64, _ recorder: inout Recorder?) {
        while let wanted = recorder?.nextPlaces, wanted <= time, !movements.isEmpty { places(at: wanted, &recorder) }
        let deeds = expansion.deeds
        while true {
            let start = begun < deeds.count ? deeds[begun].at : .max
            let end = open.map(\.until).min() ?? .max
            guard min(start, end) <= time else { return }
            if end <= start {
                for (until, interval) in open where until == end { recorder?.end(interval, at: until) }
                open.removeAll { $0.until == end }
            } else {
                begin(deeds[begun], &recorder)
                begun += 1
            }
        }
    }

    private mutating func begin(_ deed: Deed, _ recorder: inout Recorder?) {
        let label = expansion.scenario.timeline[deed.entry].word.rawValue
        switch deed.act {
        case .partition, .linkDown, .asymLoss, .load, .diskFull, .byzantine, .crash, .hold, .cut:
            guard let interval = recorder?.begin(deed.lane, label, hosts: deed.hosts, at: deed.at) else { return }
            open.append((deed.until ?? healed(deed), interval))
        case .heal, .uncut, .release, .setLink, .restart, .kill, .join, .revoke, .clockJump, .clockDrift, .sneakernet,
            .copyAuthority, .openOffice, .enrol, .revokeAuthority, .checkpoint, .newEpoch, .newKeys, .recoverFork:
            recorder?.moment(deed.lane, label, hosts: deed.hosts, at: deed.at)
        }
    }

    /// A partition or a cut without an end of its own lasts until the next heal, all else until the run ends.
    private func healed(_ deed: Deed) -> UInt64 {
        let end = UInt64(expansion.scenario.duration.microseconds)
        switch deed.act {
        case .partition, .cut:
            return expansion.deeds.first { if case .heal = $0.act { $0.at >= deed.at } else { false } }?.at ?? end
        case .heal, .uncut, .hold, .release, .setLink, .linkDown, .asymLoss, .crash, .restart, .kill, .join, .revoke,
            .copyAuthority, .openOffice, .enrol, .revokeAuthority, .checkpoint, .newEpoch, .newKeys, .recoverFork,
            .clockJump, .clockDrift,
            .load, .sneakernet, .diskFull, .byzantine:
            return end
        }
    }

    private mutating func places(at time: UInt64, _ recorder: inout Recorder?) {
        var places = [Float](repeating: 0, count: 2 * expansion.cast.count)
        for host in 0..<UInt32(expansion.cast.count) {
            for index in movements.indices {
                guard let place = movements[index].position(of: host, at: time) else { continue }
                places[2 * Int(host)] = Float(place.x)
                places[2 * Int(host) + 1] = Float(place.y)
                break
            }
        }
        recorder?.places(places, at: time)
    }
}
