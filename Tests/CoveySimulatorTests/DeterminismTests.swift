import CoveySimulator
import Testing

@Suite("One seed, one run")
struct DeterminismTests {
    @Test("Two runs of one seed agree in every event")
    func twice() throws {
        var options = World.Options()
        options.keepsTrace = true
        let first = World.sample(seed: 1, options: options)
        let second = World.sample(seed: 1, options: options)
        let different = zip(first.traceEvents, second.traceEvents).first { $0 != $1 }
        #expect(different == nil)
        #expect(first.digest == second.digest)
        #expect(first.traceEvents.count == first.currentReport.events && first.traceEvents.count > 1_000)
    }

    @Test("Neither what nodes share nor what is looked at changes what happens")
    func looking() {
        var options = World.Options()
        options.sharesChecks = false
        options.keepsSightings = false
        let alone = World.sample(seed: 3, options: options)
        let together = World.sample(seed: 3)
        #expect(alone.digest == together.digest)
        #expect(together.currentReport.shared.envelopeHits > 100)
        #expect(alone.sightings.isEmpty && !together.sightings.isEmpty)
    }

    @Test("A schedule of faults is the same as calls at the same times")
    func schedule() {
        func world() -> (World, [Host]) {
            let world = World(seed: 9)
            return (world, (0..<3).map { world.addHost("host \($0)") })
        }
        let (called, mine) = world()
        called.at(.minutes(1)) { $0.partition([mine[0]], [mine[1], mine[2]]) }
        called.at(.minutes(3)) { $0.crash(mine[2]) }
        called.at(.minutes(4)) { $0.restart(mine[2]) }
        called.at(.minutes(5)) { $0.heal() }
        called.run(for: .minutes(8))
        let (scheduled, theirs) = world()
        scheduled.schedule(.partition([[theirs[0]], [theirs[1], theirs[2]]]), at: .minutes(1))
        scheduled.schedule(.crash(theirs[2], losing: .unsynced, at: .now), at: .minutes(3))
        scheduled.schedule(.restart(theirs[2]), at: .minutes(4))
        scheduled.schedule(.heal, at: .minutes(5))
        scheduled.run(for: .minutes(8))
        #expect(called.digest == scheduled.digest)
    }
}
