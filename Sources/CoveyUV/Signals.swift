import CUV

/// Calls when the process is told a signal.
package final class Signals {
    private var handle: Handle<uv_signal_t>?
    fileprivate var received: (() -> Void)?

    package init(_ number: Int32, on loop: Loop, _ received: @escaping () -> Void) throws {
        self.received = received
        handle = try Handle(holding: self) { uv_signal_init(loop.raw, $0) }
        if let handle {
            uv_unref(handle.base)
            try UVError.check(uv_signal_start(handle.raw, signalCame, number))
        }
    }

    package func close() {
        handle?.close()
        handle = nil
        received = nil
    }
}

private func signalCame(_ signal: UnsafeMutablePointer<uv_signal_t>?, _: Int32) {
    owner(of: signal.unsafelyUnwrapped.pointee.data, as: Signals.self).received?()
}
