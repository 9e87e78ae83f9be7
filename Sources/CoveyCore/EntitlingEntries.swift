import CoveyCrypto

/// Why a log yields no proof of a device.
package enum ProofRefusal: Error, Equatable, Sendable {
    case notMember
    case revoked
    /// Neither the issuer nor an authority above it has made one that counts.
    case noCheckpoint
    /// The active set is another than its author says.
    case wrong(PlacedCheckpoint)
    /// What it covers is not all here.
    case unknown(PlacedCheckpoint)
    /// The device is not in its set: enrolled since, or over or revoked then.
    case notIncluded(PlacedCheckpoint)
    /// Keys changed more often than a proof has room for.
    case tooLong(PlacedCheckpoint)
    /// What entitles its author is not said by entries that stand alone.
    case unproven(PlacedCheckpoint, ProofFault)
}

extension Membership {
    /// Proves that a device is in the active set of the newest Checkpoint that counts, of its issuer or one above it, to
    /// somebody without the log. The device may have a newer certificate than the one in the set.
    ///
    /// - Parameter entries: of the log; those of the path are asked for.
    package func proof(
        of device: DeviceID, entries: [EntryID: LogEntry]
    ) throws(ProofRefusal) -> MembershipProof {
        guard let issuer = currentCertificate(device)?.issuer else { throw .notMember }
        guard !isRevoked(device) else { throw .revoked }
        let authors = logs.keys.filter { $0 == issuer || isAbove($0, issuer) }
        let newest = authors.compactMap(checkpoint(of:)).max { isBefore($0, $1) }
        guard let placed = newest else { throw .noCheckpoint }
        switch standing(of: placed) {
        case .right: break
        case .wrong: throw .wrong(placed)
        case .unknown: throw .unknown(placed)
        }
        guard let (certificate, inclusion) = inclusion(of: device, in: placed) else { throw .notIncluded(placed) }
        guard let checkpoint = entries[placed.entry] else { throw .unknown(placed) }
        var entitling = EntitlingEntries(of: self, entries)
        guard entitling.gather(placed.log, before: placed.sequence) else { throw .unknown(placed) }
        let found = entitling.found
        let size = found.reduce(0) { $0 + 2 + $1.signed.bytes.count }
        guard found.count <= MembershipProof.Bounds.entries, size <= MembershipProof.Bounds.field else {
            throw .tooLong(placed)
        }
        let proof = MembershipProof(
            entries: found, checkpoint: checkpoint, certificate: certificate.withoutSignatures(mesh),
            index: UInt32(inclusion.index), path: inclusion.path)
        do { _ = try proof.verified(by: genesis, now: placed.time) } catch { throw .unproven(placed, error) }
        return proof
    }

    /// Of two of one time the one nearer to the root is the later.
    private func isBefore(_ one: PlacedCheckpoint, _ other: PlacedCheckpoint) -> Bool {
        func depth(_ placed: PlacedCheckpoint) -> Int { logs[placed.log]?.depth ?? .max }
        return (one.time, depth(other), other.log) < (other.time, depth(one), one.log)
    }
}

extension DeviceCertificate {
    fileprivate func withoutSignatures(_ mesh: MeshID) -> DeviceCertificate {
        let body = Signed(body: signed.body, attestations: [])
        guard let bare = try? DeviceCertificate(parsing: body, mesh: mesh) else {
            preconditionFailure("a certificate that was read once is read again")
        }
        return bare
    }
}

/// The entries that `Entitlement` needs to know who writes a log, gathered from a whole one.
private struct EntitlingEntries {
    /// What gave a log its next keys: an entry of its own, or one of its parent.
    private struct KeyChange {
        let entry: LogEntry
        /// Whose AuthorityAdd promised them; nil when the keys before did.
        let promise: AuthorityGrant?
    }

    private let membership: Membership
    private let entries: [EntryID: LogEntry]
    /// In an order in which each is signed by keys that those before it name.
    private(set) var found: [LogEntry] = []

    init(of membership: Membership, _ entries: [EntryID: LogEntry]) {
        self.membership = membership
        self.entries = entries
    }

