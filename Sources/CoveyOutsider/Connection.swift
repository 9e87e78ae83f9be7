import CoveyCore
import CoveyCrypto
import Glibc

/// A TCP connection, blocking and with a deadline for every wait. Closed when the last holder lets go.
final class Connection {
    enum Arrival: Equatable {
        case bytes([UInt8])
        /// By the other side, with or without a reset.
        case closed
        /// Nothing came in time.
        case silence
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String

        init(_ what: String, _ code: Int32 = errno) { description = "\(what): \(String(cString: strerror(code)))" }
    }

    private enum Bounds {
        /// Bytes read at once.
        static let piece = 65_536
    }

    private let descriptor: Int32

    /// Takes a connected socket.
    init(adopting descriptor: Int32) { self.descriptor = descriptor }

    init(to address: SocketAddress) throws {
        let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard made >= 0 else { throw Failure("cannot make a socket") }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = address.port.bigEndian
        name.sin_addr = in_addr(
            s_addr: address.host.withSpan { $0.unsafeLoadUnaligned(fromByteOffset: 12, as: UInt32.self) })
        let status = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(made, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            let failure = Failure("cannot connect to \(address)")
            close(made)
            throw failure
        }
        descriptor = made
    }

    deinit { close(descriptor) }

    /// False when the other side has closed.
    func send(_ bytes: [UInt8]) throws -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + done, $0.count - done, Int32(MSG_NOSIGNAL))
            }
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EPIPE || errno == ECONNRESET { return false }
                throw Failure("cannot send")
            }
            done += count
        }
        return true
    }

    /// Waits at most `milliseconds` for the next bytes.
    func receive(within milliseconds: Int) throws -> Arrival {
        let watch = Stopwatch()
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while true {
            let ready = poll(&waiting, 1, Int32(max(0, milliseconds - watch.milliseconds)))
            if ready == 0 { return .silence }
            if ready > 0 { break }
            guard errno == EINTR else { throw Failure("cannot wait") }
        }
        var piece = [UInt8](repeating: 0, count: Bounds.piece)
        while true {
            let count = piece.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
            if count > 0 { return .bytes(Array(piece[..<count])) }
            if count == 0 || errno == ECONNRESET { return .closed }
            guard errno == EINTR else { throw Failure("cannot receive") }
        }
    }
}
