import CoveyNode
import Glibc

/// A node's directory, held by this process alone.
///
///     home/ 0700
///       device.key 0600   mesh   store.sqlite   segments/   control.sock 0600   lock
///
/// The lock is the kernel's (flock): it goes with the process, however it ends.
package final class HomeDirectory {
    /// Why the directory cannot be used. Each says what to do next.
    package enum Failure: Error, Equatable, CustomStringConvertible {
        /// Another process runs on it; its number, when the file tells.
        case running(pid: Int32?)
        /// Others may read or write it; the mode it has.
        case exposed(String, mode: UInt32)
        case foreign(String)
        case io(String)

        package var description: String {
            switch self {
            case .running(let pid?): "already running, pid \(pid)"
            case .running(nil): "already running"
            case .exposed(let path, let mode):
                "\(path) is open to others (mode \(String(mode, radix: 8))): chmod 700 \(path)"
            case .foreign(let path): "\(path) belongs to another user: choose a directory of your own"
            case .io(let text): text
            }
        }
    }

    package let path: String
    private let lock: File

    package var deviceKey: String { path + "/device.key" }
    package var mesh: String { path + "/mesh" }
    package var control: String { path + "/control.sock" }

    /// Makes the directory if need be, and takes the lock.
    package init(_ path: String) throws {
        self.path = path
        do {
            try Self.makeAll(path)
            try Self.check(path)
            lock = try File(path + "/lock", O_RDWR | O_CREAT)
            guard flock(lock.descriptor, LOCK_EX | LOCK_NB) == 0 else {
                guard errno == EWOULDBLOCK else { throw StoreError(errno: errno, "lock", lock.name) }
                let text = String(decoding: try lock.read(16, at: 0), as: UTF8.self)
                throw Failure.running(pid: text.split(separator: "\n").first.flatMap { Int32($0) })
            }
            let pid = Array("\(getpid())\n".utf8)
            try lock.truncate(to: 0)
            try pid.withUnsafeBytes { try lock.write($0, at: 0) }
        } catch StoreError.io(let text) {
            throw Failure.io(text)
        }
    }

    /// Not by closing alone: a process that was started meanwhile may still have the descriptor, until it runs its program.
    deinit { _ = flock(lock.descriptor, LOCK_UN) }

    private static func makeAll(_ path: String) throws {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/" + part
            try Directory.make(made)
        }
    }

    private static func check(_ path: String) throws {
        let status = try File(path, O_RDONLY | O_DIRECTORY).status()
        guard status.st_uid == geteuid() else { throw Failure.foreign(path) }
        guard status.st_mode & 0o077 == 0 else { throw Failure.exposed(path, mode: status.st_mode & 0o777) }
    }
}
