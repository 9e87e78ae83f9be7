import CoveyCrypto

/// An AuthorityAdd: what a parent said, and where.
struct AuthorityGrant: Sendable {
    /// In the parent's log.
    let place: EntryPlace
    let time: Minute
    let certificate: AuthorityCertificate

    func isOlder(than other: AuthorityGrant) -> Bool {
        (time, place.log, place.sequence) < (other.time, other.place.log, other.place.sequence)
    }
}

/// What an authority may grant (protocol.md §1.3).
package struct AuthorityLimits: Hashable, Sendable {
    package let depthLeft: UInt8
    package let grantable: Capabilities
    package let mostDays: UInt16
    package let mostDevices: Int
    package let notBefore: Minute
    package let notAfter: Minute
    /// Empty: all.
    package let zones: [UInt8]

    /// Two levels of authorities below, certificates of at most 400 days, no other limit.
    static let root = AuthorityLimits(
        depthLeft: 2, grantable: .all, mostDays: 400, mostDevices: .max, notBefore: Minute(0),
        notAfter: Minute(.max), zones: [])

    init(
        depthLeft: UInt8, grantable: Capabilities, mostDays: UInt16, mostDevices: Int, notBefore: Minute,
        notAfter: Minute, zones: [UInt8]
    ) {
        self.depthLeft = depthLeft
        self.grantable = grantable
        self.mostDays = mostDays
        self.mostDevices = mostDevices
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.zones = zones
    }

    init(_ content: AuthorityCertificate.Content) {
        self.init(
            depthLeft: content.depthLeft, grantable: content.grantable, mostDays: content.mostDays,
            mostDevices: Int(content.mostDevices), notBefore: content.notBefore, notAfter: content.notAfter,
            zones: content.zones)
    }

    private func covers(zones other: [UInt8]) -> Bool { zones.isEmpty || other.allSatisfy(zones.contains) }

    /// Whether a certificate stays within these limits.
    func fault(in certificate: DeviceCertificate.Content) -> CertificateFault? {
        guard certificate.capabilities.isSubset(of: grantable) else { return .capabilities }
        guard covers(zones: certificate.zones) else { return .zones }
        guard certificate.notBefore >= notBefore, certificate.notAfter <= notAfter,
            certificate.notAfter.value - certificate.notBefore.value <= UInt32(mostDays) * 1440
        else { return .validity }
        return nil
    }

    /// Whether an authority below stays within these limits.
    func fault(in authority: AuthorityCertificate.Content) -> CertificateFault? {
        guard authority.depthLeft < depthLeft else { return .depth }
        guard authority.grantable.isSubset(of: grantable) else { return .capabilities }
        guard zones.isEmpty || (!authority.zones.isEmpty && covers(zones: authority.zones)) else { return .zones }
        guard authority.notBefore >= notBefore, authority.notAfter <= notAfter, authority.mostDays <= mostDays,
            Int(authority.mostDevices) <= mostDevices
        else { return .validity }
        return nil
    }
}

/// Why a logged certificate grants nothing, or a presented one cannot be believed.
package enum CertificateFault: Hashable, Sendable {
    /// Not issued in the log of its issuer.
    case issuer
    /// The issuer, or an authority above it, has no right itself.
    case authority
    case capabilities
    case zones
    case validity
    case depth
    /// A privileged capability with fewer than two signatures.
    case privilege
    /// An X25519 key in an encoding that is not the one of its value.
    case keyEncoding
    /// The device is known with other keys.
    case deviceKeys
    /// Another device had the link key first.
    case linkKey
    /// More live devices than the issuer may have.
    case quota
    /// More authorities than one below the root may add.
    case authorityQuota
    /// Granted after the log was frozen, or after the last good entry of a revoked authority.
    case afterLimit
}

/// One CertIssue of one device, in the order of its log; for the quota.
struct Issue: Sendable {
    let device: DeviceID
    let sequence: UInt64
    let time: Minute
    let notAfter: Minute
}

/// The live devices of a log, counted along its issues (protocol.md §1.3). A new device beyond the quota is void until
/// one before it is revoked; renewals never are.
struct QuotaWalk: Sendable {
    private(set) var over: Set<DeviceID> = []
    private var live: [DeviceID: Minute] = [:]

    mutating func take(_ issue: Issue, most: Int) {
        if let until = live[issue.device] {
            live[issue.device] = max(until, issue.notAfter)
            return
        }
        if live.count >= most { live = live.filter { $0.value >= issue.time } }
        guard live.count < most else {
            over.insert(issue.device)
            return
        }
        over.remove(issue.device)
        live[issue.device] = issue.notAfter
    }

    /// Whether these devices fit without looking at who has expired; `devices` are different ones.
    func hasRoom(for devices: [DeviceID], most: Int) -> Bool {
        live.count + devices.count { live[$0] == nil } <= most
    }
}

/// The log of one authority, as far as it was accepted, with what is needed to take the next entry.
///
/// Entries that follow each other form a `tree`, nearly always without a fork; one of its branches counts.
struct AuthorityLog: Sendable {
    /// The newest may turn out void when the log is frozen; then an older one counts.
    static let mostCheckpoints = 4

