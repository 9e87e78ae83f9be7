import CUV
import Glibc

/// One libuv loop, used from one thread: everything in this room is called by it, or before it runs.
package final class Loop {
    let raw: UnsafeMutablePointer<uv_loop_t>
    /// What all streams and datagrams are read into: libuv asks, reads and reports without a pause between.
    private let slab: UnsafeMutableRawBufferPointer

    package init() throws {
        // libuv 1.44 writes without MSG_NOSIGNAL: a peer's close would end the process.
        signal(SIGPIPE, SIG_IGN)
        raw = .allocate(capacity: 1)
        slab = .allocate(byteCount: Bounds.readSlab, alignment: 16)
        do {
            try UVError.check(uv_loop_init(raw))
        } catch {
            raw.deallocate()
            slab.deallocate()
            throw error
        }
        raw.pointee.data = slab.baseAddress
    }

    deinit {
        // Handles hold the objects they belong to, not the loop: those left over are closed with it.
        uv_walk(raw, closeLeftover, nil)
        while uv_loop_close(raw) == UV_EBUSY.rawValue { uv_run(raw, UV_RUN_NOWAIT) }
        raw.deallocate()
        slab.deallocate()
    }

    /// Runs until nothing is open any more, or `stop`.
    package func run() { uv_run(raw, UV_RUN_DEFAULT) }

    /// Waits for something to happen and lets it happen. False when nothing is open any more.
    @discardableResult
    package func runOnce() -> Bool { uv_run(raw, UV_RUN_ONCE) != 0 }

    /// Lets happen what is there, without waiting.
    package func poll() { uv_run(raw, UV_RUN_NOWAIT) }

    package func stop() { uv_stop(raw) }
}

private func closeLeftover(_ handle: UnsafeMutablePointer<uv_handle_t>?, _: UnsafeMutableRawPointer?) {
    if uv_is_closing(handle) == 0 { uv_close(handle, releaseHandle) }
}

/// Gives the loop's slab to a read.
func giveSlab(
    _ handle: UnsafeMutablePointer<uv_handle_t>?, _: Int, _ buffer: UnsafeMutablePointer<uv_buf_t>?
) {
    let base = handle.unsafelyUnwrapped.pointee.loop.pointee.data
    buffer.unsafelyUnwrapped.pointee = uv_buf_init(base?.assumingMemoryBound(to: CChar.self), UInt32(Bounds.readSlab))
}

/// The memory of one libuv handle, and the object its callbacks belong to.
///
/// The object is held from `init` to the end of `close`, so a callback always finds it. After `close` none comes.
struct Handle<Raw> {
    let raw: UnsafeMutablePointer<Raw>

    init(holding object: AnyObject, _ start: (UnsafeMutablePointer<Raw>) -> Int32) throws {
        raw = .allocate(capacity: 1)
        do {
            try UVError.check(start(raw))
        } catch {
            raw.deallocate()
            throw error
        }
        base.pointee.data = Unmanaged.passRetained(object).toOpaque()
    }

    var base: UnsafeMutablePointer<uv_handle_t> {
        UnsafeMutableRawPointer(raw).assumingMemoryBound(to: uv_handle_t.self)
    }

    var stream: UnsafeMutablePointer<uv_stream_t> {
        UnsafeMutableRawPointer(raw).assumingMemoryBound(to: uv_stream_t.self)
    }

    /// Makes the handle belong to `object` from now on.
    func hold(_ object: AnyObject) {
        Unmanaged<AnyObject>.fromOpaque(base.pointee.data).release()
        base.pointee.data = Unmanaged.passRetained(object).toOpaque()
    }

    var isClosing: Bool { uv_is_closing(base) != 0 }

    func close() {
        if !isClosing { uv_close(base, releaseHandle) }
    }
}

/// The object a handle was made for.
func owner<Owner: AnyObject>(of data: UnsafeMutableRawPointer?, as _: Owner.Type = Owner.self) -> Owner {
    Unmanaged<Owner>.fromOpaque(data.unsafelyUnwrapped).takeUnretainedValue()
}

private func releaseHandle(_ handle: UnsafeMutablePointer<uv_handle_t>?) {
    let handle = handle.unsafelyUnwrapped
    Unmanaged<AnyObject>.fromOpaque(handle.pointee.data).release()
    UnsafeMutableRawPointer(handle).deallocate()
}
