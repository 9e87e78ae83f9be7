package import CoveyCore

/// All a node knows of one namespace: what it holds, and ghosts, which it knew and does not want again.
///
/// Items lie in (slot, id) order, sorted slot by slot when somebody asks for the order. A second index by expiry hour drops
/// whole hours, and takes what is about to expire out of the sums. About 60 bytes an item.
///
///     table   hash of id u32 | row u32, open addressing; positions depend on the seed, effects never do
///     rows    [id 32 | slot 4 | expiry and state 4], at rest until removed
///     slots   ascending; each with its rows, and one aggregate an expiry hour
package struct KnownSet: Sendable {
    package enum State: Sendable {
        case held
        /// Refused, evicted, purged or deleted: known, not held.
        case ghost
        /// Delivered here and let go of: a ghost that no cap removes.
        case delivered
    }

    struct Row {
        let id: ItemID
        let slot: UInt32
        var mark: Mark
    }

    /// Expiry in the low 30 bits, the state above.
    struct Mark {
        static let never: UInt32 = 1 << 30 - 1
        private static let dead = Mark(bits: 3 << 30)
        private var bits: UInt32

        private init(bits: UInt32) { self.bits = bits }

        init(expiry: UInt32, state: State) {
            bits = expiry
            set(state)
        }

        var expiry: UInt32 { bits & Self.never }
        var isHeld: Bool { bits >> 30 == 0 }
        var isGhost: Bool { bits >> 30 == 1 }
        var isDead: Bool { bits >> 30 == 3 }
        var state: State { isHeld ? .held : isGhost ? .ghost : .delivered }

        mutating func set(_ state: State) {
            let code: UInt32 =
                switch state {
                case .held: 0
                case .ghost: 1
                case .delivered: 2
                }
            bits = expiry | code << 30
        }

        mutating func kill() { self = .dead }
    }

    fileprivate struct Class {
        let expiry: UInt32
        var aggregate = Aggregate()
    }

    private struct Slot {
        let hour: UInt32
        /// Dead rows among them, until the next tidying.
        var rows: [UInt32] = []
        var live = 0
        var isSorted = true
        /// One an expiry hour; an envelope's slot has at most six.
        var classes: [Class] = []
    }

    /// A place of the table. The hash beside the row tells nearly all other ids apart without a look at their rows, which
    /// are anywhere in memory, and where each belongs when the table grows.
    private struct Place {
        static let vacant = Place(hash: .max, row: .max)

        let hash: UInt32
        let row: UInt32

        var isVacant: Bool { row == .max }
    }

    package let namespace: Namespace
    private let half: ItemID.Half
    private let seed: UInt64
    private var rows: [Row] = []
    private var free: [UInt32] = []
    private var table = [Place](repeating: .vacant, count: 16)
    private var slots: [Slot] = []
    /// Ascending by expiry.
    private var hours: [Class] = []
    private var total = Aggregate()
    private var tugOfWar = TugOfWar()
    package private(set) var heldCount = 0
    /// Ghosts that the cap counts.
    package private(set) var ghostCount = 0

    /// - Parameter seed: random, so that nobody can choose ids that meet in the table.
    package init(_ namespace: Namespace, seed: UInt64) {
        self.namespace = namespace
        half = namespace.summedHalf
        self.seed = seed
    }

    /// Held, ghosts and delivered.
    package var count: Int { Int(total.count) }

    /// Number and sum of all ids: two sets of hashes with one content are the same set.
    package var content: Aggregate { total }

    /// The content it would have without some items and with others.
    package func content(without old: [ItemID], with new: [ItemID]) -> Aggregate {
        var content = total
        for id in old { content.subtract(id.number(half)) }
        for id in new { content.add(id.number(half)) }
        return content
    }

    /// Sorts all slots now, so that nobody who asks later does, each in a copy of its own.
    package mutating func sort() {
        for at in slots.indices { sort(at) }
    }
}

// MARK: One item

extension KnownSet {
    package func contains(_ id: ItemID) -> Bool { index(of: id) != nil }

    package func state(of id: ItemID) -> State? { row(of: id)?.mark.state }

    package func item(_ id: ItemID) -> Item? { row(of: id).map(Self.item) }

    /// Where a held item stands: its place stays the same while it is known, and may be another's afterwards. Places
    /// are small numbers, so that what else is known of an item can lie in an array.
    package func heldPlace(of id: ItemID) -> Int? {
        guard let index = index(of: id), rows[index].mark.isHeld else { return nil }
        return index
    }

    // The same questions to a set where it lies. Whoever asks a set of another room by a method that changes nothing hands it
    // a copy, with a count up and down for each of its tables.

    package mutating func containsInPlace(_ id: ItemID) -> Bool { index(of: id) != nil }

