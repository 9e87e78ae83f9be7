package import CoveyCrypto

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

/// What a parent says about the log of a child whose keys are lost or stolen (protocol.md §1.8).
extension Authority {
    /// A child's new keys, which sign behind the last entry of its log that is to stand.
    ///
    /// - Parameter branch: that entry; nil: the end of the log, which then must not be forked.
    package func replacement(
        of child: AuthorityID, branch: EntryID?, by new: AuthorityKeys, in membership: Membership
    ) throws(AuthorityRefusal) -> LogPayload {
        let end = try membership.end(of: child, at: branch).entry
        // Where the child has written nothing since its last new keys, these take their place.
        let last = membership.logs[child]?.tree.grafts[end]?.branch ?? end
        return .authorityRotate(
            AuthorityRotation(
                authority: child, keyset: new.current.keyset, nextCommit: new.next.keyset.commit, branch: last))
    }

    /// Gives a child new keys, when enough of this authority's own are here.
    package func replaceKeys(
        of child: AuthorityID, branch: EntryID?, by new: AuthorityKeys, into membership: inout Membership, now: Minute
    ) throws(AuthorityRefusal) -> LogEntry {
        let payload = try replacement(of: child, branch: branch, by: new, in: membership)
        try check(payload, membership)
        var trial = membership
        let entry = try append(
            payload, to: &trial, time: time(of: payload, membership, now), others: new.current.keys)
        // The cold keys may have decided otherwise.
        guard trial.keyset(of: child) == new.current.keyset else { throw .decided }
        membership = trial
        return entry
    }

    /// When an act is dated that this authority signs now.
    func time(of payload: LogPayload, _ membership: Membership, _ now: Minute) -> Minute {
        let time = entryTime(membership, now)
        guard case .authorityRotate(let rotation) = payload, rotation.branch != nil else { return time }
        return membership.time(ofChoiceIn: rotation.authority, from: time)
    }
}

extension Membership {
    /// When a choice between branches is dated: of several the newest counts, and of one minute's any might.
    func time(ofChoiceIn log: LogID, from time: Minute) -> Minute {
        logs[log]?.tree.chosen.map { max(time, $0.time.adding(1)) } ?? time
    }

    /// The entry behind which a log is to go on.
    ///
    /// - Parameter branch: nil: the end of the log, which then must not be forked.
    fileprivate func end(
        of log: LogID, at branch: EntryID?
    ) throws(AuthorityRefusal) -> (entry: EntryID, sequence: UInt64, time: Minute) {
        guard let tree = logs[log]?.tree else { throw .unknown }
        guard branch != nil || tree.frozenAt == nil else { throw .forked }
        guard let branch = branch ?? tree.tip, let standing = tree.standing(afterEntry: branch) else { throw .branch }
        return (branch, standing.sequence, standing.time)
    }
}

