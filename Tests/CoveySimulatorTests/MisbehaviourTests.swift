import CoveyCore
import CoveyLink
import CoveyNode
import Testing

@testable import CoveySimulator

/// What honest hosts bear. In each story all invariants are watched, and honest people write to each other throughout.
@Suite("Members that mean harm, and a stranger")
struct MisbehaviourTests {
    /// Some honest hosts and one that is not, on one network.
    private struct Town {
        let world: World
        let honest: [Host]
        let mallory: Host
        private var sent = 0

        /// - Parameter begin: until then mallory is as honest as the others.
        init(
            _ misbehaviours: [Misbehaviour], seed: UInt64 = 1, honest count: Int = 3, from begin: Duration = .zero,
            options: World.Options = World.Options(), prepare: (World) -> Void = { _ in }
        ) {
            world = World(seed: seed, options: options)
            for checker in Invariants.all() { world.add(checker) }
            prepare(world)
            let world = world
            honest = (0..<count).map { world.addHost("host \($0)") }
            mallory = world.addHost("mallory", misbehaving: misbehaviours, from: begin)
        }

        /// Everybody honest writes to the next one.
        mutating func write() {
            for (index, host) in honest.enumerated() {
                sent += 1
                world.send("letter number \(sent) of this story", from: host, to: honest[(index + 1) % honest.count])
            }
        }

        /// Whether every honest letter is there, all islands of honest hosts are one, and nothing was broken.
        func isWell() -> Bool {
            world.add(EverythingArrives())
            let report = world.finish()
            return world.expect(world.islands == [honest], "the honest hosts are one island")
                && world.expect(report.delivered == sent, "\(report.delivered) of \(sent) letters came")
                && world.currentReport.isSound
        }

        /// Links of the honest hosts with mallory that ended so.
        func ends(_ ending: Sighting.LinkEnding) -> Int {
            honest.reduce(0) { count, host in
                count + world.sightings(of: host).count { $0 == .linkDown(with: mallory, ending) }
            }
        }

        func linksUp() -> Int {
            honest.reduce(0) { count, host in
                count + world.sightings(of: host).count { $0 == .linkUp(with: mallory, isCatchUp: false) }
            }
        }
    }

    @Test("By itself an insider is a member like any other: it passes mail on and reconciles")
    func insider() throws {
        let world = World(seed: 3)
        for checker in Invariants.all() { world.add(checker) }
        let ana = world.addHost("ana")
        let bo = world.addHost("bo")
        let mallory = world.addHost("mallory", misbehaving: [])
        world.run(for: .minutes(1))
        // The way between the two is cut: what comes across comes through the insider, sealed keys and all known.
        world.partition([ana], [bo])
        world.run(for: .minutes(3))
        for number in 0..<5 { world.send("across, letter \(number)", from: ana, to: bo) }
        world.run(for: .minutes(1))
        #expect(world.inbox(of: bo).count == 5, "\(world)")
        world.crash(mallory)
        for number in 5..<8 { world.send("across, letter \(number)", from: bo, to: ana) }
        world.restart(mallory)
        world.run(for: .minutes(2))
        // It was not there when they were sent: they came by reconciliation, and went on so.
        #expect(world.inbox(of: ana).count == 3, "\(world)")
        #expect(world.finish().isSound, "\(world)")
    }

    @Test("Replay: what was given comes again and again, and is counted once")
    func replay() {
        var town = Town([.replay])
        town.world.run(for: .minutes(1))
        town.write()
        town.world.run(for: .minutes(2))
        town.write()
        town.world.run(for: .minutes(1))
        #expect(town.isWell(), "\(town.world)")
        #expect(town.linksUp() >= 3)
        let held = town.honest.map { town.world.store(of: $0).known().held.count }
        #expect(held == [6, 6, 6], "no copy is kept twice")
    }

    @Test("Flood: the stores stay within their quota, and nobody's own mail goes for it")
    func flood() {
        var options = World.Options()
        options.quota = 256 << 10
        var town = Town([.flood(perSecond: 8)], options: options)
        town.world.run(for: .seconds(30))
        town.write()
        town.world.run(for: .minutes(1))
        town.write()
        town.world.run(for: .seconds(30))
        // What does not fit is known to one and not to another, so only the letters are looked at here.
        let report = town.world.finish()
        #expect(report.isSound && report.delivered == 6, "\(town.world)")
        for host in town.honest {
            let known = town.world.store(of: host).known()
            let bytes = known.held.reduce(0) { $0 + $1.header.bucket.size }
            #expect(bytes <= 256 << 10 && bytes > 64 << 10, "\(host): \(bytes) bytes")
            let own = town.world.identity(of: host)?.id
            #expect(known.held.count { $0.ingress == own } >= 2, "\(host) holds what it sealed")
        }
    }