    package mutating func heldPlaceInPlace(of id: ItemID) -> Int? {
        guard let index = index(of: id), rows[index].mark.isHeld else { return nil }
        return index
    }

    /// Ids of one slot, whatever their state, in no order.
    package func known(of slot: Hour) -> [ItemID] {
        let at = slotIndex(slot.value)
        guard at < slots.count, slots[at].hour == slot.value else { return [] }
        return slots[at].rows.compactMap { index in
            let row = rows[Int(index)]
            return row.mark.isDead ? nil : row.id
        }
    }

    /// False, and nothing changes, when the id is known.
    @discardableResult
    package mutating func insert(_ item: Item, as state: State = .held) -> Bool { add(item, as: state) != nil }

    /// The place of the new item. Nil, and nothing changes, when the id is known.
    package mutating func add(_ item: Item, as state: State) -> Int? {
        if (count + 1) * 4 > table.count * 3 { grow() }
        let hash = hash(of: item.id)
        let position = position(of: item.id, hash)
        guard table[position].isVacant else { return nil }
        let expiry = item.expiry.map { min($0.value, Mark.never - 1) } ?? Mark.never
        let row = Row(id: item.id, slot: item.slot.value, mark: Mark(expiry: expiry, state: state))
        let index: UInt32
        if let reused = free.popLast() {
            index = reused
            rows[Int(reused)] = row
        } else {
            index = UInt32(rows.count)
            rows.append(row)
        }
        table[position] = Place(hash: hash, row: index)
        let number = item.id.number(half)
        total.add(number)
        tugOfWar.add(item.id)
        hours.withClass(expiry) { $0.add(number) }
        let at = slotIndex(item.slot.value)
        if at == slots.count || slots[at].hour != item.slot.value {
            slots.insert(Slot(hour: item.slot.value), at: at)
        }
        slots[at].rows.append(index)
        slots[at].live += 1
        slots[at].isSorted = slots[at].rows.count == 1
        slots[at].classes.withClass(expiry) { $0.add(number) }
        count(state, 1)
        return Int(index)
    }

    /// Held becomes ghost, or back. False when the id is not known.
    @discardableResult
    package mutating func mark(_ id: ItemID, as state: State) -> Bool {
        guard let index = index(of: id) else { return false }
        count(rows[index].mark.state, -1)
        rows[index].mark.set(state)
        count(state, 1)
        return true
    }

    /// Forgets it wholly. Nil when the id is not known.
    @discardableResult
    package mutating func remove(_ id: ItemID) -> Item? {
        let position = position(of: id, hash(of: id))
        guard !table[position].isVacant else { return nil }
        let index = Int(table[position].row)
        let row = rows[index]
        let number = id.number(half)
        vacate(position)
        total.subtract(number)
        tugOfWar.subtract(id)
        hours.withClass(row.mark.expiry) { $0.subtract(number) }
        hours.dropEmpty(row.mark.expiry)
        count(row.mark.state, -1)
        rows[index].mark.kill()
        let at = slotIndex(row.slot)
        slots[at].live -= 1
        slots[at].classes.withClass(row.mark.expiry) { $0.subtract(number) }
        slots[at].classes.dropEmpty(row.mark.expiry)
        if slots[at].live == 0 {
            free += slots[at].rows
            slots.remove(at: at)
        } else if slots[at].rows.count > 2 * slots[at].live + 16 {
            tidy(at)
        }
        return Self.item(row)
    }

    private func row(of id: ItemID) -> Row? {
        index(of: id).map { rows[$0] }
    }

    private static func item(_ row: Row) -> Item {
        Item(
            slot: Hour(row.slot), id: row.id,
            expiry: row.mark.expiry == Mark.never ? nil : Hour(row.mark.expiry))
    }

    private mutating func count(_ state: State, _ change: Int) {
        switch state {
        case .held: heldCount += change
        case .ghost: ghostCount += change
        case .delivered: break
        }
    }
}

// MARK: Time and caps

extension KnownSet {
    /// When the next item expires; nil when none ever does.
    package var firstExpiry: Hour? {
        guard let first = hours.first, first.expiry != Mark.never else { return nil }
        return Hour(first.expiry)
    }

    /// Places and ids of what is held and expires at or before `hour`; of all that is held without one. In no order.
    package func forEachHeld(through hour: Hour? = nil, _ body: (Int, ItemID) -> Void) {
        for slot in slots {
            if let hour, let first = slot.classes.first, first.expiry > hour.value { continue }
            for index in slot.rows {
                let row = rows[Int(index)]
                guard row.mark.isHeld, hour.map({ row.mark.expiry <= $0.value }) ?? true else { continue }
                body(Int(index), row.id)
            }
        }
    }

