import CoveyContact
import Testing

@Suite("Who is in whose range")
struct ProximityTests {
    private struct Pair: Hashable, Comparable {
        var a: UInt32
        var b: UInt32

        static func < (one: Pair, two: Pair) -> Bool { (one.a, one.b) < (two.a, two.b) }
    }

    /// All pairs at every tick, the slow way.
    private func lookAtAll(
        _ tracks: Tracks, tick: UInt64, until: UInt64, range: (UInt32, UInt32) -> Double
    ) -> [ContactChange] {
        var tracks = tracks
        var changes: [ContactChange] = []
        var together: Set<Pair> = []
        let hosts = tracks.groups.flatMap(\.hosts).sorted()
        for time in stride(from: 0, through: until, by: UInt64.Stride(tick)) {
            let places = hosts.map { tracks.position(of: $0, at: time)! }
            for one in hosts.indices {
                for two in hosts.indices where two > one {
                    let dx = places[two].x - places[one].x
                    let dy = places[two].y - places[one].y
                    let reach = range(hosts[one], hosts[two])
                    let isNear = dx * dx + dy * dy <= reach * reach
                    let pair = Pair(a: hosts[one], b: hosts[two])
                    if isNear == together.contains(pair) { continue }
                    if isNear { together.insert(pair) } else { together.remove(pair) }
                    changes.append(ContactChange(time: time, a: pair.a, b: pair.b, isUp: isNear))
                }
            }
        }
        return changes
    }

    private func all(_ source: Proximity) -> [ContactChange] {
        var source = source
        var changes: [ContactChange] = []
        while let change = source.next() { changes.append(change) }
        return changes
    }

    @Test(
        "Contacts of hosts between random waypoints are those of a look at all pairs at every tick",
        arguments: 0..<12 as Range<UInt64>)
    func waypoints(seed: UInt64) {
        var dice = Dice(seed: seed)
        let ground = Ground(width: 100 + dice.unit() * 400, height: 60 + dice.unit() * 300)
        let motion = RandomWaypoint(
            ground: ground, speed: 0.5...(1 + 30 * dice.unit()), pause: 0...dice.below(20_000_000))
        let count = UInt32(4 + dice.below(20))
        let tracks = Tracks(
            ground: ground, groups: [.init(.waypoint(motion), hosts: Array(0..<count), range: 10 + dice.unit() * 40)],
            dice: dice)
        let tick: UInt64 = [1_000_000, 250_000, 1_000_007, 3_000_000][Int(seed % 4)]
        let until: UInt64 = 200_000_000
        let expected = lookAtAll(tracks, tick: tick, until: until) { _, _ in tracks.groups[0].range }
        #expect(expected.count > 20)
        #expect(all(Proximity(tracks, .init(tick: tick, until: until))) == expected)
    }

    @Test("Every motion on one ground, with ranges of their own, gives what a look at all pairs gives")
    func mixed() {
        let ground = Ground(width: 300, height: 200)
        let pause: ClosedRange<UInt64> = 0...5_000_000
        let seen = (0..<3).map { host in
            (0..<40).map { RecordedMovement.Sighting(time: UInt64($0 * 4_500_000 + host), x: Double($0 * 7), y: 60) }
        }
        let groups: [Tracks.Group] = [
            .init(
                .waypoint(RandomWaypoint(ground: ground, speed: 1...9, pause: pause)), hosts: [3, 0, 9, 4], range: 30),
            .init(.standstill(Standstill(anywhereOn: ground)), hosts: [1, 2], range: 60),
            .init(
                .walk(RandomWalk(ground: ground, speed: 2...6, stretch: 500_000...9_000_000)), hosts: [5, 6, 7],
                range: 35),
            .init(
                .path(
                    PathWalk(along: [(0, 0), (100, 50), (300, 50)], speed: 3...5, pause: pause, stops: 0.5)),
                hosts: [8, 10], range: 40),
            .init(
                .voyage(
                    Voyage(ports: [(0, 200), (300, 200), (150, 0)], ground: ground, speed: 9...12, dwell: 6_000_000)),
                hosts: [11, 12], range: 90),
            .init(
                .voyage(Voyage(ports: [(0, 0)], ground: ground, speed: 8...8, dwell: 6_000_000)), hosts: [13], range: 9),
            .init(.recorded(RecordedMovement(hosts: seen)), hosts: [14, 15, 16], range: 25),
        ]
        let tracks = Tracks(ground: ground, groups: groups, dice: Dice(seed: 5))
        let ranges = Dictionary(uniqueKeysWithValues: groups.flatMap { group in group.hosts.map { ($0, group.range) } })
        for reach in [Proximity.Reach.smaller, .larger] {
            let expected = lookAtAll(tracks, tick: 1_000_000, until: 300_000_000) {
                reach == .smaller ? min(ranges[$0]!, ranges[$1]!) : max(ranges[$0]!, ranges[$1]!)
            }
            #expect(expected.count > 200)
            #expect(all(Proximity(tracks, .init(reach: reach, until: 300_000_000))) == expected)
        }
    }

