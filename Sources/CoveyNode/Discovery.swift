package import CoveyCore
package import CoveyCrypto

/// What beacons said lately: who is around, where, and which of our own beacons may be answered.
package struct Discovery: Sendable {
    package struct Sighting: Sendable {
        package let device: DeviceID
        package let addresses: [SocketAddress]
        package let epoch: EpochCommit
        package let heard: UInt64
        package let solicits: Bool
    }

    /// `(instance, seq)` of a beacon: told apart from a repetition.
    private struct Mark: Hashable {
        let instance: Octets8
        let sequence: UInt32
    }

    private var sightings: [DeviceID: Sighting] = [:]
    private var marks: [DeviceID: Mark] = [:]
    private var ownNonces: [Octets8: UInt64] = [:]
    private var order: [(nonce: Octets8, sent: UInt64)] = []

    package init() {}

    package var peersHeard: Int { sightings.count }

    /// Our beacon leaves with this nonce; a handshake may name it for 20 minutes (protocol.md §2.1).
    package mutating func sent(nonce: Octets8, at uptime: UInt64) {
        ownNonces[nonce] = uptime
        order.append((nonce, uptime))
        forget(at: uptime)
    }

    package mutating func isAnswer(_ nonce: Octets8, at uptime: UInt64) -> Bool {
        forget(at: uptime)
        return ownNonces[nonce] != nil
    }

    private mutating func forget(at uptime: UInt64) {
        var gone = 0
        while gone < order.count, order[gone].sent + Limits.beaconMemory < uptime {
            ownNonces[order[gone].nonce] = nil
            gone += 1
        }
        if gone > 0 { order.removeFirst(gone) }
    }

    /// False when this very beacon was heard before.
    package mutating func isNew(device: DeviceID, instance: Octets8, sequence: UInt32) -> Bool {
        let mark = Mark(instance: instance, sequence: sequence)
        if let last = marks[device], last.instance == instance, last.sequence >= sequence { return false }
        if marks.count >= Limits.heard, marks[device] == nil, let least = marks.keys.min() { marks[least] = nil }
        marks[device] = mark
        return true
    }

    package mutating func hear(_ sighting: Sighting) {
        if sightings.count >= Limits.heard, sightings[sighting.device] == nil,
            let oldest = sightings.values.min(by: { ($0.heard, $0.device) < ($1.heard, $1.device) })
        {
            sightings[oldest.device] = nil
        }
        sightings[sighting.device] = sighting
    }

    /// Whether a verified beacon of the last ten minutes listed this host (protocol.md §2.1).
    package func vouches(for address: SocketAddress, at uptime: UInt64) -> Bool {
        sightings.values.contains { sighting in
            sighting.heard + Limits.beaconVouches >= uptime
                && sighting.addresses.contains { $0.host == address.host }
        }
    }
}
