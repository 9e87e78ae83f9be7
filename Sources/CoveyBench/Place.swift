import CoveyCore
import CoveyNode
import Glibc

/// A directory for one measure, its board, and the nodes that live in it; all gone at its end.
///
/// Made under `STATE_DIR`, which names the disk to test, else under `TMPDIR`.
final class Place {
    let path: String
    let board: Board
    let founded: Minute
    private let devices: Int
    private var children: [Child] = []

    init(devices: Int) throws {
        let base = [getenv("STATE_DIR"), getenv("TMPDIR")].compactMap(\.self).first.map { String(cString: $0) }
        var template = Array("\(base ?? "/tmp")/covey-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Complaint("cannot make a directory in \(base ?? "/tmp")") }
        path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress.unsafelyUnwrapped) }
        board = try Board(path + "/board")
        founded = Minute(wall: Int64(time(nil)) * 1_000_000)
        self.devices = devices
    }

    func role(_ device: Int, _ change: (inout NodeRole) -> Void = { _ in }) -> NodeRole {
        var role = NodeRole(directory: path, founded: founded, devices: devices, device: device)
        change(&role)
        return role
    }

    func start(_ role: NodeRole, in namespace: String? = nil) throws -> Child {
        let child = try Child(role, in: namespace)
        children.append(child)
        return child
    }

    /// Starts a node and waits until it listens; the port it has.
    func listen(_ role: NodeRole) throws -> (child: Child, port: UInt16) {
        board[.port] = 0
        let child = try start(role)
        try wait("a node listens") { board[.port] != 0 }
        return (child, UInt16(board[.port]))
    }

    /// Looks every millisecond; gives up when a child has died or it takes too long.
    func wait(_ what: String, seconds: UInt64 = 60, until isThere: () -> Bool) throws {
        let limit = Stopwatch.now + seconds * 1_000_000_000
        while !isThere() {
            guard Stopwatch.now < limit else { throw Complaint("waited \(seconds) s in vain: \(what)") }
            guard children.allSatisfy(\.runs) else { throw Complaint("a node died before this: \(what)") }
            usleep(1_000)
        }
    }

    deinit {
        for child in children { child.end() }
        removeTree(path)
    }
}

private func removeTree(_ path: String) {
    if let stream = opendir(path) {
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { removeTree(path + "/" + name) }
        }
        closedir(stream)
    }
    remove(path)
}
