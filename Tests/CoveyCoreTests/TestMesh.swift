import CoveyCore
import CoveyCrypto

/// Writes one authority's log, entry after entry.
struct LogWriter {
    let mesh: MeshID
    let log: LogID
    /// Those that sign, enough for the threshold.
    var keys: [SigningPrivateKey]
    var sequence: UInt64 = 0
    var previous: EntryID
    var time: Minute

    init(mesh: MeshID, log: LogID, keys: [SigningPrivateKey], after previous: EntryID, time: Minute) {
        self.mesh = mesh
        self.log = log
        self.keys = keys
        self.previous = previous
        self.time = time
    }

    mutating func append(_ payload: LogPayload, time: Minute? = nil) throws -> LogEntry {
        let entry = try draft(payload, time: time)
        sequence += 1
        previous = entry.id
        self.time = entry.time
        return entry
    }

    /// What `append` would write, left out of the chain.
    func draft(_ payload: LogPayload, time: Minute? = nil, keys: [SigningPrivateKey]? = nil) throws -> LogEntry {
        try LogEntry.make(
            log: log, sequence: sequence + 1, previous: previous, time: time ?? self.time.adding(1),
            payload: payload, mesh: mesh, keys: keys ?? self.keys)
    }
}

/// A device with its private keys.
struct TestDevice {
    let signing: SigningPrivateKey
    let link: AgreementPrivateKey
    let message: AgreementPrivateKey
    let subject: SubjectID

    func id(in mesh: MeshID) -> DeviceID {
        DeviceHash(mesh: mesh, signing: signing.publicKey, link: link.publicKey, message: message.publicKey).deviceID
    }
}

/// A mesh with a root of 2-of-3 keys, and a field authority of one key or of two.
struct TestMesh {
    static let start = Minute(29_000_000)
    static let trusted = TimeView(now: start.adding(60), isTrusted: true, floor: start)

    let random: SeededRandom
    let roots: [SigningPrivateKey]
    /// What the genesis commits to: 2 of 3, 2 of 3 and 1 of 1.
    let nextRoots: [SigningPrivateKey]
    let recovery: [SigningPrivateKey]
    let release: SigningPrivateKey
    let genesis: Genesis
    let policy = Policy(number: 1, settings: [.init(.bundleLifeDays, 14), .init(.epochGraceDays, 30)])
    var root: LogWriter
    let first: LogEntry

    init(seed: UInt64 = 1) throws {
        let random = SeededRandom(seed: seed)
        roots = (0..<3).map { _ in SigningPrivateKey(from: random) }
        let later = SeededRandom(seed: seed, stream: "later keys")
        nextRoots = (0..<3).map { _ in SigningPrivateKey(from: later) }
        recovery = (0..<3).map { _ in SigningPrivateKey(from: later) }
        release = SigningPrivateKey(from: later)
        genesis = Genesis.make(
            name: "Test", created: Self.start, threshold: 2, nextCommit: Self.keyset(nextRoots, 2).commit,
            recoveryCommit: Self.keyset(recovery, 2).commit, policyHash: policy.hash,
            releaseCommit: Self.keyset([release], 1).commit, keys: roots)
        root = LogWriter(
            mesh: genesis.meshID, log: genesis.rootID, keys: Array(roots[..<2]),
            after: LogEntry.anchor(of: genesis.meshID), time: Self.start)
        first = try root.append(.policySet(policy))
        self.random = random
    }

    static func keyset(_ keys: [SigningPrivateKey], _ threshold: Int) -> Keyset {
        Keyset(keys: keys.map(\.publicKey), threshold: threshold)
    }

    var mesh: MeshID { genesis.meshID }

    /// With the policy set.
    func membership() throws -> Membership {
        var membership = Membership(genesis: genesis)
        _ = try membership.accept(first.signed)
        return membership
    }

    func device() -> TestDevice {
        TestDevice(
            signing: SigningPrivateKey(from: random), link: AgreementPrivateKey(from: random),
            message: AgreementPrivateKey(from: random), subject: .random(from: random))
    }

    func certificate(
        _ device: TestDevice, serial: UInt64 = 1, by writer: LogWriter, keys: [SigningPrivateKey]? = nil,
        change: (inout DeviceCertificate.Content) -> Void = { _ in }
    ) throws -> DeviceCertificate {
        var content = DeviceCertificate.Content(
            serial: serial, issuer: writer.log, signing: device.signing.publicKey, link: device.link.publicKey,
            message: device.message.publicKey, subject: device.subject, notBefore: Self.start,
            notAfter: Self.start.adding(90 * 1440), capabilities: [.link, .send, .carry], zones: [3], label: "device")
        change(&content)
        return try DeviceCertificate.make(content, mesh: mesh, keys: keys ?? writer.keys)
    }

