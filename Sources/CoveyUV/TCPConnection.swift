import CUV
import CoveyCore
import CoveyNode
import Glibc

/// What a connection tells the driver.
protocol ConnectionOwner: AnyObject {
    func connected(_ connection: TCPConnection)
    func dialFailed(_ connection: TCPConnection, because cause: UVError)
    func received(_ bytes: [UInt8], on connection: TCPConnection)
    func drained(_ connection: TCPConnection)
    func ended(_ connection: TCPConnection, because cause: UVError)
}

/// One TCP connection of the node, dialled or accepted.
final class TCPConnection: StreamOwner {
    let id: ConnectionID
    let stream: ByteStream
    private unowned let owner: any ConnectionOwner
    private var dialTimer: Timer?
    /// The node asked to be told when all has left.
    private var reportsDrained = false
    /// What the effects of one round send: many small frames leave with one call to the system.
    private var gathered: [UInt8] = []

    /// An accepted connection.
    init(_ id: ConnectionID, accepted stream: ByteStream, owner: any ConnectionOwner) {
        self.id = id
        self.stream = stream
        self.owner = owner
        uv_tcp_nodelay(stream.rawTCP, 1)
        stream.owner = self
    }

    /// Begins to dial; the owner is told how it went, never before this returns.
    init(
        _ id: ConnectionID, dialling address: SocketAddress, on loop: Loop, timeout: UInt64,
        owner: any ConnectionOwner
    ) throws {
        self.id = id
        self.owner = owner
        stream = try ByteStream.tcp(on: loop)
        uv_tcp_nodelay(stream.rawTCP, 1)
        stream.owner = self
        let request = UnsafeMutablePointer<uv_connect_t>.allocate(capacity: 1)
        request.pointee.data = Unmanaged.passRetained(self).toOpaque()
        let code = address.withSystemAddress { uv_tcp_connect(request, stream.rawTCP, $0, connectEnded) }
        if code < 0 {
            Unmanaged.passUnretained(self).release()
            request.deallocate()
            stream.abort()
            throw UVError(code)
        }
        dialTimer = try? Timer(on: loop) { [weak self] in self?.didConnect(UV_ETIMEDOUT.rawValue) }
        dialTimer?.set(milliseconds: timeout)
    }

    /// Our end of the connection; nil when it is gone.
    var localAddress: SocketAddress? { address(uv_tcp_getsockname) }
    var remoteAddress: SocketAddress? { address(uv_tcp_getpeername) }

    private func address(
        _ ask: (UnsafePointer<uv_tcp_t>?, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<Int32>?) -> Int32
    ) -> SocketAddress? {
        stream.isClosed ? nil : socketAddress { ask(stream.rawTCP, $0, $1) }
    }

    /// Gathers what is to leave at the next `flush`. True when there was nothing gathered before.
    func send(_ bytes: [UInt8]) -> Bool {
        let isFirst = gathered.isEmpty
        // Much is not copied: what was gathered leaves before it.
        if gathered.count + bytes.count > Bounds.gatheredBytes { flush() }
        if gathered.isEmpty { gathered = bytes } else { gathered += bytes }
        return isFirst
    }

    func flush() {
        if gathered.isEmpty { return }
        var leaving: [UInt8] = []
        swap(&leaving, &gathered)
        stream.send(leaving)
    }

    /// True when the queue is empty already; else the owner is told later.
    func reportDrained() -> Bool {
        flush()
        if stream.queuedBytes == 0 { return true }
        reportsDrained = true
        return false
    }

    func close() {
        flush()
        dialTimer?.close()
        stream.close()
    }

    func abort() {
        dialTimer?.close()
        stream.abort()
    }

    fileprivate func didConnect(_ code: Int32) {
        dialTimer?.close()
        dialTimer = nil
        // Closed meanwhile: nobody asks any more.
        guard stream.isOpen else { return }
        if code < 0 {
            stream.abort()
            owner.dialFailed(self, because: UVError(code))
        } else {
            owner.connected(self)
        }
    }

    func received(_ bytes: [UInt8], from stream: ByteStream) { owner.received(bytes, on: self) }

    func drained(_ stream: ByteStream) {
        guard reportsDrained else { return }
        reportsDrained = false
        owner.drained(self)
    }

    func ended(_ stream: ByteStream, because cause: UVError) { owner.ended(self, because: cause) }
}

private func connectEnded(_ request: UnsafeMutablePointer<uv_connect_t>?, _ code: Int32) {
    let request = request.unsafelyUnwrapped
    let connection = Unmanaged<TCPConnection>.fromOpaque(request.pointee.data).takeRetainedValue()
    request.deallocate()
    connection.didConnect(code)
}

/// Reads an address the way `getsockname` gives it.
func socketAddress(
    _ ask: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<Int32>) -> Int32
) -> SocketAddress? {
    var storage = sockaddr_storage()
    var length = Int32(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &storage) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            ask(address, &length) == 0 ? SocketAddress(address) : nil
        }
    }
}
