import CUV

/// What a stream tells the object it belongs to.
protocol StreamOwner: AnyObject {
    func received(_ bytes: [UInt8], from stream: ByteStream)
    /// All that was sent has left, after some of it had to wait.
    func drained(_ stream: ByteStream)
    /// The other end closed, or the stream broke. The stream is closed by now.
    func ended(_ stream: ByteStream, because cause: UVError)
}

/// A TCP connection or a connection to a unix socket, once it stands.
///
/// ```
/// open ──close()──▶ closing: what is queued leaves, FIN, then the other end's FIN if awaited; 2 s at most ──▶ closed
///   └────abort(), fault, the other end's FIN ────────────────────────────────────────────────────────────────▶ closed
/// ```
final class ByteStream {
    private enum State { case open, closing(Timer?, awaitsEnd: Bool), closed }

    weak var owner: (any StreamOwner)?
    private var state = State.open
    private let handle: Handle<uv_any_handle>
    private let loop: Loop
    private var isReading = false

    private init(on loop: Loop, _ start: (UnsafeMutablePointer<uv_any_handle>) -> Int32) throws {
        self.loop = loop
        // The handle needs an object before this one is whole; it is given its own below.
        handle = try Handle(holding: loop, start)
        handle.hold(self)
    }

    static func tcp(on loop: Loop) throws -> ByteStream {
        try ByteStream(on: loop) { raw in
            uv_tcp_init(loop.raw, UnsafeMutableRawPointer(raw).assumingMemoryBound(to: uv_tcp_t.self))
        }
    }

    static func pipe(on loop: Loop) throws -> ByteStream {
        try ByteStream(on: loop) { raw in
            uv_pipe_init(loop.raw, UnsafeMutableRawPointer(raw).assumingMemoryBound(to: uv_pipe_t.self), 0)
        }
    }

    var raw: UnsafeMutablePointer<uv_stream_t> { handle.stream }

    var rawTCP: UnsafeMutablePointer<uv_tcp_t> {
        UnsafeMutableRawPointer(handle.raw).assumingMemoryBound(to: uv_tcp_t.self)
    }

    var isOpen: Bool {
        if case .open = state { return true }
        return false
    }

    var isClosed: Bool {
        if case .closed = state { return true }
        return false
    }

    /// Bytes sent that have not left.
    var queuedBytes: Int { isClosed ? 0 : uv_stream_get_write_queue_size(handle.stream) }

    // MARK: Reading

    func resumeReading() {
        guard isOpen, !isReading else { return }
        let code = uv_read_start(handle.stream, giveSlab, streamRead)
        isReading = code == 0
        if code < 0 { end(UVError(code)) }
    }

    func pauseReading() {
        guard isOpen, isReading else { return }
        uv_read_stop(handle.stream)
        isReading = false
    }

    fileprivate func didRead(_ count: Int, _ base: UnsafeMutablePointer<CChar>?) {
        switch state {
        case .open:
            if count > 0 {
                owner?.received([UInt8](UnsafeRawBufferPointer(start: base, count: count)), from: self)
            } else if count < 0 {
                end(UVError(Int32(count)))
            }
        case .closing:
            // What still comes is thrown away; unread bytes would turn our FIN into a reset.
            if count < 0 { abort() }
        case .closed:
            break
        }
    }

    // MARK: Writing

    /// Sends what the system takes at once, and queues the rest.
    func send(_ bytes: [UInt8]) {
        guard isOpen, !bytes.isEmpty else { return }
        var sent = 0
        if uv_stream_get_write_queue_size(handle.stream) == 0 {
            let code = bytes.withUnsafeBufferPointer { all in
                var buffer = all.uvBuffer
                return uv_try_write(handle.stream, &buffer, 1)
            }
            if code < 0, code != UV_EAGAIN.rawValue { return end(UVError(code)) }
            sent = max(0, Int(code))
            if sent == bytes.count { return }
        }
        guard uv_stream_get_write_queue_size(handle.stream) + bytes.count - sent <= Bounds.writeQueue else {
            return end(UVError(UV_ENOBUFS.rawValue))
        }
        QueuedWrite.queue(bytes[sent...], on: handle.stream) { code in self.end(UVError(code)) }
    }

