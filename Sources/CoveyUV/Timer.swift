import CUV

/// Calls once, some milliseconds from now, each time it is set.
package final class Timer {
    private var handle: Handle<uv_timer_t>?
    fileprivate var fired: (() -> Void)?

    package init(on loop: Loop, _ fired: @escaping () -> Void) throws {
        self.fired = fired
        handle = try Handle(holding: self) { uv_timer_init(loop.raw, $0) }
    }

    /// Replaces the time set before.
    package func set(milliseconds: UInt64) {
        guard let handle else { return }
        uv_update_time(handle.raw.pointee.loop)
        uv_timer_start(handle.raw, timerFired, milliseconds, 0)
    }

    package func cancel() {
        if let handle { uv_timer_stop(handle.raw) }
    }

    /// An unreferenced timer does not keep the loop running.
    package func unreference() {
        if let handle { uv_unref(handle.base) }
    }

    package func close() {
        handle?.close()
        handle = nil
        fired = nil
    }
}

private func timerFired(_ timer: UnsafeMutablePointer<uv_timer_t>?) {
    owner(of: timer.unsafelyUnwrapped.pointee.data, as: Timer.self).fired?()
}
