package import CoveyCrypto

/// What a finished draft has become.
package enum FinishedDraft: Sendable {
    case entry(LogEntry)
    case note(RevokeNote)

    package var signed: Signed {
        switch self {
        case .entry(let entry): entry.signed
        case .note(let note): note.signed
        }
    }
}

/// Acts that need more keys than are here. Each function makes a draft that nobody has signed; `cosign` is the first
/// signature as well as every other one.
extension Authority {
    /// Whether the keys here are enough to sign alone.
    package func signsAlone(granting capabilities: Capabilities = []) -> Bool {
        let needed = capabilities.isDisjoint(with: .privileged) ? 1 : 2
        return keys.current.keys.count >= max(needed, keys.current.threshold)
    }

    /// A device that asked to be enrolled.
    package func draftIssue(
        _ request: VerifiedRequest, _ grant: Grant = Grant(), on membership: Membership, now: Minute,
        random: any RandomSource
    ) throws(AuthorityRefusal) -> Draft {
        let content = try content(for: request, grant, membership, now: now, random: random)
        return try draft(issuing: content, requests: [request.request], membership)
    }

    /// Another life for a device's keys.
    package func draftRenewal(
        _ device: DeviceID, _ grant: Grant, on membership: Membership, now: Minute
    ) throws(AuthorityRefusal) -> Draft {
        try draft(
            issuing: try content(renewing: device, grant, membership, now: now), requests: [], membership)
    }

    private func draft(
        issuing content: DeviceCertificate.Content, requests: [EnrolmentRequest], _ membership: Membership
    ) throws(AuthorityRefusal) -> Draft {
        let privileges = content.capabilities.intersection(.privileged)
        guard privileges.isEmpty || keys.current.keyset.keys.count >= 2 else { throw .void(.privilege) }
        let certificate: DeviceCertificate
        do {
            certificate = try DeviceCertificate(
                parsing: Signed(body: DeviceCertificate.body(content), attestations: []), mesh: keys.mesh)
        } catch {
            throw .malformed(error)
        }
        return try draft(.issue([certificate], requests: requests), membership, content.notBefore)
    }

    /// An authority below this one, or a new certificate of one that is there.
    package func draftAuthority(
        _ content: AuthorityCertificate.Content, authority: AuthorityID? = nil, on membership: Membership, now: Minute
    ) throws(AuthorityRefusal) -> Draft {
        let certificate: AuthorityCertificate
        do {
            certificate = try AuthorityCertificate(
                parsing: Signed(body: AuthorityCertificate.body(content, authority: authority), attestations: []))
        } catch {
            throw .malformed(error)
        }
        return try draft(.addAuthority(certificate), membership, entryTime(membership, now))
    }

    /// A new network epoch. Its key stays with whoever drafts it until the entry is in the log.
    package func draftEpoch(
        _ key: EpochKey, on membership: Membership, now: Minute
    ) throws(AuthorityRefusal) -> Draft {
        let time = entryTime(membership, now)
        return try draft(.act(.epochAnnounce(try announcement(of: key.commit, membership, time))), membership, time)
    }

    /// Where the logs below stand, and what the active set is.
    package func draftCheckpoint(on membership: Membership, now: Minute) throws(AuthorityRefusal) -> Draft {
        let time = entryTime(membership, now)
        return try draft(.act(.checkpoint(checkpoint(of: membership, time))), membership, time)
    }

    /// Any act whose body is fixed from the start: a policy, a checkpoint, verdicts, new keys.
    package func draft(
        _ payload: LogPayload, on membership: Membership, now: Minute
    ) throws(AuthorityRefusal) -> Draft {
        switch payload {
        case .certIssue, .authorityAdd: preconditionFailure("certificates are drafted with what they answer")
        case .policySet, .authorityRotate, .authorityRevoke, .certRevoke, .epochAnnounce, .checkpoint,
            .groupDefinition, .releaseManifest, .recoverFork:
            try check(payload, membership)
            return try draft(.act(payload), membership, time(of: payload, membership, now))
        }
    }

