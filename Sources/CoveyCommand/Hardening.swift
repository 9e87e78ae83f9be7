import Glibc

/// What keeps the memory of a process that holds keys from other eyes.
enum Hardening {
    /// No core file, and no other process of the same user may read the memory.
    static func protectSecrets() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        _ = processControl(setDumpable, 0, 0, 0, 0)
    }

    /// Why keys may be written to swap space; nil when they may not.
    static var swapWarning: String? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit) == 0, limit.rlim_cur < leastLocked
        else {
            return nil
        }
        return
            "keys may be written to swap space: only \(limit.rlim_cur >> 10) KiB may be locked; raise it with ulimit -l"
    }

    /// Bytes that the arenas of secrets lock.
    private static let leastLocked: rlim_t = 1 << 20
}

/// `PR_SET_DUMPABLE` of `sys/prctl.h`.
private let setDumpable: CInt = 4

// Glibc's module map has no `sys/prctl.h`.
@_silgen_name("prctl")
private func processControl(_ option: CInt, _: CUnsignedLong, _: CUnsignedLong, _: CUnsignedLong, _: CUnsignedLong)
    -> CInt
