/// A straight piece of a way, at one speed. A pause is a leg of no speed.
package struct Leg: Sendable, BitwiseCopyable {
    /// µs since the world began.
    package var start: UInt64
    /// µs; the next leg holds from here on. `UInt64.max`: for ever.
    package var until: UInt64
    /// Metres, at `start`.
    package var x: Double
    package var y: Double
    /// Metres a second.
    package var vx: Double
    package var vy: Double

    /// Staying at a place.
    package init(restingAt x: Double, _ y: Double, from start: UInt64, until: UInt64) {
        self.start = start
        self.until = until
        self.x = x
        self.y = y
        vx = 0
        vy = 0
    }

    /// Going straight to a place and being there at `until`.
    package init(fromX x: Double, y: Double, toX endX: Double, y endY: Double, from start: UInt64, until: UInt64) {
        precondition(until > start, "a way takes time")
        self.start = start
        self.until = until
        self.x = x
        self.y = y
        let seconds = Double(until - start) * 1e-6
        vx = (endX - x) / seconds
        vy = (endY - y) / seconds
    }

    /// Going straight to a place at a speed, m/s; a µs at least.
    package init(
        fromX x: Double, y: Double, toX endX: Double, y endY: Double, from start: UInt64, speed: Double
    ) {
        let dx = endX - x
        let dy = endY - y
        let micros = (dx * dx + dy * dy).squareRoot() / speed * 1e6
        self.init(fromX: x, y: y, toX: endX, y: endY, from: start, until: start + max(1, UInt64(micros)))
    }

    /// Metres; `time` is within the leg.
    @inline(__always)
    package func position(at time: UInt64) -> (x: Double, y: Double) {
        let seconds = Double(time - start) * 1e-6
        return (x + vx * seconds, y + vy * seconds)
    }
}
