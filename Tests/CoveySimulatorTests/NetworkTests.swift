import CoveyContact
import Testing

@testable import CoveySimulator

@Suite("Links, segments and partitions")
struct NetworkTests {
    private func without(lan: LinkQuality? = nil) -> World.Options {
        var options = World.Options()
        options.lan = lan
        return options
    }

    @Test("Hosts without a way to each other are strangers; a chain of links carries mail from end to end")
    func chain() {
        let world = World(seed: 1, options: without())
        let hosts = (0..<4).map { world.addHost("host \($0)") }
        world.connect(hosts[0], hosts[1])
        world.connect(hosts[1], hosts[2])
        world.run(for: .minutes(1))
        #expect(world.isLinked(hosts[0], hosts[1]) && world.isLinked(hosts[1], hosts[2]))
        #expect(!world.isLinked(hosts[0], hosts[2]))
        world.send("end to end", from: hosts[0], to: hosts[2])
        world.send("to nowhere", from: hosts[0], to: hosts[3])
        world.run(for: .minutes(2))
        #expect(world.texts(of: hosts[2]) == ["end to end"])
        #expect(world.texts(of: hosts[3]).isEmpty)
    }

    @Test("A link that is taken away goes silent; both ends notice by themselves, and find each other again")
    func disconnect() {
        let world = World(seed: 1, options: without())
        let (ana, bo) = (world.addHost("ana"), world.addHost("bo"))
        world.connect(ana, bo)
        world.run(for: .minutes(1))
        #expect(world.isLinked(ana, bo))
        world.disconnect(ana, bo)
        #expect(!world.isConnected(ana, bo))
        world.run(for: .seconds(5))
        #expect(world.isLinked(ana, bo), "nobody has had a reason to doubt the link")
        world.run(for: .minutes(1))
        #expect(!world.isLinked(ana, bo))
        #expect(world.sightings(of: ana).contains(.linkDown(with: bo, .silent)))
        world.connect(ana, bo)
        #expect(world.run(until: { world.isLinked(ana, bo) }, within: .minutes(3)))
    }

    @Test("Where streams close with their interface, both ends know at once")
    func vanish() {
        var options = World.Options()
        options.cutClosesStreams = true
        let (world, hosts) = World.met(2, options: options)
        world.partition([hosts[0]], [hosts[1]])
        #expect(world.sightings(of: hosts[0]).contains(.linkDown(with: hosts[1], .closedByPeer)))
        #expect(!world.isLinked(hosts[0], hosts[1]))
    }

    @Test("A short cut is a delay: TCP sends again, the link stands, nothing is lost")
    func shortCut() {
        let (world, hosts) = World.met(2)
        world.partition([hosts[0]], [hosts[1]])
        world.send("into the cut", from: hosts[0], to: hosts[1])
        world.run(for: .seconds(8))
        #expect(world.texts(of: hosts[1]).isEmpty)
        world.heal()
        world.run(for: .seconds(10))
        #expect(world.texts(of: hosts[1]) == ["into the cut"])
        #expect(!world.sightings(of: hosts[0]).contains { if case .linkDown = $0 { true } else { false } })
    }

    @Test("One way cut is as good as cut: what asks for an answer gets none")
    func oneWay() {
        let (world, hosts) = World.met(2)
        world.partitionOneWay(from: [hosts[0]], to: [hosts[1]])
        world.send("the wrong way", from: hosts[0], to: hosts[1])
        world.run(for: .seconds(10))
        #expect(world.texts(of: hosts[1]).isEmpty)
        world.run(for: .minutes(2))
        #expect(!world.isLinked(hosts[0], hosts[1]))
        world.send("the open way", from: hosts[1], to: hosts[0])
        world.run(for: .minutes(5))
        #expect(world.texts(of: hosts[0]).isEmpty, "no new link without packets both ways")
        world.heal()
        world.run(for: .minutes(3))
        #expect(world.texts(of: hosts[0]) == ["the open way"] && world.texts(of: hosts[1]) == ["the wrong way"])
    }

