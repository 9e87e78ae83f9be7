package import CoveyCrypto

/// What an entry of a membership log says (protocol.md §1.8, appendix C). Kinds 1 and 8 do not exist.
package enum LogPayload: Sendable, Equatable {
    case policySet(Policy)
    case authorityAdd(AuthorityCertificate)
    case authorityRotate(AuthorityRotation)
    case authorityRevoke(AuthorityRevocation)
    case certIssue([DeviceCertificate])
    case certRevoke([NoteVerdict])
    case epochAnnounce(EpochAnnouncement)
    case checkpoint(Checkpoint)
    case groupDefinition(GroupDefinition)
    case releaseManifest(ReleaseManifest)
    case recoverFork(ForkRecovery)

    package enum Kind: UInt8, Sendable, CaseIterable {
        case policySet = 2
        case authorityAdd = 3
        case authorityRotate = 4
        case authorityRevoke = 5
        case certIssue = 6
        case certRevoke = 7
        case epochAnnounce = 9
        case checkpoint = 10
        case groupDefinition = 11
        case releaseManifest = 12
        case recoverFork = 13
    }

    package static let mostCertificates = 32
    private static let add = [FieldRule(0x01, .bytes(most: 2048))]
    private static let issue = [FieldRule(0x01, .list(least: 1, most: mostCertificates))]

    package var kind: Kind {
        switch self {
        case .policySet: .policySet
        case .authorityAdd: .authorityAdd
        case .authorityRotate: .authorityRotate
        case .authorityRevoke: .authorityRevoke
        case .certIssue: .certIssue
        case .certRevoke: .certRevoke
        case .epochAnnounce: .epochAnnounce
        case .checkpoint: .checkpoint
        case .groupDefinition: .groupDefinition
        case .releaseManifest: .releaseManifest
        case .recoverFork: .recoverFork
        }
    }

    init(parsing bytes: ArraySlice<UInt8>, kind: Kind, mesh: MeshID) throws(Malformed) {
        switch kind {
        case .policySet: self = .policySet(try Policy(parsing: bytes))
        case .authorityAdd:
            let fields = try CanonicalFields(parsing: bytes, rules: Self.add)
            let signed = try Signed(parsing: fields.bytes(0x01))
            self = .authorityAdd(try AuthorityCertificate(parsing: signed))
        case .authorityRotate: self = .authorityRotate(try AuthorityRotation(parsing: bytes))
        case .authorityRevoke: self = .authorityRevoke(try AuthorityRevocation(parsing: bytes))
        case .certIssue:
            let fields = try CanonicalFields(parsing: bytes, rules: Self.issue)
            var certificates: [DeviceCertificate] = []
            for item in fields.list(0x01) {
                certificates.append(try DeviceCertificate(parsing: Signed(parsing: item), mesh: mesh))
            }
            self = .certIssue(certificates)
        case .certRevoke: self = .certRevoke(try NoteVerdict.parse(bytes))
        case .epochAnnounce: self = .epochAnnounce(try EpochAnnouncement(parsing: bytes))
        case .checkpoint: self = .checkpoint(try Checkpoint(parsing: bytes))
        case .groupDefinition: self = .groupDefinition(try GroupDefinition(parsing: bytes))
        case .releaseManifest: self = .releaseManifest(try ReleaseManifest(parsing: bytes))
        case .recoverFork: self = .recoverFork(try ForkRecovery(parsing: bytes))
        }
    }

    var bytes: [UInt8] {
        switch self {
        case .policySet(let policy): return policy.payload
        case .authorityAdd(let certificate):
            var writer = CanonicalWriter()
            writer.field(0x01, bytes: certificate.signed.bytes)
            return writer.bytes
        case .authorityRotate(let rotation): return rotation.payload
        case .authorityRevoke(let revocation): return revocation.payload
        case .certIssue(let certificates):
            var writer = CanonicalWriter()
            writer.field(0x01, list: certificates.map(\.signed.bytes))
            return writer.bytes
        case .certRevoke(let verdicts): return NoteVerdict.payload(verdicts)
        case .epochAnnounce(let announcement): return announcement.payload
        case .checkpoint(let checkpoint): return checkpoint.payload
        case .groupDefinition(let group): return group.payload
        case .releaseManifest(let manifest): return manifest.payload
        case .recoverFork(let recovery): return recovery.payload
        }
    }
}