    /// Forgets everything that expires at or before `hour`. Returns how many.
    @discardableResult
    package mutating func dropExpired(through hour: Hour) -> Int {
        guard let first = hours.first, first.expiry <= hour.value, first.expiry != Mark.never else { return 0 }
        let before = count
        for at in slots.indices where slots[at].classes.first.map({ $0.expiry <= hour.value }) ?? false {
            drop(at) { $0.mark.expiry <= hour.value }
        }
        slots.removeAll { $0.live == 0 }
        return before - count
    }

    /// Forgets ghosts until at most `most` are left: those that expire first go first, then by slot and id.
    @discardableResult
    package mutating func dropGhosts(above most: Int) -> Int {
        var excess = ghostCount - most
        guard excess > 0 else { return 0 }
        let dropped = excess
        for expiry in hours.map(\.expiry) where excess > 0 {
            for at in slots.indices where excess > 0 && slots[at].classes.contains(where: { $0.expiry == expiry }) {
                sort(at)
                drop(at) { row in
                    guard excess > 0, row.mark.isGhost, row.mark.expiry == expiry else { return false }
                    excess -= 1
                    return true
                }
            }
        }
        slots.removeAll { $0.live == 0 }
        return dropped
    }

    /// Takes rows out of one slot, in its order. Leaves an empty slot to the caller.
    private mutating func drop(_ at: Int, where isOut: (Row) -> Bool) {
        var kept: [UInt32] = []
        kept.reserveCapacity(slots[at].rows.count)
        let indices = slots[at].rows
        for index in indices {
            let row = rows[Int(index)]
            if !row.mark.isDead {
                guard isOut(row) else {
                    kept.append(index)
                    continue
                }
                let number = row.id.number(half)
                vacate(position(of: row.id, hash(of: row.id)))
                total.subtract(number)
                tugOfWar.subtract(row.id)
                hours.withClass(row.mark.expiry) { $0.subtract(number) }
                hours.dropEmpty(row.mark.expiry)
                slots[at].classes.withClass(row.mark.expiry) { $0.subtract(number) }
                slots[at].classes.dropEmpty(row.mark.expiry)
                count(row.mark.state, -1)
                rows[Int(index)].mark.kill()
            }
            free.append(index)
        }
        slots[at].rows = kept
        slots[at].live = kept.count
    }
}

// MARK: Ranges

extension KnownSet {
    /// Everything that expires at `floor` or later, or never.
    package func aggregate(floor: Hour) -> Aggregate {
        var aggregate = total
        for hour in hours {
            guard hour.expiry < floor.value, hour.expiry != Mark.never else { break }
            aggregate.subtract(hour.aggregate)
        }
        return aggregate
    }

    package func tugOfWar(floor: Hour) -> TugOfWar {
        var result = tugOfWar
        for slot in slots {
            guard let first = slot.classes.first, first.expiry < floor.value, first.expiry != Mark.never else {
                continue
            }
            for index in slot.rows {
                let row = rows[Int(index)]
                if !row.mark.isDead, row.mark.expiry < floor.value, row.mark.expiry != Mark.never {
                    result.subtract(row.id)
                }
            }
        }
        return result
    }

    /// Sorts the slots that `range` cuts.
    package mutating func aggregate(in range: Range<Bound>, floor: Hour) -> Aggregate {
        var aggregate = Aggregate()
        var at = firstSlot(range)
        while at < slots.count, let cut = cut(at, range) {
            switch cut {
            case .whole:
                for one in slots[at].classes where one.expiry >= floor.value || one.expiry == Mark.never {
                    aggregate.add(one.aggregate)
                }
            case .part(let part):
                sort(at)
                for index in slots[at].rows[indices(at, part)] {
                    let row = rows[Int(index)]
                    if row.mark.expiry >= floor.value || row.mark.expiry == Mark.never {
                        aggregate.add(row.id.number(half))
                    }
                }
            }
            at += 1
        }
        return aggregate
    }

    /// The items of `range` above the floor, in (slot, id) order.
    package mutating func items(in range: Range<Bound>, floor: Hour) -> [Item] {
        var items: [Item] = []
        forEach(in: range, floor: floor) { items.append(Self.item($0)) }
        return items
    }

    mutating func forEach(in range: Range<Bound>, floor: Hour, _ body: (Row) -> Void) {
        var at = firstSlot(range)
        while at < slots.count, let cut = cut(at, range) {
            sort(at)
            let part =
                switch cut {
                case .whole: slots[at].rows.indices
                case .part(let part): indices(at, part)
                }
            for index in slots[at].rows[part] {
                let row = rows[Int(index)]
                if row.mark.expiry >= floor.value || row.mark.expiry == Mark.never { body(row) }
            }
            at += 1
        }
    }

    private enum Cut {
        case whole
        /// First words from, and up to, which rows are in; nil is open.
        case part((from: UInt64, to: UInt64?))
    }

