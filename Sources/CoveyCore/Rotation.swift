import CoveyCrypto

extension AuthorityKeys {
    /// After a rotation: the promised keys act, and the following ones are promised.
    package func rotated(to following: SigningKeyset) -> AuthorityKeys {
        AuthorityKeys(mesh: mesh, authority: authority, current: next, next: following)
    }
}

/// Changing keys while there are some (protocol.md §1.3).
extension Authority {
    /// The rotation to the keyset that was promised; it promises `following` in turn.
    package func rotation(promising following: Keyset) -> LogPayload {
        .authorityRotate(
            AuthorityRotation(
                authority: keys.authority, keyset: keys.next.keyset, nextCommit: following.commit))
    }

    /// Changes to the promised keys, when enough of both keysets are here. Whoever signs the next entry is
    /// `keys.rotated(to:)`.
    package func rotate(
        promising following: Keyset, into membership: inout Membership, now: Minute
    ) throws(AuthorityRefusal) -> LogEntry {
        guard keys.next.isSufficient else {
            throw .keys(here: keys.next.keys.count, needed: keys.next.threshold)
        }
        return try append(
            rotation(promising: following), to: &membership, time: entryTime(membership, now), others: keys.next.keys)
    }
}

/// The release keyset at work (protocol.md §1.11): its log holds releases and its own rotations.
extension Authority {
    /// The first entry of the release log. It says which keyset it was whose hash is in the genesis.
    package func openReleases(
        into membership: inout Membership, now: Minute
    ) throws(AuthorityRefusal) -> LogEntry {
        guard keys.current.isSufficient else {
            throw .keys(here: keys.current.keys.count, needed: keys.current.threshold)
        }
        let rotation = AuthorityRotation(
            authority: keys.authority, keyset: keys.current.keyset, nextCommit: keys.next.keyset.commit)
        let entry: LogEntry
        do {
            entry = try LogEntry.make(
                log: keys.authority, sequence: 1, previous: LogEntry.anchor(of: keys.mesh), time: now,
                payload: .authorityRotate(rotation), mesh: keys.mesh, keys: keys.current.keys)
        } catch {
            throw .malformed(error)
        }
        try Self.take(entry, into: &membership)
        return entry
    }

    /// Lists a release.
    package func release(
        _ manifest: ReleaseManifest, into membership: inout Membership, now: Minute
    ) throws(AuthorityRefusal) -> LogEntry {
        guard membership.releaseLog == keys.authority else { throw .unknown }
        return try append(.releaseManifest(manifest), to: &membership, time: entryTime(membership, now))
    }
}

/// The cold keys, brought together (protocol.md §1.3): they choose a branch after an equivocation, or replace lost keys.
package struct ColdRecovery: Sendable {
    package let mesh: MeshID
    package let keys: SigningKeyset

    package init(mesh: MeshID, keys: SigningKeyset) {
        self.mesh = mesh
        self.keys = keys
    }

    /// Writes a RecoverFork behind the last entry of a log that is to stand.
    ///
    /// - Parameters:
    ///   - branch: that entry; nil: the end of the log, which then must not be forked.
    ///   - new: keys that write on; nil: those in force at the branch.
    package func recover(
        _ log: LogID, branch: EntryID?, new: AuthorityKeys?, into membership: inout Membership, now: Minute
    ) throws(AuthorityRefusal) -> LogEntry {
        guard keys.keyset.commit == membership.genesis.recoveryCommit else { throw .entry(.recoveryCommit) }
        guard keys.isSufficient else { throw .keys(here: keys.keys.count, needed: keys.threshold) }
        guard let tree = membership.logs[log]?.tree else { throw .unknown }
        guard branch != nil || tree.frozenAt == nil else { throw .forked }
        guard let branch = branch ?? tree.tip, let standing = tree.standing(afterEntry: branch) else { throw .branch }
        let recovery = ForkRecovery(
            log: log, branch: branch,
            newKeys: new.map { .init(keyset: $0.current.keyset, nextCommit: $0.next.keyset.commit) },
            recovery: keys.keyset)
        let entry: LogEntry
        do {
            entry = try LogEntry.make(
                log: log, sequence: standing.sequence + 1, previous: branch, time: max(now, standing.time),
                payload: .recoverFork(recovery), mesh: mesh, keys: keys.keys + (new?.current.keys ?? []))
        } catch {
            throw .malformed(error)
        }
        var trial = membership
        try Authority.take(entry, into: &trial)
        // Of several decisions the newest counts.
        guard trial.isOnPath(EntryPlace(entry)) else { throw .branch }
        membership = trial
        return entry
    }
}