/// Kind 4: new keys of an authority, or the branch of a child's log that counts.
package struct AuthorityRotation: Sendable, Equatable {
    private static let rules = [
        FieldRule(0x01, .exact(16)), Keyset.rule(0x02), FieldRule(0x03, .exact(1)), FieldRule(0x04, .exact(32)),
        FieldRule(0x05, .exact(32), required: false),
    ]

    package let authority: AuthorityID
    package let keyset: Keyset
    package let nextCommit: KeysetCommit
    package let branch: EntryID?

    package init(authority: AuthorityID, keyset: Keyset, nextCommit: KeysetCommit, branch: EntryID? = nil) {
        self.authority = authority
        self.keyset = keyset
        self.nextCommit = nextCommit
        self.branch = branch
    }

    init(parsing payload: ArraySlice<UInt8>) throws(Malformed) {
        let fields = try CanonicalFields(parsing: payload, rules: Self.rules)
        authority = fields.octets(0x01)
        keyset = try Keyset(
            parsing: fields.bytes(0x02)[...], threshold: UInt8(fields.integer(0x03)),
            tags: (keys: 0x02, threshold: 0x03))
        nextCommit = fields.octets(0x04)
        branch = fields[0x05] == nil ? nil : fields.octets(0x05)
    }

    var payload: [UInt8] {
        var writer = CanonicalWriter()
        writer.field(0x01, authority)
        writer.field(0x02, bytes: keyset.bytes)
        writer.field(0x03, u8: UInt8(keyset.threshold))
        writer.field(0x04, nextCommit)
        if let branch { writer.field(0x05, branch) }
        return writer.bytes
    }
}

/// Kind 5: an authority grants nothing any more; what its logs granted up to `lastGood` stays until it expires.
package struct AuthorityRevocation: Sendable, Equatable {
    package struct LastGood: Hashable, Sendable {
        package let log: LogID
        package let sequence: UInt64

        package init(log: LogID, sequence: UInt64) {
            self.log = log
            self.sequence = sequence
        }
    }

    private static let rowSize = 24
    private static let rules = [
        FieldRule(0x01, .exact(16)), FieldRule(0x02, .exact(1)),
        FieldRule(0x03, .items(size: rowSize, least: 1, most: 256)),
    ]

    package let authority: AuthorityID
    package let reason: UInt8
    package let lastGood: [LastGood]

    /// `lastGood` has at least one row.
    package init(authority: AuthorityID, reason: UInt8, lastGood: [LastGood]) {
        precondition(!lastGood.isEmpty, "a revocation says what stays valid of at least one log")
        self.authority = authority
        self.reason = reason
        self.lastGood = lastGood
    }

    init(parsing payload: ArraySlice<UInt8>) throws(Malformed) {
        let fields = try CanonicalFields(parsing: payload, rules: Self.rules)
        authority = fields.octets(0x01)
        reason = UInt8(fields.integer(0x02))
        let bytes = fields.bytes(0x03)
        lastGood = stride(from: 0, to: bytes.count, by: Self.rowSize).map { start in
            guard let log = LogID(bytes[start..<start + 16]) else { preconditionFailure("a row has 24 bytes") }
            return LastGood(
                log: log, sequence: bytes[start + 16..<start + 24].reduce(0) { $0 << 8 | UInt64($1) })
        }
    }

    var payload: [UInt8] {
        var writer = CanonicalWriter()
        writer.field(0x01, authority)
        writer.field(0x02, u8: reason)
        var rows: [UInt8] = []
        for row in lastGood {
            rows.append(row.log)
            rows.append(u64: row.sequence)
        }
        writer.field(0x03, bytes: rows)
        return writer.bytes
    }
}

