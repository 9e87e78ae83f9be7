/// Going to and fro along a path of straight pieces: a tunnel, a street, a line of relays.
///
/// A host goes from one point of the path to the next; at each it may stop for a while and then go either way.
package struct PathWalk: Sendable {
    package let points: [(x: Double, y: Double)]
    /// Metres a second.
    package let speed: ClosedRange<Double>
    /// µs.
    package let pause: ClosedRange<UInt64>
    /// The chance to stop at a point, 0 to 1.
    package let stops: Double

    package init(
        along points: [(x: Double, y: Double)], speed: ClosedRange<Double>, pause: ClosedRange<UInt64>, stops: Double
    ) {
        precondition(points.count > 1 && speed.lowerBound > 0, "a path has two ends, and who walks has a speed")
        self.points = points
        self.speed = speed
        self.pause = pause
        self.stops = stops
    }

    func firstLeg(_ dice: inout Dice) -> Leg { rest(at: points[dice.below(points.count)], from: 0, &dice) }

    func leg(after last: Leg, _ dice: inout Dice) -> Leg {
        let here = last.position(at: last.until)
        let point = nearest(to: here)
        let hasRested = last.vx == 0 && last.vy == 0
        if !hasRested && dice.chance(stops) { return rest(at: points[point], from: last.until, &dice) }
        let next: Int
        if point == 0 {
            next = 1
        } else if point == points.count - 1 {
            next = point - 1
        } else if hasRested {
            next = dice.chance(0.5) ? point + 1 : point - 1
        } else {
            // On, away from where it came.
            next = nearest(to: (last.x, last.y)) < point ? point + 1 : point - 1
        }
        let there = points[next]
        return Leg(
            fromX: here.x, y: here.y, toX: there.x, y: there.y, from: last.until, speed: dice.uniform(speed))
    }

    private func rest(at place: (x: Double, y: Double), from time: UInt64, _ dice: inout Dice) -> Leg {
        Leg(restingAt: place.x, place.y, from: time, until: time + max(1, dice.within(pause)))
    }

    private func nearest(to place: (x: Double, y: Double)) -> Int { Voyage.nearest(of: points, to: place) }
}

extension Tracks {
    /// A tunnel: fixed hosts on a line, evenly, and others who walk along it. Whoever walks always reaches the nearest
    /// fixed host, sometimes the next one too, and others who walk; fixed hosts do not reach each other this way.
    /// - Parameters:
    ///   - spacing: between two fixed hosts, metres; ranges are six tenths of it.
    ///   - link: of those who walk, with the fixed hosts and with each other.
    package static func tunnel(
        fixed: [UInt32], walkers: [UInt32], spacing: Double = 100, speed: ClosedRange<Double> = 0.5...1.5,
        pause: ClosedRange<UInt64> = 0...600_000_000, link: UInt16 = 0, dice: Dice
    ) -> Tracks {
        precondition(fixed.count > 1, "a tunnel has two ends")
        let places = fixed.indices.map { (x: Double($0) * spacing, y: 0.0) }
        let walk = PathWalk(along: places, speed: speed, pause: pause, stops: 0.3)
        return Tracks(
            ground: Ground(width: spacing * Double(fixed.count - 1), height: spacing),
            groups: [
                Group(.standstill(Standstill(at: places)), hosts: fixed, range: spacing * 0.6, link: link),
                Group(.path(walk), hosts: walkers, range: spacing * 0.6, link: link),
            ], dice: dice)
    }
}
