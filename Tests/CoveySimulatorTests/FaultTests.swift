import CoveySimulator
import Testing

@Suite("Crashes, disks and clocks")
struct FaultTests {
    @Test("Power lost between a turn and its commit takes the turn with it")
    func beforeCommit() {
        let (world, hosts) = World.met(2)
        world.partition([hosts[0]], [hosts[1]])
        world.crash(hosts[0], at: .beforeCommit)
        let message = world.send("never promised", from: hosts[0], to: hosts[1])
        #expect(world.state(of: hosts[0]) == .down)
        #expect(!message.isTaken)
        world.heal()
        world.restart(hosts[0])
        world.run(for: .minutes(5))
        #expect(world.texts(of: hosts[1]).isEmpty)
    }

    @Test("A torn write leaves the mail of the lost turn on the disk, and it finds its way")
    func torn() {
        let (world, hosts) = World.met(2)
        world.partition([hosts[0]], [hosts[1]])
        world.crash(hosts[0], losing: .tornWrite, at: .beforeCommit)
        world.send("half there", from: hosts[0], to: hosts[1])
        world.heal()
        world.restart(hosts[0])
        world.run(for: .minutes(5))
        #expect(world.texts(of: hosts[1]) == ["half there"])
    }

    @Test("Power lost after the commit takes only what was to be told")
    func afterCommit() {
        let (world, hosts) = World.met(2)
        world.crash(hosts[0], at: .afterEffects(0))
        let message = world.send("on the disk", from: hosts[0], to: hosts[1])
        #expect(world.state(of: hosts[0]) == .down && !message.isTaken)
        world.restart(hosts[0])
        world.run(for: .minutes(5))
        #expect(world.texts(of: hosts[1]) == ["on the disk"])
    }

    @Test("With commits that take time, an answer is a promise only after one; a crash before it breaks none")
    func slowCommits() {
        var options = World.Options()
        options.disk.commit = .milliseconds(50)
        let (world, hosts) = World.met(2, options: options)
        #expect(world.isLinked(hosts[0], hosts[1]))
        world.send("slowly", from: hosts[0], to: hosts[1])
        #expect(!world.sentMessages[0].isTaken)
        world.run(for: .milliseconds(40))
        #expect(!world.sentMessages[0].isTaken)
        world.run(for: .milliseconds(70))
        #expect(world.sentMessages[0].isTaken)
        world.run(for: .seconds(2))
        #expect(world.texts(of: hosts[1]) == ["slowly"])

        world.send("lost", from: hosts[0], to: hosts[1])
        world.crash(hosts[0])
        world.restart(hosts[0])
        world.run(for: .minutes(3))
        #expect(world.texts(of: hosts[1]) == ["slowly"])
        #expect(!world.sentMessages[1].isTaken)
    }

    @Test("A killed process is missed at once: its system closes what was open")
    func kill() {
        let (world, hosts) = World.met(2)
        world.kill(hosts[0])
        world.run(for: .milliseconds(10))
        #expect(world.sightings(of: hosts[1]).last == .linkDown(with: hosts[0], .closedByPeer))
    }

    @Test("A host without power is missed only when it does not answer; one that is back says it knows nothing")
    func power() {
        let (world, hosts) = World.met(2)
        world.crash(hosts[0])
        world.run(for: .seconds(5))
        #expect(world.sightings(of: hosts[1]).last != .linkDown(with: hosts[0], .closedByPeer))
        world.restart(hosts[0])
        world.run(for: .minutes(1))
        #expect(world.isLinked(hosts[0], hosts[1]))
    }

    @Test("A clean end says goodbye")
    func shutDown() {
        let (world, hosts) = World.met(2)
        world.shutDown(hosts[0])
        world.run(for: .seconds(1))
        #expect(world.state(of: hosts[0]) == .down)
        #expect(!world.isLinked(hosts[0], hosts[1]))
        world.restart(hosts[0])
        #expect(world.run(until: { world.isLinked(hosts[0], hosts[1]) }, within: .minutes(2)))
    }

    @Test("A paused process misses nothing but time")
    func pause() {
        let (world, hosts) = World.met(2)
        world.pause(hosts[1])
        #expect(world.state(of: hosts[1]) == .paused)
        world.send("are you awake?", from: hosts[0], to: hosts[1])
        world.run(for: .seconds(8))
        #expect(world.inbox(of: hosts[1]).isEmpty)
        world.resume(hosts[1])
        world.run(for: .seconds(5))
        #expect(world.texts(of: hosts[1]) == ["are you awake?"])
    }

    @Test("A damaged disk keeps its node down, and says why")
    func corrupt() {
        let (world, hosts) = World.met(2)
        world.crash(hosts[0])
        world.corruptDisk(of: hosts[0])
        world.restart(hosts[0])
        guard case .failed(let cause) = world.state(of: hosts[0]) else {
            Issue.record("the node started from a damaged log")
            return
        }
        #expect(cause.hasPrefix("damaged: a record of the table"))
        world.run(for: .minutes(1))
        #expect(!world.isLinked(hosts[0], hosts[1]))
        world.repairDisk(of: hosts[0])
        world.restart(hosts[0])
        #expect(world.state(of: hosts[0]) == .up)
    }

    @Test("A full disk ends the run; with room again, it goes on where it was")
    func full() {
        let (world, hosts) = World.met(2)
        world.limitDisk(of: hosts[1], to: 100)
        world.send("no room", from: hosts[0], to: hosts[1])
        world.run(for: .seconds(5))
        #expect(world.state(of: hosts[1]) == .failed("the disk is full"))
        #expect(world.inbox(of: hosts[1]).isEmpty)
        world.limitDisk(of: hosts[1], to: nil)
        world.restart(hosts[1])
        world.run(for: .minutes(3))
        #expect(world.texts(of: hosts[1]) == ["no room"])
    }

    @Test("Wrong clocks, fast clocks and clocks that begin at 1970 do not keep mail from arriving")
    func clocks() {
        let world = World(seed: 5)
        let hosts = [
            world.addHost("exact"), world.addHost("ahead", clock: ClockQuality(skew: .minutes(10))),
            world.addHost("fast", clock: ClockQuality(drift: 200)),
            world.addHost("none", clock: ClockQuality(hasRTC: false)),
        ]
        world.run(for: .minutes(2))
        for from in hosts { for to in hosts where from != to { world.send("\(from) to \(to)", from: from, to: to) } }
        world.run(for: .minutes(2))
        for host in hosts { #expect(world.inbox(of: host).count == 3, "at \(host)") }
        world.crash(hosts[3])
        world.restart(hosts[3])
        world.send("after a restart", from: hosts[3], to: hosts[0])
        world.run(for: .minutes(5))
        #expect(world.texts(of: hosts[0]).last == "after a restart")
    }

    @Test("A jump of the clock by fifty years loses no mail")
    func jump() {
        let (world, hosts) = World.met(3)
        world.partition([hosts[0]], [hosts[2]])
        world.send("kept", from: hosts[0], to: hosts[2])
        world.run(for: .seconds(20))
        world.clockJump(hosts[1], by: .days(50 * 365))
        world.clockJump(hosts[0], by: .days(-10 * 365))
        world.run(for: .hours(2))
        world.heal()
        world.run(for: .minutes(5))
        #expect(world.texts(of: hosts[2]) == ["kept"])
    }
}
