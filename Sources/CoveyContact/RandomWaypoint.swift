/// Going straight to a random place at a random speed, pausing there, and so on.
package struct RandomWaypoint: Sendable {
    package var ground: Ground
    /// Metres a second.
    package var speed: ClosedRange<Double>
    /// µs.
    package var pause: ClosedRange<UInt64>

    package init(ground: Ground, speed: ClosedRange<Double>, pause: ClosedRange<UInt64>) {
        precondition(speed.lowerBound > 0, "who walks has a speed")
        self.ground = ground
        self.speed = speed
        self.pause = pause
    }

    func firstLeg(_ dice: inout Dice) -> Leg { way(from: ground.anywhere(&dice), at: 0, &dice) }

    /// Ways have even numbers, pauses odd ones.
    func leg(after last: Leg, number: UInt32, _ dice: inout Dice) -> Leg {
        let here = last.position(at: last.until)
        if number & 1 == 0 { return way(from: here, at: last.until, &dice) }
        return Leg(restingAt: here.x, here.y, from: last.until, until: last.until + max(1, dice.within(pause)))
    }

    private func way(from here: (x: Double, y: Double), at time: UInt64, _ dice: inout Dice) -> Leg {
        let there = ground.anywhere(&dice)
        return Leg(fromX: here.x, y: here.y, toX: there.x, y: there.y, from: time, speed: dice.uniform(speed))
    }
}
