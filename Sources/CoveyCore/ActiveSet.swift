import CoveyCrypto

// The active set that a Checkpoint commits to (protocol.md §1.8).
//
// It follows from the log alone, and from no more of it than the Checkpoint covers: its own log before it, and the logs
// below up to the heads it names. So whoever holds those entries finds the same root, whenever they look:
//
// - of each device the certificate with the highest serial among the covered ones that are within their authority's
//   limits and not after the last good entry of a covered AuthorityRevoke;
// - not expired when the Checkpoint was made;
// - no note of its device confirmed by a covered CertRevoke;
// - of devices with one link key the one that was issued first.
//
// Quotas are not asked: what makes room in them are notes, which stand in no log.

/// A Checkpoint and where it stands.
package struct PlacedCheckpoint: Sendable, Equatable {
    package let log: LogID
    package let sequence: UInt64
    package let time: Minute
    package let checkpoint: Checkpoint

    init(log: LogID, sequence: UInt64, time: Minute, checkpoint: Checkpoint) {
        self.log = log
        self.sequence = sequence
        self.time = time
        self.checkpoint = checkpoint
    }

    package init?(_ entry: LogEntry) {
        guard case .checkpoint(let checkpoint) = entry.payload else { return nil }
        self.init(log: entry.log, sequence: entry.sequence, time: entry.time, checkpoint: checkpoint)
    }
}

/// What this node makes of a Checkpoint's root.
package enum CheckpointStanding: Hashable, Sendable {
    case right
    /// The covered entries come to another set: the authority erred, or lies. The entry stands, its heads count, and its
    /// root proves nothing here.
    case wrong(root: MerkleHash, count: Int)
    /// A covered entry, or a note that one confirms, is not held.
    case unknown
}

extension Checkpoint {
    /// Whether a certificate is in the active set: all that a node needs which holds the Checkpoint and not the log.
    package func includes(_ certificate: CertificateHash, by proof: InclusionProof) -> Bool {
        proof.count == Int(count) && proof.root(of: MerkleHash(leaf: certificate)) == MerkleHash(prefixOf: merkleRoot)
    }
}

extension Membership {
    /// The newest Checkpoint of a log that counts.
    package func checkpoint(of log: LogID) -> PlacedCheckpoint? {
        let limit = grantLimit(of: log)
        return logs[log]?.checkpoints.last { $0.sequence <= limit }
    }

    package func standing(of placed: PlacedCheckpoint) -> CheckpointStanding {
        guard let set = activeSet(of: placed) else { return .unknown }
        let tree = MerkleTree(set.map(\.hash))
        guard tree.root == MerkleHash(prefixOf: placed.checkpoint.merkleRoot),
            tree.count == Int(placed.checkpoint.count)
        else { return .wrong(root: tree.root, count: tree.count) }
        return .right
    }

    /// Proves to a node without the log that a device's certificate is in the active set of a Checkpoint; nil when it is
    /// not, or when the root is not what this node finds.
    package func inclusion(
        of device: DeviceID, in placed: PlacedCheckpoint
    ) -> (certificate: DeviceCertificate, proof: InclusionProof)? {
        guard let set = activeSet(of: placed), let index = set.firstIndex(where: { $0.device == device }) else {
            return nil
        }
        let tree = MerkleTree(set.map(\.hash))
        guard tree.root == MerkleHash(prefixOf: placed.checkpoint.merkleRoot) else { return nil }
        return (set[index], tree.proof(at: index))
    }

    /// Heads of the logs below an authority, ascending: what its Checkpoint names.
    func childHeads(of authority: AuthorityID) -> [CoveredRow] { heads.filter { isAbove(authority, $0.log) } }

    /// The certificates a Checkpoint covers, ascending by device; nil when something of it is missing.
    func activeSet(of placed: PlacedCheckpoint) -> [DeviceCertificate]? {
        guard placed.checkpoint.children.allSatisfy(holds), let ids = logs[placed.log]?.ids,
            placed.sequence <= UInt64(ids.count) + 1
        else { return nil }
        let covered = Covered(placed.checkpoint.children, own: placed.log, before: placed.sequence)
        return activeSet(covered, at: placed.time)
    }

