import CUV
import CoveyControl
import CoveyCrypto
import CoveyNode
import Glibc

/// The unix socket on which the node's owner asks it things (surface.md, control API).
final class ControlSocket {
    let version: VersionResult
    /// What epoch keys are sealed to on their way in.
    let receiver = AgreementPrivateKey(from: SystemRandom())
    unowned let driver: Driver
    private let path: String
    private let loop: Loop
    private var handle: Handle<uv_pipe_t>?
    /// In the order in which they came.
    private var sessions: [ControlSession] = []

    /// Throws `DriverFailure`; nothing is left at the path then.
    init(at path: String, version: VersionResult, driver: Driver, on loop: Loop) throws {
        self.path = path
        self.version = version
        self.driver = driver
        self.loop = loop
        guard path.utf8.count <= UnixAddress.longestPath else {
            throw DriverFailure(
                .cannotCreate,
                "the path of the control socket has \(path.utf8.count) bytes, and the system takes "
                    + "\(UnixAddress.longestPath): \(path); choose a shorter one with --control")
        }
        try Self.clear(path)
        let handle = try Handle(holding: self) { uv_pipe_init(loop.raw, $0, 0) }
        self.handle = handle
        do {
            try UVError.check(uv_pipe_bind(handle.raw, path))
            // Nobody can connect before it listens, so the mode is right in time, whatever the process's umask.
            guard chmod(path, 0o600) == 0 else { throw UVError(-errno) }
            try UVError.check(uv_listen(handle.stream, Bounds.listenBacklog, clientCame))
        } catch {
            close()
            throw Self.cannotListen(path, error)
        }
    }

    private static func cannotListen(_ path: String, _ cause: any Error) -> DriverFailure {
        guard let cause = cause as? UVError else { return DriverFailure(.system, "\(cause)") }
        switch cause {
        // libuv says "permission" also where the directory does not exist.
        case .permission where access(dirname(of: path), F_OK) != 0:
            return DriverFailure(
                .cannotCreate, "cannot listen at \(path): there is no such directory; choose another with --control")
        case .permission:
            return DriverFailure(
                .permission, "cannot listen at \(path): not allowed to write there; choose another with --control")
        case .addressInUse: return inUse(path)
        default: return DriverFailure(.cannotCreate, "cannot listen at \(path): \(cause)")
        }
    }

    private static func dirname(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    }

    private static func inUse(_ path: String) -> DriverFailure {
        DriverFailure(.alreadyRunning, "another node answers at \(path); stop it, or choose another with --control")
    }

    /// Takes away what a node that was killed left, and only that.
    private static func clear(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK, let address = UnixAddress(path) else {
            throw DriverFailure(
                .cannotCreate, "\(path) is there and is no socket; move it away, or choose another with --control")
        }
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        defer { Glibc.close(probe) }
        let answer = address.withSockaddr { connect(probe, $0, $1) }
        let cause = errno
        guard answer != 0, cause == ECONNREFUSED else {
            if answer == 0 || cause == EAGAIN { throw inUse(path) }
            if cause == ENOENT { return }
            throw DriverFailure(
                cause == EACCES ? .permission : .cannotCreate,
                "cannot tell whether a node answers at \(path): \(String(cString: strerror(cause)))")
        }
        guard unlink(path) == 0 || errno == ENOENT else {
            throw DriverFailure(
                .permission, "cannot remove the old socket \(path): \(String(cString: strerror(errno)))")
        }
    }

    /// Takes the socket away and closes all clients, after what was sent to them and a word for what they await.
    func close() {
        handle?.close()
        handle = nil
        for session in sessions { session.end() }
        sessions = []
    }

    func forget(_ session: ControlSession) { sessions.removeAll { $0 === session } }

    func observe(_ observation: Observation) {
        if sessions.isEmpty { return }
        if case .delivered(let message) = observation {
            for session in sessions { session.deliver(message) }
        }
        guard sessions.contains(where: \.wantsEvents) else { return }
        let event = EventEntry(observation, at: driver.clock.now.asTime)
        for session in sessions where session.wantsEvents { session.notify(.event(event)) }
    }

    fileprivate func accept() {
        guard let handle, let stream = try? ByteStream.pipe(on: loop) else { return }
        guard uv_accept(handle.stream, stream.raw) == 0 else { return stream.abort() }
        guard let user = Self.peer(of: stream), Self.mayAsk(user, of: geteuid()) else {
            return refuse(
                stream, ControlError(.policy, "only the node's own user may ask it", hint: "run this as that user"))
        }
        guard sessions.count < Bounds.controlClients else {
            return refuse(
                stream,
                ControlError(
                    .unavailable, "\(Bounds.controlClients) clients are connected", hint: "close one, or try later"))
        }
        sessions.append(ControlSession(stream, of: self))
    }

    private func refuse(_ stream: ByteStream, _ error: ControlError) {
        if let line = try? ControlLine.failure(error, id: .null) { stream.send(line) }
        stream.close(awaitsEnd: false)
    }

    static func mayAsk(_ user: uid_t, of own: uid_t) -> Bool { user == own || user == 0 }

    /// The user at the other end, as the kernel saw it when it connected.
    private static func peer(of stream: ByteStream) -> uid_t? {
        var socket: uv_os_fd_t = -1
        let base = UnsafeMutableRawPointer(stream.raw).assumingMemoryBound(to: uv_handle_t.self)
        guard uv_fileno(base, &socket) == 0 else { return nil }
        // struct ucred: pid, uid, gid.
        var credentials: [UInt32] = [0, .max, .max]
        var length = socklen_t(12)
        guard getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0, length == 12 else { return nil }
        return credentials[1]
    }
}

private func clientCame(_ listener: UnsafeMutablePointer<uv_stream_t>?, _ code: Int32) {
    guard code == 0 else { return }
    owner(of: listener.unsafelyUnwrapped.pointee.data, as: ControlSocket.self).accept()
}