    @Test("A flood that comes through the only neighbour keeps nobody's own letters from them")
    func floodedLine() {
        var options = World.Options()
        options.lan = nil
        options.quota = 256 << 10
        let world = World(seed: 4, options: options)
        for checker in Invariants.all() { world.add(checker) }
        let hosts = ["ana", "bo", "cy"].map { world.addHost($0) }
        world.connect(hosts[0], hosts[1])
        world.connect(hosts[1], hosts[2])
        let mallory = world.addHost("mallory", misbehaving: [.flood(perSecond: 8)], from: .minutes(2))
        world.connect(mallory, hosts[1])
        world.run(for: .minutes(4))
        // All that ana has room for of bo's is full, and stays so for a week.
        for number in 0..<10 {
            world.send("for ana, through the flood, \(number)", from: hosts[2], to: hosts[0])
            world.run(for: .seconds(6))
        }
        #expect(world.inbox(of: hosts[0]).count == 10, "\(world)")
        // They are offered again and again, as they were refused; they are read once, and bo is told nothing.
        world.run(for: .minutes(10))
        #expect(world.inbox(of: hosts[0]).count == 10, "\(world)")
        let taken = world.sightings(of: hosts[1]).count {
            if case .handedOn(_, to: hosts[0]) = $0 { true } else { false }
        }
        #expect(taken == world.store(of: hosts[0]).known().held.count, "bo knows of no letter that ana has it")
        #expect(world.finish().isSound, "\(world)")
    }

    @Test("Black hole: mail that it swallowed comes by another way")
    func blackhole() {
        var options = World.Options()
        options.lan = nil
        let world = World(seed: 5, options: options)
        for checker in Invariants.all() { world.add(checker) }
        let ana = world.addHost("ana")
        let bo = world.addHost("bo")
        let cy = world.addHost("cy")
        let mallory = world.addHost("mallory", misbehaving: [.blackhole])
        for host in [ana, bo] {
            world.connect(host, mallory)
            world.connect(host, cy)
        }
        world.run(for: .minutes(2))
        // Cy is away: there is no way but through the black hole.
        let away = world.isolate(cy)
        for number in 0..<5 { world.send("by whatever way, \(number)", from: ana, to: bo) }
        world.run(for: .minutes(3))
        #expect(world.inbox(of: bo).isEmpty)
        #expect(world.sightings(of: ana).contains { if case .handedOn(_, to: mallory) = $0 { true } else { false } })
        world.heal(away)
        world.run(for: .minutes(4))
        #expect(world.inbox(of: bo).count == 5, "\(world)")
        #expect(world.finish().isSound, "\(world)")
    }

    @Test("Grey hole: of what goes through it alone a share comes, and all of it as soon as there is another way")
    func greyhole() {
        let world = World(seed: 6)
        for checker in Invariants.all() { world.add(checker) }
        let ana = world.addHost("ana")
        let bo = world.addHost("bo")
        world.addHost("mallory", misbehaving: [.greyhole(share: 0.5)])
        world.run(for: .minutes(1))
        let cut = world.partition([ana], [bo])
        for number in 0..<20 { world.send("perhaps, \(number)", from: ana, to: bo) }
        world.run(for: .minutes(1))
        let came = world.inbox(of: bo).count
        #expect((2...18).contains(came))
        world.heal(cut)
        world.run(for: .minutes(4))
        #expect(world.inbox(of: bo).count == 20, "\(world)")
        #expect(world.finish().isSound, "\(world)")
    }

    @Test("Corruption: an altered envelope ends the link that brought it, and no altered text is ever shown")
    func corrupt() {
        var town = Town([.corrupt])
        town.world.run(for: .minutes(1))
        for _ in 0..<4 {
            town.write()
            town.world.run(for: .seconds(30))
        }
        town.world.run(for: .minutes(1))
        #expect(town.ends(.protocolFault) > 0)
        #expect(town.isWell(), "\(town.world)")
    }

