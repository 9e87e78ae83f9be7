import CoveySimulator
import Testing

/// What a thief of the field authority's key can do, and for how long.
@Suite("A stolen authority key, and two offices with one key")
struct TheftTests {
    /// Hosts on one network that have found each other, with everything watched.
    ///
    /// - Parameter isTold: the first and the third know each other's address.
    private func town(_ seed: UInt64, _ count: Int = 4, isTold: Bool = false) -> (world: World, hosts: [Host]) {
        let world = World(seed: seed)
        for checker in Invariants.all() { world.add(checker) }
        world.add(NobodyIsLockedOut(within: .minutes(10)))
        let hosts = (0..<count).map { world.addHost("host \($0)") }
        if isTold { world.introduce(hosts[0], hosts[2]) }
        world.run(for: .minutes(2))
        return (world, hosts)
    }

    @Test("A certificate that stands in no log makes nobody a member, however it knocks")
    func stealth() {
        let (world, hosts) = town(31)
        let thief = world.copyAuthority()
        let spy = world.reserveHost("spy")
        thief.enrolInSecret(spy, misbehaving: [.replay])
        world.send("not for spies, this one", from: hosts[0], to: hosts[2])
        world.run(for: .minutes(20))
        for host in hosts {
            #expect(!world.isLinked(host, spy) && !world.isLogged(spy, at: host))
            let ways = world.sightings(of: host).filter {
                if case .linkUp(with: spy, isCatchUp: false) = $0 { true } else { false }
            }
            #expect(ways.isEmpty)
        }
        // It was let in as far as one goes who may be new: so somebody looked at its certificate.
        #expect(
            world.sightings.contains {
                if case .linkUp(with: spy, isCatchUp: true) = $0.sighting { true } else { false }
            })
        #expect(world.texts(of: hosts[2]) == ["not for spies, this one"])
        #expect(world.finish().isSound, "\(world)")
    }

    @Test(
        "What a thief enrols openly everybody sees whom it is used against, and the root ends it with what came after")
    func theft() {
        let (world, hosts) = town(32)
        let thief = world.copyAuthority()
        let spy = world.reserveHost("spy")
        thief.enrol(spy)
        world.run(for: .minutes(5))
        for host in hosts where world.isLinked(host, spy) { #expect(world.isLogged(spy, at: host)) }
        #expect(hosts.contains { world.isLinked($0, spy) })

        world.revokeAuthority(since: thief, by: hosts[0])
        world.run(for: .minutes(5))
        for host in hosts { #expect(!world.isLinked(host, spy)) }
        #expect(world.islands.contains(hosts))
        // The key signs on, and grants nothing.
        let second = world.reserveHost("second spy")
        thief.enrol(second)
        world.run(for: .minutes(5))
        for host in hosts { #expect(!world.isLinked(host, second)) }
        // Those who were enrolled before need no new keys, and the new authority enrols.
        let late = world.reserveHost("late")
        world.enrol(late, by: hosts[1])
        world.run(for: .minutes(5))
        world.send("welcome, and mind the thief", from: hosts[2], to: late)
        world.run(for: .minutes(1))
        #expect(world.texts(of: late) == ["welcome, and mind the thief"])
        #expect(world.islands.contains(hosts + [late]))
        #expect(world.finish().isSound, "\(world)")
    }

    @Test("Two offices with one key fork their log: both sides' grants are void, both sides' revocations stand")
    func fork() {
        let (world, hosts) = town(33, 6, isTold: true)
        let (west, east) = ([hosts[0], hosts[1], hosts[4]], [hosts[2], hosts[3], hosts[5]])
        let (inWest, inEast) = (world.reserveHost("in the west"), world.reserveHost("in the east"))
        world.partition(west + [inWest], east + [inEast])
        let other = world.copyAuthority()
        world.run(for: .minutes(5))
        world.enrol(inWest, by: hosts[0])
        other.enrol(inEast, by: hosts[2])
        world.revoke(hosts[5], by: hosts[0])
        other.revoke(hosts[4], by: hosts[2])
        world.run(for: .minutes(5))
        // Each side goes by what it knows.
        #expect(world.isLinked(hosts[1], inWest) && world.isLinked(hosts[3], inEast))
        #expect(world.isLinked(hosts[0], hosts[4]) && world.isLinked(hosts[2], hosts[5]))

        world.heal()
        world.run(for: .minutes(15))
        let honest = Array(hosts[0...3])
        for host in honest {
            for gone in [inWest, inEast, hosts[4], hosts[5]] {
                #expect(!world.isLinked(host, gone), "\(host) and \(gone)")
            }
            #expect(isWarned(host, world))
        }
        #expect(world.islands.contains(honest))
        world.send("we are still here, all of us", from: hosts[0], to: hosts[3])
        world.run(for: .minutes(2))
        #expect(world.texts(of: hosts[3]) == ["we are still here, all of us"])
        // The office in the west calls its own grants good; that these two are shut out is what is meant here.
        #expect(world.violations.allSatisfy { $0.checker.hasPrefix("nobody is locked") })
    }

    @Test("A fork that comes late voids what no Checkpoint had named, and nothing else", arguments: [false, true])
    func lateFork(isCheckpointed: Bool) {
        let (world, hosts) = town(34)
        let early = world.reserveHost("early")
        let thief = world.copyAuthority()
        world.enrol(early, by: hosts[0])
        world.run(for: .minutes(2))
        if isCheckpointed { world.checkpoint(by: hosts[0]) }
        world.run(for: .minutes(2))
        #expect(world.islands.contains(hosts + [early]))
        thief.rotateEpoch(by: hosts[3])
        world.run(for: .minutes(15))
        for host in hosts { #expect(isWarned(host, world)) }
        #expect(world.islands.contains(isCheckpointed ? hosts + [early] : hosts))
        #expect(world.violations.allSatisfy { $0.checker.hasPrefix("nobody is locked") })
        #expect(!isCheckpointed || world.violations.isEmpty, "\(world)")
    }

    @Test("Two sides that have each announced an epoch find each other again by beacons")
    func concurrentEpochs() {
        let world = World(seed: 35)
        let (west, east) = (world.addHost("west"), world.addHost("east"))
        world.run(for: .minutes(2))
        world.partition([west], [east])
        let other = world.copyAuthority()
        world.rotateEpoch(by: west)
        other.rotateEpoch(by: east)
        world.run(for: .minutes(10))
        world.heal()
        world.run(for: .minutes(20))
        #expect(world.isLinked(west, east))
    }

    @Test("Halves apart for three weeks, each with an office: two newcomers meet alone and make the logs one, for all")
    func halves() {
        let (world, hosts) = town(36, 2)
        let other = world.appointAuthority(by: hosts[0])
        world.run(for: .minutes(5))
        let (inWest, inEast) = (world.reserveHost("new in the west"), world.reserveHost("new in the east"))
        let more = (world.reserveHost("more in the west"), world.reserveHost("more in the east"))
        world.partition([hosts[0], inWest, more.0], [hosts[1], inEast, more.1])
        for _ in 0..<3 {
            world.run(for: .days(7))
            world.rotateEpoch(by: hosts[0])
            other.rotateEpoch(by: hosts[1])
        }
        world.enrol(more.0, by: hosts[0])
        other.enrol(more.1, by: hosts[1])
        world.run(for: .minutes(5))
        world.enrol(inWest, by: hosts[0])
        other.enrol(inEast, by: hosts[1])
        world.run(for: .minutes(10))
        #expect(!world.isLogged(inEast, at: inWest) && !world.isLogged(inWest, at: inEast))
        // Everybody else stays where they are, and out of reach.
        world.heal()
        let alone = world.partition([inWest, inEast], hosts + [more.0, more.1])
        #expect(world.run(until: { world.isLinked(inWest, inEast) }, within: .minutes(30)))
        #expect(world.isLogged(inEast, at: inWest) && world.isLogged(inWest, at: inEast))
        #expect(world.isLogged(more.1, at: inWest) && world.isLogged(more.0, at: inEast))
        world.send("from west to east", from: inWest, to: inEast)
        world.run(for: .minutes(2))
        #expect(world.texts(of: inEast) == ["from west to east"])
        #expect(!world.isLinked(hosts[0], inEast))
        world.heal(alone)
        world.run(for: .minutes(30))
        #expect(world.islands.contains { Set($0) == Set(hosts + [more.0, more.1, inWest, inEast]) })
        #expect(world.finish().isSound, "\(world)")
    }

    private func isWarned(_ host: Host, _ world: World) -> Bool {
        world.sightings(of: host).contains {
            if case .warning(let text) = $0 { text.contains("is forked") } else { false }
        }
    }
}
