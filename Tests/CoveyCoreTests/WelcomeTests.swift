import CoveyCore
import CoveyCrypto
import Testing

/// What the authority of an `EnrolmentStory` gives its new member: certificate and first epoch in the field's log.
struct WelcomeStory {
    let enrolment: EnrolmentStory
    let epochKey: EpochKey
    let entries: [LogEntry]
    let note: RevokeNote

    init(seed: UInt64) throws {
        let enrolment = try EnrolmentStory(seed: seed)
        let founding = enrolment.founding
        let now = EnrolmentStory.now
        let device = enrolment.pending.identity
        let certificate = try DeviceCertificate.make(
            DeviceCertificate.Content(
                serial: 1, issuer: founding.field.authority, signing: device.signing.publicKey,
                link: device.link.publicKey, message: device.message.publicKey,
                subject: .random(from: enrolment.random), notBefore: now, notAfter: now.adding(90 * 1440),
                capabilities: [.link, .send, .carry], label: "ana"),
            mesh: founding.mesh, keys: founding.field.current.keys)
        let issue = try LogEntry.make(
            log: founding.field.authority, sequence: 1, previous: founding.entries[1].id, time: now,
            payload: .certIssue([certificate]), mesh: founding.mesh, keys: founding.field.current.keys)
        let epochKey = EpochKey(from: enrolment.random)
        let rows = [
            CoveredRow(log: founding.root.authority, sequence: 2, id: founding.entries[1].id),
            CoveredRow(log: founding.field.authority, sequence: 1, id: issue.id),
        ].sorted { $0.log < $1.log }
        let announce = try LogEntry.make(
            log: founding.field.authority, sequence: 2, previous: issue.id, time: now,
            payload: .epochAnnounce(
                EpochAnnouncement(
                    number: 1, commit: epochKey.commit, rows: rows, notes: [], validFrom: now, graceDays: 30)),
            mesh: founding.mesh, keys: founding.field.current.keys)
        self.enrolment = enrolment
        self.epochKey = epochKey
        entries = founding.entries + [issue, announce]
        note = RevokeNote.make(
            RevokeNote.Content(
                device: .random(from: enrolment.random), reason: .lost, suspectSince: now, issued: now,
                authority: founding.field.authority),
            mesh: founding.mesh, keys: founding.field.current.keys)
    }

    var request: VerifiedRequest {
        get throws { try enrolment.open.verify(enrolment.pending.request, now: EnrolmentStory.now) }
    }

    func welcome(
        genesis: Genesis? = nil, entries: [LogEntry]? = nil, epochs: [Welcome.Epoch]? = nil, bundles: [Signed] = []
    ) -> Welcome {
        Welcome(
            genesis: genesis ?? enrolment.founding.genesis, log: entries ?? self.entries, notes: [note],
            epochs: epochs ?? [Welcome.Epoch(entry: self.entries[3].id, key: epochKey)], bundles: bundles)
    }

    func refusal(_ welcome: Welcome) throws -> WelcomeRefusal? {
        let bytes = try welcome.sealed(for: request, random: enrolment.random)
        return Self.refusal(bytes, enrolment.pending)
    }

    static func refusal(_ bytes: [UInt8], _ pending: PendingEnrolment) -> WelcomeRefusal? {
        do {
            _ = try Welcome(opening: bytes, of: pending)
            return nil
        } catch {
            return error
        }
    }
}

@Suite("Welcomes")
struct WelcomeTests {
    @Test("a welcome opens on the device that asked, with everything that was put in")
    func roundTrip() throws {
        let story = try WelcomeStory(seed: 1)
        let bundle = story.note.signed
        let bytes = try story.welcome(bundles: [bundle, bundle]).sealed(
            for: story.request, random: story.enrolment.random)
        let pending = try PendingEnrolment(parsing: story.enrolment.pending.bytes.span.bytes)
        let opened = try Welcome(opening: bytes, of: pending)
        #expect(opened.genesis == story.enrolment.founding.genesis)
        #expect(opened.log == story.entries)
        #expect(opened.notes == [story.note])
        #expect(opened.bundles == [bundle, bundle])
        #expect(opened.epochs.count == 1)
        #expect(opened.epochs[0].key.isEqual(to: story.epochKey))
        #expect(opened.epochs[0].entry == story.entries[3].id)
        #expect(opened.certificate(of: pending.identity.hash)?.label == "ana")
    }

