import CoveyCore
import CoveyCrypto
import Testing

/// A mesh from its founding on: the authority's desk, and devices that enrol there one after the other.
struct AuthorityStory {
    static let start = Minute(29_000_000)
    let random: SeededRandom
    let founding: Founding
    let authority: Authority
    var membership: Membership
    /// In the order of acceptance.
    var entries: [LogEntry]
    var notes: [RevokeNote] = []
    var epochs: [Welcome.Epoch] = []
    var now = Self.start

    init(seed: UInt64, field: KeysetShape = .single, fieldDevices: UInt16 = Founding.fieldDevices) throws {
        random = SeededRandom(seed: seed, stream: "authority")
        founding = try Founding.found(
            name: "Island", profile: .expedition, field: field, fieldDevices: fieldDevices, random: random,
            now: Self.start)
        authority = Authority(founding.field)
        membership = founding.membership()
        entries = founding.entries
    }

    var time: TimeView { TimeView(now: now, isTrusted: true, floor: Self.start) }

    /// A device with its request, as the authority verified it.
    func asks(_ label: String, supersedes: DeviceID? = nil) throws -> (PendingEnrolment, VerifiedRequest) {
        try founding.asks(label, supersedes: supersedes, now: now, random: random)
    }

    mutating func enrol(
        _ label: String, _ grant: Grant = Grant(), supersedes: DeviceID? = nil
    ) throws -> (pending: PendingEnrolment, request: VerifiedRequest) {
        let (pending, request) = try asks(label, supersedes: supersedes)
        entries.append(try authority.issue(request, grant, into: &membership, now: now, random: random))
        return (pending, request)
    }

    @discardableResult
    mutating func announce() throws -> EpochAnnouncement {
        let key = EpochKey(from: random)
        let entry = try authority.announceEpoch(key, into: &membership, now: now)
        entries.append(entry)
        epochs.append(Welcome.Epoch(entry: entry.id, key: key))
        guard case .epochAnnounce(let announcement) = entry.payload else {
            preconditionFailure("an announcement announces")
        }
        return announcement
    }

    mutating func revoke(_ device: DeviceID, _ reason: RevocationReason) throws {
        notes.append(
            try authority.revoke(device, reason: reason, suspectSince: now, into: &membership, now: now))
    }

    var welcome: Welcome {
        Welcome(genesis: founding.genesis, log: entries, notes: notes, epochs: epochs, bundles: [])
    }
}

@Suite("Authorities")
struct AuthorityTests {
    @Test("from founding to a second member: each installs the welcome and knows the other")
    func founding() throws {
        var story = try AuthorityStory(seed: 1)
        let founder = try story.enrol("ana")
        let first = try story.announce()
        #expect(first.number == 1)
        let second = try story.enrol("ben", Grant(zones: [3]))
        let bytes = try story.welcome.sealed(for: second.request, random: story.random)
        let opened = try Welcome(opening: bytes, of: second.pending)
        let membership = try opened.membership(of: second.pending)
        #expect(membership.isMember(second.pending.identity.id, at: story.time))
        #expect(membership.isMember(founder.pending.identity.id, at: story.time))
        #expect(membership.headsDigest == story.membership.headsDigest)
        #expect(membership.devices(labelled: "ana") == [founder.pending.identity.id])
        let selection = membership.select(held: opened.epochs.map(\.key.commit))
        #expect(selection.preferred?.number == 1)
        #expect(!selection.isHold)
        let certificate = try #require(membership.currentCertificate(second.pending.identity.id))
        #expect(certificate.zones == [3])
        #expect(certificate.notAfter == story.now.adding(90 * 1440))
        #expect(certificate.capabilities == Grant.member)
    }