    @Test("Equivocation: two entries of one sequence are found, kept, and told to everybody")
    func equivocate() {
        var town = Town([.equivocate], honest: 4)
        town.world.run(for: .minutes(2))
        town.write()
        town.world.run(for: .minutes(1))
        for host in town.honest {
            #expect(
                town.world.sightings(of: host).contains {
                    if case .warning(let text) = $0 { text.contains("is forked") } else { false }
                }, "\(host)")
        }
        #expect(town.isWell(), "\(town.world)")
    }

    @Test("Clock liar: centuries do not expire anybody's mail", arguments: [365 * 60, -365 * 60])
    func clockLiar(days: Int) {
        var town = Town([.clockLiar(by: .days(days))])
        // One whose clock is gone, and who has to ask the others.
        let lost = town.world.addHost("lost", clock: ClockQuality(hasRTC: false, wake: 0))
        town.world.run(for: .minutes(1))
        town.write()
        town.world.send("what is the time?", from: lost, to: town.honest[0])
        town.world.send("do you know the time?", from: town.honest[0], to: lost)
        town.world.run(for: .minutes(2))
        #expect(town.world.inbox(of: lost).count == 1, "\(town.world)")
        #expect(town.world.finish().isSound, "\(town.world)")
        #expect(town.world.currentReport.delivered == 5, "\(town.world)")
        #expect(town.world.islands == [town.honest + [lost]])
    }

    @Test("Summary liar: it costs its own links, and honest sets become equal all the same")
    func summaryLiar() {
        var town = Town([.summaryLiar])
        town.world.run(for: .minutes(1))
        let cut = town.world.partition([town.honest[0]], Array(town.honest[1...]))
        town.write()
        town.world.run(for: .minutes(2))
        town.world.heal(cut)
        town.world.run(for: .minutes(3))
        #expect(town.linksUp() >= 3)
        #expect(town.isWell(), "\(town.world)")
        let reconciled = town.world.currentReport.traffic[Int(FrameSummary.Kind.transport.rawValue)].bytes
        #expect(reconciled < 4 << 20, "lies are answered at a bounded rate: \(reconciled) bytes")
    }

    @Test("Ids ground to collide are envelopes like others: all honest hosts end with all of them")
    func idCollision() {
        var town = Town([.idCollision])
        town.world.run(for: .minutes(1))
        let cut = town.world.partition([town.honest[0]], Array(town.honest[1...]))
        town.write()
        town.world.run(for: .minutes(1))
        town.world.heal(cut)
        town.world.run(for: .minutes(3))
        #expect(town.isWell(), "\(town.world)")
        #expect(town.world.store(of: town.honest[2]).known().held.count >= 60)
    }

    @Test("A revoked member that knocks on gets no link, no mail and no way into the next epoch")
    func rejoinRevoked() {
        var town = Town([.rejoinRevoked], from: .minutes(2))
        town.world.run(for: .minutes(3))
        #expect(town.linksUp() > 0)
        town.write()
        town.world.revoke(town.mallory, by: town.honest[0])
        town.world.run(for: .minutes(1))
        let before = town.linksUp()
        town.write()
        town.world.run(for: .minutes(4))
        #expect(town.linksUp() == before)
        for host in town.honest {
            #expect(town.world.sightings(of: host).contains(.revocationLearnt(of: town.mallory)))
            #expect(!town.world.isLinked(host, town.mallory))
        }
        let refusals = town.world.status(of: town.honest[1])?.refusals ?? [:]
        #expect(refusals.values.reduce(0, +) > 3, "it was there, and knocked")
        #expect(town.isWell(), "\(town.world)")
    }

    @Test("Old beacons make nobody dial like mad, and no link is lost for them")
    func oldBeacons() {
        var town = Town([.oldBeacons])
        town.world.run(for: .minutes(3))
        town.write()
        town.world.run(for: .minutes(2))
        let dials = town.honest.reduce(0) { count, host in
            count + town.world.sightings(of: host).count { if case .dialling = $0 { true } else { false } }
        }
        #expect(dials < 3 * 8, "\(dials) dials")
        #expect(town.isWell(), "\(town.world)")
    }

    @Test("Slow connections hold no place that an honest newcomer needs")
    func slowloris() {
        var town = Town([.slowloris])
        town.world.run(for: .minutes(2))
        let late = town.world.join("late", by: town.honest[0])
        town.world.run(for: .minutes(1))
        town.write()
        town.world.send("I am new here", from: late, to: town.honest[1])
        town.world.run(for: .minutes(1))
        #expect(town.world.inbox(of: town.honest[1]).count == 2)
        #expect(town.world.islands == [town.honest + [late]])
        #expect(town.world.finish().isSound, "\(town.world)")
    }

    @Test("A device that is won back is a member like any other, and gets what it missed")
    func turnBack() {
        let town = Town([.blackhole], from: .minutes(2))
        town.world.run(for: .minutes(1))
        let lost = town.world.send("before it changed sides", from: town.mallory, to: town.honest[0])
        #expect(lost.state == .sealed)
        town.world.run(for: .minutes(2))
        #expect(town.world.send("from the other side", from: town.mallory, to: town.honest[0]).state == .unasked)
        town.world.send("welcome back", from: town.honest[1], to: town.mallory)
        town.world.run(for: .minutes(2))
        #expect(town.world.inbox(of: town.mallory).isEmpty)
        town.world.turnBack(town.mallory)
        town.world.run(for: .minutes(2))
        town.world.send("good to be back", from: town.mallory, to: town.honest[2])
        town.world.run(for: .minutes(1))
        #expect(town.world.inbox(of: town.mallory).map(\.text) == ["welcome back"])
        #expect(town.world.inbox(of: town.honest[2]).map(\.text) == ["good to be back"])
        #expect(town.world.islands == [town.honest + [town.mallory]])
        #expect(town.world.finish().isSound, "\(town.world)")
    }

    @Test("All of it at once, from one device, and the others still hear from each other")
    func everything() {
        var options = World.Options()
        options.quota = 256 << 10
        var town = Town(
            [
                .replay, .flood(perSecond: 2), .greyhole(share: 0.3), .corrupt, .equivocate,
                .clockLiar(by: .days(4_000)), .summaryLiar, .idCollision, .oldBeacons, .slowloris,
            ], from: .minutes(1), options: options)
        town.world.run(for: .minutes(2))
        town.write()
        town.world.run(for: .minutes(1))
        town.write()
        town.world.run(for: .minutes(1))
        let report = town.world.finish()
        #expect(report.isSound && report.delivered == 6, "\(town.world)")
    }

    @Test("An outsider who dials everybody and plays what was recorded gets not one byte")
    func outsider() throws {
        let world = World(seed: 12)
        for checker in Invariants.all() { world.add(checker) }
        let hosts = (0..<3).map { world.addHost("host \($0)") }
        let eve = world.addOutsider("eve")
        world.run(for: .minutes(2))
        // A new link is made while she listens, and heard whole.
        world.restart(hosts[1])
        world.send("nothing for eve's ears", from: hosts[0], to: hosts[2])
        world.run(for: .minutes(3))
        let outsider = try #require(world.resident(of: eve) as? Outsider)
        #expect(outsider.bytesHeard == 0)
        #expect(outsider.knocks > 100)
        #expect(world.inbox(of: hosts[2]).count == 1)
        #expect(world.islands == [hosts])
        for host in hosts {
            let refusals = try #require(world.status(of: host)?.refusals)
            #expect(refusals.count <= 257 && refusals.values.reduce(0, +) > 20)
        }
        #expect(world.finish().isSound, "\(world)")
    }

    @Test("Between configured peers a first message played elsewhere draws a second one, seldom, and no link")
    func staticPeers() throws {
        let world = World(seed: 1)
        for checker in Invariants.all() where !(checker is StrangersHearNothing) { world.add(checker) }
        let ana = world.addHost("ana")
        let bo = world.addHost("bo", peers: [ana])
        let cy = world.addHost("cy", peers: [ana, bo])
        let eve = world.addOutsider("eve")
        world.run(for: .minutes(1))
        world.restart(bo)
        world.restart(cy)
        world.run(for: .minutes(4))
        let outsider = try #require(world.resident(of: eve) as? Outsider)
        // Which is sealed for a key that she has not: `answered` is zero where no beacon is (protocol.md §2.1).
        let second = 1636
        #expect(outsider.bytesHeard % second == 0)
        #expect(outsider.bytesHeard <= 3 * LinkBounds.unfinishedPerAddressAndHour * second)
        #expect(world.islands == [[ana, bo, cy]])
        #expect(world.finish().isSound, "\(world)")
    }

    @Test("Hostile worlds are worlds like others: one seed, one digest")
    func digest() {
        func run() -> String {
            var town = Town([.replay, .flood(perSecond: 2), .corrupt, .summaryLiar, .slowloris], honest: 2)
            town.world.addOutsider("eve")
            town.world.run(for: .seconds(30))
            town.write()
            town.world.run(for: .seconds(30))
            return town.world.digest
        }
        #expect(run() == run())
    }
}
