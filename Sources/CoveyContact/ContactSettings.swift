/// How hosts exchange mail in a study of contacts, apart from the policy.
package struct ContactSettings: Sendable {
    /// What carries one transfer at a time.
    package enum Channel: Sendable {
        /// A host: one radio, one transfer to or from it.
        case host
        /// A contact: half duplex, and a host has as many transfers as it has contacts.
        case contact
        /// Each direction of a contact.
        case direction
    }

    /// What goes first when there is a choice. Mail whose recipient is at the other end goes before all else.
    package enum Order: Sendable {
        /// As the policy ranks it; what comes in during a contact goes last.
        case ranked
        /// By the dice.
        case shuffled
        /// What was received first.
        case oldest
    }

    /// Who makes room.
    package enum Dropping: Sendable {
        /// As a node does (`Retention`): own mail stays, neighbours have shares, what was let go is not taken in again.
        case fair
        /// What was received first goes first, own mail too, and may come back.
        case oldest
    }

    package var nodes: Int
    /// Microseconds. What happens at the very end still counts.
    package var end: UInt64
    /// Microseconds; nil: mail does not expire. A message may have its own.
    package var lifetime: UInt64?
    /// Bytes of mail a host holds.
    package var buffer: Int
    /// Bytes of each host; empty: all hold the same.
    package var buffers: [Int] = []
    /// Bytes a second of each kind of link, by `ContactChange.link`; nil: no time passes.
    package var rates: [Int?]
    /// Microseconds; nil: none. Both ends of a transfer are taken for whole multiples of it, however few its bytes are, as
    /// with radios that take turns, or in simulators that look up once a second.
    package var turn: UInt64?
    package var channel = Channel.host
    package var order = Order.ranked
    package var dropping = Dropping.fair
    /// A recipient goes on carrying its mail like any other, so that nobody can tell.
    package var recipientsCarry = true
    /// A node hands nothing on after 32 hops.
    package var boundsHops = true
    package var seed: UInt64 = 1

    package init(nodes: Int, end: UInt64, lifetime: UInt64? = nil, buffer: Int, rate: Int?) {
        precondition(nodes >= 0 && nodes <= Self.mostNodes, "hosts are numbered below \(Self.mostNodes)")
        precondition(buffer >= 0, "a size is not negative")
        precondition(rate ?? 1 > 0, "a rate is more than nothing")
        self.nodes = nodes
        self.end = end
        self.lifetime = lifetime
        self.buffer = buffer
        rates = [rate]
    }

    package static let mostNodes = 1 << 24

    func buffer(of host: Int) -> Int { buffers.isEmpty ? buffer : buffers[host] }

    /// Microseconds that a transfer takes, rounded up.
    func duration(_ size: Int, kind: UInt16) -> UInt64 {
        guard let rate = rates[Int(kind)] else { return 0 }
        return (UInt64(size) * 1_000_000 + UInt64(rate) - 1) / UInt64(rate)
    }

    /// Microseconds that the ends are taken for.
    func occupation(_ duration: UInt64) -> UInt64 {
        guard let turn, turn > 0 else { return duration }
        return max(1, (duration + turn - 1) / turn) * turn
    }
}

/// A host that is off for a while. Its mail stays with it.
package struct HostOutage: Hashable, Sendable {
    package var host: UInt32
    /// Microseconds.
    package var from: UInt64
    package var until: UInt64

    package init(host: UInt32, from: UInt64, until: UInt64) {
        self.host = host
        self.from = from
        self.until = until
    }
}