    @Test("a serial of the branch that lost does not keep an authority from issuing")
    func serialsOfALostBranch() throws {
        var story = try AuthorityStory(seed: 6)
        let (known, _) = try story.enrol("known")
        let before = story.membership
        let lost = try #require(before.currentCertificate(known.identity.id))
        var content = lost.content
        content.serial = .max
        let last = try #require(story.entries.last)
        let keys = story.founding.field.current.keys
        let taken = try LogEntry.make(
            log: last.log, sequence: last.sequence + 1, previous: last.id, time: last.time,
            payload: .certIssue([DeviceCertificate.make(content, mesh: story.founding.mesh, keys: keys)]),
            mesh: story.founding.mesh, keys: keys)
        try story.announce()
        let right = try #require(story.entries.last)
        _ = try story.membership.accept(taken.signed)
        let cold = ColdRecovery(mesh: story.founding.mesh, keys: story.founding.recovery)
        _ = try cold.recover(last.log, branch: right.id, new: nil, into: &story.membership, now: story.now)
        let (late, _) = try story.enrol("late")
        let certificate = try #require(story.membership.currentCertificate(late.identity.id))
        #expect(certificate.serial == lost.serial + 1)
    }

    @Test("serials, sequences and indices ascend; a person's devices share a subject, the ninth is refused")
    func counting() throws {
        var story = try AuthorityStory(seed: 2)
        let subject = SubjectID.random(from: story.random)
        for index in 0..<8 {
            let device = try story.enrol("ana \(index)", Grant(subject: subject)).pending.identity.id
            let certificate = try #require(story.membership.currentCertificate(device))
            #expect(certificate.serial == UInt64(index + 1))
            #expect(certificate.content.deviceIndex == UInt8(index))
            #expect(certificate.subject == subject)
            #expect(story.entries.last?.sequence == UInt64(index + 1))
        }
        let before = story.membership.headsDigest
        #expect(throws: AuthorityRefusal.tooManyDevices) { try story.enrol("ana 8", Grant(subject: subject)) }
        #expect(story.membership.headsDigest == before)
        let third = try #require(story.membership.devices(labelled: "ana 3").first)
        try story.revoke(third, .retired)
        let again = try story.enrol("ana 8", Grant(subject: subject)).pending.identity.id
        #expect(story.membership.currentCertificate(again)?.content.deviceIndex == 3)
        #expect(story.membership.currentCertificate(again)?.serial == 9)
    }

    @Test("a device with new keys takes over the subject of the one it supersedes")
    func supersedes() throws {
        var story = try AuthorityStory(seed: 3)
        let old = try story.enrol("ana").pending.identity.id
        let new = try story.enrol("ana", supersedes: old).pending.identity.id
        let certificate = try #require(story.membership.currentCertificate(new))
        #expect(certificate.subject == story.membership.currentCertificate(old)?.subject)
        #expect(certificate.content.supersedes == old)
        try story.revoke(old, .superseded)
        #expect(story.membership.isRevoked(old))
        #expect(!story.membership.isRevoked(new))
    }