    func activeSet(_ covered: Covered, at time: Minute) -> [DeviceCertificate]? {
        guard let revoked = revokedDevices(covered) else { return nil }
        var rights: [LogID: CoveredRights] = [:]
        for log in covered.logs { rights[log] = coveredRights(of: log, covered) }
        var found: [IssuedCertificate] = []
        for (device, record) in deviceRecords where !revoked.contains(device) {
            let current = record.certificates.first { issued in
                guard covered.has(issued.log, issued.sequence), let rights = rights[issued.log] else { return false }
                return issued.sequence <= rights.limit && rights.limits.fault(in: issued.certificate.content) == nil
            }
            if let current, current.certificate.notAfter >= time { found.append(current) }
        }
        found.sort { $0.certificate.device < $1.certificate.device }
        return found.filter { isFirst($0, among: found, covered) }.map(\.certificate)
    }

    /// Of devices with one link key the first counts; nearly always there is one.
    private func isFirst(_ issued: IssuedCertificate, among found: [IssuedCertificate], _ covered: Covered) -> Bool {
        guard let claims = linkClaims[issued.certificate.link], claims.count > 1 else { return true }
        func first(_ device: DeviceID) -> (Minute, LogID, UInt64, DeviceID)? {
            deviceRecords[device]?.certificates.filter { covered.has($0.log, $0.sequence) }
                .map { ($0.time, $0.log, $0.sequence, device) }.min { $0 < $1 }
        }
        guard let own = first(issued.certificate.device) else { return false }
        return found.allSatisfy { other in
            guard other.certificate.link == issued.certificate.link, let theirs = first(other.certificate.device) else {
                return true
            }
            return own <= theirs
        }
    }

    /// What an authority may grant as far as covered entries say, and up to which sequence.
    private struct CoveredRights {
        let limits: AuthorityLimits
        let limit: UInt64
    }

    private func coveredRights(of log: LogID, _ covered: Covered) -> CoveredRights? {
        guard let limits = coveredLimits(of: log, covered) else { return nil }
        var limit = UInt64.max
        for placed in authorityRevocations where placed.isMain && covered.has(placed.log, placed.sequence) {
            limit = min(limit, self.limit(of: log, by: placed) ?? limit)
        }
        return CoveredRights(limits: limits, limit: limit)
    }

    private func coveredLimits(of authority: AuthorityID, _ covered: Covered) -> AuthorityLimits? {
        if authority == genesis.rootID { return .root }
        guard let log = logs[authority], let parent = log.parent, let above = coveredLimits(of: parent, covered) else {
            return nil
        }
        // Of a log that is not covered only the entry counts that this log's first one names.
        let grants = log.grants.filter { $0.log == parent && above.fault(in: $0.certificate.content) == nil }
        let known =
            covered.logs.contains(parent)
            ? grants.filter { covered.has($0.log, $0.sequence) } : grants.prefix(1).map { $0 }
        return known.max {
            ($0.certificate.content.serial, $1.certificate.hash) < ($1.certificate.content.serial, $0.certificate.hash)
        }.map { AuthorityLimits($0.certificate.content) }
    }

    /// Devices of which a covered verdict confirms a note; nil when such a note is not held.
    private func revokedDevices(_ covered: Covered) -> Set<DeviceID>? {
        var devices: Set<DeviceID> = []
        for (hash, verdicts) in noteBook.verdicts {
            let counting = verdicts.filter { $0.isMain && covered.has($0.log, $0.sequence) }
            guard counting.contains(where: { $0.decision == .confirmed }) else { continue }
            guard let note = note(hash) else { return nil }
            if isConfirmed(hash, within: covered.rows) { devices.insert(note.device) }
        }
        return devices
    }
}

/// The entries that a Checkpoint speaks of.
struct Covered {
    /// One for each log, its own among them.
    let rows: [CoveredRow]
    private let ends: [LogID: UInt64]

    /// - Parameter sequence: of the Checkpoint in its own log.
    init(_ children: [CoveredRow], own: LogID, before sequence: UInt64) {
        rows =
            children.filter { $0.log != own }
            + (sequence > 1 ? [CoveredRow(log: own, sequence: sequence - 1, id: EntryID())] : [])
        ends = Dictionary(rows.map { ($0.log, $0.sequence) }) { first, _ in first }
    }

    var logs: [LogID] { rows.map(\.log) }

    func has(_ log: LogID, _ sequence: UInt64) -> Bool { sequence <= ends[log] ?? 0 }
}
