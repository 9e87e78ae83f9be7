import Glibc

/// Times of this machine that all its processes share.
enum Stopwatch {
    /// Nanoseconds of the monotonic clock.
    static var now: UInt64 { nanoseconds(CLOCK_MONOTONIC) }

    /// Nanoseconds of processor time this process has used, in user and kernel mode, all threads.
    static var processor: UInt64 { nanoseconds(CLOCK_PROCESS_CPUTIME_ID) }

    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Microseconds one call of `body` takes, over about 0.4 s.
    static func microseconds(_ body: () -> Void) -> Double {
        for _ in 0..<20 { body() }
        var calls = 0
        let start = now
        var end = start
        repeat {
            for _ in 0..<20 { body() }
            calls += 20
            end = now
        } while end - start < 400_000_000
        return Double(end - start) / 1_000 / Double(calls)
    }
}