    @Test("40: the same request is issued once")
    func once() throws {
        var story = try AuthorityStory(seed: 4)
        let first = try story.enrol("ana")
        #expect(throws: AuthorityRefusal.alreadyEnrolled) {
            try story.authority.issue(
                first.request, into: &story.membership, now: story.now, random: story.random)
        }
    }

    @Test("27, 28, 30: what the authority may not grant is refused before anything is signed into the log")
    func limits() throws {
        var story = try AuthorityStory(seed: 5)
        let before = story.membership.headsDigest
        for (grant, fault) in [
            (Grant(capabilities: [.link, .announce]), CertificateFault.privilege),
            (Grant(days: 401), .validity),
        ] {
            #expect(throws: AuthorityRefusal.void(fault)) { try story.enrol("ana", grant) }
        }
        #expect(story.membership.headsDigest == before)
        var pair = try AuthorityStory(seed: 6, field: KeysetShape(2, of: 2))
        let officer = try pair.enrol("officer", Grant(capabilities: [.link, .send, .announce])).pending.identity.id
        #expect(pair.membership.isMember(officer, at: pair.time))
    }

    @Test("a quota is filled to its last place, the next device is refused, and a revocation makes room again")
    func quota() throws {
        var story = try AuthorityStory(seed: 12, fieldDevices: 3)
        let devices = try (0..<3).map { try story.enrol("ana \($0)").pending.identity.id }
        let before = story.membership.headsDigest
        #expect(throws: AuthorityRefusal.void(.quota)) { try story.enrol("dora") }
        #expect(story.membership.headsDigest == before)
        try story.revoke(devices[1], .retired)
        let dora = try story.enrol("dora").pending.identity.id
        #expect(story.membership.isMember(dora, at: story.time))
        #expect(story.membership.currentCertificate(dora)?.serial == 4)
        let renewal = try story.authority.renew(devices[0], Grant(), into: &story.membership, now: story.now)
        #expect(renewal.sequence == 5)
        #expect(story.membership.currentCertificate(devices[0])?.serial == 5)
    }

    @Test("what is judged to count counts when it is taken, and what is refused by the copy was not judged to count")
    func judged() throws {
        var story = try AuthorityStory(seed: 13, fieldDevices: 6)
        var devices: [DeviceID] = []
        var outcomes = [0, 0]
        for number in 0..<60 {
            let roll = story.random.uniform(0...5)
            if roll == 0, !devices.isEmpty {
                try story.revoke(devices.remove(at: story.random.uniform(0...devices.count - 1)), .retired)
                continue
            }
            let (pending, request) = try story.asks("device \(number)")
            var copy = story.membership
            let grant = roll == 1 ? Grant(days: 500) : roll == 2 ? Grant(capabilities: .privileged) : Grant()
            do {
                let entry = try story.authority.issue(
                    request, grant, into: &story.membership, now: story.now, random: story.random)
                devices.append(pending.identity.id)
                #expect(story.membership.isMember(pending.identity.id, at: story.time))
                _ = try copy.accept(entry.signed)
                #expect(copy.headsDigest == story.membership.headsDigest)
                outcomes[0] += 1
            } catch AuthorityRefusal.void {
                #expect(copy.headsDigest == story.membership.headsDigest)
                #expect(story.membership.currentCertificate(pending.identity.id) == nil)
                outcomes[1] += 1
            }
        }
        #expect(outcomes[0] > 5)
        #expect(outcomes[1] > 5)
    }

    @Test("keys that the log does not know as this authority's sign nothing into it")
    func strangers() throws {
        var story = try AuthorityStory(seed: 7)
        let (_, request) = try story.asks("ana")
        let stranger = Authority(
            AuthorityKeys(
                mesh: story.founding.mesh, authority: story.founding.field.authority,
                current: story.founding.field.next, next: story.founding.field.current))
        #expect(throws: AuthorityRefusal.unknown) {
            try stranger.issue(request, into: &story.membership, now: story.now, random: story.random)
        }
        var empty = Membership(genesis: story.founding.genesis)
        #expect(throws: AuthorityRefusal.unknown) {
            try story.authority.issue(request, into: &empty, now: story.now, random: story.random)
        }
    }

    @Test("an authority whose own later entries wait behind a gap does not fork its log")
    func gap() throws {
        var story = try AuthorityStory(seed: 8)
        var old = story.membership
        _ = try story.enrol("ana")
        _ = try story.enrol("ben")
        _ = try old.accept(story.entries[3].signed)
        let (_, request) = try story.asks("cleo")
        #expect(throws: AuthorityRefusal.gap) {
            try story.authority.issue(request, into: &old, now: story.now, random: story.random)
        }
    }

    @Test("a clock that is behind the log dates entries like the one before")
    func clock() throws {
        var story = try AuthorityStory(seed: 9)
        story.now = Self.later
        _ = try story.enrol("ana")
        story.now = AuthorityStory.start
        _ = try story.enrol("ben")
        #expect(story.entries.last?.time == Self.later)
    }

    private static let later = AuthorityStory.start.adding(5000)

    @Test("a renewal keeps keys, name and subject, and takes a higher serial and a new life")
    func renewal() throws {
        var story = try AuthorityStory(seed: 10)
        let device = try story.enrol("ana").pending.identity.id
        let before = try #require(story.membership.currentCertificate(device))
        story.now = Self.later
        _ = try story.authority.renew(
            device, Grant(capabilities: [.link, .send], days: 30), into: &story.membership, now: story.now)
        let after = try #require(story.membership.currentCertificate(device))
        #expect(after.serial == before.serial + 1)
        #expect(after.deviceHash == before.deviceHash)
        #expect(after.subject == before.subject)
        #expect(after.label == "ana")
        #expect(after.notAfter == Self.later.adding(30 * 1440))
        #expect(after.capabilities == [.link, .send])
        try story.revoke(device, .retired)
        #expect(throws: AuthorityRefusal.alreadyRevoked) {
            try story.authority.renew(device, Grant(), into: &story.membership, now: story.now)
        }
        #expect(throws: AuthorityRefusal.notOurs) {
            try story.authority.renew(DeviceID(), Grant(), into: &story.membership, now: story.now)
        }
    }

    @Test("each epoch covers all that is held: heads of both logs, and notes until a verdict stands in a log")
    func epochs() throws {
        var story = try AuthorityStory(seed: 11)
        let device = try story.enrol("ana").pending.identity.id
        let first = try story.announce()
        #expect(first.rows.map(\.log) == [story.founding.root.authority, story.founding.field.authority].sorted())
        #expect(first.notes.isEmpty)
        #expect(first.graceDays == 30)
        try story.revoke(device, .lost)
        #expect(story.membership.select(held: story.epochs.map(\.key.commit)).isHold)
        let second = try story.announce()
        #expect(second.number == 2)
        #expect(second.notes == [story.notes[0].hash])
        let selection = story.membership.select(held: story.epochs.map(\.key.commit))
        #expect(selection.preferred?.number == 2)
        #expect(!selection.isHold)
        story.entries.append(
            try story.authority.decide(
                [NoteVerdict(note: story.notes[0].hash, decision: .confirmed)], into: &story.membership,
                now: story.now))
        let third = try story.announce()
        #expect(third.number == 3)
        #expect(third.notes.isEmpty)
        #expect(story.membership.select(held: story.epochs.map(\.key.commit)).preferred?.number == 3)
    }

    @Test("a revocation is one note signed by the authority, and is not made twice nor for strangers")
    func revocation() throws {
        var story = try AuthorityStory(seed: 12)
        let device = try story.enrol("ana").pending.identity.id
        try story.revoke(device, .compromised)
        #expect(story.membership.revocation(of: device)?.reason == .compromised)
        #expect(!story.membership.isMember(device, at: story.time))
        #expect(story.notes[0].content.number == 0)
        #expect(story.notes[0].content.authority == story.founding.field.authority)
        #expect(throws: AuthorityRefusal.alreadyRevoked) { try story.revoke(device, .lost) }
        #expect(throws: AuthorityRefusal.notOurs) { try story.revoke(DeviceID(), .lost) }
    }

    @Test("the root revokes devices of the authority below it, and a lifted note has no effect")
    func rootRevokes() throws {
        var story = try AuthorityStory(seed: 13)
        let device = try story.enrol("ana").pending.identity.id
        let root = Authority(story.founding.root)
        let note = try root.revoke(
            device, reason: .lost, suspectSince: story.now, into: &story.membership, now: story.now)
        #expect(story.membership.isRevoked(device))
        _ = try root.decide(
            [NoteVerdict(note: note.hash, decision: .lifted)], into: &story.membership, now: story.now)
        #expect(story.membership.isMember(device, at: story.time))
    }
}

