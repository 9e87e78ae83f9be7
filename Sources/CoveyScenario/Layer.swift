import CoveyContact

/// One reason why hosts are in each other's reach: an entry of the topology. Several overlap.
package struct Layer: Hashable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        case clique, lan, line, ring, grid, tree
        case randomRegular = "random-regular"
        case edges, overlay, bridge, core, community, shuttle, commute, routes, rwp, walk
        case `static`
        case plan, trace
    }

    package enum Shape: Hashable, Sendable {
        /// All with all. A LAN is one whose multicast reaches all of it.
        case clique([Term])
        case lan([Term])
        case line([Term])
        case ring([Term])
        case grid([Term], columns: Int)
        case tree([Term], fanout: Int)
        case randomRegular([Term], degree: Int)
        /// Links written out, `[a.0, b.0]` each.
        case edges([[Term]])
        /// The first `anchors` hosts of each group, all with all.
        case overlay([String], anchors: Int)
        /// `count` links between drawn hosts of two groups.
        case bridge(String, String, count: Int)
        /// The first hosts of each group hang on one switch: a clique that `affects: core` can name.
        case core([String])
        /// Every host meets another of its group so often, for a drawn time.
        case community([Term], meet: Frequency, contact: TimeSpan)
        case shuttle([Term], Shuttle)
        case commute([Term], Commute)
        case routes(Routes)
        case randomWaypoint([Term], Waypoint)
        /// Along a line of fixed hosts, in reach of the nearest.
        case walk([Term], along: [Term], speed: SpeedRange)
        /// Fixed hosts that all who move within range reach.
        case fixed([Term], range: Distance)
        case plan(Plan)
        case trace(Trace)
    }

    /// Vehicles that go from stop to stop, and are in reach of all hosts there for a while.
    package struct Shuttle: Hashable, Sendable {
        package enum Pace: Hashable, Sendable {
            /// One round of all stops.
            case period(TimeSpan)
            /// From one stop to the next.
            case leg(TimeSpan)
        }
        package var stops: [String]
        package var pace: Pace
        package var dwell: TimeSpan
        package var hours: HoursOfDay?
    }

    package struct Commute: Hashable, Sendable {
        package var homes: Int
        package var works: Int
        package var trains: Int
        package var morning: ClockTime
        package var evening: ClockTime
    }

    /// Vehicles that carry their whole group, on straight ways across a plane with ports.
    package struct Routes: Hashable, Sendable {
        package var vehicles: [String]
        package var speed: SpeedRange
        package var world: Area
        package var range: Distance
        package var ports: [String]
        package var portLink: String?
        package var portDwell: TimeSpan
    }

    package struct Waypoint: Hashable, Sendable {
        package var world: Area
        package var speed: SpeedRange
        package var pause: TimeSpan
        package var range: Distance
        /// Links of one host at once.
        package var maxLinks: Int?
    }

    package struct Plan: Hashable, Sendable {
        package enum Format: String, CaseIterable, Sendable { case ion, ccm }

        package struct Contact: Hashable, Sendable {
            package var a: Term
            package var b: Term
            /// The first beginning.
            package var at: TimeSpan
            package var every: TimeSpan?
            package var lasts: TimeSpan
            package var link: String?
        }
        package var format: Format
        package var contacts: [Contact]
        package var file: String?
        package var of: [Term]
    }

    package struct Trace: Hashable, Sendable {
        package enum Format: String, CaseIterable, Sendable {
            case oneConnections = "one-conn"
            case oneMovement = "one-movement"
            case ns2
            case csv
        }
        package var format: Format
        package var file: String
        package var of: [Term]
        /// For movement.
        package var range: Distance?
    }

    /// What faults call it; nil has the name of its kind.
    package var name: String?
    package var shape: Shape
    /// Nil only for a plan whose contacts all name theirs.
    package var link: String?

    package var handle: String { name ?? kind.rawValue }

    package var kind: Kind {
        switch shape {
        case .clique: .clique
        case .lan: .lan
        case .line: .line
        case .ring: .ring
        case .grid: .grid
        case .tree: .tree
        case .randomRegular: .randomRegular
        case .edges: .edges
        case .overlay: .overlay
        case .bridge: .bridge
        case .core: .core
        case .community: .community
        case .shuttle: .shuttle
        case .commute: .commute
        case .routes: .routes
        case .randomWaypoint: .rwp
        case .walk: .walk
        case .fixed: .static
        case .plan: .plan
        case .trace: .trace
        }
    }

    static func read(_ item: Item) -> Layer? {
        item.map { fields in
            guard let kind = fields.required("type", { $0.choice(Kind.self) }) else {
                // Without its kind nothing says which keys belong here.
                for entry in fields.entries { _ = fields.take(entry.key) }
                return nil
            }
            let name = fields.optional("name") { $0.name() }
            let link = fields.optional("link") { $0.link() }
            let shape = readShape(kind, &fields)
            if link == nil, !fields.has("link"), kind != .plan { fields.item.problem("lacks “link”") }
            guard let shape else { return nil }
            return Layer(name: name, shape: shape, link: link)
        }
    }

    private static func readShape(_ kind: Kind, _ fields: inout Fields) -> Shape? {
        switch kind {
        case .clique: return of(&fields).map { .clique($0) }
        case .lan: return of(&fields).map { .lan($0) }
        case .line: return of(&fields).map { .line($0) }
        case .ring: return of(&fields).map { .ring($0) }
        case .grid:
            let of = of(&fields)
            let columns = fields.required("columns") { $0.integer(1...ScenarioBounds.hosts) }
            guard let of, let columns else { return nil }
            return .grid(of, columns: columns)
        case .tree:
            let of = of(&fields)
            let fanout = fields.optional("fanout") { $0.integer(1...1000) } ?? 2
            return of.map { .tree($0, fanout: fanout) }
        case .randomRegular:
            let of = of(&fields)
            let degree = fields.required("degree") { $0.integer(1...1000) }
            guard let of, let degree else { return nil }
            return .randomRegular(of, degree: degree)
        case .edges:
            return fields.required("edges") { item -> [[Term]]? in
                guard let items = item.list(atMost: ScenarioBounds.edges) else { return nil }
                let pairs = items.compactMap { $0.pair() }
                return pairs.count == items.count ? pairs : nil
            }.map { .edges($0) }
        case .overlay:
            let of = fields.required("of") { $0.groups() }
            let anchors = fields.required("via") { item -> Int? in
                item.parsed(
                    { $0.hasPrefix("anchors:") ? Int($0.dropFirst(8)).flatMap { $0 > 0 ? $0 : nil } : nil },
                    "anchors:N")
            }
            guard let of, let anchors else { return nil }
            return .overlay(of, anchors: anchors)
        case .bridge:
            let between = fields.required("between") { $0.groups() }
            let count = fields.required("n") { $0.integer(1...1_000_000) }
            guard let between, let count else { return nil }
            guard between.count == 2 else {
                fields.item.problem("is between two groups, not \(between.count)")
                return nil
            }
            return .bridge(between[0], between[1], count: count)
        case .core: return fields.required("of") { $0.groups() }.map { .core($0) }
        case .community:
            let of = of(&fields)
            let meet = fields.required("meet") { $0.parsed({ Frequency($0) }, "how often, such as 3/h") }
            let contact = fields.required("contact") { $0.some() }
            guard let of, let meet, let contact else { return nil }
            return .community(of, meet: meet, contact: contact)
        case .shuttle: return readShuttle(&fields)
        case .commute: return readCommute(&fields)
        case .routes: return readRoutes(&fields)
        case .rwp:
            let of = of(&fields)
            let world = fields.required("world") { $0.area() }
            let speed = fields.required("speed") { $0.speed() }
            let range = fields.required("range") { $0.range() }
            let pause = fields.optional("pause") { $0.span() } ?? .zero
            let most = fields.optional("maxLinks") { $0.integer(1...10_000) }
            guard let of, let world, let speed, let range else { return nil }
            return .randomWaypoint(
                of, Waypoint(world: world, speed: speed, pause: pause, range: range, maxLinks: most))
        case .walk:
            let of = of(&fields)
            let along = fields.required("along") { $0.terms() }
            let speed = fields.optional("speed") { $0.speed() } ?? SpeedRange(slowest: 0.5, fastest: 1.5)
            guard let of, let along else { return nil }
            return .walk(of, along: along, speed: speed)
        case .static:
            let of = of(&fields)
            let range = fields.required("range") { $0.range() }
            guard let of, let range else { return nil }
            return .fixed(of, range: range)
        case .plan: return readPlan(&fields)
        case .trace:
            let format = fields.required("format") { $0.choice(Trace.Format.self) }
            let file = fields.required("file") { $0.word() }
            let of = fields.optional("of") { $0.terms() } ?? [.everyone]
            let range = fields.optional("range") { $0.range() }
            guard let format, let file else { return nil }
            if format == .oneMovement || format == .ns2, range == nil {
                fields.item.problem("lacks “range”: movement alone joins nobody")
            }
            return .trace(Trace(format: format, file: file, of: of, range: range))
        }
    }

    private static func of(_ fields: inout Fields) -> [Term]? { fields.required("of") { $0.terms() } }

    private static func readShuttle(_ fields: inout Fields) -> Shape? {
        let of = of(&fields)
        let stops = fields.required("stops") { $0.groups() }
        let period = fields.optional("period") { $0.span() }
        let leg = fields.optional("leg") { $0.span() }
        let dwell = fields.required("dwell") { $0.some() }
        let hours = fields.optional("hours") { $0.parsed({ HoursOfDay($0) }, "hours of the day such as 06-20") }
        guard let of, let stops, let dwell else { return nil }
        let pace: Shuttle.Pace
        switch (period, leg) {
        case (.some(let period), nil):
            guard period.microseconds > dwell.microseconds * Int64(stops.count) else {
                fields.item.problem("stands at \(stops.count) stops for \(dwell) each: that is no less than its period")
                return nil
            }
            pace = .period(period)
        case (nil, .some(let leg)): pace = .leg(leg)
        case (nil, nil), (.some, .some):
            fields.item.problem("needs either period or leg")
            return nil
        }
        return .shuttle(of, Shuttle(stops: stops, pace: pace, dwell: dwell, hours: hours))
    }

    private static func readCommute(_ fields: inout Fields) -> Shape? {
        let of = of(&fields)
        let homes = fields.required("homes") { $0.integer(1...100_000) }
        let works = fields.required("works") { $0.integer(1...100_000) }
        let trains = fields.required("trains") { $0.integer(1...100_000) }
        let morning = fields.required("am") { $0.parsed({ ClockTime($0) }, "a time of day such as 07:30") }
        let evening = fields.required("pm") { $0.parsed({ ClockTime($0) }, "a time of day such as 17:30") }
        guard let of, let homes, let works, let trains, let morning, let evening else { return nil }
        guard morning.minutes < evening.minutes else {
            fields.item.problem("am is not before pm")
            return nil
        }
        let ride = Int(CoveyContact.Commute.usualRide / 60_000_000)
        guard morning.minutes + ride < evening.minutes, evening.minutes + ride <= 1440,
            (evening.minutes + ride) % 1440 != morning.minutes
        else {
            fields.item.problem("needs \(ride) min of a train after am and after pm, and some time at work and at home")
            return nil
        }
        return .commute(of, Commute(homes: homes, works: works, trains: trains, morning: morning, evening: evening))
    }

    private static func readRoutes(_ fields: inout Fields) -> Shape? {
        let vehicles = fields.required("vehicles") { $0.groups() }
        let speed = fields.required("speed") { $0.speed() }
        let world = fields.required("world") { $0.area() }
        let range = fields.required("range") { $0.range() }
        let ports = fields.optional("ports") { $0.groups() } ?? []
        let portLink = fields.optional("portLink") { $0.link() }
        let dwell = fields.optional("portDwell") { $0.span() } ?? .hours(1)
        guard let vehicles, let speed, let world, let range else { return nil }
        return .routes(
            Routes(
                vehicles: vehicles, speed: speed, world: world, range: range, ports: ports, portLink: portLink,
                portDwell: dwell))
    }

    private static func readPlan(_ fields: inout Fields) -> Shape? {
        let format = fields.optional("format") { $0.choice(Plan.Format.self) } ?? .ion
        let file = fields.optional("file") { $0.word() }
        let of = fields.optional("of") { $0.terms() } ?? [.everyone]
        let layerHasLink = fields.has("link")
        let contacts =
            fields.optional("contacts") { item -> [Plan.Contact]? in
                item.list(atMost: ScenarioBounds.timeline)?.compactMap { item in
                    item.map { fields in
                        let a = fields.required("a") { $0.host() }
                        let b = fields.required("b") { $0.host() }
                        let at = fields.optional("at") { $0.span() } ?? .zero
                        let every = fields.optional("every") { $0.span() }
                        let lasts = fields.required("for") { $0.span() }
                        let link = fields.optional("link") { $0.link() }
                        if !layerHasLink, !fields.has("link") { fields.item.problem("lacks “link”") }
                        guard let a, let b, let lasts else { return nil }
                        if let every, every <= lasts {
                            fields.item.problem("lasts \(lasts), which is no less than every \(every)")
                            return nil
                        }
                        return Plan.Contact(a: a, b: b, at: at, every: every, lasts: lasts, link: link)
                    }
                }
            } ?? []
        if contacts.isEmpty, file == nil { fields.item.problem("needs contacts or a file") }
        return .plan(Plan(format: format, contacts: contacts, file: file, of: of))
    }

    var yaml: YAMLValue {
        .map(
            [("type", .text(kind.rawValue)), ("name", name.map { .text($0) })] + entries + [
                ("link", link.map { .text($0) })
            ])
    }

    private var entries: [(String, YAMLValue?)] {
        switch shape {
        case .clique(let of), .lan(let of), .line(let of), .ring(let of): [("of", of.yaml)]
        case .grid(let of, let columns): [("of", of.yaml), ("columns", .text(columns))]
        case .tree(let of, let fanout): [("of", of.yaml), ("fanout", .text(fanout))]
        case .randomRegular(let of, let degree): [("of", of.yaml), ("degree", .text(degree))]
        case .edges(let pairs): [("edges", .list(pairs.map { .list($0.map { .text($0) }) }))]
        case .overlay(let groups, let anchors): [("of", groups.yaml), ("via", .text("anchors:\(anchors)"))]
        case .bridge(let one, let two, let count): [("between", [one, two].yaml), ("n", .text(count))]
        case .core(let groups): [("of", groups.yaml)]
        case .community(let of, let meet, let contact):
            [("of", of.yaml), ("meet", .text(meet)), ("contact", .text(contact))]
        case .shuttle(let of, let shuttle): [("of", of.yaml)] + shuttle.entries
        case .commute(let of, let commute):
            [
                ("of", of.yaml), ("homes", .text(commute.homes)), ("works", .text(commute.works)),
                ("trains", .text(commute.trains)), ("am", .text(commute.morning)), ("pm", .text(commute.evening)),
            ]
        case .routes(let routes):
            [
                ("vehicles", routes.vehicles.yaml), ("speed", .text(routes.speed)), ("world", .text(routes.world)),
                ("range", .text(routes.range)), ("ports", routes.ports.isEmpty ? nil : routes.ports.yaml),
                ("portLink", routes.portLink.map { .text($0) }), ("portDwell", .text(routes.portDwell)),
            ]
        case .randomWaypoint(let of, let way):
            [
                ("of", of.yaml), ("world", .text(way.world)), ("speed", .text(way.speed)),
                ("pause", way.pause == .zero ? nil : .text(way.pause)), ("range", .text(way.range)),
                ("maxLinks", way.maxLinks.map { .text($0) }),
            ]
        case .walk(let of, let along, let speed):
            [("of", of.yaml), ("along", along.yaml), ("speed", .text(speed))]
        case .fixed(let of, let range): [("of", of.yaml), ("range", .text(range))]
        case .plan(let plan): plan.entries
        case .trace(let trace):
            [
                ("format", .text(trace.format.rawValue)), ("file", .text(trace.file)),
                ("of", trace.of == [.everyone] ? nil : trace.of.yaml), ("range", trace.range.map { .text($0) }),
            ]
        }
    }
}

