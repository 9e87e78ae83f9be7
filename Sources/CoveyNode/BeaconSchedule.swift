package import CoveyCrypto

/// When to send the next beacon: quickly after a start or a change, then ever more rarely (sync-routing.md §1.1).
package struct BeaconSchedule: Sendable {
    private static let second: UInt64 = 1_000_000
    /// After the first beacon, counted from the start.
    private static let early: [UInt64] = [1_000_000, 2_000_000]

    private var sent = 0
    private var interval = 2 * BeaconSchedule.second
    private var began: UInt64

    package init(at uptime: UInt64) { began = uptime }

    /// The first beacons ask those who hear them to answer.
    package var solicits: Bool { sent <= Self.early.count }

    /// How many beacons were sent since the start.
    package var turn: Int { sent }

    package mutating func restart(at uptime: UInt64) {
        sent = 0
        interval = 2 * Self.second
        began = uptime
    }

    /// A beacon is sent now: when the next one is due.
    package mutating func next(after uptime: UInt64, peersHeard: Int, random: any RandomSource) -> UInt64 {
        defer { sent += 1 }
        if sent < Self.early.count {
            let base = Self.early[sent]
            return max(uptime, began + base * 7 / 10 + random.uniform(base * 6 / 10 + 1))
        }
        let most = min(max(UInt64(peersHeard) * Self.second / 5, 15 * Self.second), 120 * Self.second)
        let pause = min(interval, most)
        interval = min(interval * 2, most)
        return uptime + pause * 7 / 10 + random.uniform(pause * 6 / 10 + 1)
    }

    /// Delay of an answer to a solicitation: spread over the number of those who may answer too.
    package static func answerDelay(peersHeard: Int, random: any RandomSource) -> UInt64 {
        random.uniform(UInt64(max(1, peersHeard)) * second / 50 + 1)
    }
}
