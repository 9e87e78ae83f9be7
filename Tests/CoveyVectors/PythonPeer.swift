internal import Glibc
package import Testing

/// The pipe to a peer broke or stayed silent, and what was wanted of it.
package struct PeerLost: Error {
    package var wanted: String
}

/// A process of `Tests/Interop/peer.py`: other people's implementations, over one local pair of sockets.
package final class PythonPeer {
    private static let folder = Shared.packageRoot + "/.build/interop"
    private static let requirements = "/Tests/Interop/requirements.txt"
    /// Milliseconds that an answer may take. The first waits for Python to load its libraries.
    private static let patience: Int32 = 60_000

    /// `make interop-setup` ran, with the packages that are asked for now.
    package static let isPresent: Bool = {
        guard access(folder + "/bin/python", X_OK) == 0 else { return false }
        let wanted = try? VectorFile(path: Shared.packageRoot + requirements).bytes()
        let present = try? VectorFile(path: folder + "/requirements.txt").bytes()
        return wanted != nil && wanted == present
    }()

    private let pid: pid_t
    private let pipe: Int32
    private var unread: [UInt8] = []

    /// - Parameter mode: what the peer is to be: `link` or `kem`.
    package init(_ mode: String) {
        var ends: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { fatalError("a test can make a pair of sockets") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        for standard: Int32 in [0, 1] { posix_spawn_file_actions_adddup2(&actions, ends[1], standard) }
        // -I: nothing of the user's own Python, and no folder but the library's.
        let words = [Self.folder + "/bin/python", "-I", Shared.packageRoot + "/Tests/Interop/peer.py", mode]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        var pid: pid_t = 0
        let status = posix_spawn(&pid, words[0], &actions, nil, &arguments, environ)
        posix_spawn_file_actions_destroy(&actions)
        for argument in arguments { free(argument) }
        close(ends[1])
        guard status == 0 else { fatalError("\(words[0]) starts: \(String(cString: strerror(status)))") }
        self.pid = pid
        pipe = ends[0]
    }

    /// The peer ends when its input does.
    deinit {
        close(pipe)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    }

    package func write(_ bytes: [UInt8]) throws {
        var at = 0
        while at < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(pipe, $0.baseAddress! + at, $0.count - at, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw PeerLost(wanted: "to write \(bytes.count) bytes") }
            at += count
        }
    }

    /// Exactly `count` bytes.
    package func read(_ count: Int) throws -> [UInt8] {
        while unread.count < count { try readSome(wanting: "\(count) bytes") }
        defer { unread.removeFirst(count) }
        return Array(unread[..<count])
    }

    /// Sends one line of JSON. Names and values are plain: no quotes and no controls.
    package func tell(_ fields: KeyValuePairs<String, String>) throws {
        let members = fields.map { "\"\($0.key)\": \"\($0.value)\"" }
        try write(Array("{\(members.joined(separator: ", "))}\n".utf8))
    }

    /// One line of JSON for the other.
    package func ask(_ fields: KeyValuePairs<String, String>) throws -> JSON {
        try tell(fields)
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) { return try JSONParser.parse(try read(end + 1)) }
            try readSome(wanting: "a line")
        }
    }

    private func readSome(wanting wanted: String) throws {
        var waiting = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
        let ready = poll(&waiting, 1, Self.patience)
        if ready < 0, errno == EINTR { return }
        guard ready == 1 else { throw PeerLost(wanted: wanted) }
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = recv(pipe, &chunk, chunk.count, 0)
        if count < 0, errno == EINTR { return }
        guard count > 0 else { throw PeerLost(wanted: wanted) }
        unread += chunk[..<count]
    }
}

extension Trait where Self == ConditionTrait {
    /// The test is skipped, and says so, where the Python packages of Tests/Interop have not been set up.
    package static var needsPython: Self {
        .enabled(
            if: PythonPeer.isPresent,
            "no Python peer in .build/interop; `make interop-setup` makes one, with python3, its venv and PyPI")
    }
}
