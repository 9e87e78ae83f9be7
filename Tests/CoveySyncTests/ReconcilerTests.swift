import CoveyCore
import CoveyCrypto
import Testing

@testable import CoveySync

struct ReconcilerTests {
    private func difference(_ left: [Item], _ right: [Item]) -> (left: Int, right: Int) {
        let a = Set(left.map(\.id))
        let b = Set(right.map(\.id))
        return (a.subtracting(b).count, b.subtracting(a).count)
    }

    @Test(
        "two sets end equal, and each item travels once, whatever the pattern",
        arguments: Pattern.allCases, [(0, 0), (1, 1), (30, 3), (400, 40), (3000, 60)])
    func exact(pattern: Pattern, size: (count: Int, difference: Int)) throws {
        for seed in 1...3 as ClosedRange<UInt64> {
            let dice = SeededRandom(seed: seed, stream: "\(pattern)")
            let (left, right) = pattern.make(count: size.count, difference: size.difference, dice)
            let lacking = difference(left, right)
            var stores = TwoStores(left, right, seed: seed)
            stores.start(0)
            if seed % 2 == 0 { stores.start(1) }
            try stores.run()
            #expect(stores.cost.data == [lacking.left, lacking.right])
            #expect(stores.items(0) == stores.items(1))
            #expect(stores.items(0).count == Set((left + right).map(\.id)).count)
            #expect(stores.outcomes.allSatisfy { !$0.isEmpty && !$0.contains(.different) })
            #expect(stores.outcomes.contains { $0.last == .equal || $0.last == .complete })
            #expect(stores.cost.largest <= Limits.frameBytesIn)
        }
    }

    @Test(
        "costs what it should: bytes per difference, in few frames",
        arguments: [
            (Pattern.equal, 5000, 0, 32, 2), (.oneEmpty, 5000, 5000, 600, 6), (.heal, 5000, 1000, 18 * 1000, 8),
            (.heal, 5000, 10, 1200, 8), (.scattered, 5000, 10, 8000, 40), (.scattered, 5000, 1000, 42_000, 20),
            (.oneSide, 5000, 200, 16_000, 20),
        ])
    func cost(pattern: Pattern, count: Int, lacking: Int, bytes: Int, frames: Int) throws {
        let dice = SeededRandom(seed: 11, stream: "\(pattern)")
        let (left, right) = pattern.make(count: count, difference: lacking, dice)
        var stores = TwoStores(left, right)
        stores.start(0)
        try stores.run()
        #expect(stores.items(0) == stores.items(1))
        let (spent, sent) = (stores.cost.bytes, stores.cost.frames)
        print("reconciliation of \(count), \(pattern) by \(lacking): \(spent) B, \(sent) frames")
        #expect(stores.cost.bytes <= bytes)
        #expect(stores.cost.frames <= frames)
    }

    @Test("a list that does not fit one frame goes on in the next")
    func longLists() throws {
        let dice = SeededRandom(seed: 12)
        let (left, right) = Pattern.disjoint.make(count: 10_000, difference: 0, dice)
        var stores = TwoStores(left, right)
        stores.start(1)
        try stores.run()
        #expect(stores.items(0) == stores.items(1))
        #expect(stores.cost.data == [5000, 5000])
        #expect(stores.cost.frames <= 12)
        #expect(stores.cost.largest <= Limits.frameBytes + 64)
    }

    @Test("clocks that are hours apart agree on floor and buckets, and what is about to expire makes no difference")
    func clocks() throws {
        let dice = SeededRandom(seed: 13)
        for apart in [0, 1, 5, 400] as [UInt32] {
            let (left, right) = Pattern.scattered.make(count: 500, difference: 50, dice)
            var dying: [Item] = []
            for ttl in 0..<Int64(4) {
                dying.append(
                    Item(
                        slot: Hour(TwoStores.hour - 3), id: .random(from: dice),
                        expiry: Hour(TwoStores.hour).adding(ttl - 2)))
            }
            var stores = TwoStores(left + dying, right)
            // DIGESTs were said before the clocks were known.
            stores.clocks[0] = SyncClock(own: Minute(TwoStores.hour * 60), peer: nil)
            stores.clocks[1] = SyncClock(own: Minute((TwoStores.hour + apart) * 60), peer: nil)
            stores.start(0)
            stores.start(1)
            try stores.run()
            let floor = Hour(TwoStores.hour + apart + 2)
            #expect(stores.sets[0].aggregate(floor: floor) == stores.sets[1].aggregate(floor: floor))
            #expect(dying.allSatisfy { !stores.sets[1].contains($0.id) })
        }
    }

