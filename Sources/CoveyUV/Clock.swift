package import CoveyCore
import Glibc

/// Where the driver reads the time it tells the node.
package struct Clock {
    /// Microseconds since some moment before the run; counts while the machine sleeps, and never goes back.
    package var uptime: () -> UInt64
    /// Microseconds since 1970 as the machine believes.
    package var wall: () -> Int64

    /// Microseconds the machine has slept since some moment.
    package var slept: () -> UInt64

    package init(
        uptime: @escaping () -> UInt64, wall: @escaping () -> Int64, slept: @escaping () -> UInt64 = { 0 }
    ) {
        self.uptime = uptime
        self.wall = wall
        self.slept = slept
    }

    /// The machine's clocks; uptime begins now.
    package static func system() -> Clock {
        let start = microseconds(of: CLOCK_BOOTTIME)
        return Clock(
            uptime: { UInt64(microseconds(of: CLOCK_BOOTTIME) - start) },
            wall: { microseconds(of: CLOCK_REALTIME) },
            slept: { UInt64(max(0, microseconds(of: CLOCK_BOOTTIME) - microseconds(of: CLOCK_MONOTONIC))) })
    }

    package var now: Now { Now(uptime: uptime(), wall: wall()) }

    private static func microseconds(of clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}
