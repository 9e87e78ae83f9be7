import CoveySimulator
import Testing

@Suite("A mesh in a test")
struct MeshTests {
    @Test("A message waits out six hours of partition")
    func partition() {
        let world = World(seed: 7)
        let ana = world.addHost("ana")
        let bo = world.addHost("bo")
        world.partition([ana], [bo])
        world.send("are you there?", from: ana, to: bo)
        world.run(for: .hours(6))
        #expect(world.inbox(of: bo).isEmpty, "\(world)")

        world.heal()
        world.run(for: .minutes(5))
        #expect(world.inbox(of: bo).map(\.text) == ["are you there?"], "\(world)")
    }

    @Test("A lost phone is shut out by everybody within minutes")
    func revocation() {
        let world = World(seed: 7)
        let hosts = ["ana", "bo", "cy", "dee"].map { world.addHost($0) }
        world.run(for: .minutes(1))
        world.revoke(hosts[3], by: hosts[0], because: .lost)
        let isOut = world.run(
            until: { hosts[..<3].allSatisfy { !world.isLinked($0, hosts[3]) } }, within: .minutes(3))
        #expect(isOut, "\(world)")
    }

    @Test("What a user was told is sent arrives, whenever power fails", arguments: World.seeds(1...10))
    func crash(seed: UInt64) {
        let world = World(seed: seed, options: .chosen(by: seed))
        let hosts = (0..<4).map { world.addHost("host \($0)") }
        world.run(for: .minutes(1))
        world.crash(hosts[1], at: seed.isMultiple(of: 2) ? .beforeCommit : .afterEffects(1))
        for number in 1...5 { world.send("number \(number)", from: hosts[1], to: hosts[3]) }
        world.run(for: .minutes(1))
        world.restart(hosts[1])
        world.run(for: .minutes(10))
        for message in world.sentMessages where message.isTaken {
            #expect(world.inbox(of: hosts[3]).contains(message), "\(world)")
        }
    }

    @Test("A bus between two villages carries their mail")
    func bus() {
        var options = World.Options()
        options.lan = nil
        let world = World(seed: 3, options: options)
        let (east, west) = (world.addHost("east"), world.addHost("west"))
        let bus = world.addHost("bus")
        world.every(.hours(1)) { world in
            let (here, there) = world.isConnected(bus, east) ? (east, west) : (west, east)
            world.disconnect(bus, here)
            world.connect(bus, there, .wifi)
        }
        world.send("by bus", from: east, to: west)
        #expect(world.run(until: { !world.inbox(of: west).isEmpty }, within: .hours(5)), "\(world)")
    }
}
