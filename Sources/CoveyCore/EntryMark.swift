/// What keeps an entry that is here from counting.
package enum EntryMark: String, Sendable {
    /// Nobody has chosen between the branches of its log, and it stands where they part, or after.
    case forked
    /// Another branch was chosen.
    case dropped
    /// Its authority was dismissed and nothing that it granted after an earlier entry counts, or it never had the right.
    case void
}

extension Membership {
    package func mark(of entry: LogEntry) -> EntryMark? {
        let place = EntryPlace(entry)
        // What is taken away stays so, on whichever branch while nobody has chosen.
        if entry.payload.isTakingAway, isHonoured(place) { return nil }
        if let frozen = logs[entry.log]?.tree.frozenAt {
            if entry.sequence > frozen || !isOnPath(place) { return .forked }
        } else if !isOnPath(place) {
            return .dropped
        }
        let hasRight = entry.log == releaseLog || limits(of: entry.log) != nil
        return hasRight && entry.sequence <= grantLimit(of: entry.log) ? nil : .void
    }

    /// What people call the authority of a log, also of one without right; nil where nobody added it.
    package func label(of log: LogID) -> String? {
        if log == genesis.rootID { return "root" }
        if log == releaseLog { return "releases" }
        let certificate = authority(log) ?? latestGrant(of: log) ?? logs[log]?.grants.last?.certificate
        return certificate?.content.label
    }
}

extension LogPayload {
    /// Whether it only revokes, which counts also where nothing can be granted.
    package var isTakingAway: Bool {
        switch self {
        case .authorityRevoke: true
        case .certRevoke(let verdicts): verdicts.allSatisfy { $0.decision == .confirmed }
        case .policySet, .authorityAdd, .authorityRotate, .certIssue, .epochAnnounce, .checkpoint, .groupDefinition,
            .releaseManifest, .recoverFork:
            false
        }
    }
}
