import CoveySimulator
import Testing

@Suite("Joining, leaving, and carrying by hand")
struct MembershipTests {
    @Test("Who joins late brings its own certificate, and is written to and writes")
    func join() {
        let (world, hosts) = World.met(3)
        let late = world.join("late", by: hosts[0])
        world.run(for: .minutes(2))
        world.send("welcome", from: hosts[2], to: late)
        world.send("thanks", from: late, to: hosts[2])
        world.run(for: .minutes(1))
        #expect(world.texts(of: late) == ["welcome"] && world.texts(of: hosts[2]) == ["thanks"])
    }

    @Test("Who is revoked is shown the door by everybody, and gets no more mail")
    func revoke() {
        let (world, hosts) = World.met(4)
        world.revoke(hosts[3], by: hosts[0], because: .lost)
        world.run(for: .minutes(3))
        for host in hosts.dropLast() {
            #expect(!world.isLinked(host, hosts[3]))
            #expect(world.sightings(of: host).contains(.revocationLearnt(of: hosts[3])))
        }
        let message = world.send("secret", from: hosts[0], to: hosts[3])
        guard case .refused = message.state else {
            Issue.record("mail to a revoked device was taken")
            return
        }
        world.run(for: .minutes(5))
        #expect(world.inbox(of: hosts[3]).isEmpty)
    }

    @Test("A revocation crosses a healed partition before any mail does")
    func revokeAcross() {
        let (world, hosts) = World.met(4)
        world.partition([hosts[0], hosts[1]], [hosts[2], hosts[3]])
        world.run(for: .minutes(2))
        world.revoke(hosts[3], by: hosts[0])
        world.run(for: .minutes(10))
        #expect(world.isLinked(hosts[2], hosts[3]))
        world.heal()
        world.run(for: .minutes(5))
        #expect(!world.isLinked(hosts[2], hosts[3]))
    }

    @Test("A stick carries mail, the log and revocations where no network goes")
    func sneakernet() {
        let (world, hosts) = World.met(4)
        world.partition([hosts[0], hosts[1]], [hosts[2], hosts[3]])
        world.send("by hand", from: hosts[0], to: hosts[3])
        world.run(for: .minutes(1))
        let late = world.join("late", by: hosts[1])
        world.partition([late], [hosts[2], hosts[3]])
        world.run(for: .minutes(2))
        world.sneakernet(from: hosts[1], to: hosts[2], capacity: 1 << 20, travel: .hours(2))
        world.run(for: .hours(1))
        #expect(world.inbox(of: hosts[3]).isEmpty)
        world.run(for: .minutes(70))
        #expect(world.texts(of: hosts[3]) == ["by hand"])
    }

    @Test("A stick for a host that is switched off waits for it")
    func patientStick() {
        let (world, hosts) = World.met(2)
        world.partition([hosts[0]], [hosts[1]])
        world.send("patience", from: hosts[0], to: hosts[1])
        world.crash(hosts[1])
        world.sneakernet(from: hosts[0], to: hosts[1], travel: .hours(1))
        world.run(for: .hours(3))
        world.restart(hosts[1])
        world.run(for: .minutes(1))
        #expect(world.texts(of: hosts[1]) == ["patience"])
    }
}
