import CoveyContact
import Glibc

/// A link's quality in the units of the simulation, and what it makes of one packet.
struct Physics {
    private enum Delay {
        case constant(UInt64)
        case uniform(least: UInt64, width: UInt64)
        case exponential(least: Double, mean: Double)
        case logNormal(median: Double, sigma: Double)
    }

    let quality: LinkQuality
    private let delay: Delay
    /// Bits a second; 0: no limit.
    private let rate: UInt64

    init(_ quality: LinkQuality) {
        self.quality = quality
        rate = quality.rate ?? 0
        delay =
            switch quality.latency {
            case .constant(let time): .constant(time.simulated)
            case .uniform(let range):
                .uniform(
                    least: range.lowerBound.simulated,
                    width: range.upperBound.simulated - range.lowerBound.simulated)
            case .exponential(let least, let mean):
                .exponential(least: Double(least.simulated), mean: Double(mean.simulated))
            case .logNormal(let median, let sigma): .logNormal(median: Double(median.simulated), sigma: sigma)
            }
    }

    /// Microseconds that so many bytes occupy the link.
    func airtime(_ bytes: Int) -> UInt64 { rate == 0 ? 0 : (UInt64(bytes) * 8_000_000 + rate - 1) / rate }

    /// When its sender may send again: at once, or when the share of time it may use is kept.
    func silence(after airtime: UInt64, endingAt end: UInt64) -> UInt64 {
        quality.duty < 1 ? end + UInt64(Double(airtime) * (1 / quality.duty - 1)) : end
    }

    /// Bytes that one piece of a stream has at most: what leaves in a tenth of a second, so that what is under way comes
    /// to the other end little by little.
    var piece: Int { rate == 0 ? .max : max(quality.mtu, Int(clamping: rate / 80)) }

    func latency(_ dice: inout Dice) -> UInt64 {
        switch delay {
        case .constant(let time): return time
        case .uniform(let least, let width): return least + dice.below(width + 1)
        case .exponential(let least, let mean): return Self.whole(least - mean * log(1 - dice.unit()))
        case .logNormal(let median, let sigma):
            // Box and Muller; one of the pair is enough.
            let normal = sqrt(-2 * log(1 - dice.unit())) * cos(2 * .pi * dice.unit())
            return Self.whole(median * exp(sigma * normal))
        }
    }

    /// A day at most: no tail of a distribution is longer.
    private static func whole(_ microseconds: Double) -> UInt64 { UInt64(min(max(0, microseconds), 86_400_000_000)) }

    /// Whether one packet is lost, on a channel in which bursts go on.
    func loses(_ channel: inout Channel, _ dice: inout Dice) -> Bool {
        if channel.loss > 0, dice.chance(channel.loss) { return true }
        switch quality.loss {
        case .none: return false
        case .bernoulli(let share): return dice.chance(share)
        case .gilbert(let toBad, let toGood, let whenGood, let whenBad):
            if dice.chance(channel.isBad ? toGood : toBad) { channel.isBad.toggle() }
            return dice.chance(channel.isBad ? whenBad : whenGood)
        }
    }

    /// Whether a bit of so many bytes turns over.
    func alters(_ bytes: Int, _ dice: inout Dice) -> Bool {
        quality.bitErrors > 0 && dice.chance(1 - pow(1 - quality.bitErrors, Double(bytes * 8)))
    }

    /// Whether all that is sent on the channel arrives as it was sent.
    func isPerfect(_ channel: Channel) -> Bool {
        quality.loss == .none && quality.bitErrors == 0 && channel.loss == 0
    }
}

/// One sender's way onto a link: what it sends stands in line.
struct Channel {
    /// When all that was given to it has left.
    var busyUntil: UInt64 = 0
    /// Gilbert's state.
    var isBad = false
    /// Share of packets that are lost this way only, besides the link's own loss.
    var loss = 0.0
}
