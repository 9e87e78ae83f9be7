/// When who can reach whom, known beforehand: what satellites and their ground stations have, and emulators are told.
package struct ContactPlan: Sendable {
    package struct Contact: Hashable, Sendable {
        /// Places in `hosts`.
        package var a: UInt32
        package var b: UInt32
        /// µs since the world began; `end` is after `start`.
        package var start: UInt64
        package var end: UInt64
        /// Bytes a second; 0 when the plan sets no bound.
        package var rate: Double
        /// The chance that a packet is lost, 0 to 1.
        package var loss: Double
        /// µs, and by how much it varies, µs.
        package var delay: UInt64
        package var jitter: UInt64

        package init(
            a: UInt32, b: UInt32, start: UInt64, end: UInt64, rate: Double, loss: Double = 0, delay: UInt64 = 0,
            jitter: UInt64 = 0
        ) {
            self.a = a
            self.b = b
            self.start = start
            self.end = end
            self.rate = rate
            self.loss = loss
            self.delay = delay
            self.jitter = jitter
        }
    }

    package enum Limits {
        /// Contacts of one plan, each round of one that loops counted.
        package static let contacts = 10_000_000
        /// Bytes a second.
        package static let rate = 1e12
    }

    /// As the plan names them: numbers by value, names by their letters.
    package let hosts: [String]
    /// In the order of the file.
    package let contacts: [Contact]
    /// When the last contact is over the plan begins anew.
    package let loops: Bool

    /// Reads an ION plan. Contacts are one-way there; rates are bytes a second.
    ///
    ///     a contact +start +end from to rate [confidence]
    ///     a range +start +end one other seconds
    ///
    /// Times are seconds after the plan's beginning, with the plus sign that says so; calendar dates are not followed.
    /// A range is a delay: it holds for the contacts of the pair that begin in it. Other commands are passed over.
    package init(ion file: TraceFile) throws(TraceError) {
        var reader = PlanReader(file)
        struct Range {
            var pair: [String]
            var times: Swift.Range<UInt64>
            var delay: UInt64
        }
        var ranges: [Range] = []
        while reader.lines.nextLine() {
            guard reader.lines.text(reader.lines.field()) == "a" else { continue }
            let kind = reader.lines.text(reader.lines.field())
            switch kind {
            case "contact":
                try reader.contact(isMarked: true)
                reader.found[reader.found.count - 1].rate = try reader.rate()
                if reader.lines.hasField { _ = try reader.lines.decimal("a confidence") }
                try reader.lines.endOfLine()
            case "range":
                let times = try reader.times(isMarked: true)
                let pair = try reader.pair()
                let delay = try reader.lines.time()
                try reader.lines.endOfLine()
                ranges.append(Range(pair: pair.sorted(), times: times, delay: delay))
            default: continue
            }
        }
        for index in reader.found.indices {
            let contact = reader.found[index]
            for range in ranges where range.pair == contact.pair.sorted() && range.times.contains(contact.start) {
                reader.found[index].delay = range.delay
            }
        }
        self.init(reader, loops: false)
    }

    /// Reads a plan of the CORE emulator's contact manager. Contacts hold both ways; rates are bits a second, with
    /// `kbit`, `mbit` or `gbit` behind or without, 0 for no bound; loss is in percent, delay and jitter in µs.
    ///
    ///     s loop 0
    ///     a contact +start +end one other rate [loss] [delay] [jitter]
    package init(ccm file: TraceFile) throws(TraceError) {
        var reader = PlanReader(file)
        var loops = false
        while reader.lines.nextLine() {
            let command = reader.lines.text(reader.lines.field())
            if command.hasPrefix("//") { continue }
            switch (command, reader.lines.text(reader.lines.field())) {
            case ("s", "loop"):
                let value = reader.lines.text(reader.lines.field())
                guard ["0", "1", "true", "false"].contains(value) else {
                    throw reader.lines.error(.expected("0 or 1", found: value))
                }
                loops = value == "1" || value == "true"
                try reader.lines.endOfLine()
            case ("a", "contact"):
                try reader.contact(isMarked: false)
                let place = reader.found.count - 1
                reader.found[place].rate = try reader.bits() / 8
                if reader.lines.hasField {
                    let loss = try reader.lines.decimal("a loss in percent")
                    guard (0...100).contains(loss) else {
                        throw reader.lines.error(.outOfRange("a loss in percent", highest: 100))
                    }
                    reader.found[place].loss = loss / 100
                }
                if reader.lines.hasField { reader.found[place].delay = try reader.micros("a delay in µs") }
                if reader.lines.hasField { reader.found[place].jitter = try reader.micros("a jitter in µs") }
                try reader.lines.endOfLine()
            case (let command, let what):
                throw reader.lines.error(.expected("a contact or s loop", found: command + " " + what))
            }
        }
        self.init(reader, loops: loops)
    }

    private init(_ reader: PlanReader, loops: Bool) {
        var names: Set<String> = []
        for contact in reader.found { names.formUnion(contact.pair) }
        let hosts = names.sorted { one, two in
            switch (Int(one), Int(two)) {
            case (.some(let one), .some(let two)): one < two
            case (.some, nil): true
            case (nil, .some): false
            case (nil, nil): one < two
            }
        }
        var places: [String: UInt32] = [:]
        for (place, name) in hosts.enumerated() { places[name] = UInt32(place) }
        self.hosts = hosts
        self.loops = loops
        contacts = reader.found.compactMap { found in
            guard let a = places[found.pair[0]], let b = places[found.pair[1]] else { return nil }
            return Contact(
                a: a, b: b, start: found.start, end: found.end, rate: found.rate, loss: found.loss, delay: found.delay,
                jitter: found.jitter)
        }
    }

    /// Who is in contact when: two hosts are while either can reach the other. Contacts that follow each other at once
    /// are one.
    /// - Parameter until: where a plan that loops is cut off, µs.
    package func trace(until: UInt64 = .max, link: UInt16 = 0) -> ContactTrace {
        let round = contacts.map(\.end).max() ?? 0
        var spans: [ContactSpans.Span] = []
        var base: UInt64 = 0
        while spans.count < Limits.contacts {
            for contact in contacts where contact.start <= until - min(until, base) && base <= until {
                spans.append(
                    ContactSpans.Span(
                        start: base + contact.start, end: base + contact.end, a: contact.a, b: contact.b, link: link))
            }
            guard loops, round > 0, base < until, until - base > round else { break }
            base += round
        }
        return ContactSpans.trace(spans, nodes: hosts.count)
    }
}

