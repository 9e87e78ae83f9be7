package import CoveyContact

/// Contacts of each layer of a topology, from the seed.
package struct LayerContacts {
    package enum Density: Sendable {
        /// On a LAN everybody reaches everybody.
        case all
        /// On a LAN everybody keeps links with so many others: what nodes do, for a level without nodes.
        case linked(Int)
    }

    private let expansion: Expansion
    private let scenario: Scenario
    private let cast: Cast
    private let density: Density
    private let end: UInt64
    private let root: Dice

    package init(_ expansion: Expansion, density: Density) {
        self.expansion = expansion
        scenario = expansion.scenario
        cast = expansion.cast
        self.density = density
        end = UInt64(scenario.duration.microseconds)
        root = Dice(seed: expansion.seed).stream("topology")
    }

    /// One source a layer; a layer that another one takes in has none of its own.
    package func sources() throws(ScenarioProblems) -> [any ContactSource] {
        var sources: [any ContactSource] = []
        for number in scenario.topology.indices { sources.append(try source(number)) }
        return sources
    }

    /// What can say where hosts are.
    package func movements() -> [any Moving] {
        scenario.topology.indices.compactMap { number in
            switch scenario.topology[number].shape {
            case .randomWaypoint(_, let way): tracks(number, way)
            case .walk(let of, let along, let speed): walk(number, of, along, speed)
            case .routes(let routes): self.routes(number, routes)
            case .clique, .lan, .line, .ring, .grid, .tree, .randomRegular, .edges, .overlay, .bridge, .core,
                .community, .shuttle, .commute, .fixed, .plan, .trace:
                nil
            }
        }
    }

    private func link(_ number: Int) -> UInt16 { scenario.topology[number].link.map(link) ?? 0 }

    private func link(_ name: String) -> UInt16 {
        guard let link = scenario.linkNumber(name) else { preconditionFailure("the reader checked the names of links") }
        return UInt16(link)
    }

    private func dice(_ number: Int) -> Dice { root.stream("layer", UInt64(number)) }

    private func source(_ number: Int) throws(ScenarioProblems) -> any ContactSource {
        let layer = scenario.topology[number]
        var dice = dice(number)
        func fixed(_ edges: [Edges.Edge]) -> any ContactSource { StaticContacts(edges, link: link(number)) }
        switch layer.shape {
        case .clique(let of): return fixed(Edges.clique(cast.hosts(of)))
        case .lan(let of):
            switch density {
            case .all:
                let hosts = cast.hosts(of)
                guard hosts.count * (hosts.count - 1) / 2 <= ScenarioBounds.edges else {
                    throw problem(
                        number, "all of \(hosts.count) hosts on one LAN are more than \(ScenarioBounds.edges) pairs")
                }
                return fixed(Edges.clique(hosts))
            case .linked(let degree): return fixed(Edges.lan(cast.hosts(of), degree: degree, &dice))
            }
        case .line(let of): return fixed(Edges.line(cast.hosts(of)))
        case .ring(let of): return fixed(Edges.ring(cast.hosts(of)))
        case .grid(let of, let columns): return fixed(Edges.grid(cast.hosts(of), columns: columns))
        case .tree(let of, let fanout): return fixed(Edges.tree(cast.hosts(of), fanout: fanout))
        case .randomRegular(let of, let degree):
            return fixed(Edges.randomRegular(cast.hosts(of), degree: degree, &dice))
        case .edges(let pairs): return fixed(pairs.map { Edges.Edge(cast.host($0[0]), cast.host($0[1])) })
        case .overlay(let groups, let anchors): return fixed(Edges.overlay(members(groups), anchors: anchors))
        case .bridge(let one, let two, let count):
            return fixed(Edges.bridge(members([one])[0], members([two])[0], count: count, &dice))
        case .core(let groups): return fixed(Edges.core(members(groups)))
        case .community(let of, let meet, let contact):
            let hours = meet.per.microseconds / 3_600_000_000
            return Community(
                .init(
                    members: cast.hosts(of), meets: meet.count / hours, contact: UInt64(contact.microseconds),
                    link: link(number), until: end), dice: dice)
        case .shuttle(let of, let shuttle): return self.shuttle(number, cast.hosts(of), shuttle)
        case .commute(let of, let commute):
            return Commute(
                .init(
                    people: cast.hosts(of), homes: commute.homes, works: commute.works, trains: commute.trains,
                    morning: UInt64(commute.morning.span.microseconds),
                    evening: UInt64(commute.evening.span.microseconds), link: link(number), until: end), dice: dice)
        case .routes(let routes): return self.routes(number, routes)
        case .randomWaypoint(let of, let way):
            let near = Proximity(tracks(number, way), .init(reach: .larger, until: end))
            guard let most = way.maxLinks else { return near }
            let limited = Set(cast.hosts(of))
            return LimitedContacts(near, limit: most) { limited.contains($0) }
        case .walk(let of, let along, let speed):
            return Proximity(walk(number, of, along, speed), .init(reach: .smaller, until: end))
        case .fixed: return StaticContacts([])
        case .plan(let plan): return try self.plan(number, plan)
        case .trace(let trace): return try self.trace(number, trace)
        }
    }

    private func members(_ groups: [String]) -> [[UInt32]] { groups.map { Array(cast.hosts(ofGroup: $0)) } }

    private func shuttle(_ number: Int, _ vehicles: [UInt32], _ shuttle: Layer.Shuttle) -> any ContactSource {
        let hours =
            shuttle.hours.map {
                DailyHours(from: UInt64($0.from.span.microseconds), to: UInt64($0.to.span.microseconds))
            } ?? .always
        let dwell = UInt64(shuttle.dwell.microseconds)
        switch shuttle.pace {
        case .period(let period):
            return Shuttle(
                .init(
                    vehicles: vehicles, stops: members(shuttle.stops), period: UInt64(period.microseconds),
                    dwell: dwell, hours: hours, link: link(number), until: end))
        case .leg(let leg):
            return Shuttle(
                .init(
                    vehicles: vehicles, stops: members(shuttle.stops), leg: UInt64(leg.microseconds), dwell: dwell,
                    hours: hours, link: link(number), until: end))
        }
    }

    private func routes(_ number: Int, _ routes: Layer.Routes) -> Routes {
        Routes(
            .init(
                vehicles: members(routes.vehicles), ports: members(routes.ports), ground: ground(routes.world),
                speed: routes.speed.slowest...routes.speed.fastest, range: routes.range.metres,
                portDwell: UInt64(routes.portDwell.microseconds), link: link(number),
                portLink: routes.portLink.map(link) ?? link(number), tick: 10_000_000, until: end), dice: dice(number))
    }

    private func ground(_ area: Area) -> Ground { Ground(width: area.width.metres, height: area.height.metres) }

    /// Those who walk about, and those who stand on the same ground: the first layer of walkers takes these in.
    private func tracks(_ number: Int, _ way: Layer.Waypoint) -> Tracks {
        let ground = ground(way.world)
        let pause = UInt64(way.pause.microseconds)
        guard case .randomWaypoint(let of, _) = scenario.topology[number].shape else {
            preconditionFailure("the layer is one of walkers")
        }
        var groups = [
            Tracks.Group(
                .waypoint(
                    RandomWaypoint(
                        ground: ground, speed: way.speed.slowest...way.speed.fastest, pause: pause...pause)),
                hosts: cast.hosts(of), range: way.range.metres, link: link(number))
        ]
        let first = scenario.topology.firstIndex {
            if case .randomWaypoint = $0.shape { true } else { false }
        }
        if first == number {
            for (other, layer) in scenario.topology.enumerated() {
                guard case .fixed(let of, let range) = layer.shape else { continue }
                groups.append(
                    Tracks.Group(
                        .standstill(Standstill(anywhereOn: ground)), hosts: cast.hosts(of), range: range.metres,
                        link: link(other)))
            }
        }
        return Tracks(ground: ground, groups: groups, dice: dice(number))
    }

    /// Fixed hosts stand 100 m apart along a path; walkers are always in reach of the nearest, and of each other there.
    private func walk(_ number: Int, _ of: [Term], _ along: [Term], _ speed: SpeedRange) -> Tracks {
        let posts = cast.hosts(along)
        let points = posts.indices.map { (x: 100 * Double($0) + 1, y: 1.0) }
        let path = points.count > 1 ? points : [(x: 1.0, y: 1.0), (x: 101.0, y: 1.0)]
        let minute: UInt64 = 60_000_000
        return Tracks(
            ground: Ground(width: 100 * Double(path.count) + 2, height: 2),
            groups: [
                Tracks.Group(
                    .path(
                        PathWalk(
                            along: path, speed: speed.slowest...speed.fastest, pause: minute...20 * minute, stops: 0.2)),
                    hosts: cast.hosts(of), range: 60, link: link(number)),
                Tracks.Group(
                    .standstill(Standstill(at: points)), hosts: posts, range: 60, link: link(number)),
            ], dice: dice(number))
    }

    private func plan(_ number: Int, _ plan: Layer.Plan) throws(ScenarioProblems) -> any ContactSource {
        if let file = plan.file { return try planFile(number, plan, file) }
        var changes: [ContactChange] = []
        for contact in plan.contacts {
            let a = cast.host(contact.a)
            let b = cast.host(contact.b)
            let link = contact.link.map(link) ?? link(number)
            var at = UInt64(contact.at.microseconds)
            while at < end {
                let over = at + UInt64(contact.lasts.microseconds)
                changes.append(ContactChange(time: at, a: a, b: b, link: link, isUp: true))
                changes.append(ContactChange(time: over, a: a, b: b, link: link, isUp: false))
                guard let every = contact.every else { break }
                at += UInt64(every.microseconds)
            }
        }
        return TraceContacts(ContactTrace(nodes: cast.count, changes: Self.sorted(changes)))
    }

    private func planFile(
        _ number: Int, _ plan: Layer.Plan, _ path: String
    ) throws(ScenarioProblems) -> any ContactSource {
        let read = try file(number, path) { file throws(TraceError) in
            switch plan.format {
            case .ion: try ContactPlan(ion: file)
            case .ccm: try ContactPlan(ccm: file)
            }
        }
        return TraceContacts(
            try named(number, read.trace(until: end, link: link(number)), read.hosts, cast.hosts(plan.of)))
    }

    private func trace(_ number: Int, _ trace: Layer.Trace) throws(ScenarioProblems) -> any ContactSource {
        let hosts = cast.hosts(trace.of)
        switch trace.format {
        case .oneConnections:
            let read = try file(number, trace.file) { file throws(TraceError) in
                try ContactTrace(oneEvents: file, nodes: hosts.count)
            }
            return TraceContacts(numbered(number, read, hosts).tidied)
        case .csv:
            let read = try file(number, trace.file) { file throws(TraceError) in
                try ContactTable(file, nodes: hosts.count)
            }
            var kinds: [UInt16] = []
            for name in read.links {
                guard let link = scenario.linkNumber(name) else {
                    throw problem(number, "\(trace.file) speaks of a link “\(name)”, which the scenario does not have")
                }
                kinds.append(UInt16(link))
            }
            var changes = numbered(number, read.trace, hosts)
            if !kinds.isEmpty {
                for index in changes.changes.indices {
                    changes.changes[index].link = kinds[Int(read.trace.changes[index].link)]
                }
            }
            return TraceContacts(changes.tidied)
        case .oneMovement, .ns2:
            let movement = try file(number, trace.file) { file throws(TraceError) in
                trace.format == .ns2 ? try RecordedMovement(setdest: file) : try RecordedMovement(oneMovement: file)
            }
            guard movement.hosts <= hosts.count else {
                throw problem(
                    number, "\(trace.file) moves \(movement.hosts) hosts, the scenario has \(hosts.count) here")
            }
            let group = Tracks.Group(
                .recorded(movement), hosts: Array(hosts.prefix(movement.hosts)), range: trace.range?.metres ?? 1,
                link: link(number))
            return Proximity(
                Tracks(ground: movement.ground, groups: [group], dice: dice(number)), .init(until: end))
        }
    }

    private func problem(_ number: Int, _ reason: String) -> ScenarioProblems {
        ScenarioProblems(scenario.name, 1, "topology[\(number)]", reason)
    }

    private func file<T>(
        _ number: Int, _ path: String, _ read: (TraceFile) throws(TraceError) -> T
    ) throws(ScenarioProblems) -> T {
        do throws(TraceError) {
            return try read(TraceFile(path: scenario.path(path)))
        } catch {
            throw problem(number, "\(error)")
        }
    }

    /// Hosts of a trace are those of the layer, one after the other.
    private func numbered(_ number: Int, _ trace: ContactTrace, _ hosts: [UInt32]) -> ContactTrace {
        let changes = trace.changes.map { change in
            ContactChange(
                time: change.time, a: hosts[Int(change.a)], b: hosts[Int(change.b)], link: link(number),
                isUp: change.isUp)
        }
        return ContactTrace(nodes: cast.count, changes: changes)
    }

    /// Hosts of a plan are called as in the scenario; else they are those of the layer in the plan's order.
    private func named(
        _ number: Int, _ trace: ContactTrace, _ names: [String], _ hosts: [UInt32]
    ) throws(ScenarioProblems) -> ContactTrace {
        var known: [String: UInt32] = [:]
        for host in hosts { known[cast.name(host)] = host }
        let isByName = names.allSatisfy { known[$0] != nil }
        guard isByName || names.count <= hosts.count else {
            throw problem(number, "the plan has \(names.count) hosts, the scenario \(hosts.count) here")
        }
        return numbered(number, trace, isByName ? names.compactMap { known[$0] } : hosts)
    }

    private static func sorted(_ changes: [ContactChange]) -> [ContactChange] {
        changes.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
    }
}

extension Scenario {
    /// A file that the scenario names, beside its own.
    func path(_ file: String) -> String { file.hasPrefix("/") || folder.isEmpty ? file : "\(folder)/\(file)" }
}
