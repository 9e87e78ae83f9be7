package import CoveyCore
package import CoveyCrypto
package import CoveyRouting
package import CoveySync

/// The mail this node knows: what it holds, the ghosts of what it let go of, and the sets that are reconciled.
///
/// The bytes are in the store; here is what decisions need. There is one, and it is looked at where it lies: a copy, though
/// it shares its tables, would count a dozen references up and down for every envelope.
package struct Shelf: ~Copyable, Sendable {
    private var records: [EnvelopeID: EnvelopeRecord] = [:]
    private var sets: [KnownSet]
    /// The same mail as room and fairness see it.
    package private(set) var view: StoreView
    /// Bytes of all held envelopes.
    package private(set) var bytes: UInt64 = 0

    package init(quota: Quota, zones: ZoneSet, random: any RandomSource) {
        view = StoreView(quota: quota, zones: zones)
        sets = Priority.allCases.map { KnownSet(.mail($0), seed: random.nextWord()) }
    }

    package init(
        held: [EnvelopeRecord], ghosts: [Ghost], quota: Quota, zones: ZoneSet, random: any RandomSource
    ) {
        self.init(quota: quota, zones: zones, random: random)
        records.reserveCapacity(held.count)
        for record in held { insert(record) }
        for ghost in ghosts { insert(ghost) }
    }

    package var count: Int { records.count }
    package var ghosts: Int { sets.reduce(0) { $0 + $1.ghostCount } }

    package subscript(priority: Priority) -> KnownSet {
        _read { yield sets[Int(priority.rawValue)] }
        _modify { yield &sets[Int(priority.rawValue)] }
    }

    package func isHeld(_ id: EnvelopeID) -> Bool { records[id] != nil }

    package func record(_ id: EnvelopeID) -> EnvelopeRecord? { records[id] }

    /// Held or a ghost: not to be taken in again.
    package func knows(_ id: EnvelopeID, priority: Priority) -> Bool { self[priority].contains(ItemID(id)) }

    package mutating func insert(_ record: EnvelopeRecord, isSurplus: Bool = false) {
        let header = record.header
        guard self[header.priority].insert(Item(slot: header.slot, id: ItemID(record.id), expiry: header.expiry)) else {
            return
        }
        records[record.id] = record
        view.insert(EnvelopeMeta(record, isSurplus: isSurplus))
        bytes += UInt64(header.bucket.size)
    }

    package mutating func insert(_ ghost: Ghost) {
        let slot = ghost.expiry.adding(-Int64(ghost.ttlHours))
        self[ghost.priority].insert(Item(slot: slot, id: ItemID(ghost.id), expiry: ghost.expiry), as: .ghost)
    }

    /// The bytes go, the id stays.
    package mutating func replace(_ id: EnvelopeID, with ghost: Ghost) {
        guard let record = records.removeValue(forKey: id) else { return }
        forget(record)
        self[record.header.priority].mark(ItemID(id), as: .ghost)
    }

    /// Some of its tokens were handed on.
    package mutating func set(tokens: UInt8, of id: EnvelopeID) {
        guard var record = records[id] else { return }
        record.tokens = tokens
        records[id] = record
        guard !record.isOwn, var meta = view.remove(id, priority: record.header.priority) else { return }
        meta.tokens = EnvelopeMeta(record).tokens
        view.insert(meta)
    }

    private mutating func forget(_ record: EnvelopeRecord) {
        if record.isOwn {
            view.remove(own: EnvelopeMeta(record))
        } else {
            view.remove(record.id, priority: record.header.priority)
        }
        bytes -= UInt64(record.header.bucket.size)
    }

    /// Forgets what expired; says how many envelopes were held among it.
    package mutating func expire(upTo hour: Hour) -> Int {
        let gone = records.values.filter { $0.header.expiry <= hour }
        for record in gone {
            records[record.id] = nil
            forget(record)
        }
        for index in sets.indices { _ = sets[index].dropExpired(through: hour) }
        return gone.count
    }

    /// How many neighbours share the room for others' mail.
    package mutating func share(among neighbours: Int) { view.neighbours = neighbours }

    /// All held ids in their order, for a look at every envelope.
    package func heldIDs() -> [EnvelopeID] { records.keys.sorted() }
}

extension EnvelopeMeta {
    package init(_ record: EnvelopeRecord, isSurplus: Bool = false) {
        self.init(
            id: record.id, header: record.header,
            tokens: Tokens(received: record.tokens, kind: record.header.kind, zone: record.header.zone),
            hops: record.hops, ingress: record.ingress, isOwn: record.isOwn, isSurplus: isSurplus)
    }
}