/// The fields that the two formats share.
private struct PlanReader {
    struct Found {
        var pair: [String]
        var start: UInt64
        var end: UInt64
        var rate = 0.0
        var loss = 0.0
        var delay: UInt64 = 0
        var jitter: UInt64 = 0
    }

    var lines: TraceLines
    var found: [Found] = []

    init(_ file: TraceFile) { lines = TraceLines(file) }

    mutating func contact(isMarked: Bool) throws(TraceError) {
        let times = try times(isMarked: isMarked)
        let pair = try pair()
        guard found.count < ContactPlan.Limits.contacts else {
            throw lines.error(.outOfRange("the number of contacts", highest: ContactPlan.Limits.contacts))
        }
        found.append(Found(pair: pair, start: times.lowerBound, end: times.upperBound))
    }

    /// Two instants in seconds, a plus sign before each.
    mutating func times(isMarked: Bool) throws(TraceError) -> Range<UInt64> {
        let start = try instant(isMarked: isMarked)
        let end = try instant(isMarked: isMarked)
        guard start < end else { throw lines.error(.expected("an end after the start", found: seconds(end))) }
        return start..<end
    }

    private mutating func instant(isMarked: Bool) throws(TraceError) -> UInt64 {
        let text = lines.text(lines.field())
        if text.contains("/") { throw lines.error(.unsupported("the calendar date '\(text)'")) }
        guard text.hasPrefix("+") || !isMarked else {
            throw lines.error(.expected("seconds after a plus sign", found: text))
        }
        let digits = text.hasPrefix("+") ? String(text.dropFirst()) : text
        var one = TraceLines(TraceFile(path: "", bytes: Array(digits.utf8)))
        guard one.nextLine(), let time = try? one.time() else {
            throw lines.error(.expected("seconds after a plus sign", found: text))
        }
        return time
    }

    private func seconds(_ time: UInt64) -> String { "\(time / 1_000_000) s" }

    mutating func pair() throws(TraceError) -> [String] {
        let one = try name()
        let other = try name()
        guard one != other else { throw lines.error(.itself) }
        return [one, other]
    }

    private mutating func name() throws(TraceError) -> String {
        let field = lines.field()
        guard !field.isEmpty else { throw lines.error(.expected("a host", found: "")) }
        guard field.count <= TraceLimits.nameBytes else {
            throw lines.error(.outOfRange("the length of a name", highest: TraceLimits.nameBytes))
        }
        return lines.text(field)
    }

    /// Bytes a second.
    mutating func rate() throws(TraceError) -> Double {
        let rate = try lines.decimal("a rate")
        guard rate >= 0, rate <= ContactPlan.Limits.rate else {
            throw lines.error(.outOfRange("a rate", highest: Int(ContactPlan.Limits.rate)))
        }
        return rate
    }

    /// Bits a second, with a unit or without.
    mutating func bits() throws(TraceError) -> Double {
        let text = lines.text(lines.field())
        var digits = text[...]
        var unit = 1.0
        for (name, size) in [("kbit", 1e3), ("mbit", 1e6), ("gbit", 1e9)] where text.hasSuffix(name) {
            digits = text.dropLast(name.count)
            unit = size
        }
        guard !digits.isEmpty, digits.utf8.count < 16, let bits = UInt64(digits) else {
            throw lines.error(.expected("a rate in bits a second", found: text))
        }
        let rate = Double(bits) * unit
        guard rate <= ContactPlan.Limits.rate * 8 else {
            throw lines.error(.outOfRange("a rate", highest: Int(ContactPlan.Limits.rate)))
        }
        return rate
    }

    /// At most a day.
    mutating func micros(_ what: String) throws(TraceError) -> UInt64 {
        let value = try lines.decimal(what)
        guard (0...86_400_000_000).contains(value) else {
            throw lines.error(.outOfRange(what, highest: 86_400_000_000))
        }
        return UInt64(value)
    }
}
