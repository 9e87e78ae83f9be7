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
    package let entry: EntryID
    /// What the entry names as its predecessor.
    let previous: EntryID
    package let time: Minute
    package let checkpoint: Checkpoint

    var place: EntryPlace { EntryPlace(log: log, sequence: sequence, entry: entry) }

    package init?(_ entry: LogEntry) {
        guard case .checkpoint(let checkpoint) = entry.payload else { return nil }
        log = entry.log
        sequence = entry.sequence
        self.entry = entry.id
        previous = entry.previous
        time = entry.time
        self.checkpoint = checkpoint
    }
}

/// What this node makes of a Checkpoint's root.
package enum CheckpointStanding: Hashable, Sendable {
    case right
    /// The covered entries come to another set: the authority erred, or lies. The entry stands, its heads count, and its
    /// root proves nothing here.
    case wrong(root: MerkleHash, count: Int)
    /// A covered entry is not held; or a note that one confirms, and with it the set may be another.
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
        logs[log]?.checkpoints.last { counts($0.place) }
    }

    package func standing(of placed: PlacedCheckpoint) -> CheckpointStanding {
        guard let set = activeSet(of: placed) else { return .unknown }
        let tree = MerkleTree(set.certificates.map(\.hash))
        if tree.root == MerkleHash(prefixOf: placed.checkpoint.merkleRoot),
            tree.count == Int(placed.checkpoint.count)
        {
            return .right
        }
        return set.lacksNotes.isEmpty ? .wrong(root: tree.root, count: tree.count) : .unknown
    }

    /// Proves to a node without the log that a device's certificate is in the active set of a Checkpoint; nil when it is
    /// not, or when the root is not what this node finds.
    package func inclusion(
        of device: DeviceID, in placed: PlacedCheckpoint
    ) -> (certificate: DeviceCertificate, proof: InclusionProof)? {
        guard let set = activeSet(of: placed)?.certificates,
            let index = set.firstIndex(where: { $0.device == device })
        else { return nil }
        let tree = MerkleTree(set.map(\.hash))
        guard tree.root == MerkleHash(prefixOf: placed.checkpoint.merkleRoot) else { return nil }
        return (set[index], tree.proof(at: index))
    }

    /// Devices in the active set of a Checkpoint that comes next in a log, and yet revoked by notes: no verdict that it
    /// covers confirms one of those. Ascending.
    package func revokedDevices(in checkpoint: Checkpoint, nextIn log: LogID, at time: Minute) -> [DeviceID] {
        let covered = Covered(checkpoint.children, own: log, before: heads.first { $0.log == log })
        return activeSet(covered, at: time).certificates.map(\.device).filter(isRevoked)
    }

    /// Heads of the logs below an authority, ascending: what its Checkpoint names.
    func childHeads(of authority: AuthorityID) -> [CoveredRow] {
        coveredHeads.filter { isAbove(authority, $0.log) }
    }

    /// What a Checkpoint covers; nil when an entry of it is missing.
    private func activeSet(of placed: PlacedCheckpoint) -> ActiveSet? {
        let covered = covered(
            placed.checkpoint.children, own: placed.log, sequence: placed.sequence, previous: placed.previous)
        guard covered.rows.allSatisfy(holdsWhole) else { return nil }
        return activeSet(covered, at: placed.time)
    }

    /// The entries that a Checkpoint speaks of which stands at this place.
    func covered(_ children: [CoveredRow], own: LogID, sequence: UInt64, previous: EntryID) -> Covered {
        guard sequence > 1 else { return Covered(children, own: own, before: nil) }
        // Behind a choice of branch stands the choice, which is the parent's entry.
        let below = logs[own]?.tree.grafts[previous]?.branch ?? previous
        return Covered(children, own: own, before: CoveredRow(log: own, sequence: sequence - 1, id: below))
    }

    private func has(_ covered: Covered, _ place: EntryPlace) -> Bool {
        guard let row = covered.row(of: place.log), row.sequence >= place.sequence else { return false }
        return isCovered(place, by: row)
    }

    func activeSet(_ covered: Covered, at time: Minute) -> ActiveSet {
        var rights: [LogID: CoveredRights] = [:]
        for log in covered.logs { rights[log] = coveredRights(of: log, covered) }
        let (revoked, lacksNotes) = revokedDevices(covered, rights)
        var found: [IssuedCertificate] = []
        for (device, record) in deviceRecords where !revoked.contains(device) {
            let current = record.certificates.first { issued in
                guard has(covered, issued.place), let rights = rights[issued.log] else { return false }
                return issued.sequence <= rights.limit && rights.limits.fault(in: issued.certificate.content) == nil
            }
            if let current, current.certificate.notAfter >= time { found.append(current) }
        }
        found.sort { $0.certificate.device < $1.certificate.device }
        let firsts = firstClaims(among: found, covered)
        let certificates = found.map(\.certificate).filter { firsts[$0.link]?.device ?? $0.device == $0.device }
        return ActiveSet(certificates: certificates, lacksNotes: lacksNotes)
    }

    /// Of devices with one link key the first counts; nearly always there is one, and then it is not listed here.
    private func firstClaims(
        among found: [IssuedCertificate], _ covered: Covered
    ) -> [AgreementPublicKey: LinkClaim] {
        var firsts: [AgreementPublicKey: LinkClaim] = [:]
        for issued in found where rivalClaims[issued.certificate.link] != nil {
            let claims = deviceRecords[issued.certificate.device]?.certificates.filter { has(covered, $0.place) } ?? []
            guard let claim = claims.map(LinkClaim.init).min() else { continue }
            let link = issued.certificate.link
            firsts[link] = min(claim, firsts[link] ?? claim)
        }
        return firsts
    }

    /// What an authority may grant as far as covered entries say, and up to which sequence.
    private struct CoveredRights {
        let limits: AuthorityLimits
        let limit: UInt64
    }

    private func coveredRights(of log: LogID, _ covered: Covered) -> CoveredRights? {
        guard let limits = coveredLimits(of: log, covered) else { return nil }
        var limit = UInt64.max
        for placed in revocations(over: log) where has(covered, placed.place) {
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
        let end = covered.row(of: authority)?.sequence ?? 0
        let grants = log.grants.filter {
            $0.place.log == parent && above.fault(in: $0.certificate.content) == nil
                && log.tree.knows($0.certificate.keyset, upTo: end)
        }
        let known =
            covered.row(of: parent) != nil
            ? grants.filter { has(covered, $0.place) } : grants.filter { $0.place.entry == log.tree.origin }
        return known.map(\.certificate).max { $1.isBetter(than: $0) }.map { AuthorityLimits($0.content) }
    }

    /// Devices of which a covered verdict confirms a note, and where such a note is not held.
    ///
    /// Of a note that is not held nobody can tell whose it is, nor whether there is one: an authority may write down any
    /// number. So it is only remembered that there was something, of those who had the right to decide then.
    private func revokedDevices(
        _ covered: Covered, _ rights: [LogID: CoveredRights]
    ) -> (devices: Set<DeviceID>, lacksNotes: Set<LogID>) {
        var devices: Set<DeviceID> = []
        var lacksNotes: Set<LogID> = []
        for (hash, verdicts) in noteBook.verdicts {
            let confirming = verdicts.filter { $0.decision == .confirmed && has(covered, $0.place) }
            guard !confirming.isEmpty else { continue }
            if let note = note(hash) {
                if isConfirmed(hash, within: covered.rows) { devices.insert(note.device) }
            } else {
                lacksNotes.formUnion(confirming.filter { $0.sequence <= rights[$0.log]?.limit ?? 0 }.map(\.log))
            }
        }
        return (devices, lacksNotes)
    }
}

/// The certificates that a Checkpoint commits to.
struct ActiveSet {
    /// Ascending by device.
    let certificates: [DeviceCertificate]
    /// In whose logs covered entries confirm a note that is not held: its device may be among them.
    let lacksNotes: Set<LogID>
}

/// The entries that a Checkpoint speaks of.
struct Covered {
    /// One for each log, its own among them.
    let rows: [CoveredRow]
    private let byLog: [LogID: CoveredRow]

    /// - Parameter before: the entry before the Checkpoint in its own log; nil when it is the first.
    init(_ children: [CoveredRow], own: LogID, before: CoveredRow?) {
        rows = children.filter { $0.log != own } + (before.map { [$0] } ?? [])
        byLog = Dictionary(rows.map { ($0.log, $0) }) { first, _ in first }
    }

    var logs: [LogID] { rows.map(\.log) }

    func row(of log: LogID) -> CoveredRow? { byLog[log] }
}
