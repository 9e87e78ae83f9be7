import CoveyCore
import CoveyNode

/// A disk with an end: a write that does not fit is refused, and with it the run ends (`StoreError.full`).
final class CappedDisk: CommittingStore {
    private let store: MemoryStore
    /// Bytes left. What is deleted does not come back: file systems take their time, too.
    private var left: Int

    init(_ store: MemoryStore, capacity: Int) {
        self.store = store
        left = capacity
    }

    private func write(_ count: Int) throws {
        guard left >= count else { throw StoreError.full }
        left -= count
    }

    var isDirty: Bool { store.isDirty }
    func takeBatch() -> (any CommitBatch)? { store.takeBatch() }
    func finished(_ batch: any CommitBatch) { store.finished(batch) }

    func put(_ table: KeyedTable, _ key: [UInt8], _ value: [UInt8]) throws {
        try write(key.count + value.count)
        store.put(table, key, value)
    }

    func delete(_ table: KeyedTable, _ key: [UInt8]) { store.delete(table, key) }
    func get(_ table: KeyedTable, _ key: [UInt8]) -> [UInt8]? { store.get(table, key) }
    func all(_ table: KeyedTable) -> [(key: [UInt8], value: [UInt8])] { store.all(table) }

    func put(_ table: SequenceTable, _ sequence: UInt64, _ value: [UInt8]) throws {
        try write(8 + value.count)
        store.put(table, sequence, value)
    }

    func delete(_ table: SequenceTable, _ sequence: UInt64) { store.delete(table, sequence) }

    func records(_ table: SequenceTable, after: UInt64, limit: Int) -> [(sequence: UInt64, value: [UInt8])] {
        store.records(table, after: after, limit: limit)
    }

    func insert(_ record: EnvelopeRecord, _ bytes: [UInt8]) throws {
        try write(bytes.count)
        store.insert(record, bytes)
    }

    func envelope(_ id: EnvelopeID) -> [UInt8]? { store.envelope(id) }
    func replace(_ id: EnvelopeID, with ghost: Ghost) { store.replace(id, with: ghost) }
    func insert(_ ghost: Ghost) { store.insert(ghost) }
    func expire(upTo hour: Hour) { store.expire(upTo: hour) }
    func known() -> (held: [EnvelopeRecord], ghosts: [Ghost]) { store.known() }
}

extension Machine {
    func setCapacity(_ bytes: Int?) { disk = bytes.map { CappedDisk(store, capacity: $0) } ?? store }
}
