import CoveyCrypto

/// Whose keys write which log, as far as single entries say it to somebody who holds no log: AuthorityAdds and changes of
/// keys from the root down, each signed as nodes ask of it (protocol.md §1.3, §1.8).
///
/// What stands between them is not here: neither whether one stands on the path of its log, nor whether keys were changed
/// again, nor whether an authority was revoked.
struct Entitlement {
    private struct Writer {
        let parent: LogID?
        let depth: Int
        /// All that it had, in their order; the last signs.
        var statements: [KeysetStatement]
        var certificates: [AuthorityCertificate] = []
        /// Of the last entry that was taken.
        var sequence: UInt64 = 0
        var time: Minute

        var statement: KeysetStatement { statements[statements.count - 1] }

        func had(_ keyset: Keyset) -> Bool { statements.contains { $0.keyset == keyset } }

        /// Whether those who sign have promised to be followed by a keyset.
        func promised(_ keyset: Keyset) -> Bool {
            let certified = certificates.filter { $0.keyset == statement.keyset }.map(\.content.nextCommit)
            return ((statement.nextCommit.map { [$0] } ?? []) + certified).contains(keyset.commit)
        }
    }

    private let genesis: Genesis
    private var writers: [LogID: Writer]

    init(genesis: Genesis) {
        self.genesis = genesis
        let first = KeysetStatement(keyset: genesis.root, nextCommit: genesis.nextCommit)
        writers = [genesis.rootID: Writer(parent: nil, depth: 0, statements: [first], time: Minute(0))]
    }

    mutating func take(_ entry: LogEntry) throws(ProofFault) {
        var writer = try self.writer(of: entry)
        switch entry.payload {
        case .authorityAdd(let certificate): try add(certificate, entry, writer)
        case .authorityRotate(let rotation):
            let new = KeysetStatement(keyset: rotation.keyset, nextCommit: rotation.nextCommit)
            try verify(entry, by: [writer.statement.keyset, rotation.keyset])
            if rotation.authority == entry.log {
                guard rotation.branch == nil, writer.promised(rotation.keyset) else {
                    throw .keys(entry.log, entry.sequence)
                }
                writer.statements.append(new)
            } else {
                guard rotation.branch != nil else { throw .keys(entry.log, entry.sequence) }
                try replaceKeys(of: rotation.authority, by: new, entry)
            }
        case .recoverFork(let recovery):
            guard recovery.recovery.commit == genesis.recoveryCommit, let keys = recovery.newKeys else {
                throw .keys(entry.log, entry.sequence)
            }
            let new = KeysetStatement(keyset: keys.keyset, nextCommit: keys.nextCommit)
            if recovery.log == entry.log {
                guard recovery.branch == entry.previous else { throw .keys(entry.log, entry.sequence) }
                try verify(entry, by: [recovery.recovery, keys.keyset])
                writer.statements.append(new)
            } else {
                try verify(entry, by: [recovery.recovery, writer.statement.keyset, keys.keyset])
                try replaceKeys(of: recovery.log, by: new, entry)
            }
        case .policySet, .authorityRevoke, .certIssue, .certRevoke, .epochAnnounce, .checkpoint, .groupDefinition,
            .releaseManifest:
            throw .foreignKind(entry.log, entry.sequence)
        }
        writer.sequence = entry.sequence
        writer.time = entry.time
        writers[entry.log] = writer
    }

    /// What an entry behind all of them may grant, when its log's keys signed it.
    func limits(behind entry: LogEntry) throws(ProofFault) -> AuthorityLimits {
        let writer = try self.writer(of: entry)
        try verify(entry, by: [writer.statement.keyset])
        guard let limits = limits(of: entry.log) else { throw .authority(entry.log) }
        return limits
    }

    /// The certificates under which an authority acts, from the one below the root.
    func chain(to authority: AuthorityID) -> [AuthorityCertificate] {
        guard let writer = writers[authority], let parent = writer.parent,
            let certificate = grant(of: authority)?.certificate
        else { return [] }
        return chain(to: parent) + [certificate]
    }

    private func writer(of entry: LogEntry) throws(ProofFault) -> Writer {
        guard let writer = writers[entry.log] else { throw .unknownAuthority(entry.log) }
        guard entry.sequence > writer.sequence, entry.time >= writer.time else {
            throw .order(entry.log, entry.sequence)
        }
        return writer
    }

    private func verify(_ entry: LogEntry, by keysets: [Keyset]) throws(ProofFault) {
        guard entry.signed.isApproved(byAll: keysets, as: .logEntry, in: genesis.meshID) else {
            throw .signatures(entry.log, entry.sequence)
        }
    }

    private mutating func add(
        _ certificate: AuthorityCertificate, _ entry: LogEntry, _ writer: Writer
    ) throws(ProofFault) {
        let keyset = writer.statement.keyset
        try verify(entry, by: [keyset])
        let authority = certificate.authority
        guard certificate.parent == entry.log, authority != genesis.rootID,
            !genesis.isReleaseKeyset(certificate.keyset), writer.depth < Int(AuthorityLimits.root.depthLeft)
        else { throw .authority(authority) }
        guard keyset.approves(certificate.signed, as: .authorityCertificate, in: genesis.meshID) else {
            throw .signatures(entry.log, entry.sequence)
        }
        if let known = writers[authority] {
            guard known.parent == entry.log else { throw .authority(authority) }
        } else {
            guard authority == certificate.keyset.authorityID else { throw .authority(authority) }
            let first = KeysetStatement(keyset: certificate.keyset, nextCommit: nil)
            writers[authority] = Writer(
                parent: entry.log, depth: writer.depth + 1, statements: [first], time: entry.time)
        }
        writers[authority]?.certificates.append(certificate)
    }

    /// Above, somebody says who writes on.
    private mutating func replaceKeys(
        of authority: AuthorityID, by new: KeysetStatement, _ entry: LogEntry
    ) throws(ProofFault) {
        guard let writer = writers[authority], writer.parent == entry.log else { throw .unknownAuthority(authority) }
        writers[authority]?.statements.append(new)
        writers[authority]?.time = max(writer.time, entry.time)
    }

    private func limits(of authority: AuthorityID) -> AuthorityLimits? {
        authority == genesis.rootID ? .root : grant(of: authority)?.limits
    }

    /// Of the certificates that count the one with the highest serial, as nodes choose.
    private func grant(of authority: AuthorityID) -> (limits: AuthorityLimits, certificate: AuthorityCertificate)? {
        guard let writer = writers[authority], let parent = writer.parent, let above = limits(of: parent) else {
            return nil
        }
        let best = writer.certificates.filter { writer.had($0.keyset) && above.fault(in: $0.content) == nil }
            .max { $1.isBetter(than: $0) }
        return best.map { (AuthorityLimits($0.content), $0) }
    }
}
