/// Every timer of the node by name, in one table; the driver arms one timer at the earliest.
package struct Deadlines: Sendable {
    /// A timer belongs to the node, to a connection or to a target that is dialled.
    package enum Name: Hashable, Comparable, Sendable {
        case beacon
        case beaconAnswer
        case dial
        case expiry
        case prekeys
        /// Requests for renewal came in: the authority at hand answers several at once.
        case renewals
        /// Neighbours are told how well zones are reached.
        case reach
        case link(ConnectionID)

        private var rank: (UInt8, UInt8, UInt32) {
            switch self {
            case .beacon: (0, 0, 0)
            case .beaconAnswer: (1, 0, 0)
            case .dial: (2, 0, 0)
            case .expiry: (3, 0, 0)
            case .prekeys: (4, 0, 0)
            case .renewals: (5, 0, 0)
            case .reach: (6, 0, 0)
            case .link(.dialled(let number)): (7, 0, number)
            case .link(.accepted(let number)): (7, 1, number)
            }
        }

        package static func < (left: Name, right: Name) -> Bool { left.rank < right.rank }
    }

    private var times: [Name: UInt64] = [:]
    /// The earliest of `times`; nil only when there is none.
    package private(set) var next: UInt64?

    package init() {}

    package subscript(name: Name) -> UInt64? { times[name] }

    package mutating func set(_ name: Name, at uptime: UInt64) {
        let old = times.updateValue(uptime, forKey: name)
        if let earliest = next, uptime > earliest, old != earliest { return }
        next = times.values.min()
    }

    /// Keeps the earlier of the two.
    package mutating func set(_ name: Name, noLaterThan uptime: UInt64) {
        if let held = times[name], held <= uptime { return }
        set(name, at: uptime)
    }

    package mutating func clear(_ name: Name) {
        guard let old = times.removeValue(forKey: name) else { return }
        if old == next { next = times.values.min() }
    }

    /// Takes out what is due, earliest first, then by name, so that a turn does not follow the order of a table.
    package mutating func takeDue(_ uptime: UInt64) -> [Name] {
        guard let earliest = next, earliest <= uptime else { return [] }
        let due = times.filter { $0.value <= uptime }.sorted {
            $0.value != $1.value ? $0.value < $1.value : $0.key < $1.key
        }.map(\.key)
        for name in due { times[name] = nil }
        next = times.values.min()
        return due
    }
}
