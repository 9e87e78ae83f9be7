package import CoveyCrypto

/// First 8 bytes of the nonces of our own beacons. A first message that answers another's, or an old one of ours, is a
/// recording played elsewhere and draws no answer (protocol.md §2.1).
package struct OwnNonces: Sendable {
    private var recent: [(nonce: Octets8, at: UInt64)] = []

    package init() {}

    /// - Parameter now: microseconds of uptime, as everywhere in this room.
    package mutating func remember(_ nonce: Octets8, now: UInt64) {
        recent.removeAll { now - $0.at >= LinkBounds.ownNonceLife }
        if recent.count == LinkBounds.ownNonces { recent.removeFirst() }
        recent.append((nonce: nonce, at: now))
    }

    /// Whether a first message with this `answered` may be answered; zero only where the listener is a static one.
    package func mayAnswer(_ answered: Octets8, isStatic: Bool, now: UInt64) -> Bool {
        if answered.isZero { return isStatic }
        return recent.contains { $0.nonce == answered && now - $0.at < LinkBounds.ownNonceLife }
    }
}
