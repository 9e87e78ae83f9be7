package import CoveyCore
package import CoveyCrypto

/// A store without a disk, for tests and the simulator. It keeps the same promise: `crash` goes back to the last commit.
///
/// What a turn overwrites is kept until the commit, so a commit costs nothing and a crash costs what was written since.
package final class MemoryStore: CommittingStore {
    /// Nothing to write: what counts is that the store is told.
    private final class Batch: CommitBatch {
        func write() {}
    }

    /// The header is in the bytes.
    private struct Held {
        let bytes: [UInt8]
        let ingress: DeviceID
        let tokens: UInt8
        let hops: UInt8
        let isOwn: Bool
        let expiry: Hour

        init(_ record: EnvelopeRecord, _ bytes: [UInt8]) {
            self.bytes = bytes
            ingress = record.ingress
            tokens = record.tokens
            hops = record.hops
            isOwn = record.isOwn
            expiry = record.header.expiry
        }

        func record(_ id: EnvelopeID) -> EnvelopeRecord {
            guard
                let header = try? EnvelopeHeader.parse(
                    bytes.span.bytes.extracting(first: min(bytes.count, EnvelopeHeader.byteCount)))
            else { preconditionFailure("an envelope begins with its header") }
            return EnvelopeRecord(
                id: id, header: header, tokens: tokens, hops: hops, isOwn: isOwn, ingress: ingress)
        }
    }

    /// What stood in a place before it was written.
    private enum Before {
        case keyed(KeyedTable, [UInt8], [UInt8]?)
        case secret(SecretTable, [UInt8], SecretBytes?)
        case sequence(SequenceTable, UInt64, [UInt8]?)
        case held(EnvelopeID, Held?)
        case ghost(EnvelopeID, Ghost?)
    }

    private struct Sequence {
        /// Ascending by number: the newest is nearly always appended.
        var rows: [(sequence: UInt64, value: [UInt8])] = []

        /// The index of the first row whose number is not below `sequence`.
        func position(of sequence: UInt64) -> Int {
            var low = 0
            var high = rows.count
            if let last = rows.last, last.sequence < sequence { return high }
            while low < high {
                let middle = (low + high) / 2
                if rows[middle].sequence < sequence { low = middle + 1 } else { high = middle }
            }
            return low
        }

        /// - Returns: what stood there before.
        mutating func set(_ sequence: UInt64, _ value: [UInt8]?) -> [UInt8]? {
            let at = position(of: sequence)
            let isThere = at < rows.count && rows[at].sequence == sequence
            let before = isThere ? rows[at].value : nil
            switch (value, isThere) {
            case (let value?, true): rows[at].value = value
            case (let value?, false): rows.insert((sequence, value), at: at)
            case (nil, true): rows.remove(at: at)
            case (nil, false): break
            }
            return before
        }
    }

    private var keyed: [KeyedTable: [[UInt8]: [UInt8]]] = [:]
    private var secrets: [SecretTable: [[UInt8]: SecretBytes]] = [:]
    private var sequences: [SequenceTable: Sequence] = [:]
    private var held: [EnvelopeID: Held] = [:]
    private var ghosts: [EnvelopeID: Ghost] = [:]
    /// No envelope and no ghost is forgotten by an hour below these: most calls of `expire` look at nothing.
    private var nextMail = Hour(.max)
    private var nextGhost = Hour(.max)
    /// Since the last commit, in the order of writing.
    private var journal: [Before] = []
    /// The batch that is being written, and how much of the journal it holds.
    private var taken: (batch: Batch, count: Int)?

    package init() {}

    package var isDirty: Bool { journal.count > (taken?.count ?? 0) }

    package func takeBatch() -> (any CommitBatch)? {
        precondition(taken == nil, "there is one batch at a time")
        guard isDirty else { return nil }
        let batch = Batch()
        taken = (batch, journal.count)
        return batch
    }

    package func finished(_ batch: any CommitBatch) {
        guard let taken, taken.batch === batch else { preconditionFailure("the batch was taken from this store") }
        journal.removeFirst(taken.count)
        self.taken = nil
    }

    /// Makes the turns since the last commit durable.
    package func commit() {
        precondition(taken == nil, "there is one batch at a time")
        journal.removeAll(keepingCapacity: journal.count <= Limits.kept)
    }

    /// Power is lost: all turns since the last commit are forgotten, and a batch that is not finished.
    package func crash() {
        taken = nil
        for before in journal.reversed() {
            switch before {
            case .keyed(let table, let key, let value): keyed[table, default: [:]][key] = value
            case .secret(let table, let key, let value): secrets[table, default: [:]][key] = value
            case .sequence(let table, let sequence, let value):
                _ = sequences[table, default: Sequence()].set(sequence, value)
            case .held(let id, let value):
                held[id] = value
                if let value { nextMail = min(nextMail, value.expiry) }
            case .ghost(let id, let value):
                ghosts[id] = value
                if let value { nextGhost = min(nextGhost, value.expiry.adding(24)) }
            }
        }
        journal.removeAll()
    }

    package func put(_ table: KeyedTable, _ key: [UInt8], _ value: [UInt8]) {
        journal.append(.keyed(table, key, keyed[table, default: [:]].updateValue(value, forKey: key)))
    }

    package func delete(_ table: KeyedTable, _ key: [UInt8]) {
        guard let before = keyed[table]?.removeValue(forKey: key) else { return }
        journal.append(.keyed(table, key, before))
    }

    package func get(_ table: KeyedTable, _ key: [UInt8]) -> [UInt8]? { keyed[table]?[key] }

    package func all(_ table: KeyedTable) -> [(key: [UInt8], value: [UInt8])] {
        (keyed[table] ?? [:]).map { (key: $0.key, value: $0.value) }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }

    package func put(_ table: SecretTable, _ key: [UInt8], _ value: SecretBytes) {
        journal.append(.secret(table, key, secrets[table, default: [:]].updateValue(value, forKey: key)))
    }

    package func delete(_ table: SecretTable, _ key: [UInt8]) {
        guard let before = secrets[table]?.removeValue(forKey: key) else { return }
        journal.append(.secret(table, key, before))
    }

    package func all(_ table: SecretTable) -> [(key: [UInt8], value: SecretBytes)] {
        (secrets[table] ?? [:]).map { (key: $0.key, value: $0.value) }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }

    package func put(_ table: SequenceTable, _ sequence: UInt64, _ value: [UInt8]) {
        journal.append(.sequence(table, sequence, sequences[table, default: Sequence()].set(sequence, value)))
    }

    package func delete(_ table: SequenceTable, _ sequence: UInt64) {
        guard let before = sequences[table, default: Sequence()].set(sequence, nil) else { return }
        journal.append(.sequence(table, sequence, before))
    }

    package func records(
        _ table: SequenceTable, after: UInt64, limit: Int
    ) -> [(sequence: UInt64, value: [UInt8])] {
        guard let sequence = sequences[table], after < .max, limit > 0 else { return [] }
        return Array(sequence.rows[sequence.position(of: after + 1)...].prefix(limit))
    }

    package func insert(_ record: EnvelopeRecord, _ bytes: [UInt8]) {
        forgetGhost(record.id)
        journal.append(.held(record.id, held.updateValue(Held(record, bytes), forKey: record.id)))
        nextMail = min(nextMail, record.header.expiry)
    }

    package func envelope(_ id: EnvelopeID) -> [UInt8]? { held[id]?.bytes }

    /// What stands beside the bytes of an envelope.
    package func record(_ id: EnvelopeID) -> EnvelopeRecord? { held[id]?.record(id) }

    package func replace(_ id: EnvelopeID, with ghost: Ghost) {
        precondition(id == ghost.id, "a ghost takes the place of its own envelope")
        insert(ghost)
    }

    package func insert(_ ghost: Ghost) {
        if let before = held.removeValue(forKey: ghost.id) {
            precondition(before.expiry <= ghost.expiry, "a ghost outlives its envelope")
            journal.append(.held(ghost.id, before))
        }
        journal.append(.ghost(ghost.id, ghosts.updateValue(ghost, forKey: ghost.id)))
        nextGhost = min(nextGhost, ghost.expiry.adding(24))
    }

    private func forgetGhost(_ id: EnvelopeID) {
        guard !ghosts.isEmpty, let before = ghosts.removeValue(forKey: id) else { return }
        journal.append(.ghost(id, before))
    }

    package func expire(upTo hour: Hour) {
        if nextMail <= hour {
            nextMail = Hour(.max)
            for (id, value) in held {
                if value.expiry <= hour {
                    held[id] = nil
                    journal.append(.held(id, value))
                } else {
                    nextMail = min(nextMail, value.expiry)
                }
            }
        }
        if nextGhost <= hour {
            nextGhost = Hour(.max)
            for (id, ghost) in ghosts {
                let last = ghost.expiry.adding(24)
                if last <= hour {
                    ghosts[id] = nil
                    journal.append(.ghost(id, ghost))
                } else {
                    nextGhost = min(nextGhost, last)
                }
            }
        }
    }

    package func known() -> (held: [EnvelopeRecord], ghosts: [Ghost]) {
        (held.map { $0.value.record($0.key) }.sorted { $0.id < $1.id }, ghosts.values.sorted { $0.id < $1.id })
    }
}