    @Test("A host on no side of a partition reaches both, and carries mail across")
    func bridge() {
        let (world, hosts) = World.met(3)
        let partition = world.partition([hosts[0]], [hosts[2]])
        world.run(for: .minutes(2))
        #expect(!world.isLinked(hosts[0], hosts[2]))
        world.send("around", from: hosts[0], to: hosts[2])
        world.run(for: .minutes(1))
        #expect(world.texts(of: hosts[2]) == ["around"])
        world.heal(partition)
        #expect(world.run(until: { world.isLinked(hosts[0], hosts[2]) }, within: .minutes(5)))
    }

    @Test("Of two partitions one can be healed, and the other stays")
    func healOne() {
        let (world, hosts) = World.met(3)
        world.isolate(hosts[0])
        let second = world.isolate(hosts[1])
        world.heal(second)
        world.send("alone", from: hosts[0], to: hosts[2])
        world.send("back", from: hosts[1], to: hosts[2])
        world.run(for: .minutes(5))
        #expect(world.texts(of: hosts[2]) == ["back"])
    }

    @Test("Segments are networks apart; who is on both carries between them")
    func segments() {
        let world = World(seed: 2, options: without())
        let (east, west) = (world.addSegment(.lan), world.addSegment(.wifi))
        let ana = world.addHost("ana", segments: [east])
        let mule = world.addHost("mule", segments: [east])
        let bo = world.addHost("bo", segments: [east])
        world.run(for: .minutes(1))
        world.detach(bo, from: east)
        world.attach(bo, to: west)
        world.run(for: .minutes(1))
        world.send("over the hill", from: ana, to: bo)
        world.run(for: .minutes(5))
        #expect(world.texts(of: bo).isEmpty)
        world.detach(mule, from: east)
        world.attach(mule, to: west)
        world.run(for: .minutes(5))
        #expect(world.texts(of: bo) == ["over the hill"])
        #expect(!world.isLinked(mule, ana) && world.isLinked(mule, bo))
    }

    @Test("Without multicast hosts know of each other only by the addresses they were told")
    func staticPeers() {
        var quality = LinkQuality.lan
        quality.multicast = false
        let world = World(seed: 2, options: without(lan: quality))
        let ana = world.addHost("ana")
        let bo = world.addHost("bo")
        let anchored = world.addHost("cy", peers: [ana])
        world.run(for: .minutes(2))
        #expect(!world.isLinked(ana, bo))
        #expect(world.isLinked(anchored, ana))
    }

    @Test("A slow link takes its time: a second for each 1200 bytes at 9600 bit/s")
    func rate() throws {
        var options = without(lan: LinkQuality(rate: 9_600, latency: .constant(.milliseconds(20)), multicast: true))
        options.keepsTrace = true
        let (world, hosts) = World.met(2, options: options)
        #expect(world.isLinked(hosts[0], hosts[1]))
        let before = world.time
        world.send(String(repeating: "slow ", count: 1_600), from: hosts[0], to: hosts[1])
        #expect(world.run(until: { !world.inbox(of: hosts[1]).isEmpty }, within: .minutes(2)))
        let took = world.time - before
        #expect(took > .seconds(7) && took < .seconds(25), "8 kB took \(took)")
    }

    @Test("Loss on a stream is delay, and nothing is missing in the end")
    func lossyStream() {
        let quality = LinkQuality(
            rate: 1_000_000, latency: .logNormal(median: .milliseconds(40), sigma: 0.5),
            loss: .gilbert(toBad: 0.05, toGood: 0.4, whenBad: 0.6), reorder: 0.1, duplicate: 0.1, bitErrors: 1e-6)
        let (world, hosts) = World.met(3, options: without(lan: quality))
        for number in 1...20 { world.send("number \(number)", from: hosts[0], to: hosts[1]) }
        world.run(for: .minutes(2))
        #expect(Set(world.texts(of: hosts[1])) == Set((1...20).map { "number \($0)" }))
        let report = world.finish()
        #expect(report.retransmissions > 0 && report.lost > 0)
    }

    @Test("What altered datagrams become is nobody's beacon")
    func bitErrors() {
        var quality = LinkQuality.lan
        quality.bitErrors = 0.01
        let world = World(seed: 1, options: without(lan: quality))
        let (ana, bo) = (world.addHost("ana"), world.addHost("bo"))
        world.run(for: .minutes(2))
        #expect(world.currentReport[.beacon].count > 10)
        #expect(!world.sightings(of: bo).contains(.heardBeacon(of: ana)), "not one of 1760 bits arrives as it was")
    }

