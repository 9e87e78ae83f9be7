import CoveyCore

/// What a host's log says of devices and forks, read from its disk and not asked of its node: a second opinion, made
/// without a `Membership`.
struct LogReading {
    private struct Line {
        let log: LogID
        let sequence: UInt64
        let previous: EntryID
    }

    /// What a RecoverFork or a parent's AuthorityRotate says: the branch that counts.
    private struct Choice {
        let id: EntryID
        /// The log it stands in: the forked one's own, or its parent's.
        let log: LogID
        let sequence: UInt64
        let time: Minute
        let branch: EntryID
        /// By the cold keys, whom no parent's date outbids.
        let isCold: Bool
    }

    private var hasBegun = false
    /// The position of the last entry that was read from the disk.
    private var read: UInt64 = 0
    private var lines: [EntryID: Line] = [:]
    private var ids: [LogID: [UInt64: Set<EntryID>]] = [:]
    private var issues: [DeviceID: Set<EntryID>] = [:]
    /// Logs of which one sequence has two entries.
    private var forked: Set<LogID> = []
    /// By the log they are about.
    private var choices: [LogID: [Choice]] = [:]
    /// The last good entries of logs of authorities that were dismissed, and of those below them, by who dismissed which.
    private var dismissals: [LogID: [(of: LogID, by: LogID, last: UInt64)]] = [:]
    /// Where the AuthorityAdds of an authority stand.
    private var adders: [LogID: [LogID]] = [:]
    /// Heads that Checkpoints name, with the Checkpoint's own sequence.
    private var checkpointed: [LogID: [(sequence: UInt64, head: CoveredRow)]] = [:]
    /// Found out since the last entry.
    private var standings: [LogID: Set<EntryID>] = [:]

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
        standings = [:]
        lines[entry.id] = Line(log: entry.log, sequence: entry.sequence, previous: entry.previous)
        ids[entry.log, default: [:]][entry.sequence, default: []].insert(entry.id)
        if let others = ids[entry.log]?[entry.sequence], others.count > 1 { forked.insert(entry.log) }
        func choose(_ branch: EntryID, of log: LogID, isCold: Bool) {
            choices[log, default: []].append(
                Choice(
                    id: entry.id, log: entry.log, sequence: entry.sequence, time: entry.time, branch: branch,
                    isCold: isCold))
        }
        switch entry.payload {
        case .certIssue(let certificates):
            for certificate in certificates { issues[certificate.device, default: []].insert(entry.id) }
        case .authorityAdd(let certificate): adders[certificate.authority, default: []].append(entry.log)
        case .checkpoint(let checkpoint):
            for row in checkpoint.children where row.log != entry.log {
                checkpointed[row.log, default: []].append((entry.sequence, row))
            }
        case .recoverFork(let recovery): choose(recovery.branch, of: recovery.log, isCold: true)
        case .authorityRotate(let rotation):
            if let branch = rotation.branch { choose(branch, of: rotation.authority, isCold: false) }
        case .authorityRevoke(let revocation):
            for row in revocation.lastGood {
                dismissals[row.log, default: []].append((revocation.authority, entry.log, row.sequence))
            }
        case .policySet, .certRevoke, .epochAnnounce, .groupDefinition, .releaseManifest:
            break
        }
    }

    /// Whether some entry issues a certificate to the device.
    func names(_ device: DeviceID) -> Bool { issues[device] != nil }

    /// Whether some grant may be void.
    var mayVoid: Bool { !forked.isEmpty || !dismissals.isEmpty }

    /// Whether every certificate of the device was issued after the last good entry of a dismissed authority, or where a
    /// fork has made it void: beside the branch that was chosen, or, where nobody chose, at the fork or after it and not
    /// before a head that a parent's Checkpoint names.
    mutating func isVoid(_ device: DeviceID) -> Bool {
        guard mayVoid, let issues = issues[device] else { return false }
        for id in issues {
            guard let line = lines[id] else { return false }
            let isAfterTheEnd = dismissals[line.log, default: []].contains {
                adders[$0.of, default: []].contains($0.by) && line.sequence > $0.last
            }
            if isAfterTheEnd { continue }
            let log = line.log
            guard forked.contains(log) else { return false }
            let entries = standings[log] ?? standing(of: log)
            standings[log] = entries
            if entries.contains(id) { return false }
        }
        return true
    }

    /// The entries of a log that count: the chosen branch, and on from there as long as there is one way only.
    private func standing(of log: LogID, level: Int = 0) -> Set<EntryID> {
        let able = choices[log, default: []].filter { choice in
            guard way(to: choice.branch, in: log) != nil else { return false }
            if choice.log == log { return way(to: choice.id, in: log) != nil }
            guard adders[log, default: []].contains(choice.log), level < 3 else { return false }
            return !forked.contains(choice.log) || standing(of: choice.log, level: level + 1).contains(choice.id)
        }
        func newest(_ choices: [Choice]) -> Choice? {
            choices.max { ($0.time, $0.sequence, $1.id) < ($1.time, $1.sequence, $0.id) }
        }
        let cold = newest(able.filter(\.isCold))
        // A parent decides about what came after the cold keys' choice, and no more.
        let chosen =
            newest(able.filter { choice in !choice.isCold && cold.map { leads(choice, over: $0, in: log) } ?? true })
            ?? cold
        var path: [EntryID] = []
        var tip: EntryID?
        if let chosen {
            path = way(to: chosen.log == log ? chosen.id : chosen.branch, in: log) ?? []
            tip = chosen.id
        }
        while true {
            let sequence = UInt64(path.count) + 1
            let next = (ids[log]?[sequence] ?? []).filter { id in
                // An entry whose way down is not whole shows a fork as well as one that goes on from here.
                guard way(to: id, in: log) != nil else { return true }
                return tip == nil || lines[id]?.previous == tip
            }
            guard next.count == 1, let only = next.first, way(to: only, in: log) != nil else {
                return Set(next.isEmpty ? path : onward(path, tip, in: log))
            }
            path.append(only)
            tip = only
        }
    }

    private func leads(_ choice: Choice, over cold: Choice, in log: LogID) -> Bool {
        (way(to: choice.branch, in: log) ?? []).contains { $0 == cold.id || lines[$0]?.previous == cold.id }
    }

    /// The way on to the head in the parent's newest Checkpoint, if it leads over what stands already.
    private func onward(_ way: [EntryID], _ tip: EntryID?, in log: LogID) -> [EntryID] {
        guard let newest = checkpointed[log]?.max(by: { $0.sequence < $1.sequence })?.head,
            let longer = self.way(to: newest.id, in: log), longer.count > way.count, longer.starts(with: way),
            tip == nil || lines[longer[way.count]]?.previous == tip
        else { return way }
        return longer
    }

    /// From the first entry of a log up to one of it; nil when something between is not here.
    private func way(to id: EntryID, in log: LogID) -> [EntryID]? {
        // Behind an AuthorityAdd of the authority, nothing: its log is empty yet.
        guard let last = lines[id], last.log == log else { return lines[id] == nil ? nil : [] }
        var way = [id]
        var line = last
        while line.sequence > 1 {
            let previous = choices[log, default: []].first { $0.id == line.previous && $0.log != log }?.branch
            let below = previous ?? line.previous
            guard let next = lines[below], next.log == log, next.sequence == line.sequence - 1 else { return nil }
            way.append(below)
            line = next
        }
        return way.reversed()
    }
}
