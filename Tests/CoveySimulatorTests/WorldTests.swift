import CoveySimulator
import Testing

@Suite("A world of hosts on one network")
struct WorldTests {
    @Test("Two hosts find each other, and what one writes comes to the other")
    func mail() {
        let world = World(seed: 7)
        let ana = world.addHost("ana")
        let bo = world.addHost("bo")
        #expect(world.run(until: { world.isLinked(ana, bo) }, within: .seconds(10)))
        let message = world.send("good morning", from: ana, to: bo)
        world.run(for: .seconds(30))
        #expect(world.inbox(of: bo) == [message])
        #expect(world.inbox(of: ana).isEmpty)
        #expect(world.finish().delivered == 1)
    }

    @Test("Across a partition nothing comes through; after it, everything does")
    func partition() {
        let world = World(seed: 7)
        let ana = world.addHost("ana")
        let bo = world.addHost("bo")
        world.run(for: .minutes(1))
        world.partition([ana], [bo])
        world.send("are you there?", from: ana, to: bo)
        world.run(for: .hours(6))
        #expect(world.inbox(of: bo).isEmpty)
        #expect(!world.isLinked(ana, bo))
        world.heal()
        world.run(for: .minutes(5))
        #expect(world.inbox(of: bo).map(\.text) == ["are you there?"])
    }

    @Test("A host that loses power keeps what it had, and goes on where it was")
    func crash() {
        let world = World(seed: 3)
        let hosts = (0..<4).map { world.addHost("host \($0)") }
        world.run(for: .minutes(1))
        world.send("before", from: hosts[0], to: hosts[3])
        world.run(for: .seconds(20))
        world.crash(hosts[3])
        #expect(world.state(of: hosts[3]) == .down)
        world.send("meanwhile", from: hosts[1], to: hosts[3])
        world.run(for: .minutes(10))
        #expect(world.inbox(of: hosts[3]).map(\.text) == ["before"])
        world.restart(hosts[3])
        world.run(for: .minutes(5))
        #expect(world.inbox(of: hosts[3]).map(\.text) == ["before", "meanwhile"])
    }

    @Test("One seed, one digest; another seed, another")
    func digest() {
        func run(_ seed: UInt64) -> String {
            let world = World(seed: seed)
            let hosts = (0..<5).map { world.addHost("host \($0)") }
            world.every(.seconds(40)) { world in
                world.send("text at \(world.time)", from: hosts[0], to: hosts[4])
            }
            world.at(.minutes(3)) { $0.partition([hosts[0], hosts[1]], [hosts[3], hosts[4]]) }
            world.at(.minutes(6)) { $0.heal() }
            world.run(for: .minutes(10))
            return world.digest
        }
        let first = run(1)
        #expect(run(1) == first)
        #expect(run(2) != first)
    }
}
