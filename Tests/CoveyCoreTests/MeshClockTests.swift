import CoveyCore
import CoveyCrypto
import Testing

/// protocol.md §1.5 and §7.2, items 25 and 39.
@Suite("The mesh clock: certificates by the log, mail by the members, nothing by one bad clock")
struct MeshClockTests {
    private static let minute: Int64 = 60_000_000
    private static let day: Int64 = 1440 * minute
    private let floor = Minute(29_000_000)
    private let root = AuthorityID([UInt8](repeating: 1, count: 16))!
    private let field = AuthorityID([UInt8](repeating: 2, count: 16))!
    private let other = AuthorityID([UInt8](repeating: 3, count: 16))!

    /// `uptime` and `wall` in minutes; `wall` from the floor.
    private func now(uptime: Int64, wall: Int64) -> Now {
        Now(uptime: UInt64(uptime * Self.minute), wall: (Int64(floor.value) + wall) * Self.minute)
    }

    @Test("A clock between the floor and 400 days above it, going on as time does, is trusted")
    func trusted() {
        var clock = MeshClock(floor: floor, now: now(uptime: 0, wall: 10))
        let view = clock.update(now: now(uptime: 0, wall: 10))
        #expect(view.isTrusted)
        #expect(view.now == floor.adding(10))
        #expect(clock.update(now: now(uptime: 600, wall: 611)).isTrusted)
        // It jumped by a day while an hour passed.
        let jumped = clock.update(now: now(uptime: 660, wall: 670 + 1440))
        #expect(!jumped.isTrusted)
        #expect(jumped.now == floor.adding(670 + 1))
    }

    @Test("A clock below the floor, or more than 400 days above, is not: time goes on from the floor")
    func implausible() {
        for wall in [-1, 400 * 1440 + 1] as [Int64] {
            var clock = MeshClock(floor: floor, now: now(uptime: 0, wall: wall))
            let view = clock.update(now: now(uptime: 30, wall: wall + 30 * (wall < 0 ? 0 : 1)))
            #expect(view == TimeView(now: floor.adding(30), isTrusted: false, floor: floor))
        }
        // A machine that was set right after its start is believed from then on.
        var clock = MeshClock(floor: floor, now: now(uptime: 0, wall: -9999))
        #expect(!clock.update(now: now(uptime: 0, wall: -9999)).isTrusted)
        #expect(clock.update(now: now(uptime: 1, wall: 50)).isTrusted)
    }

    @Test("25: the floor follows a trusted clock by the hour and never goes back, over restarts too")
    func persisted() {
        var clock = MeshClock(floor: floor, now: now(uptime: 0, wall: 10))
        _ = clock.update(now: now(uptime: 49, wall: 59))
        #expect(clock.floor == floor)
        _ = clock.update(now: now(uptime: 51, wall: 61))
        #expect(clock.floor == floor.adding(61))
        // After a restart the machine's clock shows an earlier time: what had expired stays expired.
        var restarted = MeshClock(floor: clock.floor, now: now(uptime: 0, wall: 20))
        let view = restarted.update(now: now(uptime: 5, wall: 25))
        #expect(!view.isTrusted)
        #expect(view.now == floor.adding(66))
        #expect(view.floor == floor.adding(61))
    }

    @Test("An entry up to 48 hours ahead moves the floor")
    func entry() {
        var clock = MeshClock(floor: floor, now: now(uptime: 0, wall: 10))
        clock.observe(entry: floor.adding(2880 + 10), of: field, isRoot: false, now: now(uptime: 0, wall: 10))
        #expect(clock.floor == floor.adding(2890))
    }

