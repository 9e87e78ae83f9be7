/// Ships between ports: in port for a while, then to another port. With one port alone they put out to sea, to some place
/// of the ground, and come back.
package struct Voyage: Sendable {
    package let ports: [(x: Double, y: Double)]
    package let ground: Ground
    /// Metres a second.
    package let speed: ClosedRange<Double>
    /// In port, µs.
    package let dwell: UInt64

    package init(ports: [(x: Double, y: Double)], ground: Ground, speed: ClosedRange<Double>, dwell: UInt64) {
        precondition(
            !ports.isEmpty && speed.lowerBound > 0 && dwell > 0, "a voyage has a port to start from, a speed and a stay"
        )
        self.ports = ports
        self.ground = ground
        self.speed = speed
        self.dwell = dwell
    }

    /// In a port, with some part of the stay still to come.
    func firstLeg(_ dice: inout Dice) -> Leg {
        let port = ports[dice.below(ports.count)]
        return Leg(restingAt: port.x, port.y, from: 0, until: 1 + dice.below(dwell))
    }

    /// Numbers go in port, out to sea, back; or in port, to the next.
    func leg(after last: Leg, number: UInt32, _ dice: inout Dice) -> Leg {
        let here = last.position(at: last.until)
        let isAlone = ports.count == 1
        let phase = number % (isAlone ? 3 : 2)
        if phase == 0 {
            let port = ports[port(at: here)]
            return Leg(restingAt: port.x, port.y, from: last.until, until: last.until + dwell)
        }
        let there: (x: Double, y: Double)
        if !isAlone {
            let other = dice.below(ports.count - 1)
            there = ports[other < port(at: here) ? other : other + 1]
        } else {
            there = phase == 1 ? ground.anywhere(&dice) : ports[0]
        }
        return Leg(fromX: here.x, y: here.y, toX: there.x, y: there.y, from: last.until, speed: dice.uniform(speed))
    }

    private func port(at place: (x: Double, y: Double)) -> Int { Self.nearest(of: ports, to: place) }

    /// The first of the nearest.
    static func nearest(of ports: [(x: Double, y: Double)], to place: (x: Double, y: Double)) -> Int {
        var best = 0
        var least = Double.infinity
        for (index, port) in ports.enumerated() {
            let dx = port.x - place.x
            let dy = port.y - place.y
            if dx * dx + dy * dy < least {
                least = dx * dx + dy * dy
                best = index
            }
        }
        return best
    }
}
