import CoveyContact

extension World {
    /// A small world in which a little of everything happens, run to its end: what determinism is tested with.
    ///
    /// Ten hosts on a lossy network and a radio between two of them, slow disks and wrong clocks; half an hour with mail, a
    /// partition, a hold, crashes, a late joiner, a revocation and a stick.
    package static func sample(seed: UInt64, options given: Options = Options()) -> World {
        var options = given
        options.lan = LinkQuality(
            rate: 10_000_000, latency: .logNormal(median: .milliseconds(4), sigma: 0.6),
            loss: .gilbert(toBad: 0.01, toGood: 0.3, whenBad: 0.5), reorder: 0.02, duplicate: 0.02, bitErrors: 1e-7)
        let world = World(seed: seed, options: options)
        var hosts = (0..<8).map { world.addHost("host \($0)") }
        hosts.append(world.addHost("slow", disk: DiskQuality(commit: .milliseconds(30))))
        hosts.append(world.addHost("odd", clock: ClockQuality(skew: .seconds(90), drift: -150, hasRTC: false)))
        world.connect(hosts[2], hosts[7], .packetRadio)
        var dice = Dice(seed: seed).stream("sample")
        world.every(.seconds(11)) { world in
            let (from, to) = (dice.below(10), dice.below(10))
            if from != to { world.send("at \(world.time)", from: hosts[from], to: hosts[to]) }
        }
        world.at(.minutes(4)) { $0.partition(Array(hosts[..<4]), Array(hosts[4...])) }
        world.at(.minutes(6)) { $0.crash(hosts[5], losing: .tornWrite, at: .beforeCommit) }
        world.at(.minutes(8)) { $0.sneakernet(from: hosts[1], to: hosts[6], travel: .minutes(2)) }
        world.at(.minutes(9)) { $0.restart(hosts[5]) }
        world.at(.minutes(12)) { $0.heal() }
        world.at(.minutes(14)) { $0.hold(hosts[0], hosts[8]) }
        world.at(.minutes(15)) { $0.release(hosts[0], hosts[8]) }
        world.at(.minutes(16)) { $0.join("late", by: hosts[0]) }
        world.at(.minutes(18)) { $0.clockJump(hosts[3], by: .hours(5)) }
        world.at(.minutes(20)) { $0.revoke(hosts[4], by: hosts[1]) }
        world.at(.minutes(22)) { $0.kill(hosts[9]) }
        world.at(.minutes(24)) { $0.restart(hosts[9]) }
        world.run(for: .minutes(30))
        return world
    }
}
