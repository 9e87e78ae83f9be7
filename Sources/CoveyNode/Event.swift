package import CoveyCore
package import CoveyCrypto

/// A byte stream to somebody. The node names the ones it dials, the driver the ones it accepts.
package enum ConnectionID: Hashable, Sendable {
    case dialled(UInt32)
    case accepted(UInt32)
}

/// Names a command until its reply.
package struct CommandID: Hashable, Sendable {
    package let value: UInt64
    package init(_ value: UInt64) { self.value = value }
}

/// One thing that happened outside. The driver turns sockets, timers and control requests into these.
package enum Event: Sendable {
    /// First event of a run, and again when interfaces or addresses change: where this node can be reached.
    case endpoints([LocalEndpoint])
    /// The time of `nextDeadline` has come.
    case deadline
    /// Somebody connected. `isStatic`: on a listener that answers without a beacon (sync-routing.md §1.3).
    case accepted(ConnectionID, from: SocketAddress, isStatic: Bool)
    /// The dial succeeded.
    case connected(ConnectionID)
    /// The dial failed; the connection is gone. The cause is in the system's words, and nil where it is not the peer's.
    case dialFailed(ConnectionID, because: String? = nil)
    /// Bytes of a stream, in order, in whatever pieces they came.
    case received(ConnectionID, [UInt8])
    /// After `Effect.reportDrained`: the driver's write queue of the connection is empty.
    case drained(ConnectionID)
    /// The other end closed, or the connection broke. Not sent after `Effect.close` or `Effect.abort`.
    case closed(ConnectionID)
    /// A datagram heard by multicast on one interface.
    case datagram([UInt8], from: SocketAddress, interface: UInt32)
    case command(CommandID, Command)
    /// The wipe order of `Observation.wipeAccepted` was carried out.
    case wiped(Octets16)

    /// The connection it happened on; nil for what happened elsewhere.
    package var connection: ConnectionID? {
        switch self {
        case .accepted(let id, _, _), .connected(let id), .dialFailed(let id, _), .received(let id, _),
            .drained(let id), .closed(let id):
            id
        case .endpoints, .deadline, .datagram, .command, .wiped: nil
        }
    }
}

/// One address of this machine on which the node listens, with the port of its listener.
package struct LocalEndpoint: Hashable, Sendable {
    package var address: SocketAddress
    package var interface: UInt32
    package var isLoopback: Bool

    package init(address: SocketAddress, interface: UInt32, isLoopback: Bool) {
        self.address = address
        self.interface = interface
        self.isLoopback = isLoopback
    }
}

/// One thing the node wants done. Performed after the turn is committed, in order.
package enum Effect: Sendable {
    case dial(ConnectionID, SocketAddress)
    case send(ConnectionID, [UInt8])
    /// Ask for `Event.drained` once the write queue of the connection is empty (at once if it is).
    case reportDrained(ConnectionID)
    /// Close after what was sent has left. No further event comes from it.
    case close(ConnectionID)
    /// Close at once, and throw away what has not left. No further event comes from it.
    case abort(ConnectionID)
    /// Send a datagram to the discovery group on every interface in use.
    case multicast([UInt8])
    /// Apart from the others in memory, which are small and many.
    indirect case reply(CommandID, Reply)
    case observe(Observation)
    /// A clean end was asked for: perform what stands before, then stop.
    case stop
}

/// The effects of one or more turns, in a buffer that is used again.
package struct Effects: Sendable {
    package private(set) var list: [Effect] = []

    package init() {}

    package mutating func append(_ effect: Effect) { list.append(effect) }

    package mutating func removeAll() { list.removeAll(keepingCapacity: true) }

    /// Takes the effects out, leaving an empty buffer.
    package mutating func take() -> [Effect] {
        let taken = list
        list = []
        list.reserveCapacity(taken.count)
        return taken
    }
}
