import CoveyCore

/// How likely this node meets a zone, by its meetings (sync-routing.md §3.3; the form of PRoPHETv2, RFC 6693 §2.1.2).
///
///     meeting a device of it            p += (1 − p) · 0.5 · min(1, since the last one / 1800 s)
///     a neighbour of zone m tells p'    p  = max(p, 0.9 · p(m) · p')
///     each 30 s                         p *= 0.99989
///
/// Only products of doubles: all machines get the same numbers.
struct ZoneHistory: Sendable {
    private static let stepLength: UInt64 = 30_000_000
    private static let wholeMeeting = 1800.0
    /// 0.99989 to the powers of 2: 1, 2, 4 and so on steps.
    private static let ageing: [Double] = {
        var powers = [0.99989]
        while powers.count < 24 { powers.append(powers[powers.count - 1] * powers[powers.count - 1]) }
        return powers
    }()

    private struct Entry: Sendable {
        let zone: UInt8
        /// As of `step`.
        var value: Double
        var step: UInt64
        /// Microseconds of uptime; nil when only neighbours spoke of it.
        var metAt: UInt64?
    }

    /// Ascending.
    private var entries: [Entry] = []

    /// Of 255.
    func likelihood(_ zone: ZoneHint, now: Now) -> UInt8 { UInt8((value(zone.value, now) * 255).rounded()) }

    mutating func meet(_ zones: ZoneSet, now: Now) {
        for number in 0..<255 as Range<UInt8> where zones.contains(ZoneHint(number)) {
            let at = place(number, now)
            let share = entries[at].metAt.map {
                min(1, Double(now.uptime - $0) / 1_000_000 / Self.wholeMeeting)
            }
            entries[at].value += (1 - entries[at].value) * 0.5 * (share ?? 1)
            entries[at].metAt = now.uptime
        }
    }

    /// - Parameter zones: of the neighbour that tells.
    mutating func hear(_ rows: [ZoneReport], through zones: ZoneSet, own: ZoneSet, now: Now) {
        let through = (0..<255 as Range<UInt8>).reduce(0.0) { best, number in
            zones.contains(ZoneHint(number)) ? max(best, value(number, now)) : best
        }
        guard through > 0 else { return }
        for row in rows where !own.contains(row.zone) && !zones.contains(row.zone) {
            let heard = 0.9 * through * Double(row.likelihood) / 255
            guard heard > value(row.zone.value, now) else { continue }
            let at = place(row.zone.value, now)
            entries[at].value = heard
        }
    }

    private func value(_ zone: UInt8, _ now: Now) -> Double {
        let at = entries.partitioningIndex { $0.zone >= zone }
        guard at < entries.count, entries[at].zone == zone else { return 0 }
        let entry = entries[at]
        return entry.value * Self.factor(now.uptime / Self.stepLength - entry.step)
    }

    private static func factor(_ steps: UInt64) -> Double {
        guard steps >> UInt64(ageing.count) == 0 else { return 0 }
        var factor = 1.0
        for (bit, power) in ageing.enumerated() where steps >> UInt64(bit) & 1 == 1 { factor *= power }
        return factor
    }

    /// The zone's entry, as of now.
    private mutating func place(_ zone: UInt8, _ now: Now) -> Int {
        let step = now.uptime / Self.stepLength
        let at = entries.partitioningIndex { $0.zone >= zone }
        if at == entries.count || entries[at].zone != zone {
            entries.insert(Entry(zone: zone, value: 0, step: step, metAt: nil), at: at)
        } else {
            entries[at].value *= Self.factor(step - entries[at].step)
            entries[at].step = step
        }
        return at
    }
}

/// Different neighbours that are met in an hour, the mean of about a day.
struct ContactRate: Sendable {
    private static let hour: UInt64 = 3_600_000_000
    /// Hours of the mean.
    private static let memory = 24.0
    /// Beyond, more say nothing new.
    private static let most = 256

    private var startedAt: UInt64
    private var met: [DeviceID] = []
    private var mean: Double?

    init(now: Now) { startedAt = now.uptime }

    var perHour: Double { mean ?? Double(met.count) }

    mutating func met(_ device: DeviceID, now: Now) {
        while now.uptime >= startedAt + Self.hour {
            let count = Double(met.count)
            mean = mean.map { $0 + (count - $0) / Self.memory } ?? count
            met = []
            let passed = (now.uptime - startedAt) / Self.hour
            startedAt += Self.hour
            // A long silence need not be walked hour by hour.
            if passed > 1000 {
                mean = 0
                startedAt = now.uptime
            }
        }
        if met.count < Self.most, !met.contains(device) { met.append(device) }
    }
}
