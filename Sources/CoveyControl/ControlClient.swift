import FoundationEssentials
import Glibc

/// Asks a node over its control socket, and waits for the answer. Used from one thread.
package final class ControlClient {
    private let socket: Int32
    /// Milliseconds an answer may take.
    private let patience: Int
    private var lastID: Int64 = 0
    private var input: [UInt8] = []
    /// Where in `input` no newline was found yet.
    private var searched = 0
    /// Came while an answer was awaited.
    private var notifications: [ControlNotification] = []

    package init(path: String, patience: Int = 10_000) throws(ControlClientError) {
        self.patience = patience
        guard let address = UnixAddress(path) else { throw .pathTooLong(path) }
        socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw .system(String(cString: strerror(errno))) }
        guard address.withSockaddr({ connect(socket, $0, $1) }) == 0 else {
            let cause = errno
            close(socket)
            switch cause {
            case ENOENT, ECONNREFUSED, ENOTDIR: throw .noNode(path)
            case EACCES, EPERM: throw .permission(path)
            default: throw .system(String(cString: strerror(cause)))
            }
        }
    }

    deinit { close(socket) }

    /// The result, or a `ControlError` when the node refuses, or a `ControlClientError`.
    package func call<Request: ControlRequest>(_ request: Request) throws -> Request.Result {
        lastID += 1
        let id = RequestID.number(lastID)
        let line = try ControlLine.request(request, id: id)
        guard line.count <= ControlLine.longest + 1 else {
            throw ControlError(
                .bounds, "the request is longer than \(ControlLine.longest) bytes", hint: "send less at once")
        }
        try send(line)
        while true {
            guard let line = try nextLine(within: patience) else {
                throw ControlClientError.timedOut(seconds: patience / 1_000)
            }
            let head = try read(Head.self, line)
            if head.method != nil {
                notifications.append(try notification(head, line))
            } else if let error = head.error {
                // An answer without an id is to a line the node could not read, and ours is the only one.
                throw error
            } else if head.id == id {
                return try read(Answer<Request.Result>.self, line).result
            }
        }
    }

    /// The next notification of a subscription; nil when none came within the milliseconds. Without, waits for ever.
    package func nextNotification(within milliseconds: Int? = nil) throws -> ControlNotification? {
        if !notifications.isEmpty { return notifications.removeFirst() }
        while let line = try nextLine(within: milliseconds) {
            let head = try read(Head.self, line)
            if head.method != nil { return try notification(head, line) }
        }
        return nil
    }

    private struct Head: Decodable {
        var id: RequestID?
        var method: String?
        var error: ControlError?
    }

    private struct Answer<Result: Decodable>: Decodable { var result: Result }
    private struct Note<Parameters: Decodable>: Decodable { var params: Parameters }

    private func read<Value: Decodable>(_ type: Value.Type, _ line: [UInt8]) throws(ControlClientError) -> Value {
        do { return try JSONDecoder().decode(type, from: Data(line)) } catch { throw .garbled }
    }

    private func notification(_ head: Head, _ line: [UInt8]) throws(ControlClientError) -> ControlNotification {
        switch head.method {
        case ControlNotification.names[0]: .message(try read(Note<InboxEntry>.self, line).params)
        case ControlNotification.names[1]: .event(try read(Note<EventEntry>.self, line).params)
        case ControlNotification.names[2]: .dropped(try read(Note<DroppedNotice>.self, line).params)
        default: throw .garbled
        }
    }

    /// Returns also when the node has closed: what it said before, or that it said nothing, is found where its answer is read.
    private func send(_ line: [UInt8]) throws(ControlClientError) {
        var sent = 0
        while sent < line.count {
            let count = line.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress?.advanced(by: sent), line.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
            } else if errno != EINTR {
                if errno == EPIPE || errno == ECONNRESET { return }
                throw .system(String(cString: strerror(errno)))
            }
        }
    }

    /// Nil when the time is over before a whole line is there.
    private func nextLine(within milliseconds: Int?) throws(ControlClientError) -> [UInt8]? {
        let end = milliseconds.map { Self.now() + $0 }
        while true {
            if let newline = input[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(input[..<newline])
                input.removeSubrange(...newline)
                searched = 0
                return line
            }
            searched = input.count
            guard input.count <= ControlLine.longest else { throw .garbled }
            var waiting = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waiting, 1, end.map { Int32(clamping: max(0, $0 - Self.now())) } ?? -1)
            if ready == 0 { return nil }
            if ready < 0 {
                if errno == EINTR { continue }
                throw .system(String(cString: strerror(errno)))
            }
            var piece = [UInt8](repeating: 0, count: 65_536)
            let count = recv(socket, &piece, piece.count, 0)
            if count > 0 {
                input += piece[..<count]
            } else if count == 0 || errno == ECONNRESET {
                throw .closed
            } else if errno != EINTR {
                throw .system(String(cString: strerror(errno)))
            }
        }
    }

    /// Milliseconds of a clock that never goes back.
    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
    }
}
