import CoveyCore
import CoveyCrypto
import Testing

@testable import CoveySync

struct KnownSetTests {
    /// The same set, kept without any cleverness.
    private struct Plain {
        var items: [ItemID: (item: Item, state: KnownSet.State)] = [:]

        func sorted(in range: Range<Bound>, floor: Hour) -> [Item] {
            items.values.map(\.item)
                .filter { item in
                    let place = Bound(slot: item.slot, prefix: item.id.word(0))
                    return range.contains(place) && item.expiry.map { $0 >= floor } ?? true
                }
                .sorted { $0.slot != $1.slot ? $0.slot < $1.slot : $0.id < $1.id }
        }

        func aggregate(in range: Range<Bound>, floor: Hour, half: ItemID.Half = .first) -> Aggregate {
            var aggregate = Aggregate()
            for item in sorted(in: range, floor: floor) { aggregate.add(item.id.number(half)) }
            return aggregate
        }

        func tugOfWar(floor: Hour) -> TugOfWar {
            var result = TugOfWar()
            for item in sorted(in: .start ..< .end, floor: floor) { result.add(item.id) }
            return result
        }
    }

    @Test("does what a plain set does, under random inserts, removals, expiries and questions", arguments: 1...4)
    func agreesWithModel(seed: UInt64) {
        let dice = SeededRandom(seed: seed, stream: "known-set")
        var set = KnownSet(.mail(.normal), seed: dice.nextWord())
        var plain = Plain()
        var ids: [ItemID] = []
        for step in 0..<1500 {
            switch dice.uniform(20) {
            case 0..<12:
                let slot = UInt32(1000 + dice.uniform(30))
                let expiry: Hour? = dice.uniform(8) == 0 ? nil : Hour(slot + [1, 6, 24, 72][Int(dice.uniform(4))])
                var id = ItemID.random(from: dice)
                if dice.uniform(10) == 0, let old = ids.last { id = old }
                let item = Item(slot: Hour(slot), id: id, expiry: expiry)
                let state: KnownSet.State = dice.uniform(4) == 0 ? .ghost : .held
                #expect(set.insert(item, as: state) == (plain.items[id] == nil))
                if plain.items[id] == nil {
                    plain.items[id] = (item, state)
                    ids.append(id)
                }
            case 12..<16 where !ids.isEmpty:
                let id = ids[dice.uniform(0...ids.count - 1)]
                #expect(set.remove(id) == plain.items.removeValue(forKey: id)?.item)
            case 16 where !ids.isEmpty:
                let id = ids[dice.uniform(0...ids.count - 1)]
                #expect(set.mark(id, as: .ghost) == (plain.items[id] != nil))
                plain.items[id]?.state = .ghost
            case 17 where step % 8 == 0:
                let hour = Hour(UInt32(990 + dice.uniform(30)))
                let gone = plain.items.filter { $0.value.item.expiry.map { $0 <= hour } ?? false }
                #expect(set.dropExpired(through: hour) == gone.count)
                for id in gone.keys { plain.items[id] = nil }
            default:
                let floor = Hour(UInt32(990 + dice.uniform(60)))
                let ends = [
                    Bound(slot: Hour(UInt32(998 + dice.uniform(34))), prefix: dice.nextWord()),
                    Bound(slot: Hour(UInt32(998 + dice.uniform(34))), prefix: dice.nextWord()), .start, .end,
                ].shuffled(dice).prefix(2).sorted()
                let range = ends[0]..<ends[1]
                #expect(set.items(in: range, floor: floor) == plain.sorted(in: range, floor: floor))
                #expect(set.aggregate(in: range, floor: floor) == plain.aggregate(in: range, floor: floor))
                #expect(set.aggregate(floor: floor) == plain.aggregate(in: .start ..< .end, floor: floor))
                #expect(set.tugOfWar(floor: floor) == plain.tugOfWar(floor: floor))
            }
            if let id = ids.last {
                #expect(set.contains(id) == (plain.items[id] != nil))
                #expect(set.item(id) == plain.items[id]?.item)
            }
        }
        #expect(set.count == plain.items.count)
        #expect(set.ghostCount == plain.items.values.count { $0.state == .ghost })
        #expect(set.heldCount == plain.items.values.count { $0.state == .held })
        for id in ids { #expect(set.state(of: id) == plain.items[id]?.state) }
    }

    @Test("gives the same order and the same sums whatever the seed of its table")
    func seedIsInvisible() {
        let dice = SeededRandom(seed: 5)
        var sets = [KnownSet(.mail(.urgent), seed: 1), KnownSet(.mail(.urgent), seed: 2)]
        for _ in 0..<500 {
            let item = Item(slot: Hour(UInt32(dice.uniform(9))), id: .random(from: dice), expiry: nil)
            for at in sets.indices { sets[at].insert(item) }
        }
        let orders = sets.indices.map { sets[$0].items(in: .start ..< .end, floor: Hour(0)) }
        #expect(orders[0] == orders[1])
        #expect(sets[0].aggregate(floor: Hour(0)) == sets[1].aggregate(floor: Hour(0)))
    }

    @Test("keeps what expires below the floor, but counts it no more")
    func floorHides() {
        var set = KnownSet(.mail(.normal), seed: 0)
        let dice = SeededRandom(seed: 6)
        for expiry in 100..<110 as Range<UInt32> {
            set.insert(Item(slot: Hour(90), id: .random(from: dice), expiry: Hour(expiry)))
        }
        #expect(set.aggregate(floor: Hour(103)).count == 7)
        #expect(set.aggregate(in: .start ..< .end, floor: Hour(103)).count == 7)
        #expect(set.count == 10)
        #expect(set.dropExpired(through: Hour(102)) == 3)
        #expect(set.count == 7)
        #expect(set.dropExpired(through: Hour(102)) == 0)
    }

    @Test("above the cap the ghosts that expire first go first; held, delivered and later ones stay")
    func ghostCap() {
        var set = KnownSet(.mail(.normal), seed: 0)
        let dice = SeededRandom(seed: 7)
        var ghosts: [ItemID] = []
        for expiry in (100..<120 as Range<UInt32>).reversed() {
            let ghost = Item(slot: Hour(90), id: .random(from: dice), expiry: Hour(expiry))
            set.insert(ghost, as: .ghost)
            ghosts.append(ghost.id)
            set.insert(Item(slot: Hour(91), id: .random(from: dice), expiry: Hour(expiry)), as: .held)
            set.insert(Item(slot: Hour(92), id: .random(from: dice), expiry: Hour(expiry)), as: .delivered)
        }
        #expect(set.dropGhosts(above: 5) == 15)
        #expect(set.ghostCount == 5)
        #expect(set.count == 45)
        #expect(ghosts.prefix(5).allSatisfy { set.state(of: $0) == .ghost })
        #expect(ghosts.dropFirst(5).allSatisfy { !set.contains($0) })
        #expect(set.dropGhosts(above: 5) == 0)
    }

    @Test("tells a device's new bundle from its old one: bundles are summed by their hash, not by their device")
    func bundles() {
        let dice = SeededRandom(seed: 8)
        let device = dice.bytes(16)
        let versions = (0..<2).map { _ in Item(slot: Hour(1), id: ItemID(device + dice.bytes(16))!, expiry: nil) }
        let sums = versions.map { item in
            var set = KnownSet(.bundles, seed: 0)
            set.insert(item)
            return set.aggregate(floor: Hour(0))
        }
        #expect(sums[0] != sums[1])
    }

    @Test("estimates how far two sets are apart to within a factor of two")
    func estimate() {
        let dice = SeededRandom(seed: 9)
        for distance in [50, 400, 1000] {
            var sets = [KnownSet(.mail(.normal), seed: 1), KnownSet(.mail(.normal), seed: 1)]
            for at in 0..<(1000 + distance) {
                let item = Item(slot: Hour(1), id: .random(from: dice), expiry: nil)
                if at >= distance || at % 2 == 0 { sets[0].insert(item) }
                if at >= distance || at % 2 == 1 { sets[1].insert(item) }
            }
            let guess = sets[0].tugOfWar(floor: Hour(0)).distance(to: sets[1].tugOfWar(floor: Hour(0)))
            #expect(guess > distance / 2 && guess < distance * 2)
        }
    }

    @Test("names only the sets that exist")
    func namespaces() {
        #expect(Namespace(number: 0) == nil)
        #expect(Namespace(number: 8) == nil)
        #expect(Namespace(number: 511) == nil)
        #expect(Namespace(number: 5) == .mail(.urgent))
        #expect(Namespace(number: 256) == Namespace.mail(of: ZoneHint(0)))
        #expect(Namespace.mail(of: .any) == nil)
    }
}

extension Array {
    fileprivate func shuffled(_ dice: SeededRandom) -> [Element] {
        var copy = self
        dice.shuffle(&copy)
        return copy
    }
}