    /// Gathers what says whose keys sign the entry at a sequence of a log's path. False when one of the entries is not
    /// here, or no AuthorityAdd counts.
    mutating func gather(_ log: LogID, before sequence: UInt64) -> Bool {
        guard let (changes, grants) = changes(of: log, before: sequence) else { return false }
        guard let parent = membership.logs[log]?.parent else {
            return changes.allSatisfy { take($0.entry) }
        }
        var rest = grants[...]
        for change in changes {
            // What stands in the parent's log goes in the order of that log.
            let isParents = change.entry.log == parent
            let end = isParents ? change.entry.sequence : change.promise?.place.sequence ?? grants[0].place.sequence
            while let next = rest.first, next.place.sequence <= end {
                rest.removeFirst()
                guard take(next.place) else { return false }
            }
            if isParents { guard gather(parent, before: change.entry.sequence) else { return false } }
            guard take(change.entry) else { return false }
        }
        return rest.allSatisfy { take($0.place) }
    }

    private mutating func take(_ place: EntryPlace) -> Bool {
        guard let entry = entries[place.entry], gather(place.log, before: place.sequence) else { return false }
        return take(entry)
    }

    private mutating func take(_ entry: LogEntry) -> Bool {
        if !found.contains(where: { $0.id == entry.id }) { found.append(entry) }
        return true
    }

    /// Every change of keys on the path of a log before a sequence, and the AuthorityAdds that matter, ascending: the one
    /// that names the first keyset, those that promised a later one, and the one under which the authority acts.
    private func changes(of id: LogID, before sequence: UInt64) -> (changes: [KeyChange], grants: [AuthorityGrant])? {
        guard let log = membership.logs[id] else { return nil }
        let counting = log.grants.filter { $0.place.log == log.parent && membership.counts($0.place) }
            .sorted { $0.place.sequence < $1.place.sequence }
        var needed: [AuthorityGrant] = []
        var statement = KeysetStatement(
            keyset: membership.genesis.root, nextCommit: membership.genesis.nextCommit)
        if let parent = log.parent {
            guard let first = counting.first(where: { $0.certificate.keyset.authorityID == id }),
                let above = membership.limits(of: parent)
            else { return nil }
            let acting = counting.filter {
                log.tree.knows($0.certificate.keyset, upTo: sequence - 1)
                    && above.fault(in: $0.certificate.content) == nil
            }.max { $1.certificate.isBetter(than: $0.certificate) }
            needed = [first] + (acting.map { [$0] } ?? [])
            statement = KeysetStatement(keyset: first.certificate.keyset, nextCommit: nil)
        }
        var changes: [KeyChange] = []
        for at in 1...sequence {
            guard let entry = log.id(at: at).flatMap({ entries[$0] }) else { return nil }
            // The parent's word stands between an entry and the one before it.
            if let graft = log.tree.grafts[entry.previous], let new = graft.choice.statement {
                guard let entry = entries[graft.place.entry] else { return nil }
                changes.append(KeyChange(entry: entry, promise: nil))
                statement = new
            }
            guard at < sequence, let new = entry.newStatement else { continue }
            var promise: AuthorityGrant?
            if case .authorityRotate = entry.payload, statement.nextCommit != new.keyset.commit {
                promise = counting.first {
                    $0.certificate.keyset == statement.keyset
                        && $0.certificate.content.nextCommit == new.keyset.commit
                }
                if let promise { needed.append(promise) }
            }
            changes.append(KeyChange(entry: entry, promise: promise))
            statement = new
        }
        var grants: [AuthorityGrant] = []
        for grant in needed.sorted(by: { $0.place.sequence < $1.place.sequence })
        where grants.last?.place != grant.place { grants.append(grant) }
        return (changes, grants)
    }
}

extension LogEntry {
    /// The keys that write on in its own log, when it changes them.
    fileprivate var newStatement: KeysetStatement? {
        switch payload {
        case .authorityRotate(let rotation) where rotation.authority == log:
            KeysetStatement(keyset: rotation.keyset, nextCommit: rotation.nextCommit)
        case .recoverFork(let recovery) where recovery.log == log:
            recovery.newKeys.map { KeysetStatement(keyset: $0.keyset, nextCommit: $0.nextCommit) }
        case .policySet, .authorityAdd, .authorityRotate, .authorityRevoke, .certIssue, .certRevoke, .epochAnnounce,
            .checkpoint, .groupDefinition, .releaseManifest, .recoverFork:
            nil
        }
    }
}
