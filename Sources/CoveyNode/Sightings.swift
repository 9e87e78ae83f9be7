import CoveyCore
import CoveyCrypto

/// What beacons said lately: who is around, and where.
struct Sightings {
    private struct Sighting {
        let addresses: [SocketAddress]
        /// Under whose key the newest was sealed.
        let epoch: EpochCommit
        let heard: UInt64
    }

    /// `(instance, seq)` of the newest beacon of a device: tells it from a repetition.
    private struct Mark {
        let instance: Octets8
        let sequence: UInt32
    }

    private var sightings: [DeviceID: Sighting] = [:]
    private var marks: [DeviceID: Mark] = [:]

    /// The newest last.
    private var tinyNonces: [Octets8] = []

    var count: Int { sightings.count }

    /// False when a tiny beacon with this nonce was heard lately.
    mutating func isNew(tiny nonce: Octets8) -> Bool {
        guard !tinyNonces.contains(nonce) else { return false }
        if tinyNonces.count == Limits.tinyBeacons { tinyNonces.removeFirst() }
        tinyNonces.append(nonce)
        return true
    }

    /// False when this beacon, or a later one of the same run, was heard before.
    mutating func isNew(_ beacon: LANBeacon) -> Bool {
        if let last = marks[beacon.device], last.instance == beacon.instance, last.sequence >= beacon.sequence {
            return false
        }
        // Only members' beacons come here, so the table is no larger than the roster; the bound is for a hostile one.
        if marks.count >= Limits.heard, marks[beacon.device] == nil, let least = marks.keys.min() { marks[least] = nil }
        marks[beacon.device] = Mark(instance: beacon.instance, sequence: beacon.sequence)
        return true
    }

    mutating func hear(_ beacon: LANBeacon, under epoch: EpochCommit, at uptime: UInt64) {
        if sightings.count >= Limits.heard, sightings[beacon.device] == nil,
            let oldest = sightings.min(by: { ($0.value.heard, $0.key) < ($1.value.heard, $1.key) })?.key
        {
            sightings[oldest] = nil
        }
        sightings[beacon.device] = Sighting(addresses: beacon.addresses, epoch: epoch, heard: uptime)
    }

    mutating func forget(_ device: DeviceID) {
        sightings[device] = nil
        marks[device] = nil
    }

    /// When a device was heard last, in microseconds of uptime, and under which epoch; nil when not in this run.
    func newest(of device: DeviceID) -> (heard: UInt64, epoch: EpochCommit)? {
        sightings[device].map { ($0.heard, $0.epoch) }
    }

    /// The port that the newest beacon naming this host gave with it.
    func port(at host: Octets16) -> UInt16? {
        let newest = sightings.filter { $0.value.addresses.contains { $0.host == host } }
            .max { ($0.value.heard, $0.key) < ($1.value.heard, $1.key) }
        return newest?.value.addresses.first { $0.host == host }?.port
    }

    /// Whether a verified beacon of the last ten minutes listed this host (protocol.md §2.1).
    func vouch(for address: SocketAddress, at uptime: UInt64) -> Bool {
        sightings.values.contains { sighting in
            sighting.heard + Limits.beaconVouches >= uptime
                && sighting.addresses.contains { $0.host == address.host }
        }
    }
}
