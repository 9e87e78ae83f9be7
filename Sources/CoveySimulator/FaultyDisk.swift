import CoveyCore
import CoveyCrypto
import CoveyNode

/// What is wrong with a disk.
struct DiskFaults {
    /// Bytes left. What is deleted does not come back: file systems take their time, too.
    var capacity: Int?
    /// Records that are not what was written, by the number of their table.
    var damaged: [(table: UInt8, key: [UInt8])] = []

    var isNone: Bool { capacity == nil && damaged.isEmpty }
}

/// A disk with faults in front of a good one. A write that does not fit is refused, and a damaged record is noticed when
/// it is read: either ends the run (`StoreError`).
final class FaultyDisk: CommittingStore {
    private let store: MemoryStore
    private var faults: DiskFaults

    init(_ store: MemoryStore, _ faults: DiskFaults) {
        self.store = store
        self.faults = faults
    }

    private func write(_ count: Int) throws {
        guard let left = faults.capacity else { return }
        guard left >= count else { throw StoreError.full }
        faults.capacity = left - count
    }

    private func read(_ table: some RawRepresentable<UInt8>, _ key: [UInt8]? = nil) throws {
        if faults.damaged.contains(where: { $0.table == table.rawValue && (key == nil || $0.key == key) }) {
            throw StoreError.damaged("a record of the table \(table) is not what was written")
        }
    }

    private func forget(_ table: some RawRepresentable<UInt8>, _ key: [UInt8]) {
        faults.damaged.removeAll { $0.table == table.rawValue && $0.key == key }
    }

    var isDirty: Bool { store.isDirty }
    func takeBatch() -> (any CommitBatch)? { store.takeBatch() }
    func finished(_ batch: any CommitBatch) { store.finished(batch) }

    func put(_ table: KeyedTable, _ key: [UInt8], _ value: [UInt8]) throws {
        try write(key.count + value.count)
        forget(table, key)
        store.put(table, key, value)
    }

    func delete(_ table: KeyedTable, _ key: [UInt8]) {
        forget(table, key)
        store.delete(table, key)
    }

    func get(_ table: KeyedTable, _ key: [UInt8]) throws -> [UInt8]? {
        try read(table, key)
        return store.get(table, key)
    }

    func all(_ table: KeyedTable) throws -> [(key: [UInt8], value: [UInt8])] {
        try read(table)
        return store.all(table)
    }

    func put(_ table: SecretTable, _ key: [UInt8], _ value: SecretBytes) throws {
        try write(key.count + value.byteCount)
        forget(table, key)
        store.put(table, key, value)
    }

    func delete(_ table: SecretTable, _ key: [UInt8]) {
        forget(table, key)
        store.delete(table, key)
    }

    func all(_ table: SecretTable) throws -> [(key: [UInt8], value: SecretBytes)] {
        try read(table)
        return store.all(table)
    }

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
