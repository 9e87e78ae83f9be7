import CoveyCore

/// What a host's log says of devices and forks, read from its disk and not asked of its node: a second opinion, made
/// without a `Membership`.
struct LogReading {
    private struct Issue {
        let log: LogID
        let sequence: UInt64
        let id: EntryID
    }

    private var hasBegun = false
    /// The position of the last entry that was read from the disk.
    private var read: UInt64 = 0
    private var ids: [LogID: [UInt64: Set<EntryID>]] = [:]
    private var issues: [DeviceID: [Issue]] = [:]
    /// The first sequence of a log that two entries have.
    private var forkedAt: [LogID: UInt64] = [:]
    /// The newest head that a Checkpoint names, of each log.
    private var checkpointed: [LogID: UInt64] = [:]
    /// Logs of which a branch was chosen: what counts there is no longer told by place alone.
    private var recovered: Set<LogID> = []

    /// Reads what came since.
    mutating func catchUp(with host: Host, in world: World) {
        if !hasBegun { for entry in world.beginning { add(entry) } }
        hasBegun = true
        for (position, entry) in world.storedEntries(of: host, after: read) {
            add(entry)
            read = position
        }
    }

    private mutating func add(_ entry: LogEntry) {
        ids[entry.log, default: [:]][entry.sequence, default: []].insert(entry.id)
        if let others = ids[entry.log]?[entry.sequence], others.count > 1 {
            forkedAt[entry.log] = min(forkedAt[entry.log] ?? .max, entry.sequence)
        }
        switch entry.payload {
        case .certIssue(let certificates):
            for certificate in certificates {
                issues[certificate.device, default: []].append(
                    Issue(log: entry.log, sequence: entry.sequence, id: entry.id))
            }
        case .checkpoint(let checkpoint):
            for row in checkpoint.children { checkpointed[row.log] = max(checkpointed[row.log] ?? 0, row.sequence) }
        case .recoverFork(let recovery): recovered.insert(recovery.log)
        case .authorityRotate(let rotation): if rotation.branch != nil { recovered.insert(rotation.authority) }
        case .policySet, .authorityAdd, .authorityRevoke, .certRevoke, .epochAnnounce, .groupDefinition,
            .releaseManifest:
            break
        }
    }

    /// Whether some entry issues a certificate to the device.
    func names(_ device: DeviceID) -> Bool { issues[device] != nil }

    var hasForks: Bool { !forkedAt.isEmpty }

    /// Whether every certificate of the device was issued where a fork has made it void: at the fork or after it, and not
    /// before a head that a parent's Checkpoint names.
    func isVoid(_ device: DeviceID) -> Bool {
        guard hasForks, let issues = issues[device] else { return false }
        return issues.allSatisfy { issue in
            guard let fork = forkedAt[issue.log], !recovered.contains(issue.log) else { return false }
            return issue.sequence >= fork && issue.sequence > checkpointed[issue.log] ?? 0
        }
    }
}
