import CoveySimulator
import Testing

@Suite("Holding what is under way, and people in the middle")
struct HoldTests {
    @Test("What is held waits, and comes when it is released; the link stands")
    func hold() {
        let (world, hosts) = World.met(2)
        world.hold(hosts[0], hosts[1], oneWay: true)
        world.send("wait for it", from: hosts[0], to: hosts[1])
        world.run(for: .seconds(5))
        #expect(world.texts(of: hosts[1]).isEmpty)
        #expect(!world.held(from: hosts[0], to: hosts[1]).isEmpty)
        #expect(world.held(from: hosts[1], to: hosts[0]).isEmpty)
        world.release(hosts[0], hosts[1], oneWay: true)
        world.run(for: .seconds(2))
        #expect(world.texts(of: hosts[1]) == ["wait for it"])
        #expect(world.held(from: hosts[0], to: hosts[1]).isEmpty)
        #expect(world.isLinked(hosts[0], hosts[1]))
    }

    @Test("Held pieces can be let through one by one, in their order")
    func step() {
        let (world, hosts) = World.met(2)
        world.hold(hosts[0], hosts[1])
        for number in 1...3 { world.send("number \(number)", from: hosts[0], to: hosts[1]) }
        world.run(for: .seconds(1))
        let held = world.held(from: hosts[0], to: hosts[1])
        #expect(held.count >= 3)
        var seen: [Int] = []
        for _ in held {
            #expect(world.step(from: hosts[0], to: hosts[1]))
            seen.append(world.inbox(of: hosts[1]).count)
        }
        #expect(seen.contains(1) && seen.contains(2) && seen.last == 3)
        #expect(!world.step(from: hosts[0], to: hosts[1]))
        #expect(world.texts(of: hosts[1]) == ["number 1", "number 2", "number 3"])
        world.releaseAll()
    }

    @Test("A rule sees what everybody on the wire sees, and may throw it away")
    func drop() {
        let world = World(seed: 1)
        let (ana, bo) = (world.addHost("ana"), world.addHost("bo"))
        var seen: Set<FrameSummary.Kind> = []
        let rule = world.add(
            Rule { frame in
                seen.insert(frame.kind)
                return frame.kind == .handshakeSecond ? .drop : .pass
            })
        world.run(for: .seconds(20))
        #expect(seen == [.beacon, .handshakeFirst, .handshakeSecond])
        #expect(!world.isLinked(ana, bo))
        world.remove(rule)
        #expect(world.run(until: { world.isLinked(ana, bo) }, within: .minutes(5)))
    }

    @Test("A byte altered on a link ends it, and a new one takes its place")
    func corrupt() {
        let (world, hosts) = World.met(2)
        var isDone = false
        world.add(
            Rule { frame in
                guard frame.kind == .transport, !isDone else { return .pass }
                isDone = true
                return .corrupt
            })
        world.send("tampered with", from: hosts[0], to: hosts[1])
        world.run(for: .minutes(3))
        #expect(world.sightings(of: hosts[1]).contains(.linkDown(with: hosts[0], .protocolFault)))
        #expect(world.texts(of: hosts[1]) == ["tampered with"])
    }

    @Test("Delay and duplication change when, not what", arguments: [Rule.Verdict.delay(.seconds(2)), .duplicate])
    func late(verdict: Rule.Verdict) {
        let (world, hosts) = World.met(3)
        world.add(Rule { _ in verdict })
        let before = world.time
        world.send("all the same", from: hosts[0], to: hosts[1])
        #expect(world.run(until: { !world.inbox(of: hosts[1]).isEmpty }, within: .seconds(30)))
        if case .delay = verdict { #expect(world.time - before >= .seconds(2)) }
        world.run(for: .minutes(2))
        #expect(world.texts(of: hosts[1]) == ["all the same"])
    }
}
