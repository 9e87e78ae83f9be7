import CoveyContact

/// What a scenario comes to once its rates, periods and shapes are unrolled. A short file may ask for more than any
/// machine holds: that is told before anything is made.
struct Amounts {
    private let scenario: Scenario
    private let hosts: [String: Int]
    /// Microseconds.
    private let duration: Double

    init(_ scenario: Scenario, hosts: [String: Int]) {
        self.scenario = scenario
        self.hosts = hosts
        duration = Double(scenario.duration.microseconds)
    }

    /// The items are those of the entries, in their order: where a problem is told.
    func check(topology: [Item], timeline: [Item], traffic: [Item]) {
        for (layer, item) in zip(scenario.topology, topology) { check(layer, item) }
        var deeds = 0.0
        for (entry, item) in zip(scenario.timeline, timeline) {
            deeds += Self.times(entry.moment, duration)
            check(deeds, atMost: ScenarioBounds.deeds, "deeds up to here", item)
        }
        var messages = 0.0
        for (flow, item) in zip(scenario.traffic, traffic) {
            messages += self.messages(flow)
            check(messages, atMost: ScenarioBounds.messages, "messages up to here", item)
        }
    }

    private func check(_ amount: Double, atMost most: Int, _ what: String, _ item: Item) {
        guard !(amount <= Double(most)) else { return }
        item.problem("comes to more than \(most) \(what)")
    }

    private func check(_ layer: Layer, _ item: Item) {
        func links(_ amount: Double) { check(amount, atMost: ScenarioBounds.edges, "links", item) }
        func contacts(_ amount: Double) { check(amount, atMost: ScenarioBounds.contacts, "contacts or ways", item) }
        switch layer.shape {
        case .clique(let of): links(Self.pairs(count(of)))
        case .randomRegular(let of, let degree): links(count(of) * Double(degree) / 2)
        case .overlay(let groups, let anchors):
            links(Self.pairs(groups.reduce(0) { $0 + min(Double(hosts[$1] ?? 0), Double(anchors)) }))
        case .core(let groups): links(Self.pairs(Double(groups.count)))
        case .community(let of, let meet, _): contacts(duration / meet.microsecondsBetween * count(of) / 2)
        case .shuttle(let of, let shuttle):
            let stop = shuttle.stops.reduce(0) { $0 + Double(hosts[$1] ?? 0) } / Double(shuttle.stops.count)
            let pace: Double =
                switch shuttle.pace {
                case .period(let period): Double(period.microseconds) / Double(shuttle.stops.count)
                case .leg(let leg): Double(leg.microseconds + shuttle.dwell.microseconds)
                }
            contacts(duration / pace * stop * count(of))
        case .routes(let routes): contacts(ways(routes.vehicles.count, routes.world, routes.speed))
        case .randomWaypoint(let of, let way): contacts(ways(Int(count(of)), way.world, way.speed))
        case .walk(_, let along, _):
            let most = Int(Ground.maxSide / 100) - 1
            check(count(along), atMost: most, "hosts along one path", item)
        case .plan(let plan):
            let all = plan.contacts.reduce(0.0) { sum, contact in
                sum + (contact.every.map { duration / Double($0.microseconds) } ?? 1)
            }
            check(all, atMost: ScenarioBounds.planned, "contacts", item)
        case .lan, .line, .ring, .grid, .tree, .edges, .bridge, .commute, .fixed, .trace: break
        }
    }

    /// Ways from place to place, each of half the ground's longer side, and at least one.
    private func ways(_ count: Int, _ world: Area, _ speed: SpeedRange) -> Double {
        let side = max(world.width.metres, world.height.metres) / 2
        return Double(count) * (1 + duration / 1e6 * speed.fastest / side)
    }

    private static func pairs(_ count: Double) -> Double { count * (count - 1) / 2 }

    private static func times(_ moment: TimelineEntry.Moment, _ duration: Double) -> Double {
        switch moment {
        case .at: 1
        case .every(let every, let from, let until):
            max(0, min(duration, until.map { Double($0.microseconds) } ?? duration) - Double(from.microseconds))
                / Double(every.microseconds) + 1
        }
    }

    /// Without answers, and without more at times of more load.
    private func messages(_ flow: TrafficFlow) -> Double {
        switch flow.kind {
        case .list(let messages): Double(messages.count)
        case .poisson(let rate): duration / rate.microsecondsBetween * (rate.isPerNode ? count(flow.source) : 1)
        case .periodic(let every): duration / Double(every.microseconds)
        case .burst(let count, _, _): Double(count)
        }
    }

    private func count(_ terms: [Term]) -> Double {
        let all = Double(scenario.hostCount)
        return terms.reduce(0) { sum, term in
            switch term {
            case .everyone: all
            case .group(let name): min(all, sum + Double(hosts[name] ?? 0))
            case .host: min(all, sum + 1)
            }
        }
    }
}
