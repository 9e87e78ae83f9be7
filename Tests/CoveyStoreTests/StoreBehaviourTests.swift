import CoveyCore
import CoveyCrypto
import CoveyNode
import CoveyStoreChild
import Testing

@testable import CoveyStore

/// A store that can lose power: in memory, or on disk with the process's end played by opening it again.
private final class Bench {
    enum Kind: String, CaseIterable, CustomTestStringConvertible {
        case memory, disk
        var testDescription: String { rawValue }
    }

    private let scratch = Scratch()
    private let memory: MemoryStore?
    private var disk: DiskStore?

    init(_ kind: Kind) throws {
        switch kind {
        case .memory: memory = MemoryStore()
        case .disk:
            memory = nil
            disk = try scratch.open()
        }
    }

    var store: any CommittingStore { memory ?? disk! }

    func loseTurnsSinceCommit() throws {
        memory?.crash()
        guard disk != nil else { return }
        disk = nil
        disk = try scratch.open()
    }
}

extension StoreTests {
    /// One story for both stores: the simulator may take the one for the other.
    @Suite("A store")
    struct StoreBehaviourTests {
        @Test("gives back what was put, at once and after a commit", arguments: Bench.Kind.allCases)
        private func keyedRecords(kind: Bench.Kind) throws {
            let bench = try Bench(kind)
            let store = bench.store
            for isCommitted in [false, true] {
                try store.put(.state, [1], [10])
                try store.put(.state, [0, 5], [])
                try store.put(.peers, [1], [20])
                try store.delete(.state, [9])
                if isCommitted { try store.commit() }
                #expect(try store.get(.state, [1]) == [10])
                #expect(try store.get(.state, [0, 5]) == [])
                #expect(try store.get(.state, [5]) == nil)
                #expect(try store.get(.peers, [1]) == [20])
                #expect(try store.all(.state).map(\.key) == [[0, 5], [1]])
                try store.put(.state, [1], [11])
                #expect(try store.get(.state, [1]) == [11])
                try store.delete(.state, [1])
                #expect(try store.get(.state, [1]) == nil)
                #expect(try store.all(.state).map(\.key) == [[0, 5]])
            }
        }

        @Test("lists a sequence above a number, ascending, cut at the limit", arguments: Bench.Kind.allCases)
        private func sequences(kind: Bench.Kind) throws {
            let bench = try Bench(kind)
            let store = bench.store
            for number in [5, 1, 9, 3] as [UInt64] { try store.put(.inbox, number, [UInt8(number)]) }
            try store.commit()
            try store.put(.inbox, 7, [7])
            try store.put(.inbox, 3, [33])
            try store.delete(.inbox, 5)
            try store.put(.log, 2, [2])
            func numbers(_ after: UInt64, _ limit: Int) throws -> [UInt64] {
                try store.records(.inbox, after: after, limit: limit).map(\.sequence)
            }
            #expect(try numbers(0, .max) == [1, 3, 7, 9])
            #expect(try numbers(1, 2) == [3, 7])
            #expect(try numbers(3, 1) == [7])
            #expect(try numbers(9, 5) == [])
            #expect(try numbers(.max, 5) == [])
            #expect(try numbers(0, 0) == [])
            #expect(try store.records(.inbox, after: 1, limit: 1).first?.value == [33])
            #expect(try store.records(.log, after: 0, limit: 9).map(\.value) == [[2]])
        }

        @Test("holds envelopes whole, and lists them in the order of ids", arguments: Bench.Kind.allCases)
        private func envelopes(kind: Bench.Kind) throws {
            let bench = try Bench(kind)
            let store = bench.store
            let mail = (0..<40).map { Mail($0, expiry: 492_000 + UInt32($0 % 3) * 6) }
            for (number, one) in mail.enumerated() {
                try store.insert(one.record, one.bytes)
                if number == 20 { try store.commit() }
            }
            for one in mail { #expect(try store.envelope(one.id) == one.bytes) }
            #expect(try store.envelope(Mail(99).id) == nil)
            let known = try store.known()
            #expect(known.held == mail.map(\.record).sorted { $0.id < $1.id })
            #expect(known.ghosts.isEmpty)
        }

        @Test("lets go of the bytes and keeps the id as a ghost", arguments: Bench.Kind.allCases)
        private func ghosts(kind: Bench.Kind) throws {
            let bench = try Bench(kind)
            let kept = Mail(1)
            let early = Mail(2)
            let late = Mail(3)
            let stranger = Mail(4).ghost(.refused)
            for one in [kept, early] { try bench.store.insert(one.record, one.bytes) }
            try bench.store.commit()
            try bench.store.insert(late.record, late.bytes)
            try bench.store.replace(early.id, with: early.ghost(.evicted))
            try bench.store.replace(late.id, with: late.ghost(.purged))
            try bench.store.insert(stranger)
            for _ in 0..<2 {
                #expect(try bench.store.envelope(early.id) == nil)
                #expect(try bench.store.envelope(late.id) == nil)
                let known = try bench.store.known()
                #expect(known.held == [kept.record])
                #expect(
                    known.ghosts == [early.ghost(.evicted), late.ghost(.purged), stranger].sorted { $0.id < $1.id })
                try bench.store.commit()
                try bench.loseTurnsSinceCommit()
            }
        }

