import Glibc

/// The test's own process beside it, whose lines are read as they come.
final class Child {
    private let pid: pid_t
    private let output: Int32
    private var buffer: [UInt8] = []

    /// The executable stands beside the one that runs the tests.
    init(_ words: [String]) {
        var own = [UInt8](repeating: 0, count: 4096)
        let length = own.withUnsafeMutableBytes {
            readlink("/proc/self/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        let path = String(decoding: own.prefix(max(length, 0)), as: UTF8.self)
        let child = String(path[...path.lastIndex(of: "/")!]) + "CoveyStoreChild"

        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { fatalError("a test can make a pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        var arguments: [UnsafeMutablePointer<CChar>?] = ([child] + words).map { strdup($0) }
        arguments.append(nil)
        var pid: pid_t = 0
        let status = posix_spawn(&pid, child, &actions, nil, &arguments, environ)
        posix_spawn_file_actions_destroy(&actions)
        for argument in arguments { free(argument) }
        close(ends[1])
        guard status == 0 else { fatalError("\(child) starts: \(String(cString: strerror(status)))") }
        self.pid = pid
        output = ends[0]
    }

    deinit { close(output) }

    /// The next line; nil at the end.
    func line() -> String? {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: buffer[..<end], as: UTF8.self)
                buffer.removeFirst(end + 1)
                return line
            }
            var chunk = [UInt8](repeating: 0, count: 4096)
            let count = read(output, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            buffer += chunk[..<count]
        }
    }

    /// Ends it at once, wherever it is.
    func kill() {
        _ = Glibc.kill(pid, SIGKILL)
        wait()
    }

    func wait() {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    }
}
