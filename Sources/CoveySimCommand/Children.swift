import Glibc

/// Runs commands as processes of their own, some at a time. A run that traps is a run that failed, and takes no other
/// with it.
struct Children {
    /// How one ended.
    enum End: Hashable {
        case exited(Int32)
        case signalled(Int32)
    }

    /// The processors that may be used.
    static var processors: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    private var running: [(pid: pid_t, index: Int)] = []

    /// Runs all, at most `atOnce` together, and tells of each end as it comes. All are ended, whatever `ended` throws.
    ///
    /// - Parameters:
    ///   - arguments: of one run: the program's own arguments, without its name.
    ///   - output: a path that takes what the run writes to standard output and standard error.
    ///   - mayStart: whether another one is begun; when not, those that are on their way are waited for.
    static func run(
        count: Int, atOnce: Int, arguments: (Int) -> [String], output: (Int) -> String,
        mayStart: () -> Bool = { true }, ended: (Int, End) throws -> Void
    ) throws {
        var children = Children()
        defer { children.end() }
        var next = 0
        while true {
            while next < count, children.running.count < max(1, atOnce), mayStart() {
                try children.start(next, arguments(next), output: output(next))
                next += 1
            }
            if children.running.isEmpty { return }
            let (index, end) = try children.wait()
            try ended(index, end)
        }
    }

    private mutating func start(_ index: Int, _ arguments: [String], output: String) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        let program = "/proc/self/exe"
        var words: [UnsafeMutablePointer<CChar>?] = ([CommandLine.arguments[0]] + arguments).map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        let status = posix_spawn(&pid, program, &actions, nil, words, environ)
        guard status == 0 else { throw ChildrenError.cannotStart(String(cString: strerror(status))) }
        running.append((pid, index))
    }

    private mutating func wait() throws -> (Int, End) {
        while true {
            var status: Int32 = 0
            let pid = waitpid(-1, &status, 0)
            if pid < 0 {
                if errno == EINTR { continue }
                throw ChildrenError.lost(String(cString: strerror(errno)))
            }
            guard let at = running.firstIndex(where: { $0.pid == pid }) else { continue }
            let index = running.remove(at: at).index
            let signal = status & 0x7f
            return (index, signal == 0 ? .exited(status >> 8 & 0xff) : .signalled(signal))
        }
    }

    /// Nothing that was started is left.
    private mutating func end() {
        for child in running { kill(child.pid, SIGKILL) }
        for child in running {
            var status: Int32 = 0
            while waitpid(child.pid, &status, 0) < 0, errno == EINTR {}
        }
        running.removeAll()
    }
}

enum ChildrenError: Error, CustomStringConvertible {
    case cannotStart(String)
    case lost(String)

    var description: String {
        switch self {
        case .cannotStart(let cause): "cannot start a run: \(cause)"
        case .lost(let cause): "lost sight of a run: \(cause)"
        }
    }
}
