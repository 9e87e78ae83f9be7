import CoveyCore
import CoveyCrypto
import Testing

@testable import CoveyRouting

/// Nodes that tell each other over links that lose nothing, a second at a time.
private struct Neighbourhood {
    let devices: [DeviceID]
    let zones: [ZoneSet]
    private(set) var reaches: [ZoneReach]
    private(set) var links: Set<[Int]> = []
    private(set) var time: UInt64 = 60_000_000
    /// Times that somebody came to be nearer to a zone than a neighbour, or ceased to.
    private(set) var changes = 0

    init(zones: [[UInt8]], dice: SeededRandom) {
        self.zones = zones.map { ZoneSet($0.map(ZoneHint.init)) }
        devices = zones.map { _ in .random(from: dice) }
        // Everybody's minute ends at another moment.
        reaches = self.zones.map { ZoneReach(own: $0, now: Now(uptime: dice.uniform(60_000_000), wall: 0)) }
    }

    var now: Now { Now(uptime: time, wall: 0) }

    func neighbours(of node: Int) -> [Int] {
        devices.indices.filter { links.contains([min(node, $0), max(node, $0)]) }
    }

    mutating func link(_ a: Int, _ b: Int) {
        links.insert([min(a, b), max(a, b)])
        for (one, other) in [(a, b), (b, a)] {
            reaches[one].contactUp(PeerView(device: devices[other], zones: zones[other]), now: now)
        }
        tell(a, to: b)
        tell(b, to: a)
    }

    mutating func cut(_ a: Int, _ b: Int) {
        links.remove([min(a, b), max(a, b)])
        _ = reaches[a].contactDown(devices[b], now: now)
        _ = reaches[b].contactDown(devices[a], now: now)
    }

    private mutating func tell(_ from: Int, to: Int) {
        let rows = reaches[from].rows(for: devices[to], now: now)
        changes += reaches[to].heard(rows, from: devices[from], now: now).count
    }

    mutating func run(seconds: Int) {
        for _ in 0..<seconds {
            time += 1_000_000
            for node in devices.indices where reaches[node].due <= time {
                changes += reaches[node].tell(now: now).count
                for other in neighbours(of: node) { tell(node, to: other) }
            }
        }
    }

    /// What a newcomer would be told.
    func hops(_ node: Int, to zone: UInt8) -> UInt8 {
        reaches[node].rows(for: DeviceID(), now: now).first { $0.zone.value == zone }?.hops ?? ZoneReport.noWay
    }

    /// By walking: links to the nearest device of a zone, as far as ways go.
    func shortest(_ node: Int, to zone: UInt8) -> UInt8 {
        var seen = [node]
        var edge = [node]
        for hops in 0..<UInt8(32) where !edge.isEmpty {
            if edge.contains(where: { zones[$0].contains(ZoneHint(zone)) }) { return hops }
            edge = Set(edge.flatMap(neighbours)).subtracting(seen).sorted()
            seen += edge
        }
        return ZoneReport.noWay
    }

    func isRight(to count: UInt8) -> Bool {
        devices.indices.allSatisfy { node in (0..<count).allSatisfy { hops(node, to: $0) == shortest(node, to: $0) } }
    }
}

struct ZoneReachTests {
    @Test(
        "everybody comes to know the shortest way to each zone, and again after links came and went", arguments: 0..<20)
    func shortestWays(seed: UInt64) {
        let dice = SeededRandom(seed: seed, stream: "zone reach")
        let teams = UInt8(1 + dice.uniform(5))
        let count = 4 + Int(dice.uniform(20))
        var mesh = Neighbourhood(
            zones: (0..<count).map { _ in dice.uniform(5) == 0 ? [] : [UInt8(dice.uniform(UInt64(teams)))] }, dice: dice
        )
        for node in 1..<count { mesh.link(node, Int(dice.uniform(UInt64(node)))) }
        mesh.run(seconds: 90)
        #expect(mesh.isRight(to: teams))
        for _ in 0..<4 {
            if let link = mesh.links.sorted(by: { $0.lexicographicallyPrecedes($1) }).first {
                mesh.cut(link[0], link[1])
            }
            let (a, b) = (Int(dice.uniform(UInt64(count))), Int(dice.uniform(UInt64(count))))
            if a != b, !mesh.neighbours(of: a).contains(b) { mesh.link(a, b) }
            // A ring that points at itself counts up to 32, a hop a second.
            mesh.run(seconds: 90)
            #expect(mesh.isRight(to: teams))
        }
    }

