package import CoveyCore

/// Where an authority works: it signs into its own log, and keeps a record of that log apart from any node's store.
///
/// What it gives away stands in its record first. So it signs one entry for each place of its log, whatever becomes of
/// the node: a second one would fork the log.
package protocol AuthorityDesk: AnyObject {
    var authority: AuthorityID { get }

    /// Why a device cannot be given its next certificate now; nil when it can.
    func obstacle(to device: DeviceID, _ membership: Membership, at time: TimeView) -> RenewalObstacle?

    /// Gives certificates to devices that asked, at most `Authority.mostRenewals`.
    ///
    /// - Parameter membership: what the node knows, which may be more or less than what the desk has signed.
    /// - Returns: entries to be taken in this order; first those of its record that `membership` lacks.
    func renew(_ devices: [DeviceID], _ membership: Membership, at time: TimeView) throws -> [LogEntry]
}

/// A desk in memory: for nodes whose world ends with the process.
package final class MemoryDesk: AuthorityDesk {
    private let signer: Authority
    /// What the authority has signed, by sequence.
    private var record: [LogEntry]

    /// `entries`: among them all that the authority has ever signed. Without one of them it would fork its log.
    package init(_ signer: Authority, signed entries: [LogEntry]) {
        self.signer = signer
        record = entries.filter { $0.log == signer.keys.authority }
    }

    /// What the authority signed elsewhere.
    package func add(_ entry: LogEntry) { record.append(entry) }

    package var authority: AuthorityID { signer.keys.authority }

    package func obstacle(to device: DeviceID, _ membership: Membership, at time: TimeView) -> RenewalObstacle? {
        // Where several must sign, they come together.
        guard signer.keys.current.threshold == 1 else { return .keys }
        return signer.obstacle(to: device, membership, at: time)
    }

    package func renew(_ devices: [DeviceID], _ membership: Membership, at time: TimeView) throws -> [LogEntry] {
        // The node may have lost the turn in which it was given these.
        let known = UInt64(membership.entryIDs(of: authority).count)
        let lacking = record.filter { entry in
            // Of what a decision dropped a branch may be longer than what stands.
            entry.sequence > known
                && !membership.holds(CoveredRow(log: entry.log, sequence: entry.sequence, id: entry.id))
        }
        guard lacking.isEmpty else { return lacking }
        var next = membership
        guard let entry = try signer.renew(devices, into: &next, at: time).entry else { return [] }
        record.append(entry)
        return [entry]
    }
}