/// One row of kind 7: what an authority decided about a RevokeNote.
package struct NoteVerdict: Hashable, Sendable {
    package enum Decision: UInt8, Sendable {
        case confirmed = 1
        case lifted = 2
    }

    private static let rowSize = 33
    /// In one entry.
    package static let mostVerdicts = 400
    private static let rules = [FieldRule(0x01, .items(size: rowSize, least: 1, most: mostVerdicts))]

    package let note: NoteHash
    package let decision: Decision

    package init(note: NoteHash, decision: Decision) {
        self.note = note
        self.decision = decision
    }

    static func parse(_ payload: ArraySlice<UInt8>) throws(Malformed) -> [NoteVerdict] {
        let bytes = try CanonicalFields(parsing: payload, rules: rules).bytes(0x01)
        var verdicts: [NoteVerdict] = []
        for start in stride(from: 0, to: bytes.count, by: rowSize) {
            guard let note = NoteHash(bytes[start..<start + 32]), let decision = Decision(rawValue: bytes[start + 32])
            else { throw .value(0x01) }
            verdicts.append(NoteVerdict(note: note, decision: decision))
        }
        return verdicts
    }

    static func payload(_ verdicts: [NoteVerdict]) -> [UInt8] {
        var rows: [UInt8] = []
        for verdict in verdicts {
            rows.append(verdict.note)
            rows.append(verdict.decision.rawValue)
        }
        var writer = CanonicalWriter()
        writer.field(0x01, bytes: rows)
        return writer.bytes
    }
}

/// Kind 9: a network epoch, and what its key-holders must know to hand the key on (protocol.md §1.10).
package struct EpochAnnouncement: Sendable, Equatable {
    private static let rules = [
        FieldRule(0x01, .exact(4)), FieldRule(0x02, .exact(32)),
        FieldRule(0x03, .items(size: CoveredRow.byteCount, least: 1, most: CoveredRow.most)),
        FieldRule(0x04, .items(size: 32, least: 1, most: mostNotes), required: false), FieldRule(0x05, .exact(4)),
        FieldRule(0x06, .exact(2)),
    ]
    private static let mostNotes = 256
    /// Octets of an entry around its rows and notes, at most.
    private static let frame = 512

    /// How many notes the entry has room for beside so many rows.
    static func noteRoom(beside rows: Int) -> Int {
        max(0, min(mostNotes, (LogEntry.mostOctets - frame - rows * CoveredRow.byteCount) / 32))
    }

    package let number: UInt32
    package let commit: EpochCommit
    /// Ascending by log.
    package let rows: [CoveredRow]
    /// RevokeNotes that no verdict within `rows` confirms yet, as many as there is room for.
    package let notes: [NoteHash]
    package let validFrom: Minute
    package let graceDays: UInt16

    package init(
        number: UInt32, commit: EpochCommit, rows: [CoveredRow], notes: [NoteHash], validFrom: Minute,
        graceDays: UInt16
    ) {
        precondition(!rows.isEmpty, "an announcement covers at least the log it stands in, or its parent's")
        self.number = number
        self.commit = commit
        self.rows = rows
        self.notes = notes
        self.validFrom = validFrom
        self.graceDays = graceDays
    }

    init(parsing payload: ArraySlice<UInt8>) throws(Malformed) {
        let fields = try CanonicalFields(parsing: payload, rules: Self.rules)
        number = UInt32(fields.integer(0x01))
        commit = fields.octets(0x02)
        rows = try CoveredRow.parse(fields.bytes(0x03)[...], tag: 0x03)
        notes = fields.items(0x04)
        validFrom = Minute(UInt32(fields.integer(0x05)))
        graceDays = UInt16(fields.integer(0x06))
    }

    var payload: [UInt8] {
        var writer = CanonicalWriter()
        writer.field(0x01, u32: number)
        writer.field(0x02, commit)
        writer.field(0x03, bytes: CoveredRow.encode(rows))
        writer.field(0x04, items: notes)
        writer.field(0x05, u32: validFrom.value)
        writer.field(0x06, u16: graceDays)
        return writer.bytes
    }
}