    private func draft(
        _ matter: Draft.Matter, _ membership: Membership, _ time: Minute
    ) throws(AuthorityRefusal) -> Draft {
        Draft(
            mesh: keys.mesh, authority: keys.authority, content: .entry(matter, try place(in: membership, time), []))
    }

    /// A revocation by the whole authority: it needs no verdict, and may carry a wipe order.
    package func draftRevocation(
        _ device: DeviceID, reason: RevocationReason, suspectSince: Minute, wipe: WipeOrder? = nil,
        on membership: Membership, now: Minute
    ) throws(AuthorityRefusal) -> Draft {
        let content = RevokeNote.Content(
            device: device, reason: reason, suspectSince: suspectSince, issued: now, authority: keys.authority,
            wipe: wipe)
        try checkRevocable(content, membership)
        let unsigned = Signed(body: RevokeNote.body(content), attestations: [])
        guard let note = try? RevokeNote(parsing: unsigned) else { preconditionFailure("what we write, we can read") }
        return Draft(mesh: keys.mesh, authority: keys.authority, content: .note(note))
    }

    /// Looks at all that a draft says, and signs it with every key here that has not.
    ///
    /// - Parameters:
    ///   - record: what these keys signed before. It must be on disk before the draft leaves the house.
    ///   - others: keys that are not the authority's current ones: the next ones for a rotation, cold ones.
    package func cosign(
        _ draft: Draft, on membership: Membership, record: inout SigningRecord, now: Minute,
        others: [SigningPrivateKey] = []
    ) throws(DraftRefusal) -> Draft {
        let before = try examine(draft, on: membership, now: now)
        var signed = draft
        let keys = keys.current.keys + others
        switch draft.content {
        case .note(let note):
            signed.content = .note(
                try Self.read { () throws(Malformed) in
                    try RevokeNote(parsing: note.signed.adding(keys, type: .object(.revokeNote), mesh: draft.mesh))
                })
        case .entry(let matter, let place, let attestations):
            var matter = matter
            let own = self.keys.current.keyset
            var pass = before.pass
            if pass == .certificates {
                matter = try Self.adding(keys, to: matter, mesh: draft.mesh)
                signed.content = .entry(matter, place, attestations)
                pass = try signed.progress(among: own).pass
                try check(signed.entry(matter, place, []), pass: pass, on: membership)
            }
            if pass == .entry {
                let allowed = signed.entryKeysets(matter, own).flatMap(\.keys)
                let id = try signed.addToEntry(keys, among: allowed)
                if let other = record.other(than: id, in: draft.authority, at: place.sequence) {
                    throw .signedOther(place: place.sequence, when: other.signed)
                }
                guard record.take(id, in: draft.authority, at: place.sequence, now: now) else { throw .recordFull }
            }
        }
        guard try signed.progress(among: self.keys.current.keyset) != before else { throw .signedAlready }
        return signed
    }

    private static func adding(
        _ keys: [SigningPrivateKey], to matter: Draft.Matter, mesh: MeshID
    ) throws(DraftRefusal) -> Draft.Matter {
        switch matter {
        case .issue(let certificates, let requests):
            var signed: [DeviceCertificate] = []
            for certificate in certificates {
                signed.append(
                    try read { () throws(Malformed) in
                        try DeviceCertificate(
                            parsing: certificate.signed.adding(keys, type: .object(.deviceCertificate), mesh: mesh),
                            mesh: mesh)
                    })
            }
            return .issue(signed, requests: requests)
        case .addAuthority(let certificate):
            return .addAuthority(
                try read { () throws(Malformed) in
                    try AuthorityCertificate(
                        parsing: certificate.signed.adding(keys, type: .object(.authorityCertificate), mesh: mesh))
                })
        case .act: return matter
        }
    }

    private static func read<Value>(_ body: () throws(Malformed) -> Value) throws(DraftRefusal) -> Value {
        do { return try body() } catch { throw .malformed(error) }
    }

    // MARK: Looking at a draft

