import CoveyCore
import Glibc

/// Milliseconds since it was started.
struct Stopwatch {
    private let start = Stopwatch.read()

    var milliseconds: Int { Self.read() - start }

    /// `10.0`, in seconds.
    var seconds: String {
        let tenths = (milliseconds + 50) / 100
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func read() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}

extension Minute {
    /// As the machine's clock says.
    static var current: Minute {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Minute(wall: Int64(time.tv_sec) * 1_000_000)
    }
}
