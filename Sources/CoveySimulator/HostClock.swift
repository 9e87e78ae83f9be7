import CoveyCore

/// One host's clocks: uptime since its node started, and the wall clock, as functions of the world's time in µs.
struct HostClock {
    private var drift: Int64
    /// Since when it drifts so: time of the world, and the drifted time then.
    private var since: UInt64 = 0
    private var driftedSince: Int64 = 0
    private let hasRTC: Bool
    private let wake: Int64
    /// µs since 1970, less the drifted time of the world, of a clock with an RTC.
    private var base: Int64
    /// Drifted time of the world when the node started.
    private var boot: Int64 = 0
    /// Jumps since the start, of a clock without an RTC.
    private var jumped: Int64 = 0

    init(_ quality: ClockQuality, origin: Int64) {
        drift = Int64(quality.drift)
        hasRTC = quality.hasRTC
        wake = quality.wake * 1_000_000
        base = origin + quality.skew.signedMicroseconds
    }

    private func drifted(_ time: UInt64) -> Int64 {
        let time = Int64(clamping: time) - Int64(since)
        return driftedSince
            + (drift == 0 ? time : time + time / 1_000_000 * drift + time % 1_000_000 * drift / 1_000_000)
    }

    mutating func start(at time: UInt64) {
        boot = drifted(time)
        jumped = 0
    }

    /// Goes on from what it shows, faster or slower than it did.
    mutating func drift(by partsPerMillion: Int, from time: UInt64) {
        driftedSince = drifted(time)
        since = time
        drift = Int64(partsPerMillion)
    }

    mutating func jump(by microseconds: Int64) {
        if hasRTC { base += microseconds } else { jumped += microseconds }
    }

    func now(_ time: UInt64) -> Now {
        let drifted = drifted(time)
        let uptime = drifted - boot
        return Now(uptime: UInt64(uptime), wall: hasRTC ? base + drifted : wake + uptime + jumped)
    }

    /// The earliest time of the world at which uptime is `uptime` or more.
    func time(of uptime: UInt64) -> UInt64 {
        guard uptime < UInt64(Int64.max / 4) else { return .max / 4 }
        let target = Int64(uptime) + boot - driftedSince
        // What was due before it changed its speed is due then.
        if target <= 0 { return since }
        if drift == 0 { return since + UInt64(target) }
        let speed = 1_000_000 + drift
        var time = since + UInt64(max(0, target / speed * 1_000_000 + target % speed * 1_000_000 / speed - 2))
        while drifted(time) < target + driftedSince { time += 1 }
        return time
    }
}