    /// Whether a draft could become part of this log as things stand, and how far it is. Signs nothing.
    package func examine(
        _ draft: Draft, on membership: Membership, now: Minute
    ) throws(DraftRefusal) -> DraftProgress {
        guard draft.mesh == keys.mesh, draft.mesh == membership.mesh else { throw .anotherMesh }
        guard draft.authority == keys.authority, let log = membership.logs[draft.authority],
            log.keyset == keys.current.keyset
        else { throw .notOurs }
        if case .entry(let matter, let place, let attestations) = draft.content {
            try check(place, matter, attestations, of: draft, log)
        }
        let progress = try draft.progress(among: log.keyset)
        switch draft.content {
        case .note(let note): try check(note, of: draft, membership, now)
        case .entry(let matter, let place, _):
            let latest = now.adding(MeshClock.Bounds.entryAhead)
            guard place.time >= log.tree.tipTime, place.time <= latest else { throw .time }
            try check(matter, of: draft, membership)
            switch (progress.pass, matter) {
            case (.certificates, .issue), (.certificates, .addAuthority): break
            case (.entry, _), (.note, _), (.certificates, .act):
                try check(draft.entry(matter, place, []), pass: progress.pass, on: membership)
            }
        }
        return progress
    }

    private func check(
        _ place: LogPlace, _ matter: Draft.Matter, _ attestations: [Signed.Attestation], of draft: Draft,
        _ log: AuthorityLog
    ) throws(DraftRefusal) {
        let here = UInt64(log.ids.count)
        guard place.sequence > here else {
            let id = LogEntry.id(of: try draft.entry(matter, place, attestations))
            throw log.id(at: place.sequence) == id ? .done : .movedOn(place: place.sequence)
        }
        guard place.sequence == here + 1 else { throw .behind(place: place.sequence, here: here) }
        guard log.orphans.isEmpty else { throw .act(.gap) }
        guard log.tree.isNext(after: place.previous, at: place.sequence) else {
            throw .otherHistory(place: place.sequence)
        }
    }

    private func check(
        _ note: RevokeNote, of draft: Draft, _ membership: Membership, _ now: Minute
    ) throws(DraftRefusal) {
        guard note.content.authority == draft.authority, note.content.number == 0 else { throw .notOurs }
        guard !membership.hasNote(note.hash) else { throw .done }
        guard note.issued <= now.adding(MeshClock.Bounds.entryAhead) else { throw .time }
        do { try checkRevocable(note.content, membership) } catch { throw .act(error) }
    }

