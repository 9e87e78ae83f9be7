import CoveySimulator
import Testing

@Suite("What travelled, by frames")
struct FrameTests {
    private func world(_ options: World.Options = World.Options()) -> (world: World, hosts: [Host]) {
        let (world, hosts) = World.met(4, options: options)
        world.partition([hosts[0], hosts[1]], [hosts[2], hosts[3]])
        for number in 0..<6 { world.send("letter \(number)", from: hosts[0], to: hosts[3]) }
        world.run(for: .minutes(5))
        world.heal()
        world.run(for: .minutes(10))
        return (world, hosts)
    }

    private func bytes(_ name: String, _ report: Report) -> Int {
        report.bytesByFrame.first { $0.name == name }?.bytes ?? 0
    }

    @Test("Frames, what seals them, handshakes and beacons add up to every byte that was sent")
    func sum() {
        let report = world().world.finish()
        #expect(report.delivered == 6)
        #expect(report.bytesByFrame.reduce(0) { $0 + $1.bytes } == report.bytes)
        #expect(bytes("beacon", report) == report[.beacon].bytes)
        let handshakes = ["handshakeFirst", "handshakeSecond", "handshakeThird"].reduce(0) { $0 + bytes($1, report) }
        #expect(
            report.bytes - report[.transport].bytes - report[.beacon].bytes - report[.tinyBeacon].bytes == handshakes)
        // The same world says the same to the byte.
        #expect(report.bytesByFrame == world().world.finish().bytesByFrame)
    }

    @Test("Mail is counted by its priority, whole frames with what stands before the envelope")
    func mail() throws {
        let report = world().world.finish()
        let mail = try #require(report.bytesByFrame.first { $0.name == "data normal" })
        // Each letter came to three hosts at least once. All are as long: a power of two, and tokens, hops, flags, id and
        // lengths before it.
        #expect(mail.count >= 18 && mail.bytes.isMultiple(of: mail.count))
        let head = mail.bytes / mail.count - 2048
        #expect((36...48).contains(head), "\(mail.bytes / mail.count) bytes each")
        #expect(bytes("data bulk", report) == 0 && bytes("data", report) == 0)
        #expect(bytes("hello", report) > 0 && bytes("dataAck", report) > 0 && bytes("digest", report) > 0)
    }

    @Test("After a heal, reconciliation finds what one side lacked, and mail that comes twice is counted")
    func differences() {
        let (world, hosts) = World.met(4)
        world.partition([hosts[0], hosts[1]], [hosts[2], hosts[3]])
        // What is said into a cut before it is noticed is sent, and comes to nobody.
        world.run(for: .minutes(3))
        let met = world.currentReport.differences
        for number in 0..<6 { world.send("letter \(number)", from: hosts[0], to: hosts[3]) }
        world.run(for: .minutes(5))
        // On one side all hear of it live.
        #expect(world.currentReport.differences == met)
        world.heal()
        world.run(for: .minutes(10))
        let report = world.finish()
        #expect(report.differences >= met + 6)
        // Whatever DATA frame stored nothing came again.
        let mail = report.bytesByFrame.first { $0.name == "data normal" }
        #expect(mail.map { $0.count - 18 } == report.duplicates)
    }

    @Test("Where all are linked, letters come twice until the links are a tree, and come still when its middle is gone")
    func tree() {
        let (world, hosts) = World.met(6)
        func letter(_ number: Int, from: Int, to: Int) -> Message {
            let letter = world.send("letter \(number)", from: hosts[from], to: hosts[to])
            world.run(for: .seconds(5))
            return letter
        }
        _ = letter(0, from: 0, to: 3)
        let first = world.currentReport.duplicates
        #expect(first > 0)
        for number in 1..<12 { _ = letter(number, from: number % 6, to: (number + 2) % 6) }
        #expect(world.currentReport.duplicates <= first + 4)
        #expect(world.inbox(of: hosts[3]).count == 3)
        world.crash(hosts[0])
        _ = letter(12, from: 4, to: 1)
        world.run(for: .seconds(5))
        #expect(world.inbox(of: hosts[1]).contains { $0.text == "letter 12" })
        let report = world.finish()
        let names = Set(report.bytesByFrame.map(\.name))
        #expect(names.isSuperset(of: ["iHave", "graft", "prune"]))
    }

    @Test("Mail that is sprayed is shown and not reconciled, so sets that differ on purpose cost nothing later")
    func lean() {
        var options = World.Options()
        options.routing = .sprayAndWait(copies: 2)
        let (world, hosts) = World.met(6, options: options)
        world.partition([hosts[0], hosts[1], hosts[2], hosts[3]], [hosts[4], hosts[5]])
        for number in 0..<6 { world.send("letter \(number)", from: hosts[0], to: hosts[4]) }
        world.run(for: .minutes(5))
        let found = world.currentReport.differences
        world.run(for: .minutes(20))
        #expect(world.currentReport.differences == found)
        world.heal()
        world.run(for: .minutes(2))
        #expect(world.inbox(of: hosts[4]).count == 6)
        let report = world.finish()
        #expect(bytes("offer", report) > 0 && report.differences == found)
    }

    @Test("What hosts had in common is counted: how much was kept, and how often it came again")
    func shared() {
        let report = world().world.finish()
        let shared = report.shared
        // Six letters at four hosts; three hear each beacon.
        #expect(shared.envelopes == 6 && shared.envelopeHits >= 12)
        #expect(shared.envelopeBytesSaved == 2048 * shared.envelopeHits)
        #expect(shared.beacons > 0 && shared.beaconChecks > shared.beacons)
        var options = World.Options()
        options.sharesChecks = false
        let alone = world(options).world.finish()
        #expect(alone.shared.beacons == 0 && alone.shared.beaconChecks == 0)
        #expect(alone.bytesByFrame == report.bytesByFrame && alone.digest == report.digest)
        #expect(shared.burstChecks > 0 && shared.burstChecks <= shared.bursts && alone.shared.bursts == 0)
    }

    @Test("Members that mean harm are in the books with what they say")
    func harm() {
        let world = World(seed: 4)
        let hosts = (0..<3).map { world.addHost("host \($0)") }
        world.addHost("mallory", misbehaving: [.flood(perSecond: 2)])
        world.send("over here", from: hosts[0], to: hosts[1])
        world.run(for: .minutes(5))
        let report = world.finish()
        #expect(report.bytesByFrame.reduce(0) { $0 + $1.bytes } == report.bytes)
    }

    @Test("A loss one way slows what goes this way, and leaves the other way alone")
    func loss() {
        var options = World.Options()
        options.lan = nil
        func lost(_ way: Bool?) -> (Int, Int) {
            let world = World(seed: 2, options: options)
            let (ana, bo) = (world.addHost("ana"), world.addHost("bo"))
            world.connect(ana, bo)
            world.run(for: .minutes(1))
            let before = world.currentReport.retransmissions
            if let way { way ? world.lose(0.5, from: ana, to: bo) : world.lose(0.5, from: bo, to: ana) }
            for _ in 0..<50 { world.send(String(repeating: "long ", count: 200), from: ana, to: bo) }
            world.run(for: .minutes(30))
            world.lose(0, from: ana, to: bo)
            return (world.currentReport.retransmissions - before, world.inbox(of: bo).count)
        }
        let (none, there, back) = (lost(nil), lost(true), lost(false))
        #expect(none == (0, 50))
        #expect(there.1 == 50 && back.1 == 50)
        // Mail is more packets than what acknowledges it.
        #expect(there.0 > back.0 && back.0 > 0, "\(there.0) one way, \(back.0) the other")
    }

    @Test("A clock that begins to run fast goes on from what it shows, and its timers come sooner")
    func drift() {
        let (world, hosts) = World.met(2)
        let before = world.currentReport.turns
        world.run(for: .hours(1))
        let usual = world.currentReport.turns - before
        world.clockDrift(hosts[0], to: 100_000)
        world.clockDrift(hosts[1], to: 100_000)
        world.run(for: .hours(1))
        let hasty = world.currentReport.turns - before - usual
        #expect(hasty > usual * 104 / 100, "\(usual) turns, then \(hasty)")
        #expect(world.isLinked(hosts[0], hosts[1]))
    }
}