/// Kind 10: where the child logs stand, and the active set in one hash.
package struct Checkpoint: Sendable, Equatable {
    private static let rules = [
        FieldRule(0x01, .items(size: CoveredRow.byteCount, least: 1, most: CoveredRow.most), required: false),
        FieldRule(0x02, .exact(32)), FieldRule(0x03, .exact(4)),
    ]

    package let children: [CoveredRow]
    package let merkleRoot: Octets32
    package let count: UInt32

    package init(children: [CoveredRow], merkleRoot: Octets32, count: UInt32) {
        self.children = children
        self.merkleRoot = merkleRoot
        self.count = count
    }

    init(parsing payload: ArraySlice<UInt8>) throws(Malformed) {
        let fields = try CanonicalFields(parsing: payload, rules: Self.rules)
        children = try fields[0x01].map { bytes throws(Malformed) in try CoveredRow.parse(bytes, tag: 0x01) } ?? []
        merkleRoot = fields.octets(0x02)
        count = UInt32(fields.integer(0x03))
    }

    var payload: [UInt8] {
        var writer = CanonicalWriter()
        if !children.isEmpty { writer.field(0x01, bytes: CoveredRow.encode(children)) }
        writer.field(0x02, merkleRoot)
        writer.field(0x03, u32: count)
        return writer.bytes
    }
}

/// Kind 11: a group that the organisation defines.
package struct GroupDefinition: Sendable, Equatable {
    private static let rules = [
        FieldRule(0x01, .exact(16)), FieldRule(0x02, .text(most: 64)),
        FieldRule(0x03, .items(size: 1, least: 1, most: DeviceCertificate.mostZones), required: false),
        FieldRule(0x04, .exact(4), required: false),
        FieldRule(0x05, .items(size: 16, least: 1, most: 512), required: false),
    ]

    package let group: Octets16
    package let name: String
    package let zones: [UInt8]
    package let capabilities: Capabilities?
    package let devices: [DeviceID]

    package init(
        group: Octets16, name: String, zones: [UInt8] = [], capabilities: Capabilities? = nil, devices: [DeviceID] = []
    ) {
        self.group = group
        self.name = name
        self.zones = zones
        self.capabilities = capabilities
        self.devices = devices
    }

    init(parsing payload: ArraySlice<UInt8>) throws(Malformed) {
        let fields = try CanonicalFields(parsing: payload, rules: Self.rules)
        group = fields.octets(0x01)
        name = fields.text(0x02)
        zones = fields[0x03].map(Array.init) ?? []
        if fields[0x04] == nil {
            capabilities = nil
        } else {
            guard let known = Capabilities(known: UInt32(fields.integer(0x04))) else { throw .value(0x04) }
            capabilities = known
        }
        devices = fields.items(0x05)
    }

    var payload: [UInt8] {
        var writer = CanonicalWriter()
        writer.field(0x01, group)
        writer.field(0x02, text: name)
        if !zones.isEmpty { writer.field(0x03, bytes: zones) }
        if let capabilities { writer.field(0x04, u32: capabilities.rawValue) }
        writer.field(0x05, items: devices)
        return writer.bytes
    }
}

