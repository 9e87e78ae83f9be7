import CoveyContact
import Testing

@Suite("What happens next")
struct EventWheelTests {
    /// The same as a wheel, the slow way: a list sorted by tick, then by the order of going in.
    private struct SortedList {
        var events: [(tick: UInt64, payload: UInt32)] = []

        mutating func push(at time: UInt64, _ payload: UInt32) {
            let tick = (time + 63) / 64
            let place = events.firstIndex { $0.tick > tick } ?? events.count
            events.insert((tick, payload), at: place)
        }

        mutating func pop(upTo bound: UInt64) -> (time: UInt64, payload: UInt32)? {
            guard let first = events.first, first.tick * 64 <= bound else { return nil }
            events.removeFirst()
            return (first.tick * 64, first.payload)
        }
    }

    @Test(
        "Events come out by time, and within a tick in the order in which they went in",
        arguments: 0..<40 as Range<UInt64>)
    func likeASortedList(seed: UInt64) {
        var dice = Dice(seed: seed).stream("wheel")
        var wheel = EventWheel<UInt32>()
        var list = SortedList()
        var last: UInt64 = 0
        var number: UInt32 = 0
        // Some worlds have everything in a few ticks, others years between two events.
        let reach = 6 + dice.below(48)
        for _ in 0..<1_500 {
            if dice.chance(0.55) {
                let delay = dice.next() >> UInt64(64 - 1 - dice.below(reach))
                wheel.push(at: last + delay, number)
                list.push(at: last + delay, number)
                number += 1
            } else {
                let bound = dice.chance(0.3) ? last + dice.next() >> UInt64(20 + dice.below(40)) : .max - 63
                let one = wheel.pop(upTo: bound)
                let two = list.pop(upTo: bound)
                #expect(one?.time == two?.time)
                #expect(one?.payload == two?.payload)
                if let one { last = one.time }
            }
            #expect(wheel.nextTime == list.events.first.map { $0.tick * 64 })
            #expect(wheel.count == list.events.count)
        }
        while let two = list.pop(upTo: .max) {
            let one = wheel.pop()
            #expect(one?.time == two.time && one?.payload == two.payload)
        }
        #expect(wheel.pop() == nil && wheel.nextTime == nil && wheel.count == 0)
    }

    @Test("A time is rounded up to its tick of 64 µs, never down")
    func rounding() {
        var wheel = EventWheel<UInt32>()
        for (time, payload) in [(65, 1), (64, 2), (1, 3), (0, 4), (63, 5), (128, 6)] as [(UInt64, UInt32)] {
            wheel.push(at: time, payload)
        }
        var order: [UInt32] = []
        var times: [UInt64] = []
        while let (time, payload) = wheel.pop() {
            times.append(time)
            order.append(payload)
        }
        #expect(order == [4, 2, 3, 5, 1, 6])
        #expect(times == [0, 64, 64, 64, 128, 128])
    }

    @Test("An event that an event of the same tick causes at once comes after all that were waiting in that tick")
    func pushDuringPop() {
        var wheel = EventWheel<UInt32>()
        for payload in 0..<40 as Range<UInt32> { wheel.push(at: 6_400, payload) }
        var order: [UInt32] = []
        while let (time, payload) = wheel.pop() {
            order.append(payload)
            if payload < 40 { wheel.push(at: time, payload + 100) }
        }
        #expect(order == Array(0..<40) + Array(100..<140))
    }

    @Test("What is a century away waits for its turn behind what is near")
    func farFuture() {
        let year: UInt64 = 31_557_600_000_000
        var wheel = EventWheel<UInt32>()
        wheel.push(at: 100 * year, 3)
        wheel.push(at: .max - 63, 5)
        wheel.push(at: 5_000_000, 1)
        wheel.push(at: 100 * year, 4)
        wheel.push(at: 2 * year, 2)
        #expect(wheel.pop(upTo: 4_999_999) == nil)
        #expect(wheel.nextTime == 5_000_000)
        var order: [UInt32] = []
        while let (_, payload) = wheel.pop() { order.append(payload) }
        #expect(order == [1, 2, 3, 4, 5])
    }

    @Test("A bound in the middle of a tick leaves that tick for later, and what is pushed before it still comes first")
    func bounds() {
        var wheel = EventWheel<UInt32>()
        wheel.push(at: 1_000_000, 2)
        #expect(wheel.pop(upTo: 999_999) == nil)
        wheel.push(at: 500_000, 1)
        #expect(wheel.pop(upTo: 999_999)?.payload == 1)
        #expect(wheel.pop(upTo: 999_999) == nil)
        #expect(wheel.pop(upTo: 1_000_000)?.payload == 2)
    }
}
