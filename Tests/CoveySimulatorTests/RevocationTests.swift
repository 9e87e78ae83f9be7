import CoveySimulator
import Testing

@Suite("Revocations, partitions, and those who come back")
struct RevocationTests {
    @Test("A revocation that races a partition: nobody who knows accepts, and all know soon after the heal")
    func race() {
        let world = World(seed: 21)
        for checker in Invariants.all() { world.add(checker) }
        let hosts = (0..<8).map { world.addHost("host \($0)") }
        let lost = world.addHost("lost")
        world.run(for: .minutes(2))
        let (west, east) = (Array(hosts[0...3]), Array(hosts[4...7]) + [lost])
        let partition = world.partition(west, east)
        world.revoke(lost, by: hosts[0])
        // It writes on where nobody knows, and tries where they do.
        for number in 0..<6 {
            world.send("lost writes number \(number)", from: lost, to: hosts[number])
            world.run(for: .minutes(2))
        }
        #expect(world.inbox(of: hosts[4]).count == 1 && world.inbox(of: hosts[0]).isEmpty)
        world.heal(partition)
        let isKnown = world.run(
            until: {
                hosts.allSatisfy { world.sightings(of: $0).contains(.revocationLearnt(of: lost)) }
            }, within: .minutes(10))
        #expect(isKnown)
        world.run(for: .minutes(5))
        for host in hosts { #expect(!world.isLinked(host, lost)) }
        #expect(world.islands.contains(hosts))
        // What it wrote to those who knew came afterwards, by the hands of those who did not, and is marked.
        #expect(!world.inbox(of: hosts[0]).contains { !$0.isFromRevoked })
        #expect(world.finish().isSound, "\(world)")
    }

    @Test("A device is revoked once; whom the office in place did not enrol, the root revokes; who is unknown stays")
    func offices() {
        let world = World(seed: 23)
        for checker in Invariants.all() { world.add(checker) }
        let hosts = (0..<3).map { world.addHost("host \($0)") }
        let (one, two) = (world.addHost("one"), world.addHost("two"))
        let hers = world.reserveHost("hers")
        world.run(for: .minutes(2))
        let copy = world.copyAuthority()
        #expect(world.revoke(one, by: hosts[0]))
        #expect(!world.revoke(one, by: hosts[1]))
        copy.enrol(hers)
        #expect(!world.revoke(hers, by: hosts[0]))
        #expect(!world.orderWipe(hers, erasing: true, by: hosts[0]))
        world.revokeAuthority(since: copy, by: hosts[0])
        #expect(world.revoke(two, by: hosts[1]))
        #expect(copy.revoke(hers, by: hosts[2]) && !copy.revoke(hers, by: hosts[2]))
        world.run(for: .minutes(5))
        for host in hosts {
            let seen = world.sightings(of: host)
            #expect(seen.contains(.revocationLearnt(of: one)) && seen.contains(.revocationLearnt(of: two)))
        }
        #expect(world.finish().isSound, "\(world)")
    }

    @Test("A revoked device that replays, probes and knocks with old epochs gets in nowhere")
    func rejoin() {
        let world = World(seed: 22)
        for checker in Invariants.all() { world.add(checker) }
        world.add(NobodyIsLockedOut(within: .minutes(10)))
        let hosts = (0..<4).map { world.addHost("host \($0)") }
        let turncoat = world.addHost(
            "turncoat", misbehaving: [.rejoinRevoked, .replay, .oldBeacons, .slowloris], from: .minutes(3))
        world.run(for: .minutes(2))
        world.send("while we trusted each other", from: hosts[0], to: turncoat)
        world.run(for: .minutes(3))
        world.revoke(turncoat, by: hosts[0], because: .compromised)
        world.run(for: .minutes(2))
        let told = world.sightings.count
        world.rotateEpoch(by: hosts[0])
        world.run(for: .minutes(15))
        let later = world.sightings.dropFirst(told)
        #expect(
            !later.contains {
                if case .linkUp(with: turncoat, _) = $0.sighting { true } else { false }
            })
        world.send("and now to business", from: hosts[1], to: hosts[3])
        world.run(for: .minutes(1))
        #expect(world.texts(of: hosts[3]) == ["and now to business"])
        #expect(world.islands.contains(hosts))
        #expect(world.finish().isSound, "\(world)")
    }
}
