import CoveySimulator
import Testing

@Suite("Certificates that end while the root is away")
struct RenewalTests {
    @Test("Everybody's certificate is due in one week: one office that is met now and then renews them all")
    func week() {
        var options = World.Options()
        options.sampleEvery = .hours(1)
        let world = World(seed: 51, options: options)
        for checker in Invariants.all() { world.add(checker) }
        let hosts = (0..<6).map { world.addHost("host \($0)", certificate: Certificate(life: .days(9))) }
        world.openOffice(at: hosts[0])
        // The office is there on even days, the last host on odd ones: they never meet. All others carry what passes.
        for day in 0..<14 {
            let away = day % 2 == 0 ? hosts[5] : hosts[0]
            for host in hosts where host != away { world.restart(host) }
            // An epoch a week says that the mesh is alive: without, nobody writes to a stranger after the seventh day.
            if day % 6 == 4 { world.rotateEpoch(by: hosts[0]) }
            world.run(for: .minutes(6))
            if day == 13 { break }
            for host in hosts where host != away { world.crash(host) }
            world.run(for: .days(1) - .minutes(6))
        }
        for host in hosts.dropFirst() {
            // A whole life of the policy instead of nine days.
            let ends = world.certificateEnds(of: host, knownAt: host)
            #expect(ends.map { $0 > .days(80) } == true, "\(host): \(String(describing: ends))")
        }
        world.send("still a member, it seems", from: hosts[5], to: hosts[1])
        world.run(for: .minutes(1))
        #expect(world.texts(of: hosts[1]) == ["still a member, it seems"])
        #expect(world.islands == [Array(hosts.dropFirst())])
        #expect(world.finish().isSound, "\(world)")
    }
}
