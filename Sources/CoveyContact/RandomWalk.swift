import Glibc

/// Going in a random direction for a random time, then in another; the edges of the ground turn one back.
package struct RandomWalk: Sendable {
    package var ground: Ground
    /// Metres a second.
    package var speed: ClosedRange<Double>
    /// µs between two turns.
    package var stretch: ClosedRange<UInt64>

    package init(ground: Ground, speed: ClosedRange<Double>, stretch: ClosedRange<UInt64>) {
        precondition(speed.lowerBound > 0 && stretch.lowerBound > 0, "who walks has a speed, for a while")
        self.ground = ground
        self.speed = speed
        self.stretch = stretch
    }

    func firstLeg(_ dice: inout Dice) -> Leg { way(from: ground.anywhere(&dice), at: 0, &dice) }

    func leg(after last: Leg, _ dice: inout Dice) -> Leg {
        way(from: last.position(at: last.until), at: last.until, &dice)
    }

    /// A stretch that would leave the ground ends at its mirror image: as far away, and inside.
    private func way(from here: (x: Double, y: Double), at time: UInt64, _ dice: inout Dice) -> Leg {
        let angle = dice.unit() * 2 * Double.pi
        let length = dice.within(stretch)
        let metres = dice.uniform(speed) * Double(length) * 1e-6
        let x = Self.fold(here.x + metres * cos(angle), ground.width)
        let y = Self.fold(here.y + metres * sin(angle), ground.height)
        return Leg(fromX: here.x, y: here.y, toX: x, y: y, from: time, until: time + length)
    }

    private static func fold(_ value: Double, _ side: Double) -> Double {
        let turn = 2 * side
        var rest = value - (value / turn).rounded(.down) * turn
        if rest > side { rest = turn - rest }
        return rest
    }
}