    @Test("two welcomes for one request share no ciphertext")
    func freshness() throws {
        let story = try WelcomeStory(seed: 2)
        let first = try story.welcome().sealed(for: story.request, random: story.enrolment.random)
        let second = try story.welcome().sealed(for: story.request, random: story.enrolment.random)
        #expect(first.count == second.count)
        #expect(first[4..<36] != second[4..<36])
        #expect(first.suffix(64) != second.suffix(64))
    }

    @Test("40: a welcome sealed without the invitation's secret does not open, nor one for another request")
    func psk() throws {
        let story = try WelcomeStory(seed: 3)
        let pending = story.enrolment.pending
        let other = try PendingEnrolment(
            accepting: story.enrolment.open.invitation, buildHash: Octets32(), random: story.enrolment.random)
        let bytes = try story.welcome().sealed(for: story.request, random: story.enrolment.random)
        #expect(WelcomeStory.refusal(bytes, other) == .seal)
        // The thief of a request, without the invitation: mode base, and psk with a secret of his own.
        let head: [UInt8] = [0x63, 0x31, 0x0A, 1]
        let guess = HPKE.PreSharedKey(
            key: SymmetricKey(from: story.enrolment.random),
            id: SHA256.hash(pending.request.signed.bytes.span.bytes).array)
        for psk in [nil, guess] {
            let sealed = try HPKE.seal(
                [0, 0, 0, 0].span.bytes, ad: head.span.bytes, to: pending.request.welcomeKey,
                info: pending.request.hash.array, psk: psk, random: story.enrolment.random)
            let forged = head + sealed.encapsulated.array + sealed.ciphertext
            #expect(WelcomeStory.refusal(forged, pending) == .seal)
        }
    }

    @Test("the genesis must be the invitation's, and signed by every root key")
    func genesis() throws {
        let story = try WelcomeStory(seed: 4)
        let other = try Founding.found(
            name: "Other", profile: .standard, random: story.enrolment.random, now: EnrolmentStory.now)
        #expect(try story.refusal(story.welcome(genesis: other.genesis)) == .genesis)
        let body = story.enrolment.founding.genesis.signed.body
        let unsigned = try Genesis(
            parsing: Signed(
                body, type: .object(.genesis), mesh: story.enrolment.founding.mesh,
                keys: other.root.current.keys))
        #expect(unsigned.meshID == story.enrolment.founding.mesh)
        #expect(try story.refusal(story.welcome(genesis: unsigned)) == .genesis)
    }

    @Test("a welcome without the device's certificate, or with a key that no entry commits to, is refused")
    func contents() throws {
        let story = try WelcomeStory(seed: 5)
        #expect(try story.refusal(story.welcome(entries: Array(story.entries[..<2]), epochs: [])) == .notEnrolled)
        let announce = story.entries[3].id
        let wrongKey = Welcome.Epoch(entry: announce, key: EpochKey(from: story.enrolment.random))
        #expect(try story.refusal(story.welcome(epochs: [wrongKey])) == .epoch(announce))
        let wrongEntry = Welcome.Epoch(entry: story.entries[2].id, key: story.epochKey)
        #expect(try story.refusal(story.welcome(epochs: [wrongEntry])) == .epoch(story.entries[2].id))
        let unknown = Welcome.Epoch(entry: EntryID(), key: story.epochKey)
        #expect(try story.refusal(story.welcome(epochs: [unknown])) == .epoch(EntryID()))
    }