    @Test("On a link with a duty of one percent the air is silent ninety-nine times as long as it was used")
    func duty() {
        var quality = LinkQuality(rate: 100_000, latency: .constant(.milliseconds(1)), duty: 0.01)
        quality.queue = 1_000
        let world = World(seed: 1, options: without(lan: quality))
        for number in 0..<2 { world.addHost("host \(number)") }
        world.run(for: .minutes(10))
        // Ten minutes at one percent are six seconds of air, 75,000 bytes each.
        let report = world.currentReport
        #expect(report.bytes > 0 && report.bytes < 2 * 75_000)
    }

    @Test("Latency follows its distribution", arguments: [1, 2, 3] as [UInt64])
    func latency(seed: UInt64) {
        func mean(_ latency: LinkQuality.Latency) -> Double {
            let physics = Physics(LinkQuality(latency: latency))
            var dice = Dice(seed: seed)
            var sum = 0.0
            for _ in 0..<20_000 { sum += Double(physics.latency(&dice)) }
            return sum / 20_000
        }
        #expect(mean(.constant(.milliseconds(3))) == 3_000)
        #expect(abs(mean(.uniform(.milliseconds(2) ... .milliseconds(4))) - 3_000) < 20)
        #expect(abs(mean(.exponential(least: .milliseconds(1), mean: .milliseconds(2))) - 3_000) < 60)
        // exp(sigma² / 2) times the median.
        #expect(abs(mean(.logNormal(median: .milliseconds(10), sigma: 0.5)) - 11_331) < 200)
    }

    @Test(
        "Gilbert's losses come in bursts of the length he gives, and as many as he says", arguments: [4, 5] as [UInt64])
    func gilbert(seed: UInt64) {
        let physics = Physics(LinkQuality(loss: .gilbert(toBad: 0.02, toGood: 0.2)))
        var dice = Dice(seed: seed)
        var channel = Channel()
        var (lost, bursts, wasLost) = (0, 0, false)
        for _ in 0..<200_000 {
            let loses = physics.loses(&channel, &dice)
            if loses { lost += 1 }
            if loses, !wasLost { bursts += 1 }
            wasLost = loses
        }
        #expect(abs(Double(lost) / 200_000 - 0.02 / 0.22) < 0.01)
        #expect(abs(Double(lost) / Double(bursts) - 5) < 0.4)
    }

    @Test("On a shared medium hosts that do not hear each other collide at one that hears both; mail gets through")
    func hidden() {
        let radio = LinkQuality(rate: 20_000, latency: .constant(.milliseconds(1)), isShared: true)
        let world = World(seed: 1, options: without())
        let hosts = (0..<3).map { world.addHost("host \($0)") }
        world.connect(hosts[0], hosts[1], radio)
        world.connect(hosts[1], hosts[2], radio)
        world.run(for: .minutes(3))
        world.send("left to right", from: hosts[0], to: hosts[2])
        world.send("right to left", from: hosts[2], to: hosts[0])
        world.run(for: .minutes(5))
        #expect(world.texts(of: hosts[2]) == ["left to right"] && world.texts(of: hosts[0]) == ["right to left"])
        let met = world.finish().collisions
        #expect(met > 0)

        let closed = World(seed: 1, options: without(lan: radio))
        for number in 0..<3 { closed.addHost("host \(number)") }
        closed.run(for: .minutes(8))
        #expect(closed.finish().collisions == 0, "who hears the others waits for them")
    }

    @Test("Hosts on the three-hundredth segment meet like those on the first")
    func manySegments() {
        var options = World.Options()
        options.lan = nil
        let world = World(seed: 3, options: options)
        let segments = (0..<300).map { _ in world.addSegment(.lan) }
        let pair = (0..<2).map { world.addHost("host \($0)", segments: [segments[299]]) }
        world.run(for: .minutes(1))
        #expect(world.isLinked(pair[0], pair[1]))
    }
}
