/// The earliest that each message can arrive, whoever carries it: no policy beats it (sync-routing.md §4.3).
///
/// A host that has a message hands it on in every contact that is long enough, however many others it hands on
/// meanwhile, and nothing is ever full. So this is an upper bound; an epidemic whose transfers take no time, with room
/// for all, reaches exactly this. A transfer fits into one contact: it begins in `up..<down` and ends by `down`.
///
/// Messages of one origin, moment, size and lifetime are looked for in one sweep over time, which ends when all their
/// recipients have them.
package struct Oracle: Sendable {
    package struct Arrival: Hashable, Sendable {
        /// Microseconds.
        package var time: UInt64
        /// From the origin to the recipient, both named.
        package var path: [UInt32]
    }

    package struct Foresight: Sendable {
        /// One answer a message: nil when it cannot arrive before it expires, or the end, or was not looked for.
        package var arrivals: [Arrival?]
        /// Whether it was looked for, one answer a message.
        package var isSought: [Bool]
    }

    private struct Contact: BitwiseCopyable {
        var up: UInt64
        var down: UInt64
        var other: UInt32
        var link: UInt16
    }

    private let nodes: Int
    private let rates: [Int?]
    private let lifetime: UInt64?
    private let end: UInt64
    /// Of each host by ascending `up`, one host after the other.
    private let contacts: [Contact]
    private let first: [Int]
    /// The latest `down` in each stretch of `contacts`: those that are over are passed by many at a time.
    private let latest: [UInt64]

    private static let stretch = 32

    /// Reads the source to its end.
    package init(_ source: some ContactSource, settings: ContactSettings, outages: [HostOutage] = []) {
        nodes = settings.nodes
        rates = settings.rates
        lifetime = settings.lifetime
        end = settings.end
        var found = ContactIntervals(source, nodes: settings.nodes, end: settings.end, outages: outages).list
        found.sort { ($0.up, $0.a, $0.b) < ($1.up, $1.a, $1.b) }
        precondition(found.count < Int(UInt32.max) / 2, "contacts are numbered in 32 bits")
        var counts = [Int](repeating: 0, count: settings.nodes + 1)
        for interval in found {
            counts[Int(interval.a) + 1] += 1
            counts[Int(interval.b) + 1] += 1
        }
        for host in 1..<max(1, counts.count) { counts[host] += counts[host - 1] }
        first = counts
        var next = counts
        var flat = [Contact](repeating: Contact(up: 0, down: 0, other: 0, link: 0), count: found.count * 2)
        for interval in found {
            for (host, other) in [(interval.a, interval.b), (interval.b, interval.a)] {
                flat[next[Int(host)]] = Contact(
                    up: interval.up, down: interval.down, other: other, link: interval.link)
                next[Int(host)] += 1
            }
        }
        contacts = flat
        var latest = [UInt64](repeating: 0, count: flat.count / Self.stretch + 1)
        for place in flat.indices {
            latest[place / Self.stretch] = max(latest[place / Self.stretch], flat[place].down)
        }
        self.latest = latest
    }

    /// One answer a message: nil when it cannot arrive before it expires, or the end.
    package func arrivals(_ messages: [PlannedMessage], isSizeless: Bool = false) -> [Arrival?] {
        foresee(messages, isSizeless: isSizeless, steps: .max).arrivals
    }

    /// - Parameter steps: contacts looked at, at most; when they are used up, messages are left out, here and there
    ///   among all of them.
    package func foresee(_ messages: [PlannedMessage], isSizeless: Bool = false, steps: Int) -> Foresight {
        var foresight = Foresight(
            arrivals: Array(repeating: nil, count: messages.count),
            isSought: Array(repeating: false, count: messages.count))
        let errands = errands(messages, isSizeless: isSizeless)
        var search = Search(nodes: nodes)
        let stride = Self.stride(errands.count)
        var at = 0
        for _ in errands.indices {
            guard search.steps < steps else { break }
            let errand = errands[at]
            at = (at + stride) % errands.count
            for message in errand.messages { search.seek(messages[message].to) }
            reach(from: errand.source, at: errand.time, until: errand.limit, size: errand.size, &search)
            for message in errand.messages {
                foresight.arrivals[message] = arrival(errand.source, messages[message].to, search)
                foresight.isSought[message] = true
                search.forget(messages[message].to)
            }
        }
        return foresight
    }

    /// When something without size, sent at `time`, can be at each host; nil where it never is.
    package func reach(from source: UInt32, at time: UInt64) -> [UInt64?] {
        var search = Search(nodes: nodes)
        reach(from: source, at: time, until: limit(time, lifetime), size: nil, &search)
        return (0..<nodes).map { search.times[$0] == .max ? nil : search.times[$0] }
    }

    private func limit(_ created: UInt64, _ lifetime: UInt64?) -> UInt64 {
        guard let lifetime, lifetime <= end, created <= end - lifetime else { return end }
        // What arrives as it expires comes too late.
        return created + lifetime - 1
    }

    // MARK: Errands

    /// Messages that go the same ways.
    private struct Errand {
        var source: UInt32
        var time: UInt64
        var limit: UInt64
        var size: Int?
        var messages: [Int]
    }

    private func errands(_ messages: [PlannedMessage], isSizeless: Bool) -> [Errand] {
        func errand(_ number: Int) -> Errand {
            let message = messages[number]
            return Errand(
                source: message.from, time: message.time, limit: limit(message.time, message.lifetime ?? lifetime),
                size: isSizeless ? nil : message.size, messages: [number])
        }
        func key(_ errand: Errand) -> (UInt64, UInt32, Int, UInt64) {
            (errand.time, errand.source, errand.size ?? 0, errand.limit)
        }
        var errands: [Errand] = []
        for one in messages.indices.map(errand).sorted(by: { key($0) < key($1) }) {
            if let last = errands.last, key(last) == key(one) {
                errands[errands.count - 1].messages += one.messages
            } else {
                errands.append(one)
            }
        }
        return errands
    }

    /// Steps of this length, round and round, come to each of `count` places once, and are spread evenly all the while.
    private static func stride(_ count: Int) -> Int {
        func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }
        // The golden section.
        var stride = max(1, count * 618 / 1000)
        while divisor(count, stride) != 1 { stride += 1 }
        return stride
    }

    // MARK: The search

    private struct Search {
        /// A host has it from now on; or it comes to one of its contacts.
        struct Step: BitwiseCopyable {
            static let arrives = UInt32.max

            var host: UInt32
            var contact: UInt32
        }

        var times: [UInt64]
        var from: [UInt32]
        var isSettled: [Bool]
        /// Whose times there are.
        var touched: [UInt32] = []
        var isWanted: [Bool]
        var wanted = 0
        var steps = 0
        var heap = EventHeap<Step>()

        init(nodes: Int) {
            times = Array(repeating: .max, count: nodes)
            from = Array(repeating: .max, count: nodes)
            isSettled = Array(repeating: false, count: nodes)
            isWanted = Array(repeating: false, count: nodes)
        }

        mutating func seek(_ host: UInt32) {
            if !isWanted[Int(host)] { wanted += 1 }
            isWanted[Int(host)] = true
        }

        mutating func forget(_ host: UInt32) {
            if isWanted[Int(host)] { wanted -= 1 }
            isWanted[Int(host)] = false
        }

        mutating func clear() {
            for host in touched {
                times[Int(host)] = .max
                isSettled[Int(host)] = false
            }
            touched.removeAll(keepingCapacity: true)
            heap.removeAll()
        }

        mutating func arrive(_ host: UInt32, from sender: UInt32, at time: UInt64) {
            if times[Int(host)] == .max { touched.append(host) }
            times[Int(host)] = time
            from[Int(host)] = sender
            heap.push(at: time, Step(host: host, contact: Step.arrives))
        }
    }

    private func arrival(_ source: UInt32, _ target: UInt32, _ search: Search) -> Arrival? {
        guard search.times[Int(target)] != .max else { return nil }
        var path = [target]
        while let host = path.last, host != source { path.append(search.from[Int(host)]) }
        return Arrival(time: search.times[Int(target)], path: path.reversed())
    }

    /// Dijkstra's search over time, until all that is wanted was found; with nothing wanted, to the limit. A host that
    /// has the message looks at the contacts it is in, then at each later one when time has come to it.
    private func reach(from source: UInt32, at start: UInt64, until limit: UInt64, size: Int?, _ search: inout Search) {
        search.clear()
        guard start <= limit else { return }
        let durations = rates.map { rate in
            guard let rate, let size else { return 0 as UInt64 }
            return (UInt64(size) * 1_000_000 + UInt64(rate) - 1) / UInt64(rate)
        }
        var last = limit
        var left = search.wanted
        search.arrive(source, from: source, at: start)
        while let (time, step) = search.heap.pop(), time <= last {
            if step.contact != Search.Step.arrives {
                hand(Int(step.contact), from: step.host, at: time, durations, &last, &search)
                wait(step.host, for: Int(step.contact) + 1, until: last, &search)
                continue
            }
            guard time == search.times[Int(step.host)], !search.isSettled[Int(step.host)] else { continue }
            search.isSettled[Int(step.host)] = true
            if search.isWanted[Int(step.host)] {
                left -= 1
                if left == 0 { return }
            }
            let later = firstContact(of: step.host, after: time)
            var place = first[Int(step.host)]
            while place < later {
                if place % Self.stretch == 0, latest[place / Self.stretch] <= time {
                    place += Self.stretch
                    search.steps += 1
                    continue
                }
                if contacts[place].down > time {
                    hand(place, from: step.host, at: time, durations, &last, &search)
                }
                place += 1
            }
            wait(step.host, for: later, until: last, &search)
        }
    }

    /// The first of a host's contacts that begins after a time.
    private func firstContact(of host: UInt32, after time: UInt64) -> Int {
        var low = first[Int(host)]
        var high = first[Int(host) + 1]
        while low < high {
            let middle = (low + high) / 2
            if contacts[middle].up <= time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    @inline(__always)
    private func hand(
        _ place: Int, from host: UInt32, at time: UInt64, _ durations: [UInt64], _ last: inout UInt64,
        _ search: inout Search
    ) {
        let contact = contacts[place]
        search.steps += 1
        let arrival = time + durations[Int(contact.link)]
        guard arrival <= last, arrival < search.times[Int(contact.other)], arrival <= contact.down else { return }
        search.arrive(contact.other, from: host, at: arrival)
        // Nothing later helps the only one that waits.
        if search.wanted == 1, search.isWanted[Int(contact.other)] { last = arrival }
    }

    /// The host's next contact with somebody who does not have it by then.
    private func wait(_ host: UInt32, for place: Int, until last: UInt64, _ search: inout Search) {
        var place = place
        while place < first[Int(host) + 1], contacts[place].up <= last {
            search.steps += 1
            if contacts[place].up < search.times[Int(contacts[place].other)] {
                search.heap.push(
                    at: contacts[place].up, Search.Step(host: host, contact: UInt32(truncatingIfNeeded: place)))
                return
            }
            place += 1
        }
    }
}

/// Contacts as intervals, as contact-level worlds understand a trace: a second `up` of a pair and a `down` of a pair that
/// is not up say nothing, and a host that is off has no contacts.
struct ContactIntervals {
    struct Interval: BitwiseCopyable {
        var up: UInt64
        var down: UInt64
        var a: UInt32
        var b: UInt32
        var link: UInt16
    }

    /// By ascending `down`; none is empty.
    private(set) var list: [Interval] = []

    init(_ source: some ContactSource, nodes: Int, end: UInt64, outages: [HostOutage]) {
        var source = source
        // Asked by pair only; what is open at the end is sorted.
        var open: [UInt64: Interval] = [:]
        while let change = source.next(), change.time <= end {
            precondition(change.a < nodes && change.b < nodes, "a contact is between hosts of the world")
            let pair = UInt64(min(change.a, change.b)) << 32 | UInt64(max(change.a, change.b))
            if change.isUp {
                if open[pair] == nil {
                    open[pair] = Interval(up: change.time, down: 0, a: change.a, b: change.b, link: change.link)
                }
            } else if var interval = open.removeValue(forKey: pair), interval.up < change.time {
                interval.down = change.time
                list.append(interval)
            }
        }
        for pair in open.keys.sorted() {
            guard var interval = open[pair] else { continue }
            // A transfer may begin at the very end, when it takes no time.
            interval.down = end == .max ? .max : end + 1
            list.append(interval)
        }
        for outage in outages { cut(outage) }
        if !outages.isEmpty { list.sort { $0.down < $1.down } }
    }

    private mutating func cut(_ outage: HostOutage) {
        guard outage.from < outage.until else { return }
        var kept: [Interval] = []
        kept.reserveCapacity(list.count)
        for interval in list {
            guard interval.a == outage.host || interval.b == outage.host, interval.up < outage.until,
                outage.from < interval.down
            else {
                kept.append(interval)
                continue
            }
            var before = interval
            before.down = outage.from
            if before.up < before.down { kept.append(before) }
            var after = interval
            after.up = outage.until
            if after.up < after.down { kept.append(after) }
        }
        list = kept
    }
}

extension ContactTrace {
    /// The changes one after the other.
    package struct Reader: ContactSource, Sendable {
        private let changes: [ContactChange]
        private var at = 0

        init(_ changes: [ContactChange]) { self.changes = changes }

        package mutating func next() -> ContactChange? {
            guard at < changes.count else { return nil }
            at += 1
            return changes[at - 1]
        }
    }

    package var reader: Reader { Reader(changes) }
}