@Suite("Installing a welcome")
struct InstallationTests {
    static func refusal(_ welcome: Welcome, _ pending: PendingEnrolment) -> WelcomeRefusal? {
        do {
            _ = try welcome.membership(of: pending)
            return nil
        } catch {
            return error
        }
    }

    static func welcome(_ story: AuthorityStory, _ entries: [LogEntry]) -> Welcome {
        Welcome(
            genesis: story.founding.genesis, log: entries, notes: story.notes, epochs: story.epochs, bundles: [])
    }

    @Test("a log with an entry missing, or in an order that cannot be accepted, is not installed")
    func gaps() throws {
        var story = try AuthorityStory(seed: 20)
        let pending = try story.enrol("ana").pending
        try story.announce()
        #expect(Self.refusal(story.welcome, pending) == nil)
        for missing in 0..<3 {
            var entries = story.entries
            entries.remove(at: missing)
            #expect(Self.refusal(Self.welcome(story, entries), pending) != nil, "entry \(missing)")
        }
        let announce = story.entries[3].id
        let shuffled = [0, 1, 3, 2].map { story.entries[$0] }
        #expect(Self.refusal(Self.welcome(story, shuffled), pending) == .gap(announce))
    }

    @Test("an entry that the authority did not sign is not installed, whoever sealed the welcome")
    func forgedEntry() throws {
        var story = try AuthorityStory(seed: 21)
        let pending = try story.enrol("ana").pending
        let real = try #require(story.entries.last)
        let forged = try LogEntry.make(
            log: real.log, sequence: real.sequence, previous: real.previous, time: real.time,
            payload: real.payload, mesh: story.founding.mesh, keys: [SigningPrivateKey(from: story.random)])
        let entries = Array(story.entries.dropLast()) + [forged]
        #expect(Self.refusal(Self.welcome(story, entries), pending) == .entry(forged.id, .signatures))
    }