    @Test("in a mesh at rest nobody comes to be nearer than before, and a frame a minute is told on each link")
    func rest() {
        let dice = SeededRandom(seed: 8)
        var mesh = Neighbourhood(zones: (0..<60).map { [UInt8($0 / 6)] }, dice: dice)
        for node in 1..<60 { mesh.link(node, Int(dice.uniform(UInt64(node)))) }
        mesh.run(seconds: 600)
        let settled = mesh.changes
        mesh.run(seconds: 3 * 3600)
        #expect(mesh.changes == settled)
        #expect(mesh.isRight(to: 10))
    }

    @Test("a way lives on for days while its device counts, and ends five minutes after it fell silent")
    func silence() {
        var mesh = Neighbourhood(zones: [[], [7]], dice: SeededRandom(seed: 3))
        mesh.link(0, 1)
        mesh.run(seconds: 6 * 3600)
        #expect(mesh.hops(0, to: 7) == 1)
        // The link stands, and nobody speaks on it any more.
        let last = mesh.reaches[1].rows(for: mesh.devices[0], now: mesh.now)
        var alone = mesh.reaches[0]
        func hops(after seconds: UInt64) -> UInt8? {
            let now = Now(uptime: mesh.time + seconds * 1_000_000, wall: 0)
            _ = alone.heard(last, from: mesh.devices[1], now: now)
            return alone.rows(for: DeviceID(), now: now).first { $0.zone.value == 7 }?.hops
        }
        #expect(hops(after: 180) == 1)
        #expect(hops(after: 361) == ZoneReport.noWay)
    }

    @Test("who says to be of a zone that is not its own is no way there")
    func liar() {
        let dice = SeededRandom(seed: 4)
        let device = DeviceID.random(from: dice)
        let now = Now(uptime: 0, wall: 0)
        var reach = ZoneReach(own: ZoneSet(), now: now)
        reach.contactUp(PeerView(device: device, zones: ZoneSet([ZoneHint(1)])), now: now)
        let rows = [1, 2].map { ZoneReport(zone: ZoneHint($0), likelihood: 0, hops: 0, origin: 1) }
        #expect(reach.heard(rows, from: device, now: now).map(\.zones) == [ZoneSet([ZoneHint(1)])])
    }

    @Test("where no way leads, whoever met a zone of late is nearer, until that is long ago")
    func meetings() {
        let dice = SeededRandom(seed: 5)
        let (team, carrier, other) = (
            DeviceID.random(from: dice), DeviceID.random(from: dice), DeviceID.random(from: dice)
        )
        func at(_ hours: UInt64) -> Now { Now(uptime: hours * 3_600_000_000, wall: 0) }
        let zone = ZoneHint(3)
        func rows(_ likelihood: UInt8) -> [ZoneReport] {
            [ZoneReport(zone: zone, likelihood: likelihood, hops: ZoneReport.noWay, origin: 0)]
        }
        var reach = ZoneReach(own: ZoneSet(), now: at(0))
        // It met the zone itself, once.
        reach.contactUp(PeerView(device: team, zones: ZoneSet([zone])), now: at(0))
        _ = reach.contactDown(team, now: at(0))
        #expect(reach.rows(for: other, now: at(0)).map(\.likelihood) == [128])
        reach.contactUp(PeerView(device: carrier, zones: ZoneSet()), now: at(1))
        #expect(reach.heard(rows(130), from: carrier, now: at(1)).isEmpty)
        #expect(reach.heard(rows(160), from: carrier, now: at(1)).map(\.zones) == [ZoneSet([zone])])
        // After a week a little is left of one meeting.
        #expect(reach.rows(for: other, now: at(24 * 7)).map(\.likelihood) == [14])
        // Somebody of another team that met it tells: nine tenths of the way there through that team.
        var far = ZoneReach(own: ZoneSet(), now: at(0))
        far.contactUp(PeerView(device: team, zones: ZoneSet([ZoneHint(9)])), now: at(0))
        _ = far.heard(rows(255), from: team, now: at(0))
        #expect(far.rows(for: other, now: at(0)).map(\.likelihood) == [115, 128])
    }

