import CoveyCore
import CoveyCrypto
import Testing

@testable import CoveySync

struct InFlightTests {
    private let dice = SeededRandom(seed: 1, stream: "in-flight")

    @Test("what one link asks for, another does not, until it comes, fails or takes too long")
    func once() {
        var table = InFlight(most: 10)
        let (near, far) = (DeviceID.random(from: dice), DeviceID.random(from: dice))
        let id = ItemID.random(from: dice)
        #expect(table.ask(id, of: near, until: 100, now: 0) == true)
        #expect(table.ask(id, of: far, until: 150, now: 50) == false)
        #expect(table.peer(of: id, now: 50) == near)
        #expect(table.ask(id, of: far, until: 200, now: 100) == true)
        #expect(table.peer(of: id, now: 100) == far)
        #expect(table.end(id) == true)
        #expect(table.end(id) == false)
        #expect(table.ask(id, of: near, until: 300, now: 120) == true)
    }

    @Test("a link that goes frees what was asked there, in the order of asking, and nothing else")
    func gone() {
        var table = InFlight(most: 100)
        let (near, far) = (DeviceID.random(from: dice), DeviceID.random(from: dice))
        let ids = (0..<20).map { _ in ItemID.random(from: dice) }
        for (index, id) in ids.enumerated() {
            #expect(table.ask(id, of: index % 2 == 0 ? near : far, until: 100, now: 0) == true)
        }
        table.end(ids[4])
        let freed = stride(from: 0, to: 20, by: 2).filter { $0 != 4 }.map { ids[$0] }
        #expect(table.endAll(of: near) == freed)
        #expect(table.count == 10)
        #expect(table.peer(of: ids[1], now: 0) == far)
    }

    @Test("the table is bounded, and time makes room")
    func bounded() {
        var table = InFlight(most: 50)
        let peer = DeviceID.random(from: dice)
        var taken = 0
        for _ in 0..<80 where table.ask(.random(from: dice), of: peer, until: 100, now: 0) { taken += 1 }
        #expect(taken == 50)
        #expect(table.ask(.random(from: dice), of: peer, until: 300, now: 100) == true)
        #expect(table.count == 1)
        for step in 0..<5000 as Range<UInt64> {
            let id = ItemID.random(from: dice)
            #expect(table.ask(id, of: peer, until: 1000 + step, now: 200) == true)
            table.end(id)
        }
        #expect(table.count == 1)
    }
}
