/// Vehicles that carry hosts between ports: in sight of each other on the way, and joined with a port while they are in.
package struct Routes: ContactSource {
    package enum Crew: Sendable {
        /// The first host of a vehicle has its radio; the others are behind it.
        case first
        /// Every host of a vehicle has a radio.
        case all
    }

    package struct Parameters: Sendable {
        /// The hosts of each vehicle.
        package var vehicles: [[UInt32]]
        /// The hosts of each port. Where a port is, is drawn.
        package var ports: [[UInt32]]
        package var ground: Ground
        /// Metres a second.
        package var speed: ClosedRange<Double>
        /// Two vehicles see each other from here, metres.
        package var range: Double
        /// In port, µs.
        package var portDwell: UInt64
        package var crew: Crew
        package var link: UInt16
        package var portLink: UInt16
        /// Between two looks, µs.
        package var tick: UInt64
        /// µs.
        package var until: UInt64

        package init(
            vehicles: [[UInt32]], ports: [[UInt32]], ground: Ground, speed: ClosedRange<Double>, range: Double,
            portDwell: UInt64, crew: Crew = .first, link: UInt16 = 0, portLink: UInt16 = 0, tick: UInt64 = 1_000_000,
            until: UInt64
        ) {
            precondition(vehicles.allSatisfy { !$0.isEmpty }, "a vehicle carries a host")
            self.vehicles = vehicles
            self.ports = ports
            self.ground = ground
            self.speed = speed
            self.range = range
            self.portDwell = portDwell
            self.crew = crew
            self.link = link
            self.portLink = portLink
            self.tick = tick
            self.until = until
        }
    }

    private var contacts: MergedContacts
    /// Its hosts are the vehicles, by their place in the list.
    private var tracks: Tracks
    /// The vehicle of each host; lookups only.
    private let vehicleOf: [UInt32: UInt32]

    package init(_ parameters: Parameters, dice: Dice) {
        var draw = dice.stream("ports")
        let places = parameters.ports.map { _ in parameters.ground.anywhere(&draw) }
        // Without a port to come back to they cross the ground from place to place, and stay there as they would in one.
        let motion: Motion =
            places.isEmpty
            ? .waypoint(
                RandomWaypoint(
                    ground: parameters.ground, speed: parameters.speed,
                    pause: parameters.portDwell...parameters.portDwell))
            : .voyage(
                Voyage(ports: places, ground: parameters.ground, speed: parameters.speed, dwell: parameters.portDwell))
        let numbers = Array(0..<UInt32(parameters.vehicles.count))
        tracks = Tracks(
            ground: parameters.ground,
            groups: [.init(motion, hosts: numbers, range: parameters.range, link: parameters.link)], dice: dice)
        var vehicleOf: [UInt32: UInt32] = [:]
        for (number, hosts) in parameters.vehicles.enumerated() {
            for host in hosts { vehicleOf[host] = UInt32(number) }
        }
        self.vehicleOf = vehicleOf
        let sight = Proximity(tracks, .init(tick: parameters.tick, until: parameters.until))
        let crews = parameters.vehicles.map { hosts in
            switch parameters.crew {
            case .first: [hosts[0]]
            case .all: hosts
            }
        }
        var sources: [any ContactSource] = [CrewContacts(sight, crews: crews)]
        if !places.isEmpty {
            sources.append(
                Docking(
                    tracks: tracks, places: places, ports: parameters.ports, crews: crews, link: parameters.portLink,
                    until: parameters.until))
        }
        contacts = MergedContacts(sources)
    }

    package mutating func next() -> ContactChange? { contacts.next() }
}

extension Routes: Moving {
    package mutating func position(of host: UInt32, at time: UInt64) -> (x: Double, y: Double)? {
        guard let vehicle = vehicleOf[host] else { return nil }
        return tracks.position(of: vehicle, at: time)
    }
}

/// Contacts of vehicles as contacts of those aboard.
private struct CrewContacts: ContactSource {
    private var source: Proximity
    private let crews: [[UInt32]]
    private var batch: [ContactChange] = []
    private var taken = 0

    init(_ source: Proximity, crews: [[UInt32]]) {
        self.source = source
        self.crews = crews
    }

    mutating func next() -> ContactChange? {
        while taken == batch.count {
            batch.removeAll(keepingCapacity: true)
            taken = 0
            guard let change = source.next() else { return nil }
            for one in crews[Int(change.a)] {
                for two in crews[Int(change.b)] {
                    batch.append(
                        ContactChange(time: change.time, a: one, b: two, link: change.link, isUp: change.isUp))
                }
            }
        }
        taken += 1
        return batch[taken - 1]
    }
}

/// Vehicles that are in a port are in contact with its hosts.
private struct Docking: ContactSource {
    private var tracks: Tracks
    private let places: [(x: Double, y: Double)]
    private let ports: [[UInt32]]
    private let crews: [[UInt32]]
    private let link: UInt16
    private let until: UInt64
    /// Whether the contacts of each vehicle's present stay have begun.
    private var isIn: [Bool]
    private var batch: [ContactChange] = []
    private var taken = 0

    init(
        tracks: Tracks, places: [(x: Double, y: Double)], ports: [[UInt32]], crews: [[UInt32]], link: UInt16,
        until: UInt64
    ) {
        self.tracks = tracks
        self.places = places
        self.ports = ports
        self.crews = crews
        self.link = link
        self.until = until
        isIn = Array(repeating: false, count: crews.count)
    }

    mutating func next() -> ContactChange? {
        while taken == batch.count {
            batch.removeAll(keepingCapacity: true)
            taken = 0
            var first: (time: UInt64, vehicle: Int)?
            for vehicle in crews.indices {
                let time = isIn[vehicle] ? tracks.legs[vehicle].until : tracks.legs[vehicle].start
                if time < first?.time ?? .max { first = (time, vehicle) }
            }
            guard let (time, vehicle) = first, time <= until else { return nil }
            let leg = tracks.legs[vehicle]
            for one in crews[vehicle] {
                for two in ports[Voyage.nearest(of: places, to: (leg.x, leg.y))] {
                    batch.append(ContactChange(time: time, a: one, b: two, link: link, isUp: !isIn[vehicle]))
                }
            }
            isIn[vehicle].toggle()
            if !isIn[vehicle] {
                // On to the next stay: ways lie between.
                repeat { tracks.advance(vehicle) } while tracks.legs[vehicle].vx != 0 || tracks.legs[vehicle].vy != 0
            }
        }
        taken += 1
        return batch[taken - 1]
    }
}
