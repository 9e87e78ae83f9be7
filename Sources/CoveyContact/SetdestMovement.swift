extension RecordedMovement {
    /// Reads movement as ns-2's `setdest` writes it: where nodes begin, and when they set out for another place, at which
    /// speed. Hosts are numbered from 0 without gaps.
    ///
    ///     $node_(3) set X_ 83.36
    ///     $node_(3) set Y_ 239.43
    ///     $ns_ at 10.5 "$node_(3) setdest 20.0 30.0 1.5"
    ///
    /// A node that sets out anew before it has arrived turns where it is; one with no speed stays. `Z_` and lines of
    /// `$god_` (hops that setdest foresees) are passed over.
    package init(setdest file: TraceFile) throws(TraceError) {
        var lines = TraceLines(file)
        var nodes: [Departures] = []
        while lines.nextLine() {
            let subject = lines.text(lines.field())
            if subject == "$god_" { continue }
            if subject == "$ns_" {
                try lines.expect("at")
                let time = try lines.time()
                let inner = lines.text(lines.field())
                if inner == "\"$god_" { continue }
                let node = try lines.node(inner.hasPrefix("\"") ? String(inner.dropFirst()) : inner)
                try lines.expect("setdest")
                let x = try lines.place("x")
                let y = try lines.place("y")
                let speed = try lines.speed()
                try lines.endOfLine()
                while nodes.count <= node { nodes.append(Departures()) }
                nodes[node].list.append(.init(time: time, line: lines.line, x: x, y: y, speed: speed))
            } else {
                let node = try lines.node(subject)
                try lines.expect("set")
                let axis = lines.text(lines.field())
                let value = try lines.place(axis)
                try lines.endOfLine()
                while nodes.count <= node { nodes.append(Departures()) }
                switch axis {
                case "X_": nodes[node].x = value
                case "Y_": nodes[node].y = value
                case "Z_": break
                default: throw lines.error(.expected("X_, Y_ or Z_", found: axis))
                }
            }
        }
        var hosts: [[Sighting]] = []
        for (number, node) in nodes.enumerated() {
            guard let x = node.x, let y = node.y else {
                throw TraceError(path: file.path, line: 0, mistake: .expected("X_ and Y_ of node \(number)", found: ""))
            }
            hosts.append(node.sightings(fromX: x, y: y))
        }
        self.init(hosts: hosts)
    }

    private struct Departures {
        struct Departure {
            var time: UInt64
            /// Of two at one time the later line holds.
            var line: Int
            var x: Double
            var y: Double
            var speed: Double
        }

        var x: Double?
        var y: Double?
        var list: [Departure] = []

        func sightings(fromX x: Double, y: Double) -> [Sighting] {
            var seen = [Sighting(time: 0, x: x, y: y)]
            var way = Leg(restingAt: x, y, from: 0, until: .max)
            func see(_ sighting: Sighting) {
                if seen[seen.count - 1].time == sighting.time {
                    seen[seen.count - 1] = sighting
                } else {
                    seen.append(sighting)
                }
            }
            for departure in list.sorted(by: { ($0.time, $0.line) < ($1.time, $1.line) }) {
                if way.until <= departure.time {
                    let end = way.position(at: way.until)
                    see(Sighting(time: way.until, x: end.x, y: end.y))
                    way = Leg(restingAt: end.x, end.y, from: way.until, until: .max)
                }
                let here = way.position(at: departure.time)
                see(Sighting(time: departure.time, x: here.x, y: here.y))
                way =
                    departure.speed > 0
                    ? Leg(
                        fromX: here.x, y: here.y, toX: departure.x, y: departure.y, from: departure.time,
                        speed: departure.speed)
                    : Leg(restingAt: here.x, here.y, from: departure.time, until: .max)
            }
            if way.until < .max {
                let end = way.position(at: way.until)
                see(Sighting(time: way.until, x: end.x, y: end.y))
            }
            return seen
        }
    }
}

extension TraceLines {
    fileprivate mutating func expect(_ word: String) throws(TraceError) {
        let found = text(field())
        guard found == word else { throw error(.expected(word, found: found)) }
    }

    /// `$node_(3)`.
    fileprivate func node(_ text: String) throws(TraceError) -> Int {
        guard text.hasPrefix("$node_("), text.hasSuffix(")"), let number = Int(text.dropFirst(7).dropLast()),
            number >= 0
        else { throw error(.expected("$node_(N)", found: text)) }
        guard number < TraceLimits.nodes else { throw error(.outOfRange("a node", highest: TraceLimits.nodes - 1)) }
        return number
    }

    fileprivate mutating func place(_ axis: String) throws(TraceError) -> Double {
        let value = try decimal(axis)
        guard value >= 0 else { throw error(.expected("\(axis) from 0 on", found: "\(value)")) }
        guard value <= Ground.maxSide else {
            throw error(.outOfRange("\(axis) in metres", highest: Int(Ground.maxSide)))
        }
        return value
    }

    /// Metres a second; a millimetre an hour is the least that counts as one. The quotation mark that ends a command
    /// stands right after it.
    fileprivate mutating func speed() throws(TraceError) -> Double {
        let found = text(field())
        guard let speed = Double(found.hasSuffix("\"") ? String(found.dropLast()) : found), speed >= 0, speed.isFinite
        else { throw error(.expected("a speed in metres a second", found: found)) }
        guard speed <= 300_000_000 else {
            throw error(.outOfRange("a speed in metres a second", highest: 300_000_000))
        }
        return speed < 0.000_000_3 ? 0 : speed
    }
}