    func authority(
        keys: [SigningPrivateKey], threshold: Int = 1, by writer: LogWriter, serial: UInt64 = 1,
        change: (inout AuthorityCertificate.Content) -> Void = { _ in }
    ) throws -> AuthorityCertificate {
        var content = AuthorityCertificate.Content(
            parent: writer.log, serial: serial, keyset: Keyset(keys: keys.map(\.publicKey), threshold: threshold),
            depthLeft: 1, grantable: [.link, .send, .carry, .urgent], mostDays: 90, mostDevices: 100,
            notBefore: Self.start, notAfter: Self.start.adding(365 * 1440), zones: [3, 4], label: "field",
            nextCommit: .random(from: random))
        change(&content)
        return try AuthorityCertificate.make(content, mesh: mesh, keys: writer.keys)
    }

    /// Adds an authority below `writer`; gives the AuthorityAdd and the writer of the new log.
    func add(
        keys: [SigningPrivateKey], threshold: Int = 1, below writer: inout LogWriter,
        change: (inout AuthorityCertificate.Content) -> Void = { _ in }
    ) throws -> (LogEntry, LogWriter) {
        let certificate = try authority(keys: keys, threshold: threshold, by: writer, change: change)
        let entry = try writer.append(.authorityAdd(certificate))
        let own = LogWriter(
            mesh: mesh, log: certificate.authority, keys: Array(keys[..<threshold]), after: entry.id, time: entry.time)
        return (entry, own)
    }

    /// The root says which branch of a log counts, and the keys that write on behind it.
    mutating func choose(_ branch: EntryID, of log: LogID, keys: [SigningPrivateKey]) throws -> LogEntry {
        var writer = root
        writer.keys = Array(roots[..<2]) + keys
        let choice = try writer.append(
            .authorityRotate(
                AuthorityRotation(
                    authority: log, keyset: Self.keyset(keys, 1), nextCommit: .random(from: random), branch: branch)))
        (root.sequence, root.previous, root.time) = (writer.sequence, writer.previous, writer.time)
        return choice
    }

    func note(
        of device: TestDevice, reason: RevocationReason = .lost, authority: AuthorityID = AuthorityID(),
        number: UInt32 = 0, wipe: WipeOrder? = nil, keys: [SigningPrivateKey]
    ) -> RevokeNote {
        RevokeNote.make(
            RevokeNote.Content(
                device: device.id(in: mesh), reason: reason, suspectSince: Self.start, issued: Self.start.adding(30),
                authority: authority, number: number, wipe: wipe),
            mesh: mesh, keys: keys)
    }

    func admit(
        _ certificate: DeviceCertificate, chain: PresentedChain = .certificates([]), to membership: Membership,
        linkKey: AgreementPublicKey? = nil, own: DeviceID = DeviceID(), time: TimeView = trusted
    ) -> Admission {
        membership.admit(
            certificate: certificate.signed, chain: chain, linkKey: linkKey ?? certificate.link, own: own, time: time)
    }
}

extension Membership {
    /// Takes entries of which none is refused.
    mutating func take(_ entries: LogEntry...) throws {
        for entry in entries { _ = try accept(entry.signed) }
    }

    /// Why an entry is refused; nil when it is not.
    func refusal(of entry: LogEntry) -> EntryRefusal? {
        var copy = self
        do {
            _ = try copy.accept(entry.signed)
            return nil
        } catch { return error }
    }

    func refusal(of note: RevokeNote) -> NoteRefusal? {
        var copy = self
        do {
            _ = try copy.accept(note: note.signed)
            return nil
        } catch { return error }
    }
}

extension Admission {
    var member: VerifiedMember? { if case .member(let member) = self { member } else { nil } }
    var refusal: AdmissionRefusal? { if case .refused(let refusal) = self { refusal } else { nil } }
    var catchUp: CatchUpReason? { if case .catchUp(_, let why) = self { why } else { nil } }
}

extension Founding {
    /// A device with its request to the field authority, as that verified it.
    func asks(
        _ label: String, supersedes: DeviceID? = nil, now: Minute, random: any RandomSource
    ) throws -> (PendingEnrolment, VerifiedRequest) {
        let open = OpenInvitation(
            mesh: mesh, authority: field.authority, label: label, now: now, expires: now.adding(1440), random: random)
        let pending = try PendingEnrolment(
            accepting: open.invitation, buildHash: Octets32(), supersedes: supersedes, random: random)
        return (pending, try open.verify(pending.request, now: now))
    }
}
