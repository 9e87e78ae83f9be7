import CoveySimulator
import Testing

@Suite("Devices without clocks")
struct ClocklessTests {
    /// The hour of the mesh comes from two devices that keep time; the others begin in 1970, or believe that it is 2090.
    private func mesh(_ seed: UInt64) -> (world: World, keepers: [Host], lost: [Host]) {
        var options = World.Options()
        options.officers = World.Officers(2, of: 3)
        options.sampleEvery = .hours(1)
        let world = World(seed: seed, options: options)
        for checker in Invariants.all() { world.add(checker) }
        let keepers = (0..<2).map {
            world.addHost("keeper \($0)", certificate: Certificate(roles: .timekeeper))
        }
        let lost = (0..<4).map { number in
            world.addHost(
                "lost \(number)",
                clock: number % 2 == 0
                    ? ClockQuality(hasRTC: false, wake: 0) : ClockQuality(skew: .days(64 * 365)))
        }
        return (world, keepers, lost)
    }

    @Test("Mail flows among devices that begin in 1970 and in 2090, with timekeepers and without")
    func mail() {
        let (world, keepers, lost) = mesh(41)
        world.run(for: .minutes(5))
        world.send("what time is it over there", from: lost[0], to: lost[1])
        world.send("it is late, I would think", from: lost[3], to: lost[2])
        world.run(for: .minutes(2))
        world.partition(keepers, lost)
        for host in lost { world.restart(host) }
        world.run(for: .minutes(10))
        world.send("and without those who know", from: lost[2], to: lost[3])
        world.run(for: .minutes(5))
        #expect(world.texts(of: lost[1]) == ["what time is it over there"])
        #expect(world.texts(of: lost[2]) == ["it is late, I would think"])
        #expect(world.texts(of: lost[3]) == ["and without those who know"])
        #expect(world.islands.contains(lost))
        #expect(world.finish().isSound, "\(world)")
    }

    @Test(
        "A certificate that has expired is refused by who has the hour from timekeepers, whatever its own clock shows")
    func expired() {
        let (world, keepers, lost) = mesh(42)
        let old = world.addHost(
            "old", clock: ClockQuality(hasRTC: false, wake: 0), certificate: Certificate(life: .days(7)))
        world.run(for: .minutes(5))
        #expect(world.isLinked(lost[0], old) && world.isLinked(lost[1], old))
        for host in world.hosts { world.crash(host) }
        world.run(for: .days(20))
        // Without those who keep time nobody can know, and nobody is shut out by a guess.
        for host in lost + [old] { world.restart(host) }
        world.run(for: .minutes(10))
        #expect(world.isLinked(lost[0], old) && world.isLinked(lost[1], old))
        for host in keepers { world.restart(host) }
        world.run(for: .minutes(10))
        for host in keepers + lost { #expect(!world.isLinked(host, old), "\(host)") }
        #expect(world.islands.contains(keepers + lost))
        // Nothing becomes valid again because a machine was switched off and on.
        for host in keepers { world.crash(host) }
        for host in lost + [old] { world.restart(host) }
        world.run(for: .minutes(10))
        for host in lost { #expect(!world.isLinked(host, old), "\(host)") }
        #expect(world.finish().isSound, "\(world)")
    }
}