    @Test("31: a certificate that stands in the log but grants nothing does not enrol")
    func voidCertificate() throws {
        var story = try AuthorityStory(seed: 22)
        let pending = try story.asks("ana").0
        let identity = pending.identity
        let field = story.founding.field
        let certificate = try DeviceCertificate.make(
            DeviceCertificate.Content(
                serial: 1, issuer: field.authority, signing: identity.signing.publicKey,
                link: identity.link.publicKey, message: identity.message.publicKey, subject: SubjectID(),
                notBefore: story.now, notAfter: story.now.adding(1440), capabilities: [.link, .announce],
                label: "ana"),
            mesh: story.founding.mesh, keys: field.current.keys)
        story.entries.append(
            try LogEntry.make(
                log: field.authority, sequence: 1, previous: story.entries[1].id, time: story.now,
                payload: .certIssue([certificate]), mesh: story.founding.mesh, keys: field.current.keys))
        #expect(story.welcome.certificate(of: identity.hash) == certificate)
        #expect(Self.refusal(story.welcome, pending) == .notEnrolled)
    }

    @Test("a device that was revoked meanwhile is told so")
    func revoked() throws {
        var story = try AuthorityStory(seed: 23)
        let pending = try story.enrol("ana").pending
        try story.revoke(pending.identity.id, .policy)
        #expect(Self.refusal(story.welcome, pending) == .revoked)
    }

    @Test("51: a key whose announcement has another number than it must is not installed")
    func voidEpoch() throws {
        var story = try AuthorityStory(seed: 24)
        let pending = try story.enrol("ana").pending
        let field = story.founding.field
        let key = EpochKey(from: story.random)
        let last = try #require(story.entries.last)
        let announce = try LogEntry.make(
            log: field.authority, sequence: 2, previous: last.id, time: story.now,
            payload: .epochAnnounce(
                EpochAnnouncement(
                    number: 7, commit: key.commit, rows: story.membership.heads, notes: [], validFrom: story.now,
                    graceDays: 30)),
            mesh: story.founding.mesh, keys: field.current.keys)
        story.entries.append(announce)
        story.epochs.append(Welcome.Epoch(entry: announce.id, key: key))
        #expect(Self.refusal(story.welcome, pending) == .epoch(announce.id))
    }
}