    /// Whether it is the release keyset's, which stands beside the authorities and grants nothing.
    let isReleaseLog: Bool
    /// All AuthorityAdds of it, whatever they are worth; none for the root.
    var grants: [AuthorityGrant] = []
    /// Of those whose AuthorityAdds its first entries name, or of all while there is none, the one that had the right to
    /// add it, is nearest to the root, did so first, and has the smallest id. Nil for the root and the release log.
    var parent: AuthorityID?
    /// Steps down from the root, which has 0.
    var depth: Int
    /// What authorities that added it say of its branches, and whose keys write on. Only what the parent says counts.
    var choices: [PlacedChoice] = []

    var tree: LogTree

    /// Entries whose predecessor is missing, by sequence.
    var orphans: [UInt64: [Orphan]] = [:]
    var orphanCount = 0

    /// Heads of this log that Checkpoints name.
    var checkpointed: [PlacedHead] = []
    /// Its own Checkpoints, ascending; not more than a few of the path are kept.
    private(set) var checkpoints: [PlacedCheckpoint] = []

    /// Whom its AuthorityAdds name, ascending by sequence, those of branches too; not those that can never count.
    private(set) var additions: [(place: EntryPlace, authority: AuthorityID)] = []
    /// Ascending by sequence; those of branches too.
    private(set) var issues: [Issue] = []
    /// Of all certificates issued here, whatever they are worth, on whatever branch.
    private(set) var highestSerial: UInt64 = 0
    /// Nil as long as everybody who was ever issued a certificate fits.
    var quota: QuotaWalk?
    /// Whether `quota` may still count devices that were revoked since.
    var hasStaleQuota = false

    init(_ first: KeysetStatement, anchor: EntryID? = nil, depth: Int, isReleaseLog: Bool = false) {
        tree = LogTree(first, anchor: anchor)
        self.depth = depth
        self.isReleaseLog = isReleaseLog
    }

    /// By sequence, from 1.
    var ids: [EntryID] { tree.ids }
    var lastTime: Minute { tree.lastTime }
    /// Whose signatures the next entry needs.
    var keyset: Keyset { tree.statement(tree.tipKeys).keyset }

    func id(at sequence: UInt64) -> EntryID? { tree.id(at: sequence) }

    /// Takes an entry into the tree. What follows from its branches may be otherwise when it is contested.
    /// The keyset is that of the statement `keys`.
    mutating func insert(
        _ entry: LogEntry, keys: Int, statement: KeysetStatement?
    ) -> (keyset: Keyset, isOnPath: Bool, isContested: Bool) {
        let keyset = tree.statement(keys).keyset
        let wasOpen = tree.isOpen(at: entry.sequence)
        let isOnPath = tree.insert(entry, keys: keys, statement: statement)
        let isContested =
            !isOnPath || tree.beside[entry.sequence] != nil
            || (!wasOpen && checkpointed.contains { $0.row.id == entry.id })
        return (keyset, isOnPath, isContested)
    }

    func hasRoom(for devices: [DeviceID], most: Int) -> Bool {
        quota?.hasRoom(for: devices, most: most) ?? (issues.count + devices.count <= most)
    }

    func isBeyondQuota(_ device: DeviceID) -> Bool { quota?.over.contains(device) ?? false }

    /// How many issues there are then.
    mutating func record(_ issue: Issue, serial: UInt64) -> Int {
        var at = issues.count
        while at > 0, issues[at - 1].sequence > issue.sequence { at -= 1 }
        issues.insert(issue, at: at)
        highestSerial = max(highestSerial, serial)
        return issues.count
    }

    mutating func record(_ authority: AuthorityID, addedAt place: EntryPlace) {
        let at = additions.lastIndex { $0.place.sequence <= place.sequence }.map { $0 + 1 } ?? 0
        additions.insert((place, authority), at: at)
    }

    mutating func record(_ checkpoint: PlacedCheckpoint) {
        var at = checkpoints.count
        while at > 0, checkpoints[at - 1].sequence > checkpoint.sequence { at -= 1 }
        checkpoints.insert(checkpoint, at: at)
        let onPath = checkpoints.indices.filter { id(at: checkpoints[$0].sequence) == checkpoints[$0].entry }
        if onPath.count > Self.mostCheckpoints { checkpoints.remove(at: onPath[0]) }
    }
}

/// What an authority says about the log of one that it added: the branch that counts, and who writes on
/// (protocol.md §1.8).
struct PlacedChoice: Hashable, Sendable {
    /// The AuthorityRotate or RecoverFork in its own log.
    let place: EntryPlace
    let time: Minute
    /// The last entry of the other log that stands; or one of its AuthorityAdds, when none does.
    let branch: EntryID
    /// Nil: the keys in force at `branch` write on.
    let statement: KeysetStatement?
    /// The cold keys signed it as well.
    let isCold: Bool
}

/// An entry that waits for its predecessor.
struct Orphan: Sendable {
    let entry: LogEntry
    /// The statement whose keyset signed it; nil when the recovery keyset did.
    let keys: Int?
}

/// A head that a Checkpoint names, and where the Checkpoint stands in the parent's log.
struct PlacedHead: Sendable {
    let place: EntryPlace
    let row: CoveredRow
}

/// Where a fact was said.
struct EntryPlace: Hashable, Sendable {
    let log: LogID
    let sequence: UInt64
    let entry: EntryID

    init(log: LogID, sequence: UInt64, entry: EntryID) {
        self.log = log
        self.sequence = sequence
        self.entry = entry
    }

    init(_ entry: LogEntry) { self.init(log: entry.log, sequence: entry.sequence, entry: entry.id) }
}