    @Test("39: one authority's entry further ahead moves nothing until its time comes; the root's does")
    func ahead() {
        var clock = MeshClock(floor: floor, now: now(uptime: 0, wall: 10))
        let far = floor.adding(2880 + 70)
        clock.observe(entry: far, of: field, isRoot: false, now: now(uptime: 0, wall: 10))
        clock.observe(entry: far.adding(1), of: other, isRoot: false, now: now(uptime: 0, wall: 10))
        #expect(clock.update(now: now(uptime: 30, wall: 40)).now == floor.adding(40))
        #expect(clock.floor < far)
        #expect(clock.update(now: now(uptime: 61, wall: 71)).floor == far.adding(1))
        let root = far.adding(100_000)
        clock.observe(entry: root, of: self.root, isRoot: true, now: now(uptime: 61, wall: 71))
        #expect(clock.floor == root)
    }

    @Test("Without a trusted clock two authorities that agree give a node that was off for months its time back")
    func twoAuthorities() {
        let off = now(uptime: 0, wall: -1_000_000)
        var clock = MeshClock(floor: floor, now: off)
        let far = floor.adding(90 * 1440)
        clock.observe(entry: far.adding(500), of: field, isRoot: false, now: off)
        clock.observe(entry: far.adding(900), of: field, isRoot: false, now: off)
        #expect(clock.floor == floor)
        clock.observe(entry: far, of: other, isRoot: false, now: off)
        // What the first one says beyond that is within two days of it, and counts now.
        #expect(clock.floor == far.adding(900))
    }

    @Test("39: one authority alone moves the floor by two days, however many entries it dates ahead of each other")
    func dragging() {
        for wall in [10, -1_000_000] as [Int64] {
            let start = now(uptime: 0, wall: wall)
            var clock = MeshClock(floor: floor, now: start)
            let estimate = floor.adding(max(wall, 0))
            for step in 1...20 as ClosedRange<Int64> {
                clock.observe(entry: estimate.adding(step * 47 * 60), of: field, isRoot: false, now: start)
                #expect(clock.update(now: start).floor == estimate.adding(47 * 60))
            }
            // Nor after a restart, when it is told all of them again.
            for _ in 1...3 {
                clock = MeshClock(floor: clock.floor, own: clock.own, now: start)
                for step in 1...20 as ClosedRange<Int64> {
                    clock.observe(entry: estimate.adding(step * 47 * 60), of: field, isRoot: false, now: start)
                }
                #expect(clock.update(now: start).floor == estimate.adding(47 * 60))
            }
        }
    }

    @Test("39: once a clock has caught up with the floor, one authority is again two days from it, not four")
    func draggingOn() {
        var clock = MeshClock(floor: floor, now: now(uptime: 0, wall: 10))
        for day in 0...20 as ClosedRange<Int64> {
            // Every day it says that it is three days on.
            let time = now(uptime: day * 1440, wall: 10 + day * 1440)
            clock.observe(entry: floor.adding(10 + (day + 3) * 1440), of: field, isRoot: false, now: time)
            clock.observe(entry: floor.adding(10 + (day + 2) * 1440), of: field, isRoot: false, now: time)
            #expect(clock.update(now: time).floor <= floor.adding(10 + (day + 2) * 1440))
        }
    }

    @Test("Two authorities, the root, or whoever enrolled the device bring a machine without a clock on")
    func broughtOn() {
        let off = now(uptime: 0, wall: -1_000_000)
        var clock = MeshClock(floor: floor, now: off)
        for day in 1...60 as ClosedRange<Int64> {
            clock.observe(entry: floor.adding(day * 1440), of: field, isRoot: false, now: off)
            clock.observe(entry: floor.adding(day * 1440 + 5), of: other, isRoot: false, now: off)
        }
        #expect(clock.update(now: off).floor == floor.adding(60 * 1440 + 5))
        clock.observe(entry: floor.adding(90 * 1440), of: root, isRoot: true, now: off)
        clock.observe(entry: floor.adding(92 * 1440), of: field, isRoot: false, now: off)
        #expect(clock.update(now: off).floor == floor.adding(92 * 1440))
        clock.observe(enrolment: floor.adding(900 * 1440), now: off)
        clock.observe(entry: floor.adding(901 * 1440), of: field, isRoot: false, now: off)
        #expect(clock.update(now: off).floor == floor.adding(901 * 1440))
        // While it runs its monotonic clock counts, and what it counted is not lost with a restart.
        let later = now(uptime: 10 * 1440, wall: 10 * 1440 - 1_000_000)
        #expect(clock.update(now: later).floor == floor.adding(901 * 1440))
        clock = MeshClock(floor: clock.floor, own: clock.own, now: off)
        clock.observe(entry: floor.adding(912 * 1440), of: field, isRoot: false, now: off)
        #expect(clock.update(now: off).floor == floor.adding(912 * 1440))
    }

