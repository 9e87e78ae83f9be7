package import CoveyCore
package import CoveyCrypto
package import CoveyRouting
package import CoveySync

/// The mail this node knows: what it holds, the ghosts of what it let go of, and the sets that are reconciled.
///
/// The bytes are in the store; here is what decisions need. An envelope is found once: its place in the set of its priority
/// is also that of its row. About 120 bytes an envelope, 60 of them the set's.
///
///     set   id → place                        one for each priority
///     rows  [header 40 | neighbour 4 | tokens, hops, marks 3], by place
package final class Shelf: Holdings {
    private struct Row {
        let header: EnvelopeHeader
        /// Who pays for it, by number.
        let neighbour: UInt32
        var tokens: UInt8
        let hops: UInt8
        let isOwn: Bool
        var marks: Marks
    }

    private struct Marks: OptionSet {
        let rawValue: UInt8
        /// Kept beyond what its neighbour may bring.
        static let surplus = Marks(rawValue: 1)
        /// Some neighbour has stored it. Forgotten at a restart.
        static let forwarded = Marks(rawValue: 2)
        /// An announcement that was read, or refused for good. Forgotten at a restart.
        static let settled = Marks(rawValue: 4)
        /// A token came back after it had moved on. Forgotten at a restart.
        static let returned = Marks(rawValue: 8)
    }

    /// Bytes by priority. Of this room, so that asking costs no generic call across rooms.
    private struct Sums {
        private var emergency = 0
        private var urgent = 0
        private var normal = 0
        private var bulk = 0

        subscript(priority: Priority) -> Int {
            get {
                switch priority {
                case .emergency: emergency
                case .urgent: urgent
                case .normal: normal
                case .bulk: bulk
                }
            }
            set {
                switch priority {
                case .emergency: emergency = newValue
                case .urgent: urgent = newValue
                case .normal: normal = newValue
                case .bulk: bulk = newValue
                }
            }
        }
    }

    private struct Totals {
        var count = 0
        var bytes = 0
        var ownBytes = 0
        /// Bytes of relayed mail.
        var used = Sums()
    }

    private struct Neighbour {
        let device: DeviceID
        /// Bytes of relayed mail that came from it.
        var bytes = Sums()
    }

    /// Nearly all mail is of the first.
    private static let byFrequency: [Priority] = [.normal, .urgent, .bulk, .emergency]

    private var sets: [KnownSet]
    private var rows: [[Row?]] = Priority.allCases.map { _ in [] }
    private var known: [Neighbour] = []
    private var numbers: [DeviceID: UInt32] = [:]
    /// Nothing expires before this hour.
    private var nextExpiry = Hour(.max)

    package let quota: Quota
    package let zones: ZoneSet
    package private(set) var neighbours = 0
    /// Private, so that the compiler sees every use and checks none at run time.
    private var totals = Totals()

    package init(quota: Quota, zones: ZoneSet, random: any RandomSource) {
        self.quota = quota
        self.zones = zones
        sets = Priority.allCases.map { KnownSet(.mail($0), seed: random.nextWord()) }
    }

    package convenience init(
        held: [EnvelopeRecord], ghosts: [Ghost], quota: Quota, zones: ZoneSet, random: any RandomSource
    ) {
        self.init(quota: quota, zones: zones, random: random)
        for record in held { insert(record) }
        for ghost in ghosts { insert(ghost) }
    }

    /// Envelopes held.
    package var count: Int { totals.count }
    /// Bytes of all held envelopes.
    package var bytes: UInt64 { UInt64(totals.bytes) }
    package var ownBytes: Int { totals.ownBytes }
    package var ghosts: Int { sets.reduce(0) { $0 + $1.ghostCount } }

    package subscript(priority: Priority) -> KnownSet {
        _read { yield sets[Int(priority.rawValue)] }
        _modify { yield &sets[Int(priority.rawValue)] }
    }

    // MARK: One envelope

    package func isHeld(_ id: EnvelopeID) -> Bool { place(of: id) != nil }

    package func record(_ id: EnvelopeID) -> EnvelopeRecord? {
        guard let (priority, place) = place(of: id), let row = rows[priority][place] else { return nil }
        return record(id, row)
    }

    /// Held or a ghost: not to be taken in again.
    package func knows(_ id: EnvelopeID, priority: Priority) -> Bool {
        sets[Int(priority.rawValue)].containsInPlace(ItemID(id))
    }

    /// All that is known of one hour, in no order.
    package func known(_ priority: Priority, of slot: Hour) -> [EnvelopeID] {
        sets[Int(priority.rawValue)].known(of: slot).map { EnvelopeID(prefixOf: $0) }
    }

    /// Number and sum of what takes part from `floor` on.
    package func aggregate(_ priority: Priority, floor: Hour) -> Aggregate {
        sets[Int(priority.rawValue)].aggregate(floor: floor)
    }

    private func place(of id: EnvelopeID) -> (priority: Int, place: Int)? {
        let item = ItemID(id)
        for priority in Self.byFrequency {
            let number = Int(priority.rawValue)
            if let place = sets[number].heldPlaceInPlace(of: item) { return (number, place) }
        }
        return nil
    }

    private func record(_ id: EnvelopeID, _ row: Row) -> EnvelopeRecord {
        EnvelopeRecord(
            id: id, header: row.header, tokens: row.tokens, hops: row.hops, isOwn: row.isOwn,
            ingress: known[Int(row.neighbour)].device)
    }

    package func insert(_ record: EnvelopeRecord, isSurplus: Bool = false) {
        let header = record.header
        let priority = header.priority
        let number = Int(priority.rawValue)
        guard
            let place = sets[number].add(
                Item(slot: header.slot, id: ItemID(record.id), expiry: header.expiry), as: .held)
        else { return }
        let neighbour = self.number(of: record.ingress)
        let row = Row(
            header: header, neighbour: neighbour, tokens: record.tokens, hops: record.hops, isOwn: record.isOwn,
            marks: isSurplus ? .surplus : [])
        // A new place is mostly the next one.
        while rows[number].count < place { rows[number].append(nil) }
        if place < rows[number].count { rows[number][place] = row } else { rows[number].append(row) }
        if header.expiry < nextExpiry { nextExpiry = header.expiry }
        charge(header, neighbour, isOwn: record.isOwn, 1)
    }

    package func insert(_ ghost: Ghost) {
        let slot = ghost.expiry.adding(-Int64(ghost.ttlHours))
        self[ghost.priority].insert(Item(slot: slot, id: ItemID(ghost.id), expiry: ghost.expiry), as: .ghost)
        nextExpiry = min(nextExpiry, ghost.expiry)
    }

    /// The bytes go, the id stays.
    package func replace(_ id: EnvelopeID, with ghost: Ghost) {
        guard let (priority, place) = place(of: id) else { return }
        forget(priority, place)
        sets[priority].mark(ItemID(id), as: .ghost)
    }

    /// Some of its tokens were handed on.
    package func set(tokens: UInt8, of id: EnvelopeID) {
        guard let (priority, place) = place(of: id) else { return }
        rows[priority][place]?.tokens = tokens
    }

    /// Whether a copy of somebody else's mail without a token takes one: it came to hide what was asked for; or its token
    /// moved on, a way leads to its zone, and none has come back since a neighbour last came to be nearer.
    package func takesTokens(_ id: EnvelopeID, reached: ZoneSet) -> Bool {
        guard let (priority, place) = place(of: id), let row = rows[priority][place], row.tokens == 0, !row.isOwn
        else { return false }
        return !row.marks.contains(.forwarded) || reached.contains(row.header.zone) && !row.marks.contains(.returned)
    }

    /// Tokens came to a copy that had none.
    package func takeTokens(_ tokens: UInt8, to id: EnvelopeID) {
        guard let (priority, place) = place(of: id), let row = rows[priority][place] else { return }
        rows[priority][place]?.tokens = tokens
        if row.marks.contains(.forwarded) { rows[priority][place]?.marks.insert(.returned) }
    }

    /// A neighbour came to be nearer: its token may come back once more.
    package func forgetReturn(of id: EnvelopeID) {
        guard let (priority, place) = place(of: id) else { return }
        rows[priority][place]?.marks.remove(.returned)
    }

    /// A neighbour has stored it.
    package func markForwarded(_ id: EnvelopeID) {
        guard let (priority, place) = place(of: id) else { return }
        rows[priority][place]?.marks.insert(.forwarded)
    }

    /// Need not be looked at again.
    package func markSettled(_ id: EnvelopeID) {
        guard let (priority, place) = place(of: id) else { return }
        rows[priority][place]?.marks.insert(.settled)
    }

    package func isSettled(_ id: EnvelopeID) -> Bool {
        guard let (priority, place) = place(of: id) else { return false }
        return rows[priority][place]?.marks.contains(.settled) ?? false
    }

    /// Its id is not known any more.
    package func forget(ghost id: EnvelopeID, of priority: Priority) {
        guard self[priority].state(of: ItemID(id)) == .ghost else { return }
        self[priority].remove(ItemID(id))
    }

    /// What a neighbour brought that may be its own and went to nobody else, in the order of ids. Whoever wrote a letter
    /// gives it with one to four hops.
    package func deposits(of neighbour: DeviceID) -> [EnvelopeID] {
        guard let number = numbers[neighbour] else { return [] }
        var found: [EnvelopeID] = []
        for priority in sets.indices {
            sets[priority].forEachHeld { place, id in
                guard let row = rows[priority][place], row.neighbour == number, !row.isOwn,
                    row.hops <= Limits.maskedHops, !row.marks.contains(.forwarded)
                else { return }
                found.append(EnvelopeID(prefixOf: id))
            }
        }
        return found.sorted()
    }

    private func forget(_ priority: Int, _ place: Int) {
        guard let row = rows[priority][place] else { preconditionFailure("what is held has a row") }
        rows[priority][place] = nil
        charge(row.header, row.neighbour, isOwn: row.isOwn, -1)
    }

    private func charge(_ header: EnvelopeHeader, _ neighbour: UInt32, isOwn: Bool, _ sign: Int) {
        let change = sign * header.bucket.size
        totals.count += sign
        totals.bytes += change
        if isOwn {
            totals.ownBytes += change
        } else {
            totals.used[header.priority] += change
            known[Int(neighbour)].bytes[header.priority] += change
        }
    }

    private func number(of device: DeviceID) -> UInt32 {
        if let last = known.last, last.device == device { return UInt32(known.count - 1) }
        if let number = numbers[device] { return number }
        let number = UInt32(known.count)
        known.append(Neighbour(device: device))
        numbers[device] = number
        return number
    }

    // MARK: All of it

    /// Forgets what expired; says how many envelopes were held among it.
    package func expire(upTo hour: Hour) -> Int {
        guard nextExpiry <= hour else { return 0 }
        let before = count
        nextExpiry = Hour(.max)
        for number in sets.indices {
            sets[number].forEachHeld(through: hour) { place, _ in forget(number, place) }
            _ = sets[number].dropExpired(through: hour)
            if let next = sets[number].firstExpiry { nextExpiry = min(nextExpiry, next) }
        }
        return before - count
    }

    /// Forgets ghosts of each priority until at most `most` are left.
    package func dropGhosts(above most: Int) {
        for number in sets.indices { sets[number].dropGhosts(above: most) }
    }

    /// How many neighbours share the room for others' mail.
    package func share(among neighbours: Int) { self.neighbours = neighbours }

    /// All held ids in their order, for a look at every envelope.
    package func heldIDs() -> [EnvelopeID] {
        var ids: [EnvelopeID] = []
        ids.reserveCapacity(count)
        for set in sets { set.forEachHeld { _, id in ids.append(EnvelopeID(prefixOf: id)) } }
        return ids.sorted()
    }

    /// What is held for some zones, in the order of the ids.
    package func heldIDs(for zones: ZoneSet) -> [EnvelopeID] {
        var ids: [EnvelopeID] = []
        for priority in sets.indices {
            sets[priority].forEachHeld { place, id in
                guard let row = rows[priority][place], zones.contains(row.header.zone) else { return }
                ids.append(EnvelopeID(prefixOf: id))
            }
        }
        return ids.sorted()
    }

    package func used(_ priority: Priority) -> Int { totals.used[priority] }

    package func bytes(_ priority: Priority, of neighbour: DeviceID) -> Int {
        numbers[neighbour].map { known[Int($0)].bytes[priority] } ?? 0
    }

    package func mail(_ priority: Priority) -> [EnvelopeMeta] {
        var mail: [EnvelopeMeta] = []
        let number = Int(priority.rawValue)
        sets[number].forEachHeld { place, id in
            guard let row = rows[number][place], !row.isOwn else { return }
            mail.append(EnvelopeMeta(record(EnvelopeID(prefixOf: id), row), isSurplus: row.marks.contains(.surplus)))
        }
        return mail
    }
}

extension EnvelopeMeta {
    package init(_ record: EnvelopeRecord, isSurplus: Bool = false) {
        self.init(
            id: record.id, header: record.header,
            tokens: Tokens(received: record.tokens, kind: record.header.kind, zone: record.header.zone),
            hops: record.hops, ingress: record.ingress, isOwn: record.isOwn, isSurplus: isSurplus)
    }
}
