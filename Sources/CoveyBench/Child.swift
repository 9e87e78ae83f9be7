import Glibc

/// A process of this program with a role. It is ended by its number, and waited for.
final class Child {
    let number: pid_t
    private var isEnded = false
    /// Nanoseconds of the monotonic clock when it was started.
    let started: UInt64

    /// - Parameter namespace: of the network, to live in; `ip` enters it and becomes the child.
    init(_ role: NodeRole, in namespace: String? = nil) throws {
        guard let program = Proc.link("/proc/self/exe") else { throw Complaint("cannot find this program's file") }
        let words = (namespace.map { ["ip", "netns", "exec", $0] } ?? []) + [program] + role.arguments
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        started = Stopwatch.now
        var number = pid_t()
        let code = posix_spawnp(&number, words[0], nil, nil, &arguments, environ)
        guard code == 0 else { throw Complaint("cannot start a node: \(String(cString: strerror(code)))") }
        self.number = number
    }

    /// Nanoseconds of processor time it has used so far.
    var processor: UInt64 {
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(number, &clock) == 0, clock_gettime(clock, &time) == 0 else { return 0 }
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Kilobytes of its memory that are in RAM.
    var resident: Int {
        let text = (try? Proc.text("/proc/\(number)/status")) ?? ""
        for line in text.split(separator: "\n") where line.hasPrefix("VmRSS:") {
            return line.split(separator: " ").compactMap { Int($0) }.first ?? 0
        }
        return 0
    }

    /// Whether it still runs.
    var runs: Bool {
        if isEnded { return false }
        var status: Int32 = 0
        if waitpid(number, &status, WNOHANG) == number { isEnded = true }
        return !isEnded
    }

    func end() {
        guard runs else { return }
        kill(number, SIGTERM)
        let limit = Stopwatch.now + 5_000_000_000
        while runs, Stopwatch.now < limit { usleep(1_000) }
        if runs { kill(number, SIGKILL) }
        while runs { usleep(1_000) }
    }

    deinit { end() }
}

/// Small files that the kernel makes up.
enum Proc {
    static func text(_ path: String) throws -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Complaint("cannot read \(path)") }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(file, &piece, piece.count)
            if count <= 0 { break }
            bytes += piece[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What a symbolic link names.
    static func link(_ path: String) -> String? {
        var bytes = [CChar](repeating: 0, count: 4096)
        let count = readlink(path, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
    }

    /// Whether the loopback interface is this program's alone, so that its counters count nothing else.
    static var hasOwnLoopback: Bool { link("/proc/self/ns/net") != link("/proc/1/ns/net") }

    /// Bytes that have passed the loopback interface; nil where others use it too.
    static var loopbackBytes: UInt64? {
        guard hasOwnLoopback, let text = try? text("/proc/self/net/dev") else { return nil }
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.first == "lo:", words.count > 1 { return UInt64(words[1]) }
        }
        return nil
    }
}
