/// Watches a run and makes the `Recording` of it, thinning as it goes: its own memory is bounded by hosts, open
/// contacts and `RecordingBounds`, not by the run's length. Told in ascending time.
package struct Recorder: Sendable {
    /// An interval that has begun and not ended.
    package struct OpenInterval: Hashable, Sendable { fileprivate var number: Int }

    private struct Link: Hashable {
        var a: UInt32
        var b: UInt32
        var kind: Int

        init(_ a: UInt32, _ b: UInt32, _ kind: Int) {
            self.a = min(a, b)
            self.b = max(a, b)
            self.kind = kind
        }
    }

    private struct Track {
        var key: UInt64
        var path: Recording.Path
        var reached: Set<UInt32>
    }

    private let duration: UInt64
    private let hosts: [Recording.Host]
    private let linkKinds: [String]
    private let frameTypes: [String]
    private let bin: UInt64
    private let bins: Int

    private var open: [Link: UInt64] = [:]
    private var contacts = Thinned<Recording.Contact>(limit: RecordingBounds.contacts)
    private var components: [Recording.Components] = []
    private var componentInstants: Instants
    private var positions: [Recording.Positions] = []
    private var positionInstants: Instants

    /// Bytes by bin, one row a frame type.
    private var bytes: [[UInt64]]
    /// How full each host's buffer is, and was at most since the bin began: 0...1.
    private var fill: [Float]
    private var peak: [Float]
    private var sawFill = false
    private var heat: [Recording.HeatRow] = []
    private var binsClosed = 0

    private var openIntervals: [Int: Recording.Interval] = [:]
    private var intervalsBegun = 0
    private var intervals = Thinned<Recording.Interval>(limit: RecordingBounds.intervals)

    private var tracks = Thinned<Track>(limit: RecordingBounds.paths)
    private var trackIndex: [UInt64: Int] = [:]

    /// - Parameters:
    ///   - duration: microseconds; what happens later is counted into the last bin.
    ///   - linkKinds, frameTypes: their names; all calls speak of them by index.
    package init(duration: UInt64, hosts: [Recording.Host], linkKinds: [String] = ["link"], frameTypes: [String] = []) {
        self.duration = max(1, duration)
        self.hosts = hosts
        self.linkKinds = linkKinds
        self.frameTypes = frameTypes
        let columns = UInt64(RecordingBounds.bins)
        bin = (self.duration + columns - 1) / columns
        bins = Int((self.duration + bin - 1) / bin)
        let count = max(1, hosts.count)
        componentInstants = Instants(self.duration, count: min(bins, RecordingBounds.labels / count))
        positionInstants = Instants(self.duration, count: min(bins, RecordingBounds.positions / count))
        bytes = Array(repeating: Array(repeating: 0, count: bins), count: frameTypes.count)
        fill = Array(repeating: 0, count: hosts.count)
        peak = fill
        let shared = (hosts.count + RecordingBounds.heatRows - 1) / RecordingBounds.heatRows
        for first in stride(from: 0, to: hosts.count, by: max(1, shared)) {
            heat.append(
                Recording.HeatRow(firstHost: UInt32(first), hosts: min(shared, hosts.count - first), fill: []))
        }
    }

    package mutating func linkUp(_ a: UInt32, _ b: UInt32, kind: Int = 0, at time: UInt64) {
        advance(to: time)
        let link = Link(a, b, kind)
        if open[link] == nil { open[link] = time }
    }

    package mutating func linkDown(_ a: UInt32, _ b: UInt32, kind: Int = 0, at time: UInt64) {
        advance(to: time)
        let link = Link(a, b, kind)
        guard let from = open.removeValue(forKey: link) else { return }
        contacts.append(Recording.Contact(a: link.a, b: link.b, from: from, to: time, kind: kind))
    }

    /// The instant at which `places(_:at:)` is next wanted; nil when there are enough, or hosts are too many.
    package var nextPlaces: UInt64? { positionInstants.next }

    /// Where all hosts are: metres, x and y in turn, host by host.
    package mutating func places(_ places: [Float], at time: UInt64) {
        precondition(places.count == 2 * hosts.count, "every host has two coordinates")
        advance(to: time)
        guard positionInstants.pass(time) else { return }
        // Decimetres are more than a page can show.
        let rounded = places.map { ($0 * 10).rounded() / 10 }
        positions.append(Recording.Positions(time: time, places: rounded))
    }

    package mutating func bytes(_ count: UInt64, frame: Int, at time: UInt64) {
        bytes[frame][min(bins - 1, Int(time / bin))] += count
    }

    /// How full a host's buffer now is, 0...1.
    package mutating func fill(_ host: UInt32, _ share: Double, at time: UInt64) {
        advance(to: time)
        sawFill = true
        let share = Float(min(1, max(0, share)))
        fill[Int(host)] = share
        peak[Int(host)] = max(peak[Int(host)], share)
    }

    /// Something that lasts until `end(_:at:)`, or until the run ends. The lane is a plural: `partitions`, `crashes`,
    /// `revocations`, `bridges`.
    package mutating func begin(
        _ lane: String, _ label: String, hosts: [UInt32] = [], at time: UInt64
    ) -> OpenInterval {
        intervalsBegun += 1
        openIntervals[intervalsBegun] = interval(lane, label, hosts, time)
        return OpenInterval(number: intervalsBegun)
    }

    package mutating func end(_ interval: OpenInterval, at time: UInt64) {
        guard var ended = openIntervals.removeValue(forKey: interval.number) else { return }
        ended.to = time
        intervals.append(ended)
    }

    /// Something that happens and is over.
    package mutating func moment(_ lane: String, _ label: String, hosts: [UInt32] = [], at time: UInt64) {
        intervals.append(interval(lane, label, hosts, time))
    }

    /// - Parameter key: any number that is this message's alone.
    package mutating func created(
        _ key: UInt64, name: @autoclosure () -> String, class: @autoclosure () -> String, from: UInt32, to: UInt32?,
        bytes: Int, at time: UInt64
    ) {
        guard tracks.wantsNext else { return tracks.pass() }
        let stride = tracks.stride
        let path = Recording.Path(
            message: name(), class: `class`(), from: from, to: to, bytes: bytes, created: time, hops: [],
            furtherHops: 0)
        tracks.append(Track(key: key, path: path, reached: [from]))
        if tracks.stride != stride { trackIndex.removeAll() }
        for index in (trackIndex.isEmpty ? 0 : trackIndex.count)..<tracks.kept.count {
            trackIndex[tracks.kept[index].key] = index
        }
    }

    /// A copy came to a host; only a host's first one counts.
    package mutating func hop(_ key: UInt64, from: UInt32, to: UInt32, at time: UInt64) {
        guard let index = trackIndex[key] else { return }
        tracks.update(index) { track in
            guard track.reached.insert(to).inserted else { return }
            track.path.hops.append(Recording.Hop(time: time, from: from, to: to))
        }
    }

    package mutating func delivered(_ key: UInt64, at time: UInt64) {
        guard let index = trackIndex[key] else { return }
        tracks.update(index) { if $0.path.delivered == nil { $0.path.delivered = time } }
    }

    /// - Parameters:
    ///   - end: when the run ended, microseconds.
    ///   - oracle: when the oracle delivers the message of a key, microseconds; nil when it cannot.
    package consuming func finish(
        at end: UInt64, curves: [DeliveryCurve], oracle: (UInt64) -> UInt64? = { _ in nil }
    ) -> Recording {
        advance(to: end)
        while let instant = componentInstants.next, instant <= end { sampleComponents(at: instant) }
        if binsClosed < bins { closeBin() }
        let still = open.sorted {
            ($0.value, $0.key.a, $0.key.b, $0.key.kind) < ($1.value, $1.key.a, $1.key.b, $1.key.kind)
        }
        for (link, from) in still {
            contacts.append(Recording.Contact(a: link.a, b: link.b, from: from, to: end, kind: link.kind))
        }
        for number in openIntervals.keys.sorted() { self.end(OpenInterval(number: number), at: end) }
        // Hosts that never move need one frame. Of others every frame is kept: what lies between is drawn as movement.
        if let first = positions.first, positions.allSatisfy({ $0.places == first.places }) { positions = [first] }
        let paths = tracks.kept.map { track in
            var path = track.path
            path.oracle = oracle(track.key)
            return Self.bounded(path)
        }
        return Recording(
            duration: end, bin: bin, hosts: hosts, linkKinds: linkKinds,
            contacts: contacts.kept.sorted { ($0.from, $0.a, $0.b, $0.kind) < ($1.from, $1.a, $1.b, $1.kind) },
            contactStride: contacts.stride, positions: positions, components: components,
            intervals: intervals.kept.sorted {
                ($0.from, $0.to, $0.lane, $0.label) < ($1.from, $1.to, $1.lane, $1.label)
            },
            intervalStride: intervals.stride, frames: frameRows(), heat: sawFill ? heat : [], curves: curves,
            paths: paths, pathStride: tracks.stride)
    }

    // MARK: Over time

    private mutating func advance(to time: UInt64) {
        while let instant = componentInstants.next, instant < time { sampleComponents(at: instant) }
        while binsClosed < bins, UInt64(binsClosed + 1) * bin <= time { closeBin() }
    }

    private mutating func sampleComponents(at instant: UInt64) {
        componentInstants.pass(instant)
        var forest = Forest(count: hosts.count)
        // The label of a component is its least host, whatever order its links are joined in.
        for link in open.keys { forest.join(link.a, link.b) }
        let labels = forest.labels()
        if components.last?.labels != labels {
            components.append(Recording.Components(time: instant, labels: labels))
        }
    }

    private mutating func closeBin() {
        binsClosed += 1
        guard !fill.isEmpty else { return }
        for row in heat.indices {
            let members = Int(heat[row].firstHost)..<Int(heat[row].firstHost) + heat[row].hosts
            var sum = 0.0
            for host in members { sum += Double(peak[host]) }
            heat[row].fill.append(Int((sum / Double(members.count) * 1000).rounded()))
        }
        peak = fill
    }

    // MARK: Within bounds

    private func interval(_ lane: String, _ label: String, _ hosts: [UInt32], _ time: UInt64) -> Recording.Interval {
        let named = Array(hosts.prefix(RecordingBounds.intervalHosts))
        return Recording.Interval(
            lane: lane, label: label, from: time, to: time, hosts: named, furtherHosts: hosts.count - named.count)
    }

    /// The hops that led to the recipient, then the earliest others.
    private static func bounded(_ path: Recording.Path) -> Recording.Path {
        guard path.hops.count > RecordingBounds.hops else { return path }
        var arrival: [UInt32: Int] = [:]
        for (index, hop) in path.hops.enumerated() { arrival[hop.to] = index }
        var kept: Set<Int> = []
        var at = path.to
        while let host = at, let index = arrival[host], kept.count < RecordingBounds.hops {
            guard kept.insert(index).inserted else { break }
            at = path.hops[index].from
        }
        for index in path.hops.indices where kept.count < RecordingBounds.hops { kept.insert(index) }
        var bounded = path
        bounded.hops = kept.sorted().map { path.hops[$0] }
        bounded.furtherHops = path.hops.count - bounded.hops.count
        return bounded
    }

    private func frameRows() -> [Recording.FrameBytes] {
        var rows: [(row: Recording.FrameBytes, total: UInt64)] = []
        for (name, bytes) in zip(frameTypes, bytes) {
            let total = bytes.reduce(0, +)
            if total > 0 { rows.append((Recording.FrameBytes(name: name, bytes: bytes), total)) }
        }
        rows.sort { $0.total != $1.total ? $0.total > $1.total : $0.row.name < $1.row.name }
        let limit = RecordingBounds.frameTypes
        guard rows.count > limit else { return rows.map(\.row) }
        var rest = Recording.FrameBytes(
            name: "\(rows.count - limit + 1) others", bytes: Array(repeating: 0, count: bins))
        for (row, _) in rows[(limit - 1)...] { for index in 0..<bins { rest.bytes[index] += row.bytes[index] } }
        return rows[..<(limit - 1)].map(\.row) + [rest]
    }
}

