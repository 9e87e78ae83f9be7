import CoveyControl
import CoveyCore
import CoveyCrypto
import CoveyNode
import Glibc
import Synchronization

@testable import CoveyUV

/// A driver on a thread of its own, with a control socket, so that a test can ask it and wait.
final class NodeThread: @unchecked Sendable {
    let path: String
    private let answer: ScriptedNode.Answer
    private let ready = Gate()
    private let failure = Mutex<(any Error)?>(nil)
    private var thread = pthread_t()

    /// Returns when the socket is open, or throws why it is not.
    init(at path: String, _ answer: @escaping ScriptedNode.Answer = { _, _, _ in }) throws {
        self.path = path
        self.answer = answer
        let own = Unmanaged.passRetained(self).toOpaque()
        precondition(pthread_create(&thread, nil, runNode, own) == 0, "the system has threads")
        ready.pass()
        if let failure = failure.withLock({ $0 }) {
            pthread_join(thread, nil)
            throw failure
        }
    }

    /// Asks the node to end, and waits until it has.
    func stop() throws {
        _ = try ControlClient(path: path).call(NodeStop())
        wait()
    }

    /// Waits until the node has ended.
    func wait() { pthread_join(thread, nil) }

    fileprivate func run() {
        do {
            let loop = try Loop()
            var configuration = Driver.Configuration(listen: [])
            configuration.multicast = .off
            let driver = Driver(
                ScriptedNode(answer), store: RecordingStore(), on: loop, configuration: configuration)
            try driver.start()
            do {
                try driver.openControl(at: path, version: "0.0-test", build: Octets32(Array(repeating: 7, count: 32)))
            } catch {
                driver.end()
                loop.run()
                throw error
            }
            ready.open()
            loop.run()
        } catch {
            failure.withLock { $0 = error }
            ready.open()
        }
    }
}

private func runNode(_ own: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    Unmanaged<NodeThread>.fromOpaque(own.unsafelyUnwrapped).takeRetainedValue().run()
    return nil
}

/// A directory that goes when the test is over.
final class Directory {
    let path: String

    init() throws {
        let place = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(place)/covey-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw StoreError.io(String(cString: strerror(errno))) }
        path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress.unsafelyUnwrapped) }
    }

    var socket: String { path + "/control.sock" }

    deinit {
        unlink(socket)
        rmdir(path)
    }
}

/// A client that sends what it is given, right or wrong, and reads lines.
final class RawClient {
    struct Closed: Error {}

    private let socket: Int32
    private var input: [UInt8] = []

    init(_ path: String) throws {
        socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        guard let address = UnixAddress(path), address.withSockaddr({ connect(socket, $0, $1) }) == 0 else {
            throw Closed()
        }
    }

    deinit { close(socket) }

    func send(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            bytes = bytes.dropFirst(count)
        }
    }

    /// The next line; throws when the other side closed.
    func line() throws -> String {
        while true {
            if let newline = input.firstIndex(of: UInt8(ascii: "\n")) {
                defer { input.removeSubrange(...newline) }
                return String(decoding: input[..<newline], as: UTF8.self)
            }
            var piece = [UInt8](repeating: 0, count: 65_536)
            let count = recv(socket, &piece, piece.count, 0)
            guard count > 0 else { throw Closed() }
            input += piece[..<count]
        }
    }
}
