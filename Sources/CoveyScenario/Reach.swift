package import CoveyContact

/// Who is in whose reach over which kind of link, with partitions, cuts and lost links applied.
///
/// Two hosts may be joined by several layers of the topology at once; of the links that are whole the fastest counts.
package struct Reach {
    package struct Change: Hashable, Sendable {
        /// Microseconds.
        package var time: UInt64
        package var a: UInt32
        package var b: UInt32
        /// The kind of link, by number; nil: no longer in reach.
        package var link: Int?
    }

    private enum Fault {
        case begin(Deed)
        case end(Deed)
    }

    private struct Partition {
        /// By host: the sides it stands on, one bit each; 0: it is not concerned.
        var sides: [UInt64]
        var layer: String?

        /// Not concerned, or on a side together.
        func parts(_ a: UInt32, _ b: UInt32) -> Bool {
            let one = sides[Int(a)]
            let two = sides[Int(b)]
            return one != 0 && two != 0 && one & two == 0
        }
    }

    private struct Way: Hashable {
        var layer: UInt16
        var link: UInt16
    }

    private struct Pair {
        /// What joins the two now.
        var ways: [Way] = []
        /// What was told last.
        var link: Int?
        /// After a heal with a ramp: not before.
        var notBefore: UInt64 = 0
    }

    private let scenario: Scenario
    private let handles: [String]
    /// One-way partitions part the two like others: where a link has no directions.
    private let partsOneWay: Bool
    private var contacts: MergedLayers
    private var faults: [(time: UInt64, fault: Fault)]
    private var faultsTaken = 0
    /// Links that come back within a ramp.
    private var returns: [(time: UInt64, pair: UInt64)] = []
    private var returnsTaken = 0

    private var pairs: [UInt64: Pair] = [:]
    private var partitions: [(deed: Deed, partition: Partition)] = []
    private var cuts: Set<UInt64> = []
    private var lost: [(deed: Deed, link: Int, hosts: Set<UInt32>)] = []
    /// By layer: the kind of link it has had since a heal that gave it another.
    private var replaced: [Int?]
    /// Layers that a partition touched and no heal has given another link.
    private var parted: Set<Int> = []

    private var batch: [Change] = []
    private var batchTaken = 0

    /// - Parameter sources: of each layer of the topology.
    package init(_ expansion: Expansion, sources: [any ContactSource], partsOneWay: Bool) {
        scenario = expansion.scenario
        handles = scenario.topology.map(\.handle)
        self.partsOneWay = partsOneWay
        contacts = MergedLayers(sources)
        replaced = Array(repeating: nil, count: scenario.topology.count)
        var faults: [(time: UInt64, fault: Fault)] = []
        for deed in expansion.deeds where Self.concerns(deed) {
            faults.append((deed.at, .begin(deed)))
            if let until = deed.until { faults.append((until, .end(deed))) }
        }
        self.faults = faults.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element)
    }

    private static func concerns(_ deed: Deed) -> Bool {
        switch deed.act {
        case .partition, .heal, .cut, .uncut, .setLink, .linkDown: true
        case .hold, .release, .asymLoss, .crash, .restart, .kill, .join, .revoke, .copyAuthority,
            .openOffice, .enrol, .revokeAuthority, .checkpoint, .newEpoch, .newKeys, .recoverFork,
            .clockJump, .clockDrift, .load, .sneakernet, .diskFull, .byzantine:
            false
        }
    }

    /// The next change, by ascending time.
    package mutating func next() -> Change? {
        while batchTaken == batch.count {
            batch.removeAll(keepingCapacity: true)
            batchTaken = 0
            guard step() else { return nil }
        }
        batchTaken += 1
        return batch[batchTaken - 1]
    }

    private mutating func step() -> Bool {
        let contact = contacts.nextTime ?? .max
        let fault = faultsTaken < faults.count ? faults[faultsTaken].time : .max
        let back = returnsTaken < returns.count ? returns[returnsTaken].time : .max
        let now = min(contact, fault, back)
        if now == .max { return false }
        if now == contact, let (layer, change) = contacts.next() {
            let key = Self.key(change.a, change.b)
            let way = Way(layer: UInt16(layer), link: change.link)
            if change.isUp {
                pairs[key, default: Pair()].ways.append(way)
            } else if let at = pairs[key]?.ways.firstIndex(of: way) {
                pairs[key]?.ways.remove(at: at)
            }
            settle(key, at: now)
            if let pair = pairs[key], pair.ways.isEmpty { pairs[key] = nil }
        } else if now == fault {
            faultsTaken += 1
            apply(faults[faultsTaken - 1].fault, at: now)
        } else {
            returnsTaken += 1
            settle(returns[returnsTaken - 1].pair, at: now)
        }
        return true
    }

    private mutating func apply(_ fault: Fault, at now: UInt64) {
        switch fault {
        case .begin(let deed):
            switch deed.act {
            case .partition(let sides, let affects, let isOneWay):
                if isOneWay && !partsOneWay { return }
                partitions.append((deed, partition(sides, affects)))
                for layer in handles.indices where affects == nil || affects == handles[layer] { parted.insert(layer) }
            case .heal(let ramp, let link):
                let blocked = ramp == 0 ? [] : pairs.keys.filter { isBlocked($0) }.sorted()
                partitions = []
                cuts = []
                if let link { for layer in parted { replaced[layer] = link } }
                parted = []
                delay(blocked, from: now, over: ramp)
            case .cut(let a, let b): cuts.insert(Self.key(a, b))
            case .uncut(let a, let b): cuts.remove(Self.key(a, b))
            case .linkDown(let link, let of): lost.append((deed, link, Set(of)))
            case .setLink(let link, _):
                let name = scenario.links[link].name
                for layer in replaced.indices where scenario.topology[layer].link == name { replaced[layer] = nil }
            case .hold, .release, .asymLoss, .crash, .restart, .kill, .join, .revoke, .copyAuthority,
                .openOffice, .enrol, .revokeAuthority, .checkpoint, .newEpoch, .newKeys, .recoverFork,
                .clockJump, .clockDrift, .load, .sneakernet, .diskFull, .byzantine:
                return
            }
        case .end(let deed):
            partitions.removeAll { $0.deed == deed }
            lost.removeAll { $0.deed == deed }
            if case .cut(let a, let b) = deed.act { cuts.remove(Self.key(a, b)) }
        }
        for key in pairs.keys.sorted() { settle(key, at: now) }
    }

    private func partition(_ sides: [[UInt32]], _ layer: String?) -> Partition {
        precondition(sides.count <= ScenarioBounds.sides, "the reader counted the sides of a partition")
        var marks = [UInt64](repeating: 0, count: scenario.hostCount)
        for (number, side) in sides.enumerated() {
            for host in side { marks[Int(host)] |= 1 << UInt64(number) }
        }
        return Partition(sides: marks, layer: layer)
    }

    /// What was blocked comes back at a drawn moment; drawn from the pair, so that nothing else has a say in it.
    private mutating func delay(_ blocked: [UInt64], from now: UInt64, over ramp: UInt64) {
        guard ramp > 0, !blocked.isEmpty else { return }
        for key in blocked {
            var dice = Dice(seed: key).stream("ramp", now)
            let time = now + dice.below(ramp)
            pairs[key]?.notBefore = time
            returns.append((time, key))
        }
        let rest = returns[returnsTaken...].sorted { ($0.time, $0.pair) < ($1.time, $1.pair) }
        returns = rest
        returnsTaken = 0
    }

    // MARK: Pairs

    private mutating func settle(_ key: UInt64, at now: UInt64) {
        guard let pair = pairs[key] else { return }
        let link = now < pair.notBefore ? nil : effective(key, pair)
        guard link != pair.link else { return }
        pairs[key]?.link = link
        batch.append(Change(time: now, a: UInt32(key >> 32), b: UInt32(truncatingIfNeeded: key), link: link))
    }

    private func effective(_ key: UInt64, _ pair: Pair) -> Int? {
        var best: Int?
        for way in pair.ways {
            let link = replaced[Int(way.layer)] ?? Int(way.link)
            if isBlocked(key, layer: Int(way.layer), link: link) { continue }
            if let known = best, rate(known) > rate(link) || (rate(known) == rate(link) && known <= link) { continue }
            best = link
        }
        return best
    }

    private func rate(_ link: Int) -> Int { min(scenario.links[link].up, scenario.links[link].down).bitsPerSecond }

    private func isBlocked(_ key: UInt64) -> Bool {
        guard let pair = pairs[key], !pair.ways.isEmpty else { return false }
        return effective(key, pair) == nil
    }

    private func isBlocked(_ key: UInt64, layer: Int, link: Int) -> Bool {
        if cuts.contains(key) { return true }
        let a = UInt32(key >> 32)
        let b = UInt32(truncatingIfNeeded: key)
        for (_, partition) in partitions
        where (partition.layer == nil || partition.layer == handles[layer]) && partition.parts(a, b) {
            return true
        }
        for loss in lost where loss.link == link && (loss.hosts.contains(a) || loss.hosts.contains(b)) { return true }
        return false
    }

    private static func key(_ a: UInt32, _ b: UInt32) -> UInt64 { UInt64(min(a, b)) << 32 | UInt64(max(a, b)) }
}