/// So many instants, evenly spaced from 0 on.
private struct Instants {
    private let step: UInt64
    private let count: Int
    private var passed = 0

    init(_ duration: UInt64, count: Int) {
        self.count = count
        step = count > 0 ? max(1, (duration + UInt64(count) - 1) / UInt64(count)) : 1
    }

    var next: UInt64? { passed < count ? UInt64(passed) * step : nil }

    /// Whether one was due; all that are due are passed.
    @discardableResult
    mutating func pass(_ time: UInt64) -> Bool {
        let before = passed
        while let next, next <= time { passed += 1 }
        return passed > before
    }
}

/// Sets of hosts that are joined one link at a time; the root of each is its least host.
private struct Forest {
    private var parent: [UInt32]

    init(count: Int) { parent = (0..<UInt32(count)).map { $0 } }

    private mutating func root(_ host: UInt32) -> UInt32 {
        var at = host
        while parent[Int(at)] != at {
            parent[Int(at)] = parent[Int(parent[Int(at)])]
            at = parent[Int(at)]
        }
        return at
    }

    mutating func join(_ a: UInt32, _ b: UInt32) {
        let first = root(a)
        let second = root(b)
        if first < second { parent[Int(second)] = first } else { parent[Int(first)] = second }
    }

    mutating func labels() -> [UInt32] { (0..<UInt32(parent.count)).map { root($0) } }
}
