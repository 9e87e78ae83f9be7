/// How the hosts of one group move: a rule that gives leg after leg.
///
/// A leg depends on the seed, the host, the leg's number and where the host is, on nothing else: the same way comes out
/// whoever asks, in whatever order.
package enum Motion: Sendable {
    case standstill(Standstill)
    case waypoint(RandomWaypoint)
    case walk(RandomWalk)
    case path(PathWalk)
    case voyage(Voyage)
    case recorded(RecordedMovement)

    /// The first leg, from time 0.
    func firstLeg(of host: UInt32, _ dice: inout Dice) -> Leg {
        switch self {
        case .standstill(let motion): motion.leg(of: host, &dice)
        case .waypoint(let motion): motion.firstLeg(&dice)
        case .walk(let motion): motion.firstLeg(&dice)
        case .path(let motion): motion.firstLeg(&dice)
        case .voyage(let motion): motion.firstLeg(&dice)
        case .recorded(let motion): motion.leg(of: host, number: 0)
        }
    }

    /// The leg after `last`, from its end.
    func leg(after last: Leg, number: UInt32, of host: UInt32, _ dice: inout Dice) -> Leg {
        switch self {
        case .standstill: preconditionFailure("who stands still has one leg")
        case .waypoint(let motion): motion.leg(after: last, number: number, &dice)
        case .walk(let motion): motion.leg(after: last, &dice)
        case .path(let motion): motion.leg(after: last, &dice)
        case .voyage(let motion): motion.leg(after: last, number: number, &dice)
        case .recorded(let motion): motion.leg(of: host, number: number)
        }
    }

    /// The most metres a second that anybody goes.
    var fastest: Double {
        switch self {
        case .standstill: 0
        case .waypoint(let motion): motion.speed.upperBound
        case .walk(let motion): motion.speed.upperBound
        case .path(let motion): motion.speed.upperBound
        case .voyage(let motion): motion.speed.upperBound
        case .recorded(let motion): motion.fastest
        }
    }
}

/// Staying where one is: at given places, or anywhere on the ground.
package struct Standstill: Sendable {
    package enum Places: Sendable {
        case given([(x: Double, y: Double)])
        case anywhere(Ground)
    }

    package var places: Places

    package init(at places: [(x: Double, y: Double)]) { self.places = .given(places) }

    package init(anywhereOn ground: Ground) { places = .anywhere(ground) }

    func leg(of host: UInt32, _ dice: inout Dice) -> Leg {
        switch places {
        case .given(let places):
            let place = places[Int(host)]
            return Leg(restingAt: place.x, place.y, from: 0, until: .max)
        case .anywhere(let ground):
            let place = ground.anywhere(&dice)
            return Leg(restingAt: place.x, place.y, from: 0, until: .max)
        }
    }
}