/// Kind 12: a release of the software (protocol.md §1.11). Carried, never executed.
package struct ReleaseManifest: Sendable, Equatable {
    package struct Artefact: Hashable, Sendable {
        package let sha256: Octets32
        package let name: String

        package init(sha256: Octets32, name: String) {
            self.sha256 = sha256
            self.name = name
        }
    }

    private static let rules = [
        FieldRule(0x01, .text(most: 64)), FieldRule(0x02, .list(least: 1, most: 128)),
        FieldRule(0x03, .bytes(most: 64)), FieldRule(0x04, .exact(32)), FieldRule(0x05, .exact(1)),
        FieldRule(0x06, .exact(4)),
    ]

    package let version: String
    package let artefacts: [Artefact]
    package let sourceCommit: [UInt8]
    package let recipe: Octets32
    package let leastWire: UInt8
    package let notBefore: Minute

    package init(
        version: String, artefacts: [Artefact], sourceCommit: [UInt8], recipe: Octets32, leastWire: UInt8,
        notBefore: Minute
    ) {
        self.version = version
        self.artefacts = artefacts
        self.sourceCommit = sourceCommit
        self.recipe = recipe
        self.leastWire = leastWire
        self.notBefore = notBefore
    }

    init(parsing payload: ArraySlice<UInt8>) throws(Malformed) {
        let fields = try CanonicalFields(parsing: payload, rules: Self.rules)
        var artefacts: [Artefact] = []
        for item in fields.list(0x02) {
            guard item.count > 32, let sha256 = Octets32(item[..<32]) else { throw .width(0x02) }
            guard CanonicalText.isValid(item[32...]) else { throw .text(0x02) }
            artefacts.append(Artefact(sha256: sha256, name: String(decoding: item[32...], as: UTF8.self)))
        }
        self.artefacts = artefacts
        version = fields.text(0x01)
        sourceCommit = fields.bytes(0x03)
        recipe = fields.octets(0x04)
        leastWire = UInt8(fields.integer(0x05))
        notBefore = Minute(UInt32(fields.integer(0x06)))
    }

    var payload: [UInt8] {
        var writer = CanonicalWriter()
        writer.field(0x01, text: version)
        writer.field(0x02, list: artefacts.map { $0.sha256.array + Array($0.name.utf8) })
        writer.field(0x03, bytes: sourceCommit)
        writer.field(0x04, recipe)
        writer.field(0x05, u8: leastWire)
        writer.field(0x06, u32: notBefore.value)
        return writer.bytes
    }
}

/// Kind 13: the cold recovery keys choose a branch, or replace lost keys.
package struct ForkRecovery: Sendable, Equatable {
    private static let rules = [
        FieldRule(0x01, .exact(16)), FieldRule(0x02, .exact(32)), Keyset.rule(0x03, required: false),
        FieldRule(0x04, .exact(1), required: false), FieldRule(0x05, .exact(32), required: false),
        FieldRule(0x06, .bytes(most: 1 + Keyset.mostKeys * Keyset.itemSize)),
    ]

    package struct NewKeys: Sendable, Equatable {
        package let keyset: Keyset
        package let nextCommit: KeysetCommit

        package init(keyset: Keyset, nextCommit: KeysetCommit) {
            self.keyset = keyset
            self.nextCommit = nextCommit
        }
    }

    package let log: LogID
    package let branch: EntryID
    package let newKeys: NewKeys?
    package let recovery: Keyset

    package init(log: LogID, branch: EntryID, newKeys: NewKeys? = nil, recovery: Keyset) {
        self.log = log
        self.branch = branch
        self.newKeys = newKeys
        self.recovery = recovery
    }

    init(parsing payload: ArraySlice<UInt8>) throws(Malformed) {
        let fields = try CanonicalFields(parsing: payload, rules: Self.rules)
        log = fields.octets(0x01)
        branch = fields.octets(0x02)
        if let bytes = fields[0x03] {
            guard fields[0x04] != nil else { throw .missing(0x04) }
            guard fields[0x05] != nil else { throw .missing(0x05) }
            newKeys = NewKeys(
                keyset: try Keyset(
                    parsing: bytes, threshold: UInt8(fields.integer(0x04)), tags: (keys: 0x03, threshold: 0x04)),
                nextCommit: fields.octets(0x05))
        } else {
            guard fields[0x04] == nil, fields[0x05] == nil else { throw .missing(0x03) }
            newKeys = nil
        }
        let bytes = fields.bytes(0x06)
        recovery = try Keyset(parsing: bytes[1...], threshold: bytes[0], tags: (keys: 0x06, threshold: 0x06))
    }

    var payload: [UInt8] {
        var writer = CanonicalWriter()
        writer.field(0x01, log)
        writer.field(0x02, branch)
        if let newKeys {
            writer.field(0x03, bytes: newKeys.keyset.bytes)
            writer.field(0x04, u8: UInt8(newKeys.keyset.threshold))
            writer.field(0x05, newKeys.nextCommit)
        }
        writer.field(0x06, bytes: [UInt8(recovery.threshold)] + recovery.bytes)
        return writer.bytes
    }
}