/// The cold keys (protocol.md §1.3): they choose a branch after an equivocation, or replace lost keys. Brought together they
/// sign at once; apart, each holder signs a draft in turn, and no record is kept of it: of several decisions the newest
/// counts.
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
        guard keys.isSufficient || keys.keyset.commit != membership.genesis.recoveryCommit else {
            throw .keys(here: keys.keys.count, needed: keys.threshold)
        }
        let (recovery, place) = try decision(log, branch, new, membership, now)
        let entry: LogEntry
        do {
            entry = try LogEntry.make(
                log: log, sequence: place.sequence, previous: place.previous, time: place.time,
                payload: .recoverFork(recovery), mesh: mesh, keys: keys.keys + (new?.current.keys ?? []))
        } catch {
            throw .malformed(error)
        }
        var trial = membership
        try Authority.take(entry, into: &trial)
        // Of several decisions the newest counts.
        guard trial.isOnPath(EntryPlace(entry)) else { throw .decided }
        membership = trial
        return entry
    }

    /// The same as a draft that nobody has signed.
    package func draft(
        _ log: LogID, branch: EntryID?, new: AuthorityKeys?, on membership: Membership, now: Minute
    ) throws(AuthorityRefusal) -> Draft {
        let (recovery, place) = try decision(log, branch, new, membership, now)
        return Draft(mesh: mesh, authority: log, content: .entry(.act(.recoverFork(recovery)), place, []))
    }

    private func decision(
        _ log: LogID, _ branch: EntryID?, _ new: AuthorityKeys?, _ membership: Membership, _ now: Minute
    ) throws(AuthorityRefusal) -> (ForkRecovery, LogPlace) {
        guard keys.keyset.commit == membership.genesis.recoveryCommit else { throw .entry(.recoveryCommit) }
        let end = try membership.end(of: log, at: branch)
        return (
            ForkRecovery(
                log: log, branch: end.entry,
                newKeys: new.map { .init(keyset: $0.current.keyset, nextCommit: $0.next.keyset.commit) },
                recovery: keys.keyset),
            LogPlace(
                sequence: end.sequence + 1, previous: end.entry,
                time: membership.time(ofChoiceIn: log, from: max(now, end.time)))
        )
    }

    /// Looks at all that a draft of cold keys says, and signs it with every key given that may sign it and has not.
    package static func cosign(
        _ draft: Draft, with keys: [SigningPrivateKey], on membership: Membership, now: Minute
    ) throws(DraftRefusal) -> Draft {
        _ = try examine(draft, on: membership, now: now)
        let (recovery, matter, _) = try parts(of: draft)
        let allowed = draft.entryKeysets(matter, recovery.recovery).flatMap(\.keys)
        guard keys.contains(where: { allowed.contains($0.publicKey) }) else { throw .notOurs }
        var signed = draft
        _ = try signed.addToEntry(keys, among: allowed)
        return signed
    }

    /// Whether a draft of cold keys would decide as things stand. Signs nothing.
    package static func examine(
        _ draft: Draft, on membership: Membership, now: Minute
    ) throws(DraftRefusal) -> DraftProgress {
        guard draft.mesh == membership.mesh else { throw .anotherMesh }
        let (recovery, matter, place) = try parts(of: draft)
        guard recovery.recovery.commit == membership.genesis.recoveryCommit else { throw .notOurs }
        guard let standing = membership.logs[recovery.log]?.tree.standing(afterEntry: recovery.branch) else {
            throw .act(.branch)
        }
        guard place.previous == recovery.branch, place.sequence == standing.sequence + 1 else {
            throw .otherHistory(place: place.sequence)
        }
        guard place.time >= standing.time, place.time <= now.adding(MeshClock.Bounds.entryAhead) else { throw .time }
        let progress = try draft.progress(among: recovery.recovery)
        var trial = membership
        let entry = try draft.entry(matter, place, [])
        let outcome: EntryOutcome
        do { outcome = try trial.restore(entry) } catch { throw .act(.entry(error)) }
        switch outcome {
        case .accepted: break
        case .known: throw .done
        case .held: throw .act(.gap)
        }
        let decided = EntryPlace(log: recovery.log, sequence: place.sequence, entry: LogEntry.id(of: entry))
        guard trial.isOnPath(decided) else { throw .act(.decided) }
        return progress
    }

    private static func parts(of draft: Draft) throws(DraftRefusal) -> (ForkRecovery, Draft.Matter, LogPlace) {
        guard case .entry(let matter, let place, _) = draft.content, case .act(.recoverFork(let recovery)) = matter,
            recovery.log == draft.authority
        else { throw .notOurs }
        return (recovery, matter, place)
    }
}

extension Draft {
    /// Whether it is of the cold keys alone: what they write stands in the log that it decides about.
    package var isOfColdKeys: Bool {
        if case .entry(.act(.recoverFork(let recovery)), _, _) = content { recovery.log == authority } else { false }
    }
}
