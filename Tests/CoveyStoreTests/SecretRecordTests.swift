import CoveyCrypto
import CoveyNode
import Testing

@testable import CoveyStore

extension StoreTests {
    @Suite("Records with keys in them")
    struct SecretRecordTests {
        private let scratch = Scratch()
        /// From the system's dice, straight into its slot: seeded ones could leave it elsewhere.
        private let key = SymmetricKey(from: SystemRandom())

        private func record() -> SecretBytes {
            SecretBytes(byteCount: 68) { record in
                record.append(Octets32())
                record.append(key)
                record.append(bigEndian: UInt32(7))
            }
        }

        private func holdsKey(_ store: DiskStore, _ table: SecretTable) throws -> Bool {
            try store.all(table).contains { found in
                found.key == [1]
                    && found.value.exposing { SymmetricKey(copying: $0.extracting(32..<64)).isEqual(to: key) }
            }
        }

        @Test(
            "a key that is put, read, committed, read again and deleted is never in plain memory",
            arguments: SecretTable.allCases)
        func guarded(table: SecretTable) throws {
            do {
                let store = try scratch.open()
                try store.put(table, [1], record())
                #expect(try holdsKey(store, table))
                #expect(try OwnMemory.plainCopies(of: key) == 0)
                let batch = try #require(store.takeBatch())
                #expect(try holdsKey(store, table))
                try batch.write()
                store.finished(batch)
                #expect(try holdsKey(store, table))
                #expect(try OwnMemory.plainCopies(of: key) == 0)
            }
            do {
                let store = try scratch.open()
                #expect(try holdsKey(store, table))
                try store.delete(table, [1])
                #expect(try store.all(table).isEmpty)
                try store.commit()
            }
            #expect(try scratch.open().all(table).isEmpty)
            #expect(try OwnMemory.plainCopies(of: key) == 0)
        }

        @Test("a copy in an array is found: the search is no blind one")
        func found() throws {
            var copy = key.exposing { [UInt8](copying: $0) }
            #expect(try OwnMemory.plainCopies(of: key) > 0)
            copy.wipe()
        }

        @Test(
            "a record that is not longer than its key is damaged", arguments: [[0], [0, 0], [0, 1, 9], [0, 9, 9, 9]])
        func short(plaintext: [UInt8]) {
            #expect(SecretRecord(SecretBytes(copying: plaintext.span.bytes)) == nil)
        }
    }
}