    private func firstSlot(_ range: Range<Bound>) -> Int {
        range.lowerBound.slot > UInt64(UInt32.max) ? slots.count : slotIndex(UInt32(range.lowerBound.slot))
    }

    /// How much of a slot lies in the range; nil when it begins beyond.
    private func cut(_ at: Int, _ range: Range<Bound>) -> Cut? {
        let hour = UInt64(slots[at].hour)
        guard Bound(slot: Hour(slots[at].hour)) < range.upperBound, !range.isEmpty else { return nil }
        let from = hour == range.lowerBound.slot ? range.lowerBound.prefix : 0
        let to = hour == range.upperBound.slot ? range.upperBound.prefix : nil
        return from == 0 && to == nil ? .whole : .part((from, to))
    }

    private func indices(_ at: Int, _ part: (from: UInt64, to: UInt64?)) -> Range<Int> {
        let lower = firstRow(at, part.from)
        return lower..<(part.to.map { max(lower, firstRow(at, $0)) } ?? slots[at].rows.count)
    }

    /// The first row of a sorted slot whose id begins with `word` or more.
    private func firstRow(_ at: Int, _ word: UInt64) -> Int {
        var low = 0
        var high = slots[at].rows.count
        while low < high {
            let middle = (low + high) / 2
            if rows[Int(slots[at].rows[middle])].id.word(0) < word { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Where the slot is, or would be.
    private func slotIndex(_ hour: UInt32) -> Int {
        var low = 0
        var high = slots.count
        while low < high {
            let middle = (low + high) / 2
            if slots[middle].hour < hour { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func sort(_ at: Int) {
        if slots[at].rows.count != slots[at].live { tidy(at) }
        guard !slots[at].isSorted else { return }
        slots[at].rows = Self.sorted(slots[at].rows, rows)
        slots[at].isSorted = true
    }

    private static func sorted(_ indices: [UInt32], _ rows: [Row]) -> [UInt32] {
        var keys = indices.map { (word: rows[Int($0)].id.word(0), index: $0) }
        keys.sort { left, right in
            left.word != right.word
                ? left.word < right.word : rows[Int(left.index)].id < rows[Int(right.index)].id
        }
        return keys.map(\.index)
    }

    /// Lets go of dead rows, keeping the order of the others.
    private mutating func tidy(_ at: Int) {
        var kept: [UInt32] = []
        kept.reserveCapacity(slots[at].live)
        for index in slots[at].rows {
            if rows[Int(index)].mark.isDead { free.append(index) } else { kept.append(index) }
        }
        slots[at].rows = kept
    }
}

// MARK: The table

extension KnownSet {
    private func hash(of id: ItemID) -> UInt32 {
        let product = (id.word(0) ^ seed).multipliedFullWidth(by: id.word(2) ^ 0x9E37_79B9_7F4A_7C15)
        return UInt32(truncatingIfNeeded: product.high ^ product.low)
    }

    /// The row of an id that is known.
    private func index(of id: ItemID) -> Int? {
        let place = table[position(of: id, hash(of: id))]
        return place.isVacant ? nil : Int(place.row)
    }

    /// Where the id of this hash is, or the vacant place where it would be.
    private func position(of id: ItemID, _ hash: UInt32) -> Int {
        let mask = table.count - 1
        var position = Int(hash) & mask
        while true {
            let place = table[position]
            if place.isVacant || place.hash == hash && rows[Int(place.row)].id == id { return position }
            position = (position + 1) & mask
        }
    }

    /// Moves later entries of the run back, so that none is cut off from its home.
    private mutating func vacate(_ position: Int) {
        let mask = table.count - 1
        var hole = position
        var next = (hole + 1) & mask
        while !table[next].isVacant {
            let home = Int(table[next].hash) & mask
            if (next &- home) & mask >= (next &- hole) & mask {
                table[hole] = table[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        table[hole] = .vacant
    }

    private mutating func grow() {
        let mask = table.count * 2 - 1
        var grown = [Place](repeating: .vacant, count: mask + 1)
        for place in table where !place.isVacant {
            var position = Int(place.hash) & mask
            while !grown[position].isVacant { position = (position + 1) & mask }
            grown[position] = place
        }
        table = grown
    }
}

extension [KnownSet.Class] {
    /// The aggregate of an expiry hour, made when there is none.
    fileprivate mutating func withClass(_ expiry: UInt32, _ change: (inout Aggregate) -> Void) {
        let at = place(of: expiry)
        if at == count || self[at].expiry != expiry { insert(KnownSet.Class(expiry: expiry), at: at) }
        change(&self[at].aggregate)
    }

    fileprivate mutating func dropEmpty(_ expiry: UInt32) {
        let at = place(of: expiry)
        if at < count, self[at].expiry == expiry, self[at].aggregate.isEmpty { remove(at: at) }
    }

    private func place(of expiry: UInt32) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].expiry < expiry { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