    @Test("Of many entries of one log told at once the newest within two days counts, as if each had been told")
    func manyAtOnce() {
        let off = now(uptime: 0, wall: -1_000_000)
        var clock = MeshClock(floor: floor, now: off)
        let days = (1...90 as ClosedRange<Int64>).map { floor.adding($0 * 1440) }
        clock.observe(entries: days, of: field, isRoot: false, now: off)
        #expect(clock.floor == floor.adding(2 * 1440))
        clock.observe(entries: Array(days[..<50]), of: root, isRoot: true, now: off)
        #expect(clock.floor == floor.adding(50 * 1440))
        clock.disbelieve(entriesOf: field)
        clock.observe(entries: Array(days[..<70]), of: other, isRoot: false, now: off)
        #expect(clock.floor == floor.adding(52 * 1440))
    }

    @Test("39: members' clocks date mail when ours is not trusted, by their median, and never move the floor")
    func mail() {
        let start = now(uptime: 0, wall: -100)
        var clock = MeshClock(floor: floor, now: start)
        #expect(clock.mailNow(now: start) == floor)
        let ids = (1...4).map { DeviceID([UInt8](repeating: $0, count: 16))! }
        for (id, ahead) in zip(ids, [500, 510, 99_999] as [Int64]) {
            clock.hear(wall: (Int64(floor.value) + ahead) * Self.minute, from: id, now: start)
        }
        #expect(clock.mailNow(now: start) == floor.adding(510))
        #expect(clock.mailNow(now: now(uptime: 5, wall: -95)) == floor.adding(515))
        #expect(clock.update(now: now(uptime: 5, wall: -95)).now == floor.adding(5))
        #expect(clock.floor == floor)
        clock.forget(ids[2])
        #expect(clock.mailNow(now: start) == floor.adding(500))
        for id in ids[..<2] { clock.forget(id) }
        clock.hear(wall: 0, from: ids[3], now: start)
        #expect(clock.mailNow(now: start) == floor)
        // A trusted clock needs nobody.
        var own = MeshClock(floor: floor, now: now(uptime: 0, wall: 10))
        _ = own.update(now: now(uptime: 0, wall: 10))
        own.hear(wall: 0, from: ids[0], now: now(uptime: 0, wall: 10))
        #expect(own.mailNow(now: now(uptime: 0, wall: 10)) == floor.adding(10))
    }