/// The changes of several sources by time, and of one time by source, each with the number of its source.
private struct MergedLayers {
    private var sources: [any ContactSource]
    /// A heap: the least is first.
    private var heads: [(change: ContactChange, source: Int)] = []

    init(_ sources: [any ContactSource]) {
        self.sources = sources
        for source in sources.indices {
            if let change = self.sources[source].next() { heads.append((change, source)) }
        }
        for place in heads.indices.reversed() { sink(place) }
    }

    var nextTime: UInt64? { heads.first?.change.time }

    mutating func next() -> (layer: Int, change: ContactChange)? {
        guard let head = heads.first else { return nil }
        if let change = sources[head.source].next() {
            heads[0].change = change
        } else {
            heads[0] = heads[heads.count - 1]
            heads.removeLast()
        }
        sink(0)
        return (head.source, head.change)
    }

    private func isBefore(_ one: Int, _ two: Int) -> Bool {
        (heads[one].change.time, heads[one].source) < (heads[two].change.time, heads[two].source)
    }

    private mutating func sink(_ place: Int) {
        var place = place
        while true {
            var least = place
            for child in 2 * place + 1...2 * place + 2 where child < heads.count && isBefore(child, least) {
                least = child
            }
            if least == place { return }
            heads.swapAt(place, least)
            place = least
        }
    }
}
