package import CoveyCore
package import CoveyRouting

/// What a node is told once, at its start.
package struct NodeConfiguration: Sendable {
    package enum Multicast: Sendable {
        case on
        /// Hears beacons and dials, sends none.
        case listen
        case off
    }

    package struct StaticPeer: Sendable {
        package var address: SocketAddress
        /// When known, another device at the address is not talked to.
        package var device: DeviceID?
        /// As people wrote it, to tell them when it cannot be reached. Without, nobody is told.
        package var name: String?

        package init(address: SocketAddress, device: DeviceID? = nil, name: String? = nil) {
            self.address = address
            self.device = device
            self.name = name
        }
    }

    package var genesis: Genesis
    package var identity: DeviceIdentity
    package var peers: [StaticPeer]
    package var multicast: Multicast
    /// Bytes of envelopes held; above it others' mail is evicted.
    package var quota: UInt64
    /// Who is given what.
    package var routing: Routing
    /// Whoever runs the node carries wipe orders out. Without that none is taken: a receipt must not say what nobody does.
    package var obeysWipeOrders = true

    package init(
        genesis: Genesis, identity: DeviceIdentity, peers: [StaticPeer] = [], multicast: Multicast = .on,
        quota: UInt64 = 1 << 30, routing: Routing = .flood
    ) {
        self.genesis = genesis
        self.identity = identity
        self.peers = peers
        self.multicast = multicast
        self.quota = quota
        self.routing = routing
    }
}
