import Glibc

/// What this process has used of the machine.
enum Usage {
    /// Seconds of processor time, in user and kernel mode, all threads.
    static var processor: Double {
        let usage = resources
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    /// The most memory that was ever resident, KiB.
    static var peakMemory: Int { resources.ru_maxrss }

    private static var resources: rusage {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000 }
}