    @Test("a ghost is known, and neither pushed nor fetched; one that only we know leaves the sets different")
    func ghosts() throws {
        let dice = SeededRandom(seed: 14)
        let (left, right) = Pattern.scattered.make(count: 300, difference: 30, dice)
        let onlyLeft = left.filter { item in !right.contains { $0.id == item.id } }
        let common = left.filter { item in right.contains { $0.id == item.id } }

        var stores = TwoStores(left, right)
        for item in common.prefix(20) { stores.sets[0].mark(item.id, as: .ghost) }
        stores.start(0)
        try stores.run()
        #expect(stores.sets[0].aggregate(floor: Hour(0)) == stores.sets[1].aggregate(floor: Hour(0)))
        #expect(stores.sets[0].ghostCount == 20)

        for starter in 0...1 {
            stores = TwoStores(left, right)
            for item in onlyLeft { stores.sets[0].mark(item.id, as: .ghost) }
            for item in right.filter({ item in !left.contains { $0.id == item.id } }).prefix(5) {
                stores.sets[1].mark(item.id, as: .ghost)
            }
            stores.start(starter)
            try stores.run()
            #expect(stores.cost.data == [0, 10])
            #expect(onlyLeft.allSatisfy { !stores.sets[1].contains($0.id) })
            #expect(stores.outcomes.allSatisfy { !$0.contains(.equal) && !$0.contains(.different) })
            #expect(stores.outcomes.contains { $0.contains(.complete) })
        }
    }

    @Test("when the ends differ, further rounds under another salt find what is left", arguments: 1...8)
    func retries(seed: UInt64) throws {
        let dice = SeededRandom(seed: seed, stream: "retry")
        let (left, right) = Pattern.scattered.make(count: 400, difference: 40, dice)
        let late = (0..<6).map { _ in Item(slot: Hour(TwoStores.hour), id: .random(from: dice), expiry: nil) }
        var stores = TwoStores(left, right, seed: seed)
        var rest = late[...]
        stores.start(0)
        // Mail comes in by other links just when one side is about to say that it is done.
        try stores.run { stores in
            for side in 0...1 where stores.sessions[side].awaitsTransfers {
                if let item = rest.popFirst() { stores.sets[Int(seed) % 2].insert(item) }
                if let item = rest.popFirst() { stores.sets[1].insert(item) }
            }
        }
        for _ in 0..<2 {
            stores.start(1)
            try stores.run()
        }
        #expect(stores.items(0) == stores.items(1))
        #expect(stores.outcomes.contains { $0.last == .equal || $0.last == .complete })
    }

    @Test("in the last round lists carry 16 bytes an id, and the sets still end equal")
    func wideRound() throws {
        let dice = SeededRandom(seed: 15)
        let items = (0..<60).map { _ in Item(slot: Hour(TwoStores.hour), id: .random(from: dice), expiry: nil) }
        var stores = TwoStores([], [])
        var rounds: Set<UInt8> = []
        stores.sets[0].insert(items[0])
        stores.start(0)
        // Each time a round has handed everything over, both sets have already moved on.
        var next = 1
        try drain(&stores) { stores in
            for (_, parcel) in stores.queue {
                if case .frame(type: 0x22, let body) = parcel { rounds.insert(body[2] & 3) }
            }
            for (_, parcel) in stores.queue {
                guard case .frame(type: 0x23, _) = parcel, next < 40, !rounds.contains(2) else { continue }
                stores.sets[0].insert(items[next])
                stores.sets[1].insert(items[next + 1])
                next += 2
            }
        }
        #expect(rounds.contains(1) && rounds.contains(2))
        #expect(stores.items(0) == stores.items(1))
    }

    /// Like `run`, with a look at the queue before each delivery.
    private func drain(_ stores: inout TwoStores, _ look: (inout TwoStores) -> Void) throws {
        for _ in 0..<10_000 {
            look(&stores)
            if !stores.queue.isEmpty {
                try stores.deliverOne()
            } else {
                for side in 0...1 where stores.sessions[side].awaitsTransfers {
                    stores.perform(stores.sessions[side].settled(set: &stores.sets[side]), of: side)
                }
                if stores.queue.isEmpty { return }
            }
        }
        Issue.record("the two never come to an end")
    }

    @Test("a SUMMARY goes out every two seconds at most; one that is asked for sooner waits")
    func pace() throws {
        let dice = SeededRandom(seed: 16)
        let (left, right) = Pattern.scattered.make(count: 100, difference: 10, dice)
        var stores = TwoStores(left, right)
        stores.start(0)
        try stores.run()
        stores.sets[0].insert(Item(slot: Hour(TwoStores.hour), id: .random(from: dice), expiry: nil))
        stores.now = 1_000_000
        stores.start(1)
        try stores.run()
        #expect(stores.now == 2_000_000)
        #expect(stores.items(0) == stores.items(1))
    }

    @Test("a run is not begun twice, but one that hangs is begun anew")
    func restart() throws {
        let dice = SeededRandom(seed: 17)
        let (left, right) = Pattern.scattered.make(count: 100, difference: 10, dice)
        var stores = TwoStores(left, right)
        stores.start(0)
        #expect(stores.sessions[0].start(set: &stores.sets[0], clock: stores.clocks[0], now: 1).isEmpty)
        for _ in 0..<3 { try stores.deliverOne() }
        stores.queue = []
        stores.now = 31_000_000
        stores.start(0)
        stores.start(1)
        try stores.run()
        #expect(stores.items(0) == stores.items(1))
    }
}
