extension ContactTrace {
    /// Reads connection events as The ONE writes them: `time CONN a b up|down`, one a line, by ascending time.
    ///
    /// The order of lines of one time is kept. Overlaps are kept too: what a second `up` of a pair means is for the
    /// one who runs the trace to say.
    /// - Parameter nodes: how many hosts there are; the highest number found, plus one, when not said.
    package init(oneEvents file: TraceFile, nodes: Int? = nil) throws(TraceError) {
        var lines = TraceLines(file)
        var changes: [ContactChange] = []
        // A line has at least the bytes of "0 CONN 0 1 up".
        changes.reserveCapacity(file.bytes.count / 20)
        let highest = min(nodes ?? TraceLimits.nodes, TraceLimits.nodes) - 1
        var last: UInt64 = 0
        var top = -1
        while lines.nextLine() {
            let time = try lines.time()
            guard time >= last else { throw lines.error(.notSorted) }
            last = time
            let action = lines.field()
            guard lines.says(action, "CONN") else {
                throw lines.error(.expected("CONN", found: lines.text(action)))
            }
            let a = try lines.number("a host", highest: highest)
            let b = try lines.number("a host", highest: highest)
            guard a != b else { throw lines.error(.itself) }
            let state = lines.field()
            let isUp = lines.says(state, "up")
            guard isUp || lines.says(state, "down") else {
                throw lines.error(.expected("up or down", found: lines.text(state)))
            }
            try lines.endOfLine()
            top = max(top, a, b)
            changes.append(ContactChange(time: time, a: UInt32(a), b: UInt32(b), isUp: isUp))
        }
        self.init(nodes: nodes ?? top + 1, changes: changes)
    }
}

extension [PlannedMessage] {
    /// Reads messages as The ONE's workloads have them: `time C id from to size`, one a line, by ascending time.
    package init(oneWorkload file: TraceFile, nodes: Int? = nil) throws(TraceError) {
        var lines = TraceLines(file)
        self.init()
        let highest = Swift.min(nodes ?? TraceLimits.nodes, TraceLimits.nodes) - 1
        var last: UInt64 = 0
        // Asked only whether a name is in it, never in what order.
        var names: Set<String> = []
        while lines.nextLine() {
            let time = try lines.time()
            guard time >= last else { throw lines.error(.notSorted) }
            last = time
            let action = lines.field()
            guard lines.says(action, "C") else { throw lines.error(.expected("C", found: lines.text(action))) }
            let place = lines.field()
            guard !place.isEmpty else { throw lines.error(.expected("the name of a message", found: "")) }
            guard place.count <= TraceLimits.nameBytes else {
                throw lines.error(.outOfRange("the length of a name", highest: TraceLimits.nameBytes))
            }
            let name = lines.text(place)
            guard names.insert(name).inserted else { throw lines.error(.repeated(name)) }
            let from = try lines.number("a host", highest: highest)
            let to = try lines.number("a host", highest: highest)
            let size = try lines.number("a size in bytes", highest: TraceLimits.messageBytes)
            try lines.endOfLine()
            append(PlannedMessage(name: name, time: time, from: UInt32(from), to: UInt32(to), size: size))
        }
    }
}