    @Test("39: members' clocks that date mail are told of when one lies more than 15 minutes from their median")
    func spread() throws {
        let start = now(uptime: 0, wall: -100)
        var clock = MeshClock(floor: floor, now: start)
        #expect(clock.spread(now: start) == nil)
        let ids = (1...3).map { DeviceID([UInt8](repeating: $0, count: 16))! }
        for (id, ahead) in zip(ids, [500, 515, 530] as [Int64]) {
            clock.hear(wall: (Int64(floor.value) + ahead) * Self.minute, from: id, now: start)
        }
        #expect(clock.spread(now: start) == nil)
        clock.hear(wall: (Int64(floor.value) + 499) * Self.minute, from: ids[0], now: start)
        let far = try #require(clock.spread(now: start))
        #expect(far.members == 3 && far.minutes == 31)
        // They go on as time does, and one that is forgotten counts no more.
        #expect(clock.spread(now: now(uptime: 600, wall: -100))?.minutes == 31)
        clock.forget(ids[0])
        #expect(clock.spread(now: start) == nil)
        // However far apart.
        clock.hear(wall: .min, from: ids[0], now: start)
        clock.hear(wall: .max, from: ids[1], now: start)
        #expect(clock.spread(now: start)?.members == 3)
        // A trusted clock needs nobody, and two timekeepers count more.
        var right = clock
        _ = right.update(now: now(uptime: 0, wall: 10))
        #expect(right.spread(now: now(uptime: 0, wall: 10)) == nil)
        _ = clock.hear(word(500), from: subject(1), now: start)
        #expect(clock.spread(now: start) != nil)
        _ = clock.hear(word(501), from: subject(2), now: start)
        #expect(clock.spread(now: start) == nil)
    }

    // MARK: Timekeepers

    private func subject(_ number: UInt8) -> SubjectID { SubjectID([UInt8](repeating: number, count: 16))! }

    /// Minutes from the floor.
    private func word(_ time: Int64, radius: UInt16 = 2) -> TimeAttestation {
        TimeAttestation(time: floor.adding(time), radius: radius, nonce: Octets16())
    }

