import CUV
package import CoveyCore

/// An address to listen on. Port 0 lets the system choose.
package struct ListenAddress: Hashable, Sendable {
    package var address: SocketAddress
    /// Answers also those who heard no beacon (sync-routing.md §1.3).
    package var isStatic: Bool

    package init(_ address: SocketAddress, isStatic: Bool = false) {
        self.address = address
        self.isStatic = isStatic
    }
}

/// Accepts TCP connections at one address.
final class TCPListener {
    let isStatic: Bool
    /// With the port the system chose, if it did.
    private(set) var address: SocketAddress
    fileprivate var accepted: ((ByteStream, SocketAddress) -> Void)?
    private var handle: Handle<uv_tcp_t>?
    private let loop: Loop

    init(
        at listen: ListenAddress, on loop: Loop, accepted: @escaping (ByteStream, SocketAddress) -> Void
    ) throws {
        isStatic = listen.isStatic
        address = listen.address
        self.loop = loop
        self.accepted = accepted
        let handle = try Handle(holding: self) { uv_tcp_init(loop.raw, $0) }
        self.handle = handle
        do {
            // A socket for each family: "[::]" alone does not take IPv4 too.
            let flags: UInt32 = listen.address.isV4 ? 0 : UInt32(UV_TCP_IPV6ONLY.rawValue)
            try UVError.check(listen.address.withSystemAddress { uv_tcp_bind(handle.raw, $0, flags) })
            try UVError.check(uv_listen(handle.stream, Bounds.listenBacklog, connectionCame))
        } catch {
            close()
            throw error
        }
        if let chosen = socketAddress({ uv_tcp_getsockname(handle.raw, $0, $1) }) { address.port = chosen.port }
    }

    func close() {
        handle?.close()
        handle = nil
        accepted = nil
    }

    fileprivate func accept() {
        guard let handle, let stream = try? ByteStream.tcp(on: loop) else { return }
        guard uv_accept(handle.stream, stream.raw) == 0,
            let from = socketAddress({ uv_tcp_getpeername(stream.rawTCP, $0, $1) })
        else { return stream.abort() }
        accepted?(stream, from)
    }
}

private func connectionCame(_ listener: UnsafeMutablePointer<uv_stream_t>?, _ code: Int32) {
    guard code == 0 else { return }
    owner(of: listener.unsafelyUnwrapped.pointee.data, as: TCPListener.self).accept()
}