        @Test("takes a ghost's envelope in again, with what is told of it now", arguments: Bench.Kind.allCases)
        private func revived(kind: Bench.Kind) throws {
            let bench = try Bench(kind)
            let mail = Mail(1)
            try bench.store.insert(mail.ghost())
            try bench.store.commit()
            try bench.store.insert(mail.record, mail.bytes)
            try bench.store.commit()
            let again = Mail(1, tokens: 3)
            try bench.store.insert(again.record, again.bytes)
            try bench.store.commit()
            try bench.loseTurnsSinceCommit()
            let known = try bench.store.known()
            #expect(known.held == [again.record])
            #expect(known.ghosts.isEmpty)
            #expect(try bench.store.envelope(mail.id) == mail.bytes)
        }

        @Test("forgets mail at its expiry, and ghosts a day later", arguments: Bench.Kind.allCases)
        private func expiry(kind: Bench.Kind) throws {
            let bench = try Bench(kind)
            let store = bench.store
            let soon = Mail(1, expiry: 492_000)
            let later = Mail(2, expiry: 492_006)
            let ghost = Mail(3, expiry: 492_000).ghost()
            for one in [soon, later] { try store.insert(one.record, one.bytes) }
            try store.insert(ghost)
            try store.commit()
            try store.expire(upTo: Hour(491_999))
            #expect(try store.known().held.count == 2)
            try store.expire(upTo: Hour(492_000))
            #expect(try store.envelope(soon.id) == nil)
            #expect(try store.known().held == [later.record])
            try store.expire(upTo: Hour(492_023))
            #expect(try store.known().held.isEmpty)
            #expect(try store.known().ghosts == [ghost])
            try store.expire(upTo: Hour(492_024))
            #expect(try store.known().ghosts.isEmpty)
        }

        @Test("is at the last commit after a crash", arguments: Bench.Kind.allCases, [1, 2, 3, 4, 5, 6, 7, 8])
        private func crash(kind: Bench.Kind, seed: UInt64) throws {
            let bench = try Bench(kind)
            var turns = Turns(seed: seed)
            let dice = SeededRandom(seed: seed, stream: "crashes")
            var committed = try Contents(of: bench.store)
            for _ in 0..<60 {
                switch dice.uniform(10) {
                case 0:
                    try bench.loseTurnsSinceCommit()
                    #expect(try Contents(of: bench.store) == committed)
                    turns.lose()
                case 1...3:
                    try bench.store.commit()
                    committed = try Contents(of: bench.store)
                    turns.keep()
                default: try turns.turn(bench.store)
                }
            }
        }

        @Test("does the same on disk as in memory, whatever the turns", arguments: [11, 12, 13, 14, 15, 16])
        func sameInBoth(seed: UInt64) throws {
            let disk = try Bench(.disk)
            let memory = try Bench(.memory)
            var turns = (Turns(seed: seed), Turns(seed: seed))
            let dice = SeededRandom(seed: seed, stream: "commits")
            var batches: (any CommitBatch, any CommitBatch)?
            for _ in 0..<150 {
                try turns.0.turn(disk.store)
                try turns.1.turn(memory.store)
                if let taken = batches {
                    if dice.uniform(2) == 0 {
                        try taken.0.write()
                        disk.store.finished(taken.0)
                        memory.store.finished(taken.1)
                        batches = nil
                    }
                } else if dice.uniform(3) == 0, let left = disk.store.takeBatch(), let right = memory.store.takeBatch()
                {
                    batches = (left, right)
                }
                #expect(try Contents(of: disk.store) == Contents(of: memory.store))
            }
        }

        @Test("is dirty from a turn's write until it is taken", arguments: Bench.Kind.allCases)
        private func dirt(kind: Bench.Kind) throws {
            let bench = try Bench(kind)
            let store = bench.store
            #expect(!store.isDirty)
            #expect(store.takeBatch() == nil)
            try store.put(.state, [1], [1])
            #expect(store.isDirty)
            let batch = try #require(store.takeBatch())
            #expect(!store.isDirty)
            try store.put(.state, [2], [2])
            #expect(store.isDirty)
            try batch.write()
            #expect(try store.get(.state, [1]) == [1])
            store.finished(batch)
            #expect(store.isDirty)
            try store.commit()
            #expect(!store.isDirty)
            #expect(try store.all(.state).map(\.value) == [[1], [2]])
        }
    }
}