    @Test("Two timekeepers that agree give a machine without a clock its hour, for certificates and for mail")
    func twoTimekeepers() {
        let off = now(uptime: 0, wall: -1_000_000)
        var clock = MeshClock(floor: floor, now: off)
        #expect(clock.hear(word(50_000), from: subject(1), now: off) == .alone)
        #expect(clock.floor == floor)
        // The same person again, with another device or not, is no second opinion.
        #expect(clock.hear(word(50_000), from: subject(1), now: off) == .alone)
        #expect(clock.hear(word(50_100), from: subject(2), now: off) == .alone)
        #expect(clock.hear(word(50_003), from: subject(3), now: off) == .agreed)
        #expect(clock.floor == floor.adding(50_001))
        let later = now(uptime: 30, wall: -999_970)
        #expect(
            clock.update(now: later)
                == TimeView(now: floor.adding(50_031), isTrusted: false, floor: floor.adding(50_001)))
        // What other members say of the hour moves mail no further than the two allow.
        for number in 1...5 as ClosedRange<UInt8> {
            let liar = DeviceID([UInt8](repeating: number, count: 16))!
            clock.hear(wall: 0, from: liar, now: later)
        }
        #expect(clock.mailNow(now: later) == floor.adding(50_031))
        #expect(clock.expiryNow(now: later) == floor.adding(50_031))
    }

    @Test("The word of a timekeeper that is revoked is void, and what another agreed on with it; the floor stays")
    func disbelieved() {
        let start = now(uptime: 0, wall: 10)
        var clock = MeshClock(floor: floor, now: start)
        #expect(clock.update(now: start).isTrusted)
        // A day ahead of a clock that is right.
        #expect(clock.hear(word(1_440), from: subject(1), now: start) == .alone)
        #expect(clock.hear(word(1_441), from: subject(2), now: start) == .agreed)
        #expect(clock.hear(word(9), from: subject(3), now: start) == .alone)
        let (raised, agreed) = (clock.floor, clock.mailNow(now: start))
        #expect(raised > floor.adding(1_400) && agreed >= raised)
        clock.disbelieve(subject(3))
        #expect(clock.mailNow(now: start) == agreed)
        clock.disbelieve(subject(1))
        #expect(clock.floor == raised)
        // Two days on, the clock is above the floor again, and nobody contradicts it.
        let later = now(uptime: 2_880, wall: 2_890)
        #expect(clock.update(now: later).isTrusted)
        #expect(clock.hear(word(2_890), from: subject(2), now: later) == .near)
    }

    @Test("A word is forgotten after an hour, and one from a vague timekeeper is no word")
    func oldWords() {
        let off = now(uptime: 0, wall: -1_000_000)
        var clock = MeshClock(floor: floor, now: off)
        #expect(clock.hear(word(50_000), from: subject(1), now: off) == .alone)
        #expect(clock.hear(word(50_000, radius: 61), from: subject(2), now: off) == .unused)
        let later = now(uptime: 61, wall: -999_939)
        #expect(clock.hear(word(50_061), from: subject(2), now: later) == .alone)
        // Words age as the machine does: the earlier one still agrees where the time went on.
        #expect(clock.hear(word(50_091), from: subject(3), now: now(uptime: 91, wall: -999_909)) == .agreed)
    }

    @Test("One timekeeper alone moves the floor when it is near our own estimate, and never drags it further")
    func aloneTimekeeper() {
        let off = now(uptime: 0, wall: -1_000_000)
        var clock = MeshClock(floor: floor, now: off)
        #expect(clock.hear(word(10), from: subject(1), now: off) == .alone)
        for step in 1...20 as ClosedRange<Int64> { _ = clock.hear(word(step * 9), from: subject(1), now: off) }
        #expect(clock.floor == floor.adding(9 - 2))
    }

    @Test("A trusted clock that two timekeepers contradict is not believed, until it is set right")
    func contradicted() {
        var clock = MeshClock(floor: floor, now: now(uptime: 0, wall: 50))
        #expect(clock.update(now: now(uptime: 0, wall: 50)).isTrusted)
        let asked = now(uptime: 5, wall: 55)
        _ = clock.hear(word(5), from: subject(1), now: asked)
        #expect(clock.fault(now: asked) == nil)
        #expect(clock.hear(word(5), from: subject(2), now: asked) == .agreed)
        #expect(clock.fault(now: asked) == .contradicted)
        #expect(clock.update(now: asked).now == floor.adding(5))
        let corrected = now(uptime: 10, wall: 10)
        #expect(clock.fault(now: corrected) == .jumped)
        #expect(clock.hear(word(10), from: subject(1), now: corrected) == .agreed)
        #expect(clock.update(now: corrected).isTrusted)
    }

    @Test("Where the floor has followed a clock that ran ahead, it stays, and the contradiction is known")
    func ranAhead() {
        var clock = MeshClock(floor: floor, now: now(uptime: 0, wall: 43_200))
        _ = clock.update(now: now(uptime: 0, wall: 43_200))
        let asked = now(uptime: 5, wall: 43_205)
        _ = clock.hear(word(5), from: subject(1), now: asked)
        #expect(clock.hear(word(5), from: subject(2), now: asked) == .agreed)
        #expect(clock.fault(now: asked) == .contradicted)
        #expect(clock.floor == floor.adding(43_200))
    }

    @Test("A contradiction cannot bring back a time before the floor")
    func floorStands() {
        var clock = MeshClock(floor: floor, now: now(uptime: 0, wall: 10))
        _ = clock.hear(word(-5000), from: subject(1), now: now(uptime: 0, wall: 10))
        #expect(clock.hear(word(-5000), from: subject(2), now: now(uptime: 0, wall: 10)) == .agreed)
        #expect(clock.floor == floor)
        #expect(clock.update(now: now(uptime: 1, wall: 11)).now == floor.adding(1))
        #expect(clock.mailNow(now: now(uptime: 1, wall: 11)) >= floor)
    }

    @Test("Absurd clocks of members do not trap")
    func absurd() {
        let start = now(uptime: 0, wall: -100)
        var clock = MeshClock(floor: floor, now: start)
        let member = DeviceID([UInt8](repeating: 9, count: 16))!
        for wall in [Int64.max, .min] {
            clock.hear(wall: wall, from: member, now: start)
            #expect(clock.mailWall(now: now(uptime: 10, wall: -90)) >= Int64(floor.value) * Self.minute)
        }
    }
}
