import CoveyNode
import Testing

@testable import CoveySimulator

/// Eight teams of eight: a leader with seven around it, and the leaders in a ring.
private struct Camp {
    static let teams = 8
    let world: World
    let hosts: [Host]

    init(seed: UInt64) {
        var options = World.Options()
        options.lan = nil
        options.routing = .adaptive
        world = World(seed: seed, options: options)
        let world = world
        hosts = (0..<Self.teams * 8).map { number in
            world.addHost("\(number / 8).\(number % 8)", certificate: Certificate(zones: [UInt8(number / 8)]))
        }
        for team in 0..<Self.teams {
            for number in 1..<8 { world.connect(hosts[8 * team], hosts[8 * team + number]) }
            world.connect(hosts[8 * team], hosts[8 * ((team + 1) % Self.teams)])
        }
        world.run(for: .minutes(5))
    }

    func team(_ number: Int) -> ArraySlice<Host> { hosts[8 * number..<8 * number + 8] }

    /// Envelopes that hosts hold, in all.
    var copies: Int { hosts.reduce(0) { $0 + world.machines[$1.index].store.known().held.count } }
}

struct AdaptiveTests {
    @Test("Mail finds every team of a standing mesh within seconds, on less than half of its hosts")
    func standing() {
        let camp = Camp(seed: 1)
        for (number, host) in camp.hosts.enumerated() {
            camp.world.send("to \(number)", from: host, to: camp.hosts[(number * 5 + 13) % camp.hosts.count])
        }
        camp.world.run(for: .seconds(20))
        #expect(camp.hosts.allSatisfy { camp.world.inbox(of: $0).count == 1 }, "\(camp.world)")
        // The way and the team of eight, at its ends what was asked for to hide whose it is; flooding makes 64.
        #expect(camp.copies < 64 * 32)
    }

    @Test("Mail for a team that is cut off waits with whoever is nearest, and goes on when the way is back")
    func cutOff() {
        let camp = Camp(seed: 2)
        let away = Array(camp.team(4))
        let rest = camp.hosts.filter { !away.contains($0) }
        camp.world.partition(away, rest)
        camp.world.run(for: .minutes(5))
        for host in camp.team(0) { camp.world.send("to the far side", from: host, to: away[3]) }
        camp.world.run(for: .minutes(10))
        #expect(camp.world.inbox(of: away[3]).isEmpty)
        #expect(camp.copies < 8 * 20)
        camp.world.heal()
        #expect(camp.world.run(until: { camp.world.inbox(of: away[3]).count == 8 }, within: .minutes(15)))
    }

    @Test("A courier between two camps is handed what is for the camp it comes from")
    func courier() {
        var options = World.Options()
        options.lan = nil
        options.routing = .adaptive
        let world = World(seed: 3, options: options)
        let home = (0..<4).map { world.addHost("home \($0)", certificate: Certificate(zones: [1])) }
        let far = (0..<4).map { world.addHost("far \($0)", certificate: Certificate(zones: [2])) }
        let courier = world.addHost("courier")
        for camp in [home, far] {
            for host in camp.dropFirst() { world.connect(camp[0], host) }
        }
        world.connect(home[0], courier)
        world.connect(far[0], courier)
        func isAt(_ camp: [Host]) {
            world.heal()
            world.partition(camp + [courier], camp == home ? far : home)
        }
        for _ in 0..<3 {
            isAt(far)
            world.run(for: .hours(1))
            isAt(home)
            world.run(for: .hours(1))
        }
        world.send("by courier", from: home[3], to: far[3])
        world.run(for: .minutes(30))
        isAt(far)
        #expect(world.run(until: { world.inbox(of: far[3]).count == 1 }, within: .minutes(20)))
    }
}
