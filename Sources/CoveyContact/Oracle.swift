/// The earliest that each message can arrive, whoever carries it: no policy beats it (sync-routing.md §4.3).
///
/// A host that has a message hands it on in every contact that is long enough, however many others it hands on
/// meanwhile, and nothing is ever full. So this is an upper bound; an epidemic whose transfers take no time, with room
/// for all, reaches exactly this. A transfer fits into one contact: it begins in `up..<down` and ends by `down`.
package struct Oracle: Sendable {
    package struct Arrival: Hashable, Sendable {
        /// Microseconds.
        package var time: UInt64
        /// From the origin to the recipient, both named.
        package var path: [UInt32]
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
    /// Of each host by ascending `down`, one host after the other.
    private let contacts: [Contact]
    private let first: [Int]

    /// Reads the source to its end.
    package init(_ source: some ContactSource, settings: ContactSettings, outages: [HostOutage] = []) {
        nodes = settings.nodes
        rates = settings.rates
        lifetime = settings.lifetime
        end = settings.end
        let found = ContactIntervals(source, nodes: settings.nodes, end: settings.end, outages: outages).list
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
    }

    /// One answer a message: nil when it cannot arrive before it expires, or the end.
    package func arrivals(_ messages: [PlannedMessage], isSizeless: Bool = false) -> [Arrival?] {
        var search = Search(nodes: nodes)
        return messages.map { message in
            reach(
                from: message.from, at: message.time, until: limit(message.time), to: message.to,
                size: isSizeless ? nil : message.size, &search)
            return arrival(message.from, message.to, search)
        }
    }

    /// When something without size, sent at `time`, can be at each host; nil where it never is.
    package func reach(from source: UInt32, at time: UInt64) -> [UInt64?] {
        var search = Search(nodes: nodes)
        reach(from: source, at: time, until: limit(time), to: nil, size: nil, &search)
        return (0..<nodes).map { search.times[$0] == .max ? nil : search.times[$0] }
    }

    private func limit(_ created: UInt64) -> UInt64 {
        guard let lifetime, lifetime <= end, created <= end - lifetime else { return end }
        // What arrives as it expires comes too late.
        return created + lifetime - 1
    }

    private struct Search {
        var times: [UInt64]
        var from: [UInt32]
        var heap = EventHeap<UInt32>()

        init(nodes: Int) {
            times = Array(repeating: .max, count: nodes)
            from = Array(repeating: .max, count: nodes)
        }
    }

    private func arrival(_ source: UInt32, _ target: UInt32, _ search: Search) -> Arrival? {
        guard search.times[Int(target)] != .max else { return nil }
        var path = [target]
        while let host = path.last, host != source { path.append(search.from[Int(host)]) }
        return Arrival(time: search.times[Int(target)], path: path.reversed())
    }

    /// Dijkstra's search over time.
    private func reach(
        from source: UInt32, at start: UInt64, until limit: UInt64, to target: UInt32?, size: Int?,
        _ search: inout Search
    ) {
        for host in search.times.indices { search.times[host] = .max }
        search.heap.removeAll()
        guard start <= limit else { return }
        var latest = limit
        let durations = rates.map { rate in
            guard let rate, let size else { return 0 as UInt64 }
            return (UInt64(size) * 1_000_000 + UInt64(rate) - 1) / UInt64(rate)
        }
        search.times[Int(source)] = start
        search.heap.push(at: start, source)
        while let (time, host) = search.heap.pop() {
            guard time == search.times[Int(host)] else { continue }
            if host == target { return }
            let range = first[Int(host)]..<first[Int(host) + 1]
            var low = range.lowerBound
            var high = range.upperBound
            // Contacts that are over help no more.
            while low < high {
                let middle = (low + high) / 2
                if contacts[middle].down <= time { low = middle + 1 } else { high = middle }
            }
            for at in low..<range.upperBound {
                let contact = contacts[at]
                let arrival = max(time, contact.up) + durations[Int(contact.link)]
                guard arrival <= latest, arrival < search.times[Int(contact.other)] else { continue }
                guard arrival <= contact.down else { continue }
                search.times[Int(contact.other)] = arrival
                search.from[Int(contact.other)] = host
                if contact.other == target { latest = arrival }
                search.heap.push(at: arrival, contact.other)
            }
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
