package import CoveyCore

/// How a node reaches zones: over the links that stand, by hops, and by the history of its meetings (sync-routing.md §3.3).
///
/// Neighbours tell each other on contact, when it changes, and once a minute. What came from a neighbour goes back to others
/// only, so two never point at each other; longer rings end at 32 hops, and mail that meets them is known already.
package struct ZoneReach: Sendable {
    /// 0 to 254.
    private static let zones = 255
    /// What goes further goes no way.
    private static let mostHops: UInt8 = 32
    /// Microseconds after which a device of a zone counts on, and all tell again.
    package static let minute: UInt64 = 60_000_000
    /// Microseconds for which a way is good whose number stands still: sources count at most half a minute late, and each
    /// node on the way tells once a minute.
    private static let validity = 5 * minute
    /// Microseconds that news wait for others.
    private static let newsDelay: UInt64 = 1_000_000
    /// Of 255, by which a neighbour must be likelier where no way leads.
    private static let margin = 13
    /// 0.98 to the power of hops, of 255.
    private static let byHops: [UInt8] = {
        var power = 255.0
        return (0...mostHops).map { _ in
            defer { power *= 0.98 }
            return UInt8(power.rounded())
        }
    }()

    private struct Way: Sendable {
        var row: ZoneReport
        /// When its number last moved, in microseconds of uptime.
        var movedAt: UInt64

        /// It leaves us within the bound, and its number moves.
        func isGood(_ now: Now) -> Bool {
            row.hops < ZoneReach.mostHops - 1 && now.uptime < movedAt + ZoneReach.validity
        }
    }

    private struct Neighbour: Sendable {
        let device: DeviceID
        var zones: ZoneSet
        /// Ascending.
        var ways: [Way] = []
        /// Zones it reaches better than we do.
        var nearer = ZoneSet()
        /// What it told was counted in already, once a contact.
        var isCounted = false
    }

    private let own: ZoneSet
    /// The number of our own zones' minutes.
    private var origin: UInt16 = 0
    private var countedAt: UInt64
    private var neighbours: [Neighbour] = []
    private var history = ZoneHistory()
    private var rate: ContactRate
    /// Hops to each zone as neighbours were last told.
    private var told: [UInt8]
    /// Zones to which a way leads, our own among them.
    package private(set) var reached: ZoneSet
    /// When neighbours are told next, whatever happens.
    private var minuteAt: UInt64
    /// When they are told of news.
    private var newsAt: UInt64?

    package init(own: ZoneSet, now: Now) {
        self.own = own
        reached = own
        countedAt = now.uptime
        rate = ContactRate(now: now)
        told = []
        minuteAt = now.uptime + Self.minute
        told = hops(now)
    }

    /// Different neighbours that are met in an hour.
    package var contactsPerHour: Double { rate.perHour }

    /// When `tell` is due next, in microseconds of uptime.
    package var due: UInt64 { min(minuteAt, newsAt ?? .max) }

    // MARK: What happens

    /// Which zones each neighbour has come to reach better than we do is told in the order of the neighbours.
    package typealias Nearer = (device: DeviceID, zones: ZoneSet)

    package mutating func contactUp(_ peer: PeerView, now: Now) {
        neighbours.removeAll { $0.device == peer.device }
        neighbours.append(Neighbour(device: peer.device, zones: peer.zones))
        rate.met(peer.device, now: now)
        history.meet(peer.zones, now: now)
    }

    package mutating func contactDown(_ device: DeviceID, now: Now) -> [Nearer] {
        neighbours.removeAll { $0.device == device }
        return review(now)
    }

    package mutating func heard(_ rows: [ZoneReport], from device: DeviceID, now: Now) -> [Nearer] {
        guard let at = neighbours.firstIndex(where: { $0.device == device }) else { return [] }
        let old = neighbours[at].ways
        let zones = neighbours[at].zones
        var next = 0
        neighbours[at].ways = rows.map { row in
            var row = row
            // Only devices of a zone are in it.
            if row.hops == 0, !zones.contains(row.zone) { row.hops = ZoneReport.noWay }
            while next < old.count, old[next].row.zone.value < row.zone.value { next += 1 }
            let isStill =
                next < old.count && old[next].row.zone == row.zone && old[next].row.origin == row.origin
            return Way(row: row, movedAt: isStill ? old[next].movedAt : now.uptime)
        }
        for row in rows where own.contains(row.zone) {
            // Devices of one zone count together.
            if Int16(bitPattern: row.origin &- origin) > 0 {
                origin = row.origin
                countedAt = now.uptime
            }
        }
        if !neighbours[at].isCounted {
            neighbours[at].isCounted = true
            history.hear(rows, through: zones, own: own, now: now)
        }
        return review(now)
    }

    /// The minute is over, or news have waited for others: everybody is told.
    package mutating func tell(now: Now) -> [Nearer] {
        if now.uptime >= minuteAt {
            minuteAt = now.uptime + Self.minute
            // Another device of the zone may have counted just now.
            if now.uptime >= countedAt + Self.minute / 2 {
                origin &+= 1
                countedAt = now.uptime
            }
            // Who stays is met each hour.
            for neighbour in neighbours { rate.met(neighbour.device, now: now) }
        }
        let nearer = review(now)
        told = hops(now)
        newsAt = nil
        return nearer
    }

    /// What a neighbour is told: our zones, and what we reach without it. Ascending.
    package func rows(for device: DeviceID, now: Now) -> [ZoneReport] {
        let best = best(besides: device, now)
        return (0..<Self.zones).compactMap { number in
            let zone = ZoneHint(UInt8(number))
            if own.contains(zone) { return ZoneReport(zone: zone, likelihood: 255, hops: 0, origin: origin) }
            let met = history.likelihood(zone, now: now)
            let hops = best[number].hops
            guard hops != ZoneReport.noWay else {
                return met > 0 ? ZoneReport(zone: zone, likelihood: met, hops: ZoneReport.noWay, origin: 0) : nil
            }
            return ZoneReport(
                zone: zone, likelihood: max(met, Self.byHops[Int(hops)]), hops: hops, origin: best[number].origin)
        }
    }

    // MARK: Who is nearer

    /// By zone: the shortest way over a link, and the number of it.
    private func best(besides device: DeviceID? = nil, _ now: Now) -> [(hops: UInt8, origin: UInt16)] {
        var best = [(hops: UInt8, origin: UInt16)](repeating: (ZoneReport.noWay, 0), count: Self.zones)
        for neighbour in neighbours where neighbour.device != device {
            for way in neighbour.ways where way.isGood(now) {
                let zone = Int(way.row.zone.value)
                if way.row.hops + 1 < best[zone].hops { best[zone] = (way.row.hops + 1, way.row.origin) }
            }
        }
        return best
    }

    /// By zone: hops from here.
    private func hops(_ now: Now) -> [UInt8] {
        var hops = best(now).map(\.hops)
        for zone in 0..<Self.zones where own.contains(ZoneHint(UInt8(zone))) { hops[zone] = 0 }
        return hops
    }

    /// Looks again at who is nearer to what; neighbours are told soon when our own way has become another.
    private mutating func review(_ now: Now) -> [Nearer] {
        var found: [Nearer] = []
        let ours = hops(now)
        reached = ZoneSet(ours.indices.lazy.filter { ours[$0] != ZoneReport.noWay }.map { ZoneHint(UInt8($0)) })
        if ours != told, newsAt == nil { newsAt = now.uptime + Self.newsDelay }
        for at in neighbours.indices {
            var nearer = ZoneSet()
            for way in neighbours[at].ways where !own.contains(way.row.zone) {
                let zone = way.row.zone
                let isNearer: Bool
                if ours[Int(zone.value)] == ZoneReport.noWay {
                    isNearer =
                        Int(way.row.likelihood) > Int(history.likelihood(zone, now: now)) + Self.margin
                } else {
                    isNearer = way.isGood(now) && way.row.hops < ours[Int(zone.value)]
                }
                if isNearer { nearer.insert(zone) }
            }
            let before = neighbours[at].nearer
            neighbours[at].nearer = nearer
            if nearer != before { found.append((neighbours[at].device, nearer)) }
        }
        return found
    }
}
