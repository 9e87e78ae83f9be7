import CoveyContact
import Glibc

extension World {
    /// The seeds of a test with many runs; with `COVEY_SEED` set, that one alone, to see a failure again.
    public static func seeds(_ range: ClosedRange<UInt64>) -> [UInt64] {
        guard let text = getenv("COVEY_SEED") else { return Array(range) }
        guard let seed = UInt64(String(cString: text)) else {
            preconditionFailure("COVEY_SEED is a number: COVEY_SEED=7")
        }
        return [seed]
    }
}

extension World.Options {
    /// A world of the seed's own choice: how good the network is, how slow disks are, how wrong clocks, how long things wait.
    /// Nothing that would keep mail from arriving in the end.
    public static func chosen(by seed: UInt64) -> Self {
        var dice = Dice(seed: seed).stream("options")
        var options = Self()
        var lan = LinkQuality()
        lan.rate = [nil, 100_000_000, 10_000_000, 1_000_000, 250_000][dice.below(5)]
        let latency = Duration.microseconds(200 + dice.below(100_000))
        switch dice.below(4) {
        case 0: lan.latency = .constant(latency)
        case 1: lan.latency = .uniform(.microseconds(100)...(latency + latency))
        case 2: lan.latency = .exponential(least: .microseconds(100), mean: latency)
        default: lan.latency = .logNormal(median: latency, sigma: 0.2 + dice.unit())
        }
        switch dice.below(3) {
        case 0: lan.loss = .none
        case 1: lan.loss = .bernoulli(dice.unit() * 0.1)
        default: lan.loss = .gilbert(toBad: dice.unit() * 0.05, toGood: 0.1 + dice.unit() * 0.5, whenBad: 0.7)
        }
        if dice.chance(0.5) { lan.reorder = dice.unit() * 0.2 }
        if dice.chance(0.3) { lan.duplicate = dice.unit() * 0.1 }
        if dice.chance(0.2) { lan.bitErrors = dice.unit() * 1e-6 }
        options.lan = lan
        if dice.chance(0.5) { options.disk.commit = .milliseconds(1 + dice.below(200)) }
        if dice.chance(0.3) { options.clock.drift = dice.below(401) - 200 }
        if dice.chance(0.3) { options.startsWithKeys = false }
        if dice.chance(0.3) { options.cutClosesStreams = true }
        if dice.chance(0.3) { options.streamTimeout = .seconds(10 + dice.below(900)) }
        if dice.chance(0.3) { options.socketBuffer = 4096 << dice.below(6) }
        return options
    }
}
