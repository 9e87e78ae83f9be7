import CoveySimulator
import Testing

@Suite("Orders to erase a device that is lost")
struct WipeTests {
    @Test("An order crosses a partition, is obeyed once and receipted, and does not hit the device's successor")
    func crossing() {
        let world = World(seed: 61)
        for checker in Invariants.all() { world.add(checker) }
        let hosts = (0..<4).map { world.addHost("host \($0)") }
        let lost = world.addHost("lost", certificate: Certificate(roles: .organisationOwned))
        let own = world.addHost("somebody's own")
        world.run(for: .minutes(2))
        world.partition([hosts[0], hosts[1]], [hosts[2], hosts[3], lost, own])
        world.orderWipe(lost, erasing: true, by: hosts[0])
        world.orderWipe(own, erasing: true, by: hosts[0])
        world.run(for: .minutes(10))
        #expect(!world.sightings(of: lost).contains(.wipeAccepted(erases: true)))
        world.heal()
        let isObeyed = world.run(
            until: { world.sightings(of: lost).contains(.wipeAccepted(erases: true)) }, within: .minutes(10))
        #expect(isObeyed, "\(world)")
        world.run(for: .minutes(5))
        for host in hosts {
            #expect(world.sightings(of: host).contains(.wipeReceipt(of: lost, erases: true)), "\(host)")
            #expect(!world.isLinked(host, lost) && !world.isLinked(host, own))
        }
        // Whose holder never agreed is revoked, and keeps what it has.
        #expect(!world.sightings(of: own).contains(.wipeAccepted(erases: true)))
        world.kill(lost)

        let again = world.reserveHost("lost and found")
        world.enrol(again, by: hosts[1], certificate: Certificate(roles: .organisationOwned))
        world.run(for: .minutes(5))
        for host in hosts + [again] { world.replayRevocations(at: host) }
        world.run(for: .minutes(5))
        #expect(!world.sightings(of: again).contains(.wipeAccepted(erases: true)))
        #expect(world.islands.contains(hosts + [again]))
        world.send("good to have you back", from: hosts[3], to: again)
        world.run(for: .minutes(1))
        #expect(world.texts(of: again) == ["good to have you back"])
        #expect(world.finish().isSound, "\(world)")
    }

    @Test("A device that was away while its order spread is told by those who shut it out, and obeys")
    func away() {
        let world = World(seed: 62)
        for checker in Invariants.all() { world.add(checker) }
        let hosts = (0..<4).map { world.addHost("host \($0)") }
        let lost = world.addHost("lost", certificate: Certificate(roles: .organisationOwned))
        world.run(for: .minutes(2))
        world.partition(hosts, [lost])
        world.orderWipe(lost, erasing: false, by: hosts[0])
        world.run(for: .hours(1))
        for host in hosts { #expect(world.sightings(of: host).contains(.revocationLearnt(of: lost))) }
        #expect(!world.sightings(of: lost).contains(.wipeAccepted(erases: false)))
        world.heal()
        let isObeyed = world.run(
            until: { world.sightings(of: lost).contains(.wipeAccepted(erases: false)) }, within: .minutes(15))
        #expect(isObeyed, "\(world)")
        world.run(for: .minutes(5))
        for host in hosts {
            #expect(world.sightings(of: host).contains(.wipeReceipt(of: lost, erases: false)), "\(host)")
            #expect(!world.isLinked(host, lost))
        }
        #expect(world.finish().isSound, "\(world)")
    }
}