extension Layer.Shuttle {
    fileprivate var entries: [(String, YAMLValue?)] {
        let tempo: (String, YAMLValue?) =
            switch pace {
            case .period(let span): ("period", .text(span))
            case .leg(let span): ("leg", .text(span))
            }
        return [("stops", stops.yaml), tempo, ("dwell", .text(dwell)), ("hours", hours.map { .text($0) })]
    }
}

extension Layer.Plan {
    fileprivate var entries: [(String, YAMLValue?)] {
        let list = contacts.map { contact in
            YAMLValue.map([
                ("a", .text(contact.a)), ("b", .text(contact.b)), ("at", .text(contact.at)),
                ("every", contact.every.map { .text($0) }), ("for", .text(contact.lasts)),
                ("link", contact.link.map { .text($0) }),
            ])
        }
        return [
            ("format", .text(format.rawValue)), ("file", file.map { .text($0) }),
            ("of", of == [.everyone] ? nil : of.yaml), ("contacts", list.isEmpty ? nil : .list(list)),
        ]
    }
}

extension [String] {
    var yaml: YAMLValue { count == 1 ? .text(self[0]) : .list(map { .text($0) }) }
}

extension Item {
    func area() -> Area? { parsed({ Area($0) }, "an area such as 1200m x 800m") }

    func speed() -> SpeedRange? { parsed({ SpeedRange($0) }, "a speed such as 6mps or 0.5-1.5mps") }

    /// `[a.0, b.0]`: two hosts, not one twice.
    func pair() -> [Term]? {
        guard let items = list(atMost: 2) else { return nil }
        let hosts = items.compactMap { $0.host() }
        guard hosts.count == 2, items.count == 2, hosts[0] != hosts[1] else {
            if hosts.count == items.count { problem("is not two hosts") }
            return nil
        }
        return hosts
    }
}