    /// What the log would not see, or sees only when all signatures are there.
    private func check(_ matter: Draft.Matter, of draft: Draft, _ membership: Membership) throws(DraftRefusal) {
        if membership.releaseLog == draft.authority {
            guard case .act = matter else { throw .fault(.issuer) }
            return
        }
        guard let limits = membership.limits(of: draft.authority) else { throw .act(.unknown) }
        let own = keys.current.keyset
        switch matter {
        case .issue(let certificates, let requests):
            for certificate in certificates {
                guard certificate.issuer == draft.authority else { throw .fault(.issuer) }
                // So that the date of the entry is under the signatures of the first pass too.
                guard case .entry(_, let place, _) = draft.content, certificate.notBefore == place.time else {
                    throw .time
                }
                if let fault = limits.fault(in: certificate.content) { throw .fault(fault) }
                let isPrivileged = !certificate.capabilities.isDisjoint(with: .privileged)
                guard !isPrivileged || own.keys.count >= 2 else { throw .fault(.privilege) }
                guard !membership.isRevoked(certificate.device) else { throw .alreadyRevoked }
                let request = requests.first { $0.deviceHash(in: draft.mesh) == certificate.deviceHash }
                guard request != nil || membership.deviceRecords[certificate.device] != nil else { throw .request }
                let known = membership.currentCertificate(certificate.device)?.capabilities.contains(.orgOwned)
                guard !certificate.capabilities.contains(.orgOwned) || known ?? request?.agreesToOrders ?? false
                else { throw .act(.consent) }
            }
            for request in requests {
                guard certificates.contains(where: { $0.deviceHash == request.deviceHash(in: draft.mesh) }),
                    request.signed.signers(among: [request.signing], type: .object(.request), mesh: draft.mesh)
                        == [request.signing]
                else { throw .request }
            }
        case .addAuthority(let certificate):
            guard certificate.content.parent == draft.authority, certificate.authority != membership.genesis.rootID
            else { throw .fault(.issuer) }
            if let fault = limits.fault(in: certificate.content) { throw .fault(fault) }
            if let known = membership.logs[certificate.authority] {
                guard membership.dismissal(of: certificate.authority) == nil else { throw .act(.dismissed) }
                guard known.tree.knows(certificate.content.keyset) else { throw .fault(.issuer) }
            } else {
                guard certificate.authority == certificate.content.keyset.authorityID else { throw .fault(.issuer) }
            }
        case .act(.epochAnnounce(let announcement)):
            guard announcement.rows.allSatisfy(membership.holds), announcement.notes.allSatisfy(membership.hasNote)
            else { throw .covers }
        case .act(.checkpoint(let checkpoint)):
            guard checkpoint.children.allSatisfy(membership.holds) else { throw .covers }
            // The set is counted again: a root that somebody else made up would speak for all of them.
            guard case .entry(_, let place, _) = draft.content else { throw .covers }
            let covered = membership.covered(
                checkpoint.children, own: draft.authority, sequence: place.sequence, previous: place.previous)
            let set = membership.activeSet(covered, at: place.time).certificates
            guard UInt32(set.count) == checkpoint.count,
                Octets32(prefixOf: MerkleTree(set.map(\.hash)).root) == checkpoint.merkleRoot
            else { throw .covers }
        case .act(.certRevoke(let verdicts)):
            guard
                verdicts.allSatisfy({
                    membership.hasNote($0.note) || membership.parties(of: SuspendHash(prefixOf: $0.note)) != nil
                })
            else { throw .covers }
        case .act(let payload):
            do { try check(payload, membership) } catch { throw .act(error) }
        }
    }

    /// Tries the entry on a copy of the membership, its signatures aside. In the pass of the certificates it cannot
    /// tell more than that some are missing.
    private func check(
        _ entry: Signed, pass: DraftProgress.Pass, on membership: Membership
    ) throws(DraftRefusal) {
        var trial = membership
        let outcome: EntryOutcome
        do { outcome = try trial.restore(entry) } catch { throw .act(.entry(error)) }
        guard case .accepted(let intake) = outcome else { throw .act(.gap) }
        for change in intake.changes {
            guard case .void(_, let fault) = change else { continue }
            let isUnsigned = fault == .privilege || fault == .issuer
            guard pass == .certificates, isUnsigned else { throw .fault(fault) }
        }
        guard let read = Self.read(entry, membership.mesh) else { return }
        if case .epochAnnounce = read.payload {
            guard let epoch = trial.epoch(read.id), !trial.isTainted(epoch) else { throw .act(.epoch) }
        } else if case .authorityRotate(let rotation) = read.payload, rotation.authority != read.log {
            guard trial.keyset(of: rotation.authority) == rotation.keyset else { throw .act(.decided) }
        }
    }

    private static func read(_ entry: Signed, _ mesh: MeshID) -> LogEntry? {
        try? LogEntry(parsing: entry, mesh: mesh)
    }

    // MARK: Finishing

    /// The entry or note of a draft that is complete, taken into the membership as every node will take it.
    package func finish(
        _ draft: Draft, into membership: inout Membership
    ) throws(AuthorityRefusal) -> FinishedDraft {
        switch draft.content {
        case .note(let note):
            try Self.take(note, into: &membership)
            return .note(note)
        case .entry(let matter, let place, let attestations):
            let entry: LogEntry
            do {
                let signed = try draft.entry(matter, place, attestations)
                entry = try LogEntry(parsing: signed, mesh: draft.mesh)
            } catch let refusal as DraftRefusal {
                guard case .malformed(let cause) = refusal else { preconditionFailure("an entry is malformed or not") }
                throw .malformed(cause)
            } catch let cause as Malformed {
                throw .malformed(cause)
            } catch {
                preconditionFailure("an entry is malformed or not")
            }
            try Self.take(entry, into: &membership)
            return .entry(entry)
        }
    }
}
