import CoveyCore
import CoveyCrypto

/// A batch in the making: parts side by side over the whole key space, quiet stretches joined into one.
struct RangePlan {
    private(set) var parts: [Recon.Part] = []
    /// Whether something is said besides skip.
    private(set) var asks = false
    /// Ranges listed, whose ids the peer may ask for.
    private(set) var listed: [Range<Bound>] = []

    private var last: Bound { parts.last?.upper ?? .start }

    /// Everything up to `upper` is settled.
    mutating func skip(to upper: Bound) {
        guard upper > last else { return }
        if case .skip = parts.last?.mode { parts.removeLast() }
        parts.append(Recon.Part(upper: upper, mode: .skip))
    }

    private mutating func add(_ range: Range<Bound>, _ mode: Recon.Mode) {
        precondition(range.lowerBound >= last && !range.isEmpty, "ranges are planned in order")
        skip(to: range.lowerBound)
        parts.append(Recon.Part(upper: range.upperBound, mode: mode))
        asks = true
    }

    mutating func all(_ range: Range<Bound>) { add(range, .all) }

    mutating func fingerprint(_ range: Range<Bound>, _ fingerprint: Octets8) { add(range, .fingerprint(fingerprint)) }

    /// All ids of the set in the range, in as many lists as it takes.
    mutating func list(_ range: Range<Bound>, of set: inout KnownSet, _ view: View) {
        let ids = set.ids(in: range, floor: view.floor)
        let most = view.isWide ? Limits.listIDs / 2 : Limits.listIDs
        var from = 0
        var lower = range.lowerBound
        while true {
            var to = min(from + most, ids.count)
            // Two ids that begin with the same eight bytes cannot be parted by a bound.
            while to > 0, to < ids.count, ids[to].place == ids[to - 1].place { to += 1 }
            let upper = to == ids.count ? range.upperBound : Bound(parting: ids[to - 1], from: ids[to])
            let part = ids[from..<to]
            add(
                lower..<upper,
                view.isWide
                    ? .wideList(part.map { view.wideID(of: $0.id) })
                    : .list(part.map { view.salt.shortID(of: $0.id) }))
            if to == ids.count { break }
            from = to
            lower = upper
        }
        listed.append(range)
    }

    /// What a range that differs is answered with: nothing here, a list, or fingerprints of its parts.
    mutating func divide(_ range: Range<Bound>, of set: inout KnownSet, _ view: View) {
        let ids = set.ids(in: range, floor: view.floor)
        guard ids.count > Limits.leaf else {
            if ids.isEmpty { all(range) } else { list(range, of: &set, view) }
            return
        }
        var aggregate = Aggregate()
        var lower = range.lowerBound
        var way = 1
        for (index, one) in ids.enumerated() {
            if index >= way * ids.count / Limits.ways, one.place != ids[index - 1].place {
                let upper = Bound(parting: ids[index - 1], from: one)
                fingerprint(lower..<upper, view.salt.fingerprint(of: aggregate))
                aggregate = Aggregate()
                lower = upper
                while index >= way * ids.count / Limits.ways { way += 1 }
            }
            aggregate.add(one.id.number(view.half))
        }
        guard lower != range.lowerBound else {
            list(range, of: &set, view)
            return
        }
        fingerprint(lower..<range.upperBound, view.salt.fingerprint(of: aggregate))
    }

    /// How a round looks at the set.
    struct View {
        var floor: Hour
        var salt: Salt
        var isWide: Bool
        var half: ItemID.Half

        func wideID(of id: ItemID) -> Octets16 {
            Octets16(id.array[half == .first ? 0..<16 : 16..<32]).unsafelyUnwrapped
        }
    }
}

/// An id and where it stands.
struct PlacedID {
    var slot: UInt32
    var id: ItemID

    var place: Bound { Bound(slot: Hour(slot), prefix: id.word(0)) }
}

extension KnownSet {
    mutating func ids(in range: Range<Bound>, floor: Hour) -> [PlacedID] {
        var ids: [PlacedID] = []
        forEach(in: range, floor: floor) { ids.append(PlacedID(slot: $0.slot, id: $0.id)) }
        return ids
    }
}

extension Bound {
    /// The shortest bound above `left` and not above `right`, which stands in another place behind it.
    init(parting left: PlacedID, from right: PlacedID) {
        guard left.slot == right.slot else {
            self.init(slot: Hour(right.slot))
            return
        }
        let same = (left.id.word(0) ^ right.id.word(0)).leadingZeroBitCount / 8
        precondition(same < 8, "the ids differ in their first eight bytes")
        let dropped = UInt64(56 - 8 * same)
        self.init(slot: Hour(right.slot), prefix: (right.id.word(0) >> dropped) << dropped)
    }
}