    @Test("Nobody leaves the ground, and a way has no gaps")
    func ground() {
        let ground = Ground(width: 120, height: 80)
        let groups: [Tracks.Group] = [
            .init(
                .waypoint(RandomWaypoint(ground: ground, speed: 1...20, pause: 0...2_000_000)), hosts: [0, 1],
                range: 10),
            .init(
                .walk(RandomWalk(ground: ground, speed: 1...20, stretch: 1_000_000...60_000_000)), hosts: [2, 3],
                range: 10),
        ]
        var tracks = Tracks(ground: ground, groups: groups, dice: Dice(seed: 11))
        for host in 0..<4 as Range<UInt32> {
            var last = tracks.position(of: host, at: 0)!
            for time in stride(from: UInt64(100_000), to: 200_000_000, by: 100_000) {
                let place = tracks.position(of: host, at: time)!
                #expect((-0.001...120.001).contains(place.x) && (-0.001...80.001).contains(place.y))
                let dx = place.x - last.x
                let dy = place.y - last.y
                #expect((dx * dx + dy * dy).squareRoot() <= 2.001)
                last = place
            }
        }
    }

    @Test("Where a host was can be asked again later, in any order, and a host without a place has none")
    func anyOrder() {
        let ground = Ground(width: 500, height: 500)
        let motion = RandomWaypoint(ground: ground, speed: 1...5, pause: 0...10_000_000)
        var tracks = Tracks(
            ground: ground, groups: [.init(.waypoint(motion), hosts: [4, 5, 7], range: 10)], dice: Dice(seed: 2))
        let late = tracks.position(of: 7, at: 900_000_000)!
        let early = tracks.position(of: 7, at: 10_000_000)!
        #expect(tracks.position(of: 7, at: 900_000_000)! == late)
        #expect(tracks.position(of: 7, at: 10_000_000)! == early)
        #expect(tracks.position(of: 6, at: 0) == nil)
    }

    @Test("In a tunnel everybody is always in reach of the nearest relay, and gets to know many of them")
    func tunnel() {
        let tracks = Tracks.tunnel(
            fixed: Array(0..<20), walkers: Array(20..<30), pause: 0...60_000_000, link: 2, dice: Dice(seed: 4))
        var reached = [Set<UInt32>](repeating: [], count: 30)
        var met = reached
        for (index, change) in all(Proximity(tracks, .init(until: 7_200_000_000))).enumerated() {
            #expect(change.link == 2 && change.b >= 20)
            // At time 0 everybody comes into reach; from then on the next relay is there before the last one goes.
            if change.isUp { reached[Int(change.b)].insert(change.a) } else { reached[Int(change.b)].remove(change.a) }
            if change.isUp { met[Int(change.b)].insert(change.a) }
            if index > 60 { for host in 20..<30 { #expect(reached[host].contains { $0 < 20 }) } }
        }
        #expect(met[20...].allSatisfy { $0.filter { $0 < 20 }.count > 4 })
    }

    @Test("The same seed gives the same contacts in every build, on every machine")
    func pinned() {
        let ground = Ground(width: 1_000, height: 800)
        let pause: ClosedRange<UInt64> = 0...60_000_000
        let groups: [Tracks.Group] = [
            .init(
                .waypoint(RandomWaypoint(ground: ground, speed: 0.5...1.5, pause: pause)), hosts: Array(0..<60),
                range: 40),
            .init(
                .walk(RandomWalk(ground: ground, speed: 1...4, stretch: 10_000_000...90_000_000)),
                hosts: Array(60..<90), range: 60),
            .init(.standstill(Standstill(anywhereOn: ground)), hosts: Array(90..<100), range: 80),
        ]
        let tracks = Tracks(ground: ground, groups: groups, dice: Dice(seed: 2026))
        var digest: UInt64 = 0
        for change in all(Proximity(tracks, .init(reach: .larger, until: 3_600_000_000))) {
            let words = [change.time, UInt64(change.a) << 32 | UInt64(change.b), change.isUp ? 1 : 0]
            for word in words { digest = (digest ^ word) &* 0x100_0000_01b3 }
        }
        #expect(digest == 2_153_373_577_885_012_850)
    }
}