    fileprivate func didWrite(_ code: Int32) {
        guard isOpen else { return }
        if code < 0 {
            end(UVError(code))
        } else if uv_stream_get_write_queue_size(handle.stream) == 0 {
            owner?.drained(self)
        }
    }

    // MARK: Ending

    /// Closes after what was sent has left. Nothing more is told to the owner.
    ///
    /// `awaitsEnd`: reads until the other end closes too. TCP throws away what was sent when unread bytes are left at a
    /// close; a unix socket has it in the other end's hands by then.
    func close(awaitsEnd: Bool = true, within timeout: UInt64 = Bounds.closeTimeout) {
        guard isOpen else { return }
        let timer = try? Timer(on: loop) { [weak self] in self?.abort() }
        timer?.set(milliseconds: timeout)
        state = .closing(timer, awaitsEnd: awaitsEnd)
        owner = nil
        if !isReading, uv_read_start(handle.stream, giveSlab, streamRead) < 0 { return abort() }
        let request = UnsafeMutablePointer<uv_shutdown_t>.allocate(capacity: 1)
        if uv_shutdown(request, handle.stream, shutdownEnded) < 0 {
            request.deallocate()
            abort()
        }
    }

    /// Closes at once. Nothing more is told to the owner.
    func abort() {
        switch state {
        case .open: break
        case .closing(let timer, _): timer?.close()
        case .closed: return
        }
        state = .closed
        owner = nil
        handle.close()
    }

    fileprivate func didShutDown(_ code: Int32) {
        guard case .closing(_, let awaitsEnd) = state else { return }
        if code < 0 || !awaitsEnd { abort() }
    }

    private func end(_ cause: UVError) {
        let told = owner
        abort()
        told?.ended(self, because: cause)
    }
}

/// A write that could not be done at once: the request, and behind it the bytes, in one piece of memory.
private enum QueuedWrite {
    static func queue(
        _ bytes: ArraySlice<UInt8>, on stream: UnsafeMutablePointer<uv_stream_t>, failed: (Int32) -> Void
    ) {
        let head = MemoryLayout<uv_write_t>.stride
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: head + bytes.count, alignment: MemoryLayout<uv_write_t>.alignment)
        bytes.withUnsafeBytes {
            memory.advanced(by: head).copyMemory(from: $0.baseAddress.unsafelyUnwrapped, byteCount: $0.count)
        }
        let request = memory.bindMemory(to: uv_write_t.self, capacity: 1)
        var buffer = uv_buf_init(
            memory.advanced(by: head).assumingMemoryBound(to: CChar.self), UInt32(bytes.count))
        let code = uv_write(request, stream, &buffer, 1, writeEnded)
        if code < 0 {
            memory.deallocate()
            failed(code)
        }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// libuv does not write into the buffers it sends.
    var uvBuffer: uv_buf_t {
        uv_buf_init(
            UnsafeMutableRawPointer(mutating: UnsafeRawPointer(baseAddress))?.assumingMemoryBound(to: CChar.self),
            UInt32(count))
    }
}

private func streamRead(
    _ stream: UnsafeMutablePointer<uv_stream_t>?, _ count: Int, _ buffer: UnsafePointer<uv_buf_t>?
) {
    owner(of: stream.unsafelyUnwrapped.pointee.data, as: ByteStream.self)
        .didRead(count, buffer.unsafelyUnwrapped.pointee.base)
}

private func writeEnded(_ request: UnsafeMutablePointer<uv_write_t>?, _ code: Int32) {
    let request = request.unsafelyUnwrapped
    let stream = owner(of: request.pointee.handle.pointee.data, as: ByteStream.self)
    UnsafeMutableRawPointer(request).deallocate()
    stream.didWrite(code)
}

private func shutdownEnded(_ request: UnsafeMutablePointer<uv_shutdown_t>?, _ code: Int32) {
    let request = request.unsafelyUnwrapped
    let stream = owner(of: request.pointee.handle.pointee.data, as: ByteStream.self)
    request.deallocate()
    stream.didShutDown(code)
}
