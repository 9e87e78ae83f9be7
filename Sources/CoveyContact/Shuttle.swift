/// Vehicles that go round their stops and are in contact with all hosts of the stop they stand at.
package struct Shuttle: ContactSource, Sendable {
    package struct Parameters: Sendable {
        package var vehicles: [UInt32]
        /// The hosts at each stop, in the order of the round.
        package var stops: [[UInt32]]
        /// On the way from one stop to the next, µs.
        package var leg: UInt64
        /// At a stop, µs.
        package var dwell: UInt64
        /// At other times vehicles stand where they are, out of contact.
        package var hours: DailyHours
        package var link: UInt16
        /// No contact begins after this, µs.
        package var until: UInt64

        package init(
            vehicles: [UInt32], stops: [[UInt32]], leg: UInt64, dwell: UInt64, hours: DailyHours = .always,
            link: UInt16 = 0, until: UInt64
        ) {
            precondition(!stops.isEmpty && dwell > 0, "a shuttle stands at a stop for a while")
            self.vehicles = vehicles
            self.stops = stops
            self.leg = leg
            self.dwell = dwell
            self.hours = hours
            self.link = link
            self.until = until
        }

        /// - Parameter period: of one round, µs: longer than all its stays.
        package init(
            vehicles: [UInt32], stops: [[UInt32]], period: UInt64, dwell: UInt64, hours: DailyHours = .always,
            link: UInt16 = 0, until: UInt64
        ) {
            precondition(period >= dwell * UInt64(stops.count), "a round is longer than its stays")
            self.init(
                vehicles: vehicles, stops: stops, leg: period / UInt64(stops.count) - dwell, dwell: dwell,
                hours: hours, link: link, until: until)
        }
    }

    private struct Visit {
        /// Counted from the vehicle's first stay at the first stop, through all rounds.
        var number: UInt64
        var start: UInt64
        var end: UInt64
        var isOn = false

        var next: UInt64 { isOn ? end : start }
    }

    private let parameters: Parameters
    private var visits: [Visit] = []
    private var batch: [ContactChange] = []
    private var taken = 0

    package init(_ parameters: Parameters) {
        self.parameters = parameters
        let pace = parameters.leg + parameters.dwell
        for vehicle in parameters.vehicles.indices {
            visits.append(visit(vehicle, number: offset(vehicle) / pace))
        }
    }

    package mutating func next() -> ContactChange? {
        while taken == batch.count {
            batch.removeAll(keepingCapacity: true)
            taken = 0
            var first: Int?
            for vehicle in visits.indices where visits[vehicle].next < visits[first ?? vehicle].next || first == nil {
                first = vehicle
            }
            guard let first, visits[first].isOn || visits[first].start <= parameters.until else { return nil }
            let now = visits[first]
            for host in parameters.stops[Int(now.number % UInt64(parameters.stops.count))]
            where host != parameters.vehicles[first] {
                batch.append(
                    ContactChange(
                        time: now.next, a: parameters.vehicles[first], b: host, link: parameters.link, isUp: !now.isOn))
            }
            if now.isOn {
                visits[first] = visit(first, number: now.number + 1)
            } else {
                visits[first].isOn = true
            }
        }
        taken += 1
        return batch[taken - 1]
    }

    /// Vehicles are spread over the round evenly: by how much of it each is ahead when the world begins, µs.
    private func offset(_ vehicle: Int) -> UInt64 {
        let round = (parameters.leg + parameters.dwell) * UInt64(parameters.stops.count)
        return round / UInt64(parameters.vehicles.count) * UInt64(vehicle)
    }

    private func visit(_ vehicle: Int, number: UInt64) -> Visit {
        let pace = parameters.leg + parameters.dwell
        let ahead = offset(vehicle)
        // The stay that a vehicle begins with may be partly over, or over: then the next one is first.
        var number = number
        while number * pace + parameters.dwell <= ahead { number += 1 }
        let open = number * pace < ahead ? 0 : number * pace - ahead
        let rest = number * pace + parameters.dwell - ahead - open
        let start = parameters.hours.time(open: open)
        return Visit(number: number, start: start, end: min(start + rest, parameters.hours.closing(after: start)))
    }
}
