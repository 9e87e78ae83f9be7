extension RecordedMovement {
    /// Reads movement as The ONE's external movement has it. The first line is the frame, the others are sightings by
    /// ascending time:
    ///
    ///     minTime maxTime minX maxX minY maxY [minZ maxZ]
    ///     time host x y
    ///
    /// Time and place count from the frame's least values, as The ONE counts them. Hosts are numbered from 0 without
    /// gaps. What lies outside the frame is a mistake.
    package init(oneMovement file: TraceFile) throws(TraceError) {
        var lines = TraceLines(file)
        guard lines.nextLine() else {
            throw TraceError(
                path: file.path, line: 0, mistake: .expected("minTime maxTime minX maxX minY maxY", found: ""))
        }
        let first = try lines.time()
        let last = try lines.time()
        let x = try lines.frame("X")
        let y = try lines.frame("Y")
        if lines.hasField { _ = try lines.frame("Z") }
        try lines.endOfLine()
        var hosts: [[Sighting]] = []
        var now = first
        while lines.nextLine() {
            let time = try lines.time()
            guard time >= now else { throw lines.error(.notSorted) }
            guard time <= last else {
                throw lines.error(.outOfRange("a time of this file, in seconds,", highest: Int(last / 1_000_000)))
            }
            now = time
            let host = try lines.number("a host", highest: TraceLimits.nodes - 1)
            let sighting = Sighting(
                time: time - first, x: try lines.coordinate("x", in: x), y: try lines.coordinate("y", in: y))
            try lines.endOfLine()
            while hosts.count <= host { hosts.append([]) }
            if let before = hosts[host].last, before.time == sighting.time {
                throw lines.error(.expected("a later sighting of host \(host)", found: "a second one at this time"))
            }
            hosts[host].append(sighting)
        }
        if let unseen = hosts.firstIndex(where: \.isEmpty) {
            throw lines.error(.expected("a line about host \(unseen)", found: ""))
        }
        self.init(hosts: hosts)
    }
}

extension TraceLines {
    /// A number with a sign, a fraction or an exponent, or without.
    mutating func decimal(_ what: @autoclosure () -> String) throws(TraceError) -> Double {
        let text = text(field())
        // What Swift reads beyond this is no number of these formats: `nan`, `0x1p3`.
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): true
            default: false
            }
        }
        guard isPlain, let number = Double(text), number.isFinite else { throw error(.expected(what(), found: text)) }
        return number
    }

    /// The least and the greatest value of a coordinate, metres.
    fileprivate mutating func frame(_ axis: String) throws(TraceError) -> ClosedRange<Double> {
        let least = try decimal("min\(axis)")
        let greatest = try decimal("max\(axis)")
        guard least <= greatest else { throw error(.expected("max\(axis) from \(least) on", found: "\(greatest)")) }
        guard greatest - least <= Ground.maxSide else {
            throw error(.outOfRange("the span of \(axis) in metres", highest: Int(Ground.maxSide)))
        }
        return least...greatest
    }

    /// Metres from the least value of its frame.
    fileprivate mutating func coordinate(_ axis: String, in frame: ClosedRange<Double>) throws(TraceError) -> Double {
        let value = try decimal(axis)
        guard frame.contains(value) else {
            throw error(.expected("\(axis) from \(frame.lowerBound) to \(frame.upperBound)", found: "\(value)"))
        }
        return value - frame.lowerBound
    }
}
