import CUV

/// One piece of work done on libuv's threads; its end is told on the loop's thread.
final class Work {
    private let body: @Sendable () throws -> Void
    private var ended: ((Result<Void, any Error>) -> Void)?
    private var outcome: Result<Void, any Error> = .success(())
    private let request: UnsafeMutablePointer<uv_work_t>

    private init(
        body: @escaping @Sendable () throws -> Void, ended: @escaping (Result<Void, any Error>) -> Void
    ) {
        self.body = body
        self.ended = ended
        request = .allocate(capacity: 1)
    }

    deinit { request.deallocate() }

    static func queue(
        on loop: Loop, _ body: @escaping @Sendable () throws -> Void,
        ended: @escaping (Result<Void, any Error>) -> Void
    ) throws {
        let work = Work(body: body, ended: ended)
        work.request.pointee.data = Unmanaged.passRetained(work).toOpaque()
        let code = uv_queue_work(loop.raw, work.request, doWork, workEnded)
        if code < 0 {
            Unmanaged.passUnretained(work).release()
            throw UVError(code)
        }
    }

    fileprivate func run() { outcome = Result { try body() } }

    fileprivate func end() {
        let ended = ended
        self.ended = nil
        ended?(outcome)
    }
}

// The queue orders `doWork` before `workEnded`, so the object is never used by two threads at once.
private func doWork(_ request: UnsafeMutablePointer<uv_work_t>?) {
    owner(of: request.unsafelyUnwrapped.pointee.data, as: Work.self).run()
}

private func workEnded(_ request: UnsafeMutablePointer<uv_work_t>?, _: Int32) {
    Unmanaged<Work>.fromOpaque(request.unsafelyUnwrapped.pointee.data).takeRetainedValue().end()
}
