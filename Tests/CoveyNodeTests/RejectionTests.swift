import CoveyCore
import CoveyCrypto
import CoveyLink
import Testing

@testable import CoveyLink
@testable import CoveyNode

/// protocol.md §7.2, membership and what of the link rests on it: each bad object comes to a running node from a member
/// that plays foul, or in the handshake of somebody who is none. The node counts why it refuses, nothing else comes of it,
/// and those who are honest go on.
@Suite("What protocol.md §7.2 forbids, on real nodes")
struct RejectionTests {
    /// What must be refused: its name, with what, and what is wrong with it.
    struct Bad<Refusal: Sendable, Fault: Sendable>: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let refusal: Refusal
        let fault: Fault

        init(_ name: String, _ refusal: Refusal, _ fault: Fault) {
            testDescription = name
            self.refusal = refusal
            self.fault = fault
        }
    }

    // MARK: Certificates

    typealias CertificateChange = @Sendable (inout DeviceCertificate.Content) -> Void

    private static let badCertificates: [Bad<AdmissionRefusal, CertificateChange>] = [
        Bad("26: begins in two days", .time(.notYetValid)) { $0.notBefore = $0.notBefore.adding(2881) },
        Bad("27: a capability its issuer may not grant", .attenuation(.capabilities)) {
            $0.capabilities.insert(.gateway)
        },
        Bad("28: a zone its issuer does not have", .attenuation(.zones)) { $0.zones = [3, 5] },
        Bad("28: a longer life than its issuer may give", .attenuation(.validity)) {
            $0.notAfter = $0.notBefore.adding(91 * 1440)
        },
        Bad("28: begins before its issuer", .attenuation(.validity)) {
            $0.notBefore = $0.notBefore.adding(-10)
        },
        Bad("30: ANNOUNCE with one signature", .attenuation(.privilege)) {
            $0.capabilities.insert(.announce)
        },
        Bad("30: WIPE_OFFICER with one signature", .attenuation(.privilege)) {
            $0.capabilities.insert(.wipeOfficer)
        },
        Bad("30: TIMEKEEPER with one signature", .attenuation(.privilege)) {
            $0.capabilities.insert(.timekeeper)
        },
    ]

    @Test(
        "26, 27, 28, 30: a certificate that says what it may not makes nobody a member, shown or logged",
        arguments: badCertificates)
    func certificates(_ bad: Bad<AdmissionRefusal, CertificateChange>) throws {
        let world = try StolenKeys()
        let device = world.device()
        let chain = try world.chain(of: world.district)
        let certificate = try world.certificate(for: device, by: world.district, change: bad.fault)
        #expect(try world.standing(of: device, showing: certificate.signed, chain) == .refused(bad.refusal))
        let entry = try world.entry(.certIssue([certificate]), by: world.district)
        if case .time = bad.refusal {
            // Its time will come.
            try world.member.say(Frame.LogPut([entry.signed]))
        } else {
            try world.expectVoid(entry)
        }
        #expect(try world.standing(of: device, showing: certificate.signed, chain) == .refused(bad.refusal))
        try world.expectTraffic()
        // With two signatures, and within what the issuer may grant, the same way leads in.
        world.mesh.learn([entry], at: world.ana)
        let other = world.device()
        let good = try world.certificate(for: other, by: world.district, isByAll: true) {
            $0.capabilities.insert(.announce)
        }
        #expect(try world.standing(of: other, showing: good.signed, chain) == .catchUp)
        try world.member.say(Frame.LogPut([world.entry(.certIssue([good]), by: world.district).signed]))
        #expect(try world.standing(of: other, showing: good.signed, chain) == .member)
    }

    @Test("26: an emergency of one whose certificate has not begun is looked at again when it has")
    func earlyAuthor() throws {
        let world = try StolenKeys()
        let author = world.device()
        let certificate = try world.certificate(for: author, by: world.district, isByAll: true) {
            $0.notBefore = $0.notBefore.adding(2 * 1440)
            $0.capabilities.insert(.announce)
        }
        try world.member.say(Frame.LogPut([world.entry(.certIssue([certificate]), by: world.district).signed]))
        let minute = world.mesh.minute
        let content = Announcement.Content(
            author: author.id, sequence: 1, issued: minute,
            expires: Hour.expiry(of: .week, priority: .emergency, from: minute), severity: .alarm, text: "run")
        let envelope = try Announcement.make(content, mesh: world.mesh.founding.mesh, key: author.signing).seal(
            priority: .emergency, ttl: .week, key: EpochKeys(#require(world.mesh.epochs.last).key).announcement,
            random: SeededRandom(seed: 1))
        try world.member.say(envelope, tokens: 255)
        #expect(try world.status().ghosts == 1)
        try world.mesh.run(seconds: 23 * 3600)
        #expect(try world.status().ghosts == 1)
        try world.mesh.run(seconds: 2 * 3600)
        #expect(try world.status().ghosts == 0)
        #expect(try world.status().held == 0)
    }

    @Test("27: an unknown capability makes a certificate unreadable, and the entry that holds it")
    func unknownCapability() throws {
        let world = try StolenKeys()
        let device = world.device()
        let good = try world.certificate(for: device, by: world.district)
        var body = good.signed.body
        // The high bits of `0A 00 04 capabilities`.
        let at = 4 + 11 + 19 + 3 * 35 + 19 + 4 + 2 * 7
        #expect(Array(body[at..<at + 3]) == [0x0A, 0, 4])
        body[at + 3] |= 0x80
        let keys = [world.district.current.keys[0]]
        let bad = Signed(body, type: .object(.deviceCertificate), mesh: world.mesh.founding.mesh, keys: keys)
        let malformed = Malformed.value(0x0A)
        #expect(
            try world.standing(of: device, showing: bad, world.chain(of: world.district))
                == .refused(.malformed(malformed)))
        var entry = try world.entry(.certIssue([good]), by: world.district).signed.body
        entry.replaceSubrange(entry.count - bad.bytes.count..<entry.count, with: bad.bytes)
        let signed = Signed(entry, type: .object(.logEntry), mesh: world.mesh.founding.mesh, keys: keys)
        try world.expectRefusal(.logEntry(.malformed(malformed))) {
            try $0.say(Frame.LogPut([signed]))
        }
        try world.expectTraffic()
    }

    @Test("24: a certificate of another mesh, or signed for one, makes nobody a member")
    func otherMesh() throws {
        let world = try StolenKeys()
        let other = try TestMesh(seed: 2)
        let stranger = try other.enrol("stranger")
        let foreign = try #require(other.membership.currentCertificate(stranger.identity.id))
        let chain = [try #require(other.fieldCertificate).signed]
        let refusal = StolenKeys.Standing.refused(.chainSignatures)
        #expect(try world.standing(of: stranger.identity, showing: foreign.signed, chain) == refusal)
        let device = world.device()
        let meant = try world.certificate(for: device, by: world.district, in: other.founding.mesh)
        #expect(
            try world.standing(of: device, showing: meant.signed, world.chain(of: world.district)) == refusal)
        try world.expectVoid(try world.entry(.certIssue([foreign]), by: world.district))
        #expect(try world.standing(of: stranger.identity, showing: foreign.signed, chain) == refusal)
        let replayed = try world.entry(.certIssue([foreign]), by: world.field)
        let abroad = Signed(
            replayed.signed.body, type: .object(.logEntry), mesh: other.founding.mesh, keys: world.field.current.keys)
        try world.expectRefusal(.logEntry(.signatures)) { try $0.say(Frame.LogPut([abroad])) }
        try world.expectTraffic()
    }

    @Test("25: a certificate that has ended at the floor stays so when the clock is set back")
    func expired() throws {
        let world = try StolenKeys()
        let device = world.device()
        let certificate = try world.certificate(for: device, by: world.district) {
            $0.notAfter = $0.notBefore.adding(7 * 1440)
        }
        let chain = try world.chain(of: world.district)
        try world.expectTraffic()
        try world.member.say(Frame.LogPut([world.entry(.certIssue([certificate]), by: world.district).signed]))
        try world.stayOff(hours: 7 * 24 + 12)
        // Half a day of the grace of one is left.
        #expect(try world.standing(of: device, showing: certificate.signed, chain) == .member)
        world.ana.clockOffset = -3 * 86_400_000_000
        #expect(try !world.status().timeIsTrusted)
        #expect(
            try world.standing(of: device, showing: certificate.signed, chain) == .refused(.time(.expired)))
        world.ana.clockOffset = 0
        try world.stayOff(hours: 13)
        #expect(
            try world.standing(of: device, showing: certificate.signed, chain) == .refused(.time(.expired)))
        try world.expectTraffic()
    }

    @Test(
        "26: a certificate that begins in two days is good in one, or at once where no clock is believed",
        arguments: [true, false])
    func early(isTrusted: Bool) throws {
        let world = try StolenKeys(clockOffset: isTrusted ? 0 : -20 * 365 * 86_400_000_000)
        let device = world.device()
        let certificate = try world.certificate(for: device, by: world.district) {
            $0.notBefore = $0.notBefore.adding(2 * 1440)
        }
        try world.member.say(Frame.LogPut([world.entry(.certIssue([certificate]), by: world.district).signed]))
        #expect(try world.status().timeIsTrusted == isTrusted)
        let chain = try world.chain(of: world.district)
        if isTrusted {
            let refusal = StolenKeys.Standing.refused(.time(.notYetValid))
            #expect(try world.standing(of: device, showing: certificate.signed, chain) == refusal)
            try world.stayOff(hours: 24)
        }
        #expect(try world.standing(of: device, showing: certificate.signed, chain) == .member)
    }

    struct BadAuthority: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let fault: CertificateFault
        /// Named by the field authority, below which nobody may stand.
        let isBelowLeaf: Bool
        let change: @Sendable (inout AuthorityCertificate.Content) -> Void

        init(
            _ name: String, _ fault: CertificateFault, isBelowLeaf: Bool = false,
            change: @escaping @Sendable (inout AuthorityCertificate.Content) -> Void = { _ in }
        ) {
            testDescription = name
            self.fault = fault
            self.isBelowLeaf = isBelowLeaf
            self.change = change
        }

        static let all = [
            BadAuthority("depth_left as its parent's", .depth) { $0.depthLeft = 1 },
            BadAuthority("below an authority that has no right to add one", .depth, isBelowLeaf: true),
            BadAuthority("a capability more than its parent", .capabilities) { $0.grantable.insert(.gateway) },
            BadAuthority("a zone beside its parent's", .zones) { $0.zones = [9] },
            BadAuthority("outlives its parent", .validity) { $0.notAfter = $0.notAfter.adding(1) },
        ]
    }

    @Test(
        "29: an authority with more than its parent may give has no right, shown or logged", arguments: BadAuthority.all
    )
    func authorities(_ bad: BadAuthority) throws {
        let world = try StolenKeys()
        let mesh = world.mesh
        let parent = bad.isBelowLeaf ? world.field : world.district
        let above = try world.chain(of: parent)
        let keys = SigningKeyset(count: 1, threshold: 1, random: world.random)
        let below = AuthorityKeys(
            mesh: mesh.founding.mesh, authority: keys.keyset.authorityID, current: keys, next: keys)
        let limits = try #require(mesh.membership.authority(parent.authority)).content
        var content = AuthorityCertificate.Content(
            parent: parent.authority, serial: 1, keyset: keys.keyset, depthLeft: 0, grantable: Grant.member,
            mostDays: 90, mostDevices: 10, notBefore: limits.notBefore, notAfter: limits.notAfter, zones: [3],
            label: "below", nextCommit: keys.keyset.commit)
        bad.change(&content)
        let authority = try AuthorityCertificate.make(
            content, mesh: mesh.founding.mesh, keys: parent.current.keys)
        let device = world.device()
        let certificate = try world.certificate(for: device, by: below)
        let chain = [authority.signed] + above
        let shown = StolenKeys.Standing.refused(
            chain.count > 2 ? .malformed(.value(0x02)) : .attenuation(bad.fault))
        #expect(try world.standing(of: device, showing: certificate.signed, chain) == shown)
        let add = try world.entry(.authorityAdd(authority), by: parent)
        try world.expectVoid(add)
        let issue = try LogEntry.make(
            log: below.authority, sequence: 1, previous: add.id, time: mesh.minute, payload: .certIssue([certificate]),
            mesh: mesh.founding.mesh, keys: keys.keys)
        try world.expectVoid(issue)
        #expect(
            try world.standing(of: device, showing: certificate.signed, chain) == .refused(.attenuation(.authority)))
        try world.expectTraffic()
    }

    @Test("41: whoever claims a member's link key is no member, not even with that key")
    func linkKeyTwice() throws {
        let world = try StolenKeys()
        let made = world.device()
        let thief = DeviceIdentity(
            mesh: world.mesh.founding.mesh, signing: made.signing, link: world.bo.identity.link, message: made.message)
        // Whoever was first has it, by the minute.
        try world.member.stay(seconds: 120)
        let chain = try world.chain(of: world.district)
        let certificate = try world.certificate(for: thief, by: world.district)
        #expect(try world.standing(of: thief, showing: certificate.signed, chain) == .catchUp)
        try world.expectVoid(try world.entry(.certIssue([certificate]), by: world.district))
        #expect(
            try world.standing(of: thief, showing: certificate.signed, chain) == .refused(.attenuation(.linkKey)))
        try world.expectTraffic()
    }

    @Test("41: a lower serial that comes later is not taken as current")
    func lowerSerial() throws {
        let world = try StolenKeys()
        let device = world.device()
        let subject = SubjectID.random(from: world.random)
        let certificates = try [(9, "new"), (3, "old")].map { serial, label in
            try world.certificate(for: device, by: world.district) {
                ($0.serial, $0.label, $0.subject) = (serial, label, subject)
            }
        }
        for certificate in certificates {
            let entry = try world.entry(.certIssue([certificate]), by: world.district)
            try world.member.say(Frame.LogPut([entry.signed]))
            world.mesh.learn([entry], at: world.ana)
        }
        #expect(try world.contacts().filter { $0.device == device.id }.map(\.label) == ["new"])
        let chain = try world.chain(of: world.district)
        #expect(try world.standing(of: device, showing: certificates[1].signed, chain) == .member)
        try world.expectTraffic()
    }

    @Test("45: our own certificate shown under another key, and our own key in the last message, are refused")
    func reflection() throws {
        let world = try StolenKeys()
        let before = try world.holdings()
        let own = try #require(world.mesh.membership.currentCertificate(world.ana.identity.id)).signed
        let chain = try world.chain(of: world.field)
        #expect(try world.standing(of: world.device(), showing: own, chain) == .refused(.linkKey))
        // An initiator of ours would not go on so far.
        let caller = Caller(world.mesh, world.ana, link: world.ana.identity.link)
        let payload = AuthPayload(
            certificate: own, chain: .full(chain), headsDigest: Octets32(), rootSequence: 0, rootID: Octets16(),
            epochs: [], time: world.mesh.minute, timeIsTrusted: true, bootSalt: Octets8())
        try answer(caller, psk: try world.psk, showing: payload.padded(mayBeShort: false))
        try caller.wait()
        #expect(caller.peer.received.isEmpty && caller.peer.isClosed)
        #expect(try world.refusals(.link(.reflection)) == 1)
        var after = try world.holdings()
        after.now = before.now
        #expect(after == before)
        try world.expectTraffic()
    }

    /// Three messages of a handshake, whoever the other side is.
    private func answer(_ caller: Caller, psk: SymmetricKey, showing payload: [UInt8]) throws {
        var noise = caller.context.noise(.initiator, psk: psk, isReverse: false)
        let slot = BeaconSlot(of: caller.mesh.minute).value
        let first = FirstPayload(isAhead: false, slot: slot).encode()
        var bytes: [UInt8] = []
        try noise.writeMessage(first.span.bytes, random: caller.random, to: &bytes)
        try caller.say(HandshakePacket(kind: .first, bytes: bytes).encode())
        let second = Array(caller.peer.received.dropFirst(LinkBounds.packetHead))
        caller.peer.received = []
        _ = try noise.readMessage(second.span.bytes)
        bytes = []
        try noise.writeMessage(payload.span.bytes, random: caller.random, to: &bytes)
        try caller.say(HandshakePacket(kind: .third, bytes: bytes).encode())
    }

    @Test("46: an offer of versions without the prologue's draws no answer", arguments: [(0, 0), (2, 3), (1, 0)])
    func versions(least: UInt8, most: UInt8) throws {
        let world = try StolenKeys()
        let caller = Caller(world.mesh, world.ana, link: world.device().link)
        let first = FirstPayload(
            isAhead: false, slot: BeaconSlot(of: world.mesh.minute).value, wireMin: least, wireMax: most)
        var packet: [UInt8] = []
        _ = Initiator(caller.context, psk: try world.psk, first: first, random: caller.random, to: &packet)
        try caller.say(packet)
        try caller.wait()
        #expect(caller.peer.received.isEmpty && caller.peer.isClosed)
        #expect(try world.refusals(.link(.wireVersion)) == 1)
        try world.expectTraffic()
    }

    // MARK: Entries

    enum EntryFault: Sendable {
        case previous, firstPrevious, time, oneSignature, otherType
        case kind(UInt8)
    }

    private static let badEntries: [Bad<EntryRefusal, EntryFault>] = [
        Bad("another entry before it", .wrongPrevious, .previous),
        Bad("a log's first entry that hangs on something else", .wrongPrevious, .firstPrevious),
        Bad("a time before the last entry's", .timeDecreases, .time),
        Bad("one signature of two", .signatures, .oneSignature),
        Bad("7: signed as another type", .signatures, .otherType),
        Bad("kind 1", .malformed(.value(0x05)), .kind(1)),
        Bad("kind 8", .malformed(.value(0x05)), .kind(8)),
    ]

    @Test(
        "32: an entry that cannot stand in its log is refused, and the log goes on without it", arguments: badEntries)
    func entries(_ bad: Bad<EntryRefusal, EntryFault>) throws {
        let world = try StolenKeys(field: KeysetShape(2, of: 3))
        let mesh = world.mesh.founding.mesh
        let payload = LogPayload.certRevoke([NoteVerdict(note: .random(from: world.random), decision: .confirmed)])
        let good = try world.entry(payload, by: world.field)
        let entry: Signed
        switch bad.fault {
        case .previous:
            let root = world.mesh.founding.root
            entry = try world.entry(payload, by: root, after: .random(from: world.random)).signed
        case .firstPrevious:
            entry = try world.entry(payload, by: world.district, after: LogEntry.anchor(of: mesh)).signed
        case .time: entry = try world.entry(payload, by: world.field, time: world.mesh.minute.adding(-60)).signed
        case .oneSignature:
            entry = try world.entry(payload, by: world.field, signedBy: [world.field.current.keys[0]]).signed
        case .otherType:
            entry = Signed(
                good.signed.body, type: .object(.revokeNote), mesh: mesh, keys: world.field.current.keys)
        case .kind(let kind):
            var body = good.signed.body
            // Behind the head, log_id, seq, prev, time, and its own tag and length.
            let at = 4 + 19 + 11 + 35 + 7 + 3
            #expect(body[at] == LogPayload.Kind.certRevoke.rawValue)
            body[at] = kind
            entry = Signed(body, type: .object(.logEntry), mesh: mesh, keys: world.field.current.keys)
        }
        try world.expectRefusal(.logEntry(bad.refusal)) { try $0.say(Frame.LogPut([entry])) }
        try world.expectVoid(good)
        try world.expectTraffic()
    }

    @Test("32: an entry behind a gap, or another one than the last, is not in the log until the gap is closed")
    func gap() throws {
        let world = try StolenKeys()
        let payload = LogPayload.certRevoke([NoteVerdict(note: .random(from: world.random), decision: .confirmed)])
        let first = try world.entry(payload, by: world.district)
        let certificate = try world.certificate(for: world.device(), by: world.district)
        let second = try world.entry(.certIssue([certificate]), by: world.district, after: first.id, sequence: 2)
        // The field's parent might have given its log another end.
        let astray = try world.entry(payload, by: world.field, after: .random(from: world.random))
        let before = try world.holdings()
        try world.member.say(Frame.LogPut([second.signed, astray.signed]))
        #expect(try world.holdings() == before)
        try world.member.say(Frame.LogPut([first.signed]))
        #expect(try world.holdings().log == before.log + [first.signed.bytes, second.signed.bytes])
        #expect(try world.contacts().contains { $0.device == certificate.device })
        try world.expectTraffic()
    }

    @Test(
        "39: entries dated days ahead move no believed clock, and another one when two authorities say so",
        arguments: [true, false])
    func future(isTrusted: Bool) throws {
        let world = try StolenKeys(clockOffset: isTrusted ? 0 : -20 * 365 * 86_400_000_000)
        try world.expectTraffic()
        let before = try world.status()
        #expect(before.timeIsTrusted == isTrusted)
        let payload = LogPayload.certRevoke([NoteVerdict(note: .random(from: world.random), decision: .confirmed)])
        let ahead = world.mesh.minute.adding(3 * 1440)
        try world.expectVoid(try world.entry(payload, by: world.field, time: ahead))
        let other = try world.entry(payload, by: world.district, time: ahead.adding(3 * 1440))
        try world.member.say(Frame.LogPut([other.signed]))
        let after = try world.status()
        #expect(after.logEntries == before.logEntries + 2)
        #expect(after.now == (isTrusted ? before.now : ahead))
        try world.expectTraffic()
    }

    // MARK: Notes

    enum NoteFault: Sendable {
        case outside, twoOfThree, stranger, withStranger, noNumber, number, wipeByOneKey, wipeByItself
    }

    private static let badNotes: [Bad<NoteRefusal, NoteFault>] = [
        Bad("an authority outside the device's chain", .outsideChain, .outside),
        Bad("two keys where three must sign", .signerCount, .twoOfThree),
        Bad("a key of nobody", .signatures, .stranger),
        Bad("a key of nobody beside three that are enough", .signatures, .withStranger),
        Bad("one key, and no number", .number, .noNumber),
        Bad("three keys, and a number", .number, .number),
        Bad("a wipe order and one key", .wipeOrder, .wipeByOneKey),
        Bad("a wipe order and the device's own key", .wipeOrder, .wipeByItself),
    ]

    @Test("36: a note that its signers may not sign revokes nobody", arguments: badNotes)
    func notes(_ bad: Bad<NoteRefusal, NoteFault>) throws {
        let world = try StolenKeys(field: KeysetShape(3, of: 4), district: KeysetShape(2, of: 3))
        let bo = world.bo.identity
        let (field, keys) = (world.field.authority, world.field.current.keys)
        let stranger = SigningPrivateKey(from: world.random)
        let order = WipeOrder(
            mode: .erase, order: .random(from: world.random), serial: 1, expires: world.mesh.minute.adding(1440))
        let note: Signed
        switch bad.fault {
        case .outside:
            let others = world.district
            note = world.note(of: bo.id, authority: others.authority, number: 1, keys: [others.current.keys[0]])
        case .twoOfThree: note = world.note(of: bo.id, authority: field, keys: Array(keys[..<2]))
        case .stranger: note = world.note(of: bo.id, authority: field, number: 1, keys: [stranger])
        case .withStranger: note = world.note(of: bo.id, authority: field, keys: keys[..<3] + [stranger])
        case .noNumber: note = world.note(of: bo.id, authority: field, keys: [keys[0]])
        case .number: note = world.note(of: bo.id, authority: field, number: 1, keys: Array(keys[..<3]))
        case .wipeByOneKey: note = world.note(of: bo.id, authority: field, number: 1, wipe: order, keys: [keys[0]])
        case .wipeByItself: note = world.note(of: bo.id, wipe: order, keys: [bo.signing])
        }
        try world.expectRefusal(.note(bad.refusal)) { try $0.say(Frame.NotePut([note])) }
        try world.expectTraffic()
    }

    @Test("37: a key's sixth note that nobody has decided only suspends, and after seven days its device is back")
    func sixthNote() throws {
        let world = try StolenKeys(
            field: KeysetShape(2, of: 3), others: (1...5).map { ("device \($0)", Grant.member) })
        let (mesh, ana, bo) = (world.mesh, world.ana, world.bo)
        try world.expectTraffic()
        let five = (1...5).compactMap { mesh.host("device \($0)") }
        let notes = (five + [bo]).enumerated().map { index, host in
            world.note(
                of: host.identity.id, authority: world.field.authority, number: UInt32(index) + 1,
                keys: [world.field.current.keys[0]])
        }
        try world.member.say(Frame.NotePut(notes))
        #expect(try mesh.run(seconds: 5) { !mesh.isLinked(ana, bo) })
        #expect(ana.linkEnds == [.revoked])
        let status = try world.status()
        #expect(status.notes == 6 && status.suspended == 1)
        func standing(of host: TestMesh.Host) throws -> StolenKeys.Standing {
            let certificate = try #require(mesh.membership.currentCertificate(host.identity.id)).signed
            return try world.standing(of: host.identity, showing: certificate, world.chain(of: world.field))
        }
        for host in five { #expect(try standing(of: host) == .refused(.revoked)) }
        #expect(try standing(of: bo) == .catchUp)
        try world.stayOff(hours: 7 * 24 - 1)
        #expect(!mesh.isLinked(ana, bo))
        try world.stayOff(hours: 1)
        #expect(mesh.isLinked(ana, bo))
        #expect(try world.status().suspended == 0)
        #expect(try standing(of: five[0]) == .refused(.revoked))
        try world.expectTraffic()
    }

    enum Suspending: String, CaseIterable, CustomTestStringConvertible {
        case secondInForce = "a second one while the first is in force"
        case thirdInMonth = "a third one in thirty days"
        case announcer = "of a device that announces"
        case officer = "of a device that holds an authority's key"

        var testDescription: String { rawValue }
    }

    @Test(
        "38: Suspends that do not count keep nobody out; what two others ask for does", arguments: Suspending.allCases)
    func suspends(_ bad: Suspending) throws {
        let names = ["one", "two", "three", "four", "other"]
        let world = try StolenKeys(
            field: KeysetShape(1, of: 2),
            others: names.map { ($0, Grant.member) } + [("speaker", Grant.member.union(.announce))])
        let mesh = world.mesh
        func host(_ name: String) throws -> TestMesh.Host { try #require(mesh.host(name)) }
        func ask(_ device: DeviceID, _ signers: [String], from: Int64, upTo: Int64) throws {
            let now = mesh.minute
            let asked = try signers.map { name in
                Suspend.make(
                    of: device, reason: .lost, issued: now.adding(from), until: now.adding(upTo),
                    mesh: mesh.founding.mesh, key: try host(name).identity.signing
                ).signed
            }
            try world.member.say(Frame.NotePut(asked))
        }
        let (first, other) = (["one", "two"], try host("other").identity.id)
        var device = world.bo.identity
        var certificate = try #require(mesh.membership.currentCertificate(device.id))
        var issuer = world.field
        switch bad {
        case .secondInForce: try ask(other, first, from: -10, upTo: 1440)
        case .thirdInMonth:
            try ask(other, first, from: -30, upTo: -20)
            try ask(other, first, from: -15, upTo: -5)
        case .announcer:
            device = try host("speaker").identity
            certificate = try #require(mesh.membership.currentCertificate(device.id))
        case .officer:
            let made = world.device()
            device = DeviceIdentity(
                mesh: made.mesh, signing: world.field.current.keys[0], link: made.link, message: made.message)
            issuer = world.district
            certificate = try world.certificate(for: device, by: issuer)
            try world.member.say(Frame.LogPut([world.entry(.certIssue([certificate]), by: issuer).signed]))
        }
        let before = try world.status()
        try ask(device.id, first, from: 0, upTo: 1440)
        var after = try world.status()
        #expect(after.suspends == before.suspends + 2 && after.suspended == before.suspended)
        #expect(try world.standing(of: device, showing: certificate.signed, world.chain(of: issuer)) == .member)
        try world.expectTraffic()
        // Others may ask what these could not; about one whom it is not for members to judge nobody may.
        try ask(device.id, ["three", "four"], from: 0, upTo: 1440)
        after = try world.status()
        let counts = bad == .secondInForce || bad == .thirdInMonth
        #expect(after.suspended == before.suspended + (counts ? 1 : 0))
        #expect(
            try world.standing(of: device, showing: certificate.signed, world.chain(of: issuer))
                == (counts ? .catchUp : .member))
        #expect(mesh.isLinked(world.ana, world.bo) == !counts)
    }

    // MARK: Epochs

    @Test(
        "51: an epoch whose number is not one more than those it covers is void, and its key is not taken",
        arguments: [1, 3, .max])
    func epochNumber(_ number: UInt32) throws {
        let world = try StolenKeys()
        let key = EpochKey(from: world.random)
        let entry = try world.entry(.epochAnnounce(announcement(of: key, number, in: world)), by: world.field)
        try world.expectVoid(entry)
        try world.expectRefusal(.epochKey) {
            try $0.say(Frame.EpochKey(entry: entry.id, key: key))
        }
        try world.expectTraffic()
    }

    @Test("51: the epoch of an authority that was dismissed is not preferred, whatever its number")
    func dismissedEpoch() throws {
        let world = try StolenKeys()
        let mesh = world.mesh
        func announce(_ number: UInt32) throws {
            let key = EpochKey(from: world.random)
            let entry = try world.entry(
                .epochAnnounce(announcement(of: key, number, in: world)), by: world.district)
            try world.member.say(Frame.LogPut([entry.signed]))
            try world.member.say(Frame.EpochKey(entry: entry.id, key: key))
            mesh.learn([entry], at: world.ana)
        }
        try announce(2)
        #expect(try world.status().epoch == 2)
        try world.member.say(Frame.LogPut([mesh.dismiss(world.district.authority, lastGood: 0).signed]))
        // None that is held knows of it.
        #expect(try world.status().isHolding)
        let clean = try mesh.announce(at: world.ana)
        #expect(try world.status().epoch == clean.number)
        try announce(clean.number + 1)
        let status = try world.status()
        #expect(status.epoch == clean.number && !status.isHolding)
        try world.expectTraffic()
        #expect(try mesh.status(of: world.bo)?.epoch == clean.number)
    }

    private func announcement(of key: EpochKey, _ number: UInt32, in world: StolenKeys) -> EpochAnnouncement {
        EpochAnnouncement(
            number: number, commit: key.commit, rows: world.mesh.membership.heads, notes: [],
            validFrom: world.mesh.minute, graceDays: 30)
    }
}