    @Test("neighbours are counted by the hour, those who stay too, and the mean forgets in days")
    func rate() {
        let dice = SeededRandom(seed: 6)
        var mesh = Neighbourhood(zones: [[], [], []], dice: dice)
        mesh.link(0, 1)
        mesh.link(0, 2)
        #expect(mesh.reaches[0].contactsPerHour == 2)
        mesh.run(seconds: 3 * 3600)
        #expect(mesh.reaches[0].contactsPerHour == 2)
        mesh.cut(0, 1)
        mesh.run(seconds: 24 * 3600)
        #expect((1.2...1.5).contains(mesh.reaches[0].contactsPerHour))
    }
}

struct AdaptiveReplicationTests {
    private let mail = Mail(seed: 7)
    private let policy = AdaptiveReplication()
    private let link = LinkView(isSparing: false)
    private let now = Now(uptime: 0, wall: 0)
    private let zone = ZoneHint(4)

    private func peer(of zones: [UInt8] = [], nearer: [UInt8] = [], reached: [UInt8] = []) -> PeerView {
        var view = PeerView(device: mail.neighbour(), zones: ZoneSet(zones.map(ZoneHint.init)))
        view.nearer = ZoneSet(nearer.map(ZoneHint.init))
        view.reached = ZoneSet(reached.map(ZoneHint.init))
        return view
    }

    private func offer(_ tokens: UInt8, to peer: PeerView, zone: ZoneHint? = nil, isOwn: Bool = false) -> Handover? {
        policy.offer(
            mail.make(zone: zone ?? self.zone, tokens: .spray(tokens), isOwn: isOwn), to: peer, link: link, now: now)
    }

    @Test("a mesh in which few meet makes more copies, a small one a copy for everybody")
    func copies() {
        func copies(_ members: Int, _ contacts: Double, _ ttl: TTL = .day) -> UInt8 {
            policy.initialTokens(
                mail.make(ttl: ttl, zone: zone), mesh: MeshView(members: members, contactsPerHour: contacts)
            ).value
        }
        // 3 · 999 / (10 · 24) = 12.5
        #expect(copies(1_000, 10) == 13)
        #expect(copies(1_000, 10, .week) == 6)
        #expect(copies(1_000, 0) == 64)
        #expect(copies(100, 0.2) == 64)
        #expect(copies(10, 10) == 10)
        #expect(copies(1, 0) == 1)
        #expect(policy.initialTokens(mail.make(.pairwise, .urgent), mesh: Mail.mesh) == .spray(16))
        #expect(policy.initialTokens(mail.make(.group), mesh: Mail.mesh) == .flood)
    }

    @Test("a neighbour of the zone gets a copy with a token that costs none of ours")
    func delivery() {
        let handover = offer(0, to: peer(of: [4]))
        #expect(handover?.tokens == .spray(1) && handover?.reason == .delivery)
        #expect(handover.map { policy.remains(of: .spray(3), after: $0) } == .whole)
    }

    @Test("of several tokens a neighbour gets half, the larger half when it is nearer, none when a way leads elsewhere")
    func spray() {
        #expect(offer(5, to: peer())?.tokens == .spray(2))
        #expect(offer(5, to: peer(reached: [4])) == nil)
        #expect(offer(5, to: peer(reached: [3]))?.tokens == .spray(2))
        #expect(offer(5, to: peer(reached: [3]), zone: .any)?.tokens == .spray(2))
        let nearer = offer(5, to: peer(nearer: [4]))
        #expect(nearer?.tokens == .spray(3))
        #expect(nearer.map { policy.remains(of: .spray(5), after: $0) } == .tokens(.spray(2)))
    }

    @Test("the last token goes to whoever is nearer, and the payload stays; its origin keeps it and gives one more")
    func focus() {
        #expect(offer(1, to: peer()) == nil)
        #expect(offer(1, to: peer(nearer: [5])) == nil)
        let handover = offer(1, to: peer(nearer: [4]))
        #expect(handover?.tokens == .spray(1))
        #expect(handover.map { policy.remains(of: .spray(1), after: $0) } == .tokens(.opportunistic))
        let more = offer(1, to: peer(nearer: [4]), isOwn: true)
        #expect(more?.tokens == .spray(1))
        #expect(more.map { policy.remains(of: .spray(1), after: $0) } == .whole)
        #expect(offer(0, to: peer(nearer: [4])) == nil)
        #expect(offer(1, to: peer(nearer: [4]), zone: .any) == nil)
        #expect(policy.shows(mail.make(zone: zone), to: peer()))
    }
}
