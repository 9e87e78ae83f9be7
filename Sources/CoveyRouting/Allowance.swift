package import CoveyCore

/// What a neighbour may bring in a class: a bucket of envelopes and one of bytes, refilled by time (protocol.md §3.4).
package struct Allowance: Sendable {
    /// Of an ordinary neighbour; a gateway has four times as much.
    package static let envelopesPerMinute: UInt64 = 120
    package static let bytesPerMinute: UInt64 = 256 * 1024
    package static let burstBytes: UInt64 = 2 * 1024 * 1024
    /// As many minutes' worth as the burst of bytes.
    package static let burstEnvelopes = envelopesPerMinute * (burstBytes / bytesPerMinute)
    private static let minute: UInt64 = 60_000_000

    private let factor: UInt64
    /// In envelope-microseconds and byte-microseconds a minute, so that nothing is lost to rounding.
    private var envelopes: UInt64
    private var bytes: UInt64
    private var last: UInt64

    /// Full at first. `now`: microseconds of uptime.
    package init(isGateway: Bool, now: UInt64) {
        factor = isGateway ? 4 : 1
        envelopes = Self.burstEnvelopes * factor * Self.minute
        bytes = Self.burstBytes * factor * Self.minute
        last = now
    }

    /// Takes one envelope of `size` bytes out; false, and nothing is taken, when there is not enough.
    package mutating func spend(_ size: Int, now: UInt64) -> Bool {
        refill(now)
        let price = UInt64(size) * Self.minute
        guard envelopes >= Self.minute, bytes >= price else { return false }
        envelopes -= Self.minute
        bytes -= price
        return true
    }

    private mutating func refill(_ now: UInt64) {
        // Past the time in which both are full there is nothing to add.
        let full = Self.minute * (Self.burstBytes / Self.bytesPerMinute)
        let passed = min(now > last ? now - last : 0, full)
        last = max(last, now)
        envelopes = min(
            Self.burstEnvelopes * factor * Self.minute, envelopes + passed * Self.envelopesPerMinute * factor)
        bytes = min(Self.burstBytes * factor * Self.minute, bytes + passed * Self.bytesPerMinute * factor)
    }
}

extension PerPriority<Allowance> {
    /// As of the allowance of one class. Here, where the compiler knows what it holds: from another room each look at a
    /// class would be a generic call, with a dozen allocations.
    package mutating func spend(_ bytes: Int, of priority: Priority, now: UInt64) -> Bool {
        self[priority].spend(bytes, now: now)
    }
}