    @Test("22, 23: cut at any byte or with any bit flipped, a welcome is refused")
    func tampering() throws {
        let story = try WelcomeStory(seed: 6)
        let bytes = try story.welcome().sealed(for: story.request, random: story.enrolment.random)
        for size in stride(from: 0, to: bytes.count, by: 1) {
            #expect(WelcomeStory.refusal(Array(bytes[..<size]), story.enrolment.pending) != nil)
        }
        // The highest bit of an X25519 key does not count in the agreement, but it does in HPKE's context.
        for bit in 0..<bytes.count * 8 {
            var altered = bytes
            altered[bit / 8] ^= 1 << (bit % 8)
            #expect(WelcomeStory.refusal(altered, story.enrolment.pending) != nil, "bit \(bit)")
        }
        #expect(WelcomeStory.refusal(bytes + [0], story.enrolment.pending) == .seal)
    }

    /// A plaintext as somebody could seal it who knows everything: the authority itself, with a mistake.
    static func sealed(_ plaintext: [UInt8], _ story: WelcomeStory) throws -> [UInt8] {
        let pending = story.enrolment.pending
        let head: [UInt8] = [0x63, 0x31, 0x0A, 1]
        let psk = HPKE.PreSharedKey(
            key: pending.invitation.secret.key, id: SHA256.hash(pending.request.signed.bytes.span.bytes).array)
        let sealed = try HPKE.seal(
            plaintext.span.bytes, ad: head.span.bytes, to: pending.request.welcomeKey,
            info: pending.request.hash.array, psk: psk, random: story.enrolment.random)
        return head + sealed.encapsulated.array + sealed.ciphertext
    }

    @Test("22: what is inside the seal, cut anywhere or longer, is refused as well; so are counts beyond the bytes")
    func insideTheSeal() throws {
        let story = try WelcomeStory(seed: 7)
        var whole: [UInt8] = []
        func append(_ signed: Signed) {
            whole.append(u32: UInt32(signed.bytes.count))
            whole += signed.bytes
        }
        append(story.enrolment.founding.genesis.signed)
        whole.append(u32: 4)
        for entry in story.entries { append(entry.signed) }
        whole.append(u32: 0)
        let epochs = whole.count
        whole.append(u32: 1)
        whole.append(story.entries[3].id)
        story.epochKey.exposing { whole.append(copying: $0) }
        whole.append(u32: 0)
        #expect(WelcomeStory.refusal(try Self.sealed(whole, story), story.enrolment.pending) == nil)
        for size in 0..<whole.count {
            let cut = try Self.sealed(Array(whole[..<size]), story)
            #expect(WelcomeStory.refusal(cut, story.enrolment.pending) == .malformed(.truncated))
        }
        let longer = try Self.sealed(whole + [0], story)
        #expect(WelcomeStory.refusal(longer, story.enrolment.pending) == .malformed(.trailing))
        var crowded = whole
        crowded[epochs + 3] = 33
        #expect(
            WelcomeStory.refusal(try Self.sealed(crowded, story), story.enrolment.pending) == .malformed(.oversized))
        var endless = whole
        endless.replaceSubrange(whole.count - 4..<whole.count, with: [255, 255, 255, 255])
        #expect(
            WelcomeStory.refusal(try Self.sealed(endless, story), story.enrolment.pending) == .malformed(.truncated))
    }

    @Test("the log of many years goes into a welcome; what is larger than the bound is neither sealed nor opened")
    func bound() throws {
        let story = try WelcomeStory(seed: 8)
        let large = [Signed](repeating: story.entries[2].signed, count: 5_000)
        let sealed = try story.welcome(bundles: large).sealed(for: story.request, random: story.enrolment.random)
        #expect(sealed.count > 1 << 20)
        #expect(try Welcome(opening: sealed, of: story.enrolment.pending).bundles.count == large.count)
        let count = Welcome.mostBytes / story.entries[2].signed.bytes.count
        let many = [Signed](repeating: story.entries[2].signed, count: count)
        #expect(throws: WelcomeRefusal.tooLarge) {
            try story.welcome(bundles: many).sealed(for: story.request, random: story.enrolment.random)
        }
        let huge = [UInt8](repeating: 0, count: Welcome.mostBytes + 1)
        #expect(WelcomeStory.refusal(huge, story.enrolment.pending) == .tooLarge)
    }
}
