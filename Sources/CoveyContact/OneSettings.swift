/// What a run in The ONE's semantics is told beside contacts and messages.
package struct OneSettings: Equatable, Sendable {
    package enum Router: Equatable, Sendable {
        case epidemic
        /// Binary, with so many copies at first.
        case sprayAndWait(copies: Int)
        case directDelivery
        case firstContact
        case prophet(OneProphet)
    }

    /// In what order a node offers its messages.
    package enum Queue: Equatable, Sendable {
        case random
        /// Earliest received first.
        case fifo
    }

    package var nodes: Int
    /// Seconds; the run ends at the first tick that is not earlier.
    package var end: Double
    /// Seconds from one update of all nodes to the next.
    package var tick: Double
    package var router: Router
    package var queue: Queue
    /// Minutes; nil for a life without end.
    package var ttl: Int?
    /// Bytes.
    package var buffer: Int
    /// Bytes a second, one direction at a time.
    package var speed: Int
    /// Whether nodes are updated in another order every time, or always by ascending number.
    package var shufflesNodes: Bool

    package init(
        nodes: Int, end: Double, tick: Double = 1, router: Router, queue: Queue = .random, ttl: Int? = nil,
        buffer: Int = 5_000_000, speed: Int = 250_000, shufflesNodes: Bool = true
    ) {
        self.nodes = nodes
        self.end = end
        self.tick = tick
        self.router = router
        self.queue = queue
        self.ttl = ttl
        self.buffer = buffer
        self.speed = speed
        self.shufflesNodes = shufflesNodes
    }
}

/// The numbers of the PRoPHET router (RFC 6693 has others).
package struct OneProphet: Equatable, Sendable {
    package var first = 0.75
    package var beta = 0.25
    package var gamma = 0.98
    /// Seconds of one step of ageing.
    package var unit = 30.0

    package init() {}
}

/// What a run in The ONE's semantics may be asked for at most.
package enum OneLimits {
    /// Rounds: ticks of one run.
    package static let ticks = 1e10
    /// Seconds.
    package static let smallestTick = 1e-6
    /// Bits that say who holds what: nodes times messages.
    package static let heldBits = 1 << 33
    /// Minutes of a message's life.
    package static let ttl = 1_000_000_000
    /// Bytes of one buffer; The ONE counts them in 32 bits or 64 alike.
    package static let buffer = 1 << 50
}

/// Why a run cannot be done. Each says what to change.
package enum OneMistake: Error, Equatable, Sendable, CustomStringConvertible {
    case noNodes
    case nodes(highest: Int)
    case tick
    case end
    case speed
    case buffer
    case ttl
    case copies
    case contactHost(UInt32, nodes: Int)
    case messageHost(String, nodes: Int)
    case messageSize(String)
    case repeatedMessage(String)
    case notSorted
    case tooMuch

    package var description: String {
        switch self {
        case .noNodes: "a run needs at least one node"
        case .nodes(let highest): "a run has at most \(highest) nodes"
        case .tick: "a tick is at least \(OneLimits.smallestTick) s, and a run has at most \(OneLimits.ticks) of them"
        case .end: "the end of a run is a number of seconds, not negative"
        case .speed: "a link carries at least one byte a second"
        case .buffer: "a buffer has from 0 to \(OneLimits.buffer) bytes"
        case .ttl: "a life is from 0 to \(OneLimits.ttl) minutes"
        case .copies: "SprayAndWait starts with 1 to \(Int32.max) copies"
        case .contactHost(let host, let nodes): "the contacts name host \(host), and there are \(nodes) nodes"
        case .messageHost(let name, let nodes): "message \(name) names a host that is not below \(nodes)"
        case .messageSize(let name): "message \(name) has no size from 0 to \(TraceLimits.messageBytes)"
        case .repeatedMessage(let name): "two messages are named \(name)"
        case .notSorted: "contacts and messages are by ascending time"
        case .tooMuch: "nodes times messages is above \(OneLimits.heldBits)"
        }
    }
}
