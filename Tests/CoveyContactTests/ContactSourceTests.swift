import CoveyContact
import Testing

private let minute: UInt64 = 60_000_000
private let hour: UInt64 = 3_600_000_000

private func all(_ source: some ContactSource) -> [ContactChange] { ContactTrace(source).changes }

/// Ascending, each pair up and down in turn, nobody with itself.
private func isSound(_ changes: [ContactChange]) -> Bool {
    zip(changes, changes.dropFirst()).allSatisfy { $0.time <= $1.time }
        && ContactTrace(nodes: 0, changes: changes).tidied.changes == changes && changes.allSatisfy { $0.a != $0.b }
}

@Suite("Where contacts come from")
struct ContactSourceTests {
    private let hosts = Array(10..<20 as Range<UInt32>)

    @Test("Every shape of a network has the links that its name says")
    func shapes() {
        var dice = Dice(seed: 1)
        #expect(Edges.clique(hosts).count == 45)
        #expect(Edges.line([1, 2, 3]) == [.init(1, 2), .init(2, 3)])
        #expect(Edges.ring([1, 2, 3]) == [.init(1, 2), .init(2, 3), .init(3, 1)])
        #expect(Edges.ring([1, 2]) == [.init(1, 2)])
        #expect(
            Edges.grid([0, 1, 2, 3, 4], columns: 3) == [
                .init(0, 1), .init(0, 3), .init(1, 2), .init(1, 4), .init(3, 4),
            ])
        #expect(Edges.tree([0, 1, 2, 3, 4], fanout: 2) == [.init(0, 1), .init(0, 2), .init(1, 3), .init(1, 4)])
        #expect(Edges.core([[0, 1], [2], [3, 4]]) == [.init(0, 2), .init(0, 3), .init(2, 3)])
        #expect(
            Edges.overlay([[0, 1, 2], [3, 4, 5]], anchors: 2) == [.init(0, 3), .init(0, 4), .init(1, 3), .init(1, 4)])
        let bridge = Edges.bridge(Array(0..<4), Array(10..<14), count: 4, &dice)
        #expect(Set(bridge.map(\.a)).count == 4 && Set(bridge.map(\.b)).count == 4)
        #expect(Set(Edges.bridge([0, 1], [2, 3, 4], count: 6, &dice)).count == 6)
        #expect(Edges.lan(hosts, degree: 20, &dice).count == 45)
        let changes = all(StaticContacts(Edges.ring(hosts), link: 3))
        #expect(changes.count == 10 && changes.allSatisfy { $0.time == 0 && $0.isUp && $0.link == 3 })
    }

    @Test("In a random regular graph every host has as many neighbours as every other, none twice")
    func randomRegular() {
        var dice = Dice(seed: 4)
        for (count, degree) in [(10, 3), (7, 4), (40, 8), (9, 7), (300, 6)] {
            let edges = Edges.randomRegular(Array(0..<UInt32(count)), degree: degree, &dice)
            #expect(edges.count == count * degree / 2)
            #expect(Set(edges.map { [min($0.a, $0.b), max($0.a, $0.b)] }).count == edges.count)
            let degrees = Dictionary(edges.flatMap { [($0.a, 1), ($0.b, 1)] }, uniquingKeysWith: +)
            #expect(degrees.values.filter { $0 != degree }.count <= degree * count % 2)
        }
    }

    @Test("A member of a community meets as often as it was told to, for as long as it was told to")
    func community() {
        let community = Community(
            .init(members: Array(0..<60), meets: 3, contact: 90_000_000, until: 200 * hour), dice: Dice(seed: 2))
        let changes = all(community)
        #expect(isSound(changes))
        let ups = changes.filter(\.isUp)
        // 60 members, 3 an hour, two in each: 90 an hour, less those who were together already.
        #expect((17_000...18_400).contains(ups.count))
        let together = changes.reduce(0.0) { $0 + ($1.isUp ? -1 : 1) * Double($1.time) }
        #expect((88.0...93.0).contains(together / Double(ups.count) / 1_000_000))
        #expect(all(community) == changes)
    }

    @Test("A community that has hours meets in them only, and its contacts end with them")
    func hours() {
        // The world begins at noon; they meet from ten in the evening to two at night.
        let hours = DailyHours(from: 22 * hour, to: 2 * hour, begins: 12 * hour)
        let changes = all(
            Community(
                .init(members: hosts, meets: 6, contact: 30 * minute, length: .fixed, hours: hours, until: 96 * hour),
                dice: Dice(seed: 3)))
        #expect(isSound(changes))
        #expect(Set(changes.map { $0.time / (24 * hour) }) == [0, 1, 2, 3])
        for change in changes {
            let clock = (change.time + 12 * hour) % (24 * hour)
            #expect(clock >= 22 * hour || clock <= 2 * hour)
        }
        // Contacts go on over midnight.
        #expect(changes.contains { !$0.isUp && (1..<30 * minute).contains(($0.time + 12 * hour) % (24 * hour)) })
        #expect(changes.contains { !$0.isUp && ($0.time + 12 * hour) % (24 * hour) == 2 * hour })
    }

    @Test("Two boats a round apart call at both shores in turn, and see everybody there")
    func shuttle() {
        let changes = all(
            Shuttle(
                .init(
                    vehicles: [8, 9], stops: [[0, 1], [2]], period: 12 * hour, dwell: 40 * minute, until: 12 * hour)))
        let ups = changes.filter(\.isUp).map { [$0.time / minute, UInt64($0.a), UInt64($0.b)] }
        #expect(
            ups == [
                [0, 8, 0], [0, 8, 1], [0, 9, 2], [360, 8, 2], [360, 9, 0], [360, 9, 1], [720, 8, 0], [720, 8, 1],
                [720, 9, 2],
            ])
        #expect(isSound(changes))
        #expect(changes.filter { !$0.isUp }.map { $0.time / minute }.prefix(3) == [40, 40, 40])
    }

    @Test("A vehicle stands still at night and goes on in the morning where it stopped")
    func shuttleHours() {
        let changes = all(
            Shuttle(
                .init(
                    vehicles: [9], stops: [[0], [1], [2]], leg: 50 * minute, dwell: 10 * minute,
                    hours: DailyHours(from: 6 * hour, to: 10 * hour), until: 48 * hour)))
        let ups = changes.filter(\.isUp).map { [$0.time / hour, UInt64($0.b)] }
        #expect(ups == [[6, 0], [7, 1], [8, 2], [9, 0], [30, 1], [31, 2], [32, 0], [33, 1]])
    }

    @Test("Commuters meet at home, on the train and at work, each at its time")
    func commute() {
        let parameters = Commute.Parameters(
            people: Array(0..<80), homes: 6, works: 4, trains: 5, morning: 7 * hour + 30 * minute, evening: 17 * hour,
            until: 48 * hour)
        let changes = all(Commute(parameters, dice: Dice(seed: 6)))
        #expect(isSound(changes))
        func pairs(_ from: UInt64, _ to: UInt64) -> Set<[UInt32]> {
            Set(
                changes.filter { $0.isUp && (from..<to).contains($0.time % (24 * hour)) }.map { [$0.a, $0.b] })
        }
        let home = pairs(0, 7 * hour)
        let train = pairs(7 * hour + 30 * minute, 8 * hour + 10 * minute)
        let work = pairs(9 * hour, 17 * hour)
        #expect(!home.isEmpty && !train.isEmpty && !work.isEmpty)
        // Circles are drawn apart from each other: few pairs share two of them.
        #expect(home.intersection(work).count * 3 < home.count)
        // Whoever rides in the morning rides with the same people in the evening.
        let evening = pairs(17 * hour, 17 * hour + 40 * minute)
        #expect(evening.intersection(train).count * 2 > evening.count)
    }

    @Test("Ships see each other at sea and the harbour while they are in it")
    func routes() {
        let ships = (0..<6 as Range<UInt32>).map { [$0 * 2, $0 * 2 + 1] }
        var routes = Routes(
            .init(
                vehicles: ships, ports: [[20, 21]], ground: Ground(width: 60_000, height: 40_000), speed: 6...6,
                range: 8_000, portDwell: 3 * hour, link: 1, portLink: 2, until: 96 * hour), dice: Dice(seed: 8))
        let before = routes
        let changes = all(routes)
        #expect(isSound(changes))
        let port = changes.filter { $0.link == 2 }
        let sea = changes.filter { $0.link == 1 }
        #expect(!port.isEmpty && !sea.isEmpty)
        #expect(port.allSatisfy { ships.map({ $0[0] }).contains($0.a) && $0.b >= 20 })
        #expect(sea.allSatisfy { $0.a % 2 == 0 && $0.b % 2 == 0 && $0.b < 12 })
        #expect(all(before) == changes)
        for change in sea.prefix(20) where change.isUp {
            let one = routes.position(of: change.a, at: change.time)!
            let two = routes.position(of: change.b + 1, at: change.time)!
            let distance = ((one.x - two.x) * (one.x - two.x) + (one.y - two.y) * (one.y - two.y)).squareRoot()
            #expect(distance <= 8_000)
        }
        #expect(routes.position(of: 20, at: 0) == nil)
    }

    @Test("Several sources are one by time; where they overlap a pair stays in contact until the last lets it go")
    func merged() {
        func change(_ time: UInt64, _ a: UInt32, _ b: UInt32, _ isUp: Bool, link: UInt16 = 0) -> ContactChange {
            ContactChange(time: time, a: a, b: b, link: link, isUp: isUp)
        }
        let one = TraceContacts(
            ContactTrace(nodes: 3, changes: [change(1, 0, 1, true), change(5, 0, 1, false), change(9, 0, 1, true)]))
        let two = TraceContacts(
            ContactTrace(nodes: 3, changes: [change(3, 1, 0, true), change(3, 1, 2, true), change(7, 1, 0, false)]))
        let other = StaticContacts([.init(0, 1)], link: 4)
        #expect(
            all(MergedContacts([one, two, other])) == [
                change(0, 0, 1, true, link: 4), change(1, 0, 1, true), change(3, 1, 2, true), change(7, 1, 0, false),
                change(9, 0, 1, true),
            ])
        #expect(all(MergedContacts([])) == [])
    }

    @Test("A host that keeps two links takes the next one in reach when one of the two goes")
    func limited() {
        func change(_ time: UInt64, _ b: UInt32, _ isUp: Bool) -> ContactChange {
            ContactChange(time: time, a: 0, b: b, isUp: isUp)
        }
        let reach = TraceContacts(
            ContactTrace(
                nodes: 6,
                changes: [
                    change(1, 1, true), change(2, 2, true), change(3, 3, true), change(4, 4, true), change(5, 3, false),
                    change(6, 1, false), change(7, 4, false), change(8, 2, false),
                ]))
        #expect(
            all(LimitedContacts(reach, limit: 2)) == [
                change(1, 1, true), change(2, 2, true), change(6, 1, false), change(6, 4, true), change(7, 4, false),
                change(8, 2, false),
            ])
        #expect(all(LimitedContacts(reach, limit: 2) { $0 > 0 }) == all(reach))
    }

    @Test("No host of a crowd ever has more links than it keeps")
    func limitedCrowd() {
        let ground = Ground(width: 200, height: 200)
        let motion = RandomWaypoint(ground: ground, speed: 1...3, pause: 0...10_000_000)
        let crowd = Tracks(
            ground: ground, groups: [.init(.waypoint(motion), hosts: Array(0..<40), range: 40)], dice: Dice(seed: 1))
        let changes = all(LimitedContacts(Proximity(crowd, .init(until: 300_000_000)), limit: 4))
        #expect(isSound(changes))
        var links = [Int](repeating: 0, count: 40)
        var most = 0
        for change in changes {
            for host in [change.a, change.b] {
                links[Int(host)] += change.isUp ? 1 : -1
                most = max(most, links[Int(host)])
            }
        }
        #expect(most == 4)
    }
}
