import CoveyCore
import CoveyCrypto
import Testing

/// A founded mesh, an invitation out of its field authority, and a device that answered it.
struct EnrolmentStory {
    static let now = Minute(29_000_000)
    let random: SeededRandom
    let founding: Founding
    let open: OpenInvitation
    let pending: PendingEnrolment

    init(seed: UInt64, supersedes: DeviceID? = nil) throws {
        random = SeededRandom(seed: seed, stream: "enrolment")
        founding = try Founding.found(
            name: "Island", profile: .expedition, random: random, now: Self.now)
        open = Self.invite("ana", founding, random)
        pending = try PendingEnrolment(
            accepting: Invitation(parsing: open.invitation.bytes), buildHash: .random(from: random),
            supersedes: supersedes, random: random)
    }

    static func invite(
        _ label: String, _ founding: Founding, _ random: any RandomSource, manifest: Octets32? = nil
    ) -> OpenInvitation {
        OpenInvitation(
            mesh: founding.mesh, authority: founding.field.authority, label: label, manifest: manifest, now: now,
            expires: now.adding(7 * 1440), random: random)
    }

    func refusal(_ request: EnrolmentRequest, now: Minute = Self.now) -> RequestRefusal? {
        do {
            _ = try open.verify(request, now: now)
            return nil
        } catch {
            return error
        }
    }

    /// The request's fields, with some put in the place of others, signed again by the device.
    func forged(
        _ changes: [UInt8: [UInt8]], signer: SigningPrivateKey? = nil
    ) throws -> EnrolmentRequest {
        let body = pending.request.signed.body
        var writer = CanonicalWriter(.request)
        var at = 4
        while at < body.count {
            let size = Int(body[at + 1]) << 8 | Int(body[at + 2])
            writer.field(body[at], bytes: changes[body[at]] ?? Array(body[at + 3..<at + 3 + size]))
            at += 3 + size
        }
        let signed = Signed(
            writer.bytes, type: .object(.request), mesh: founding.mesh,
            keys: [signer ?? pending.identity.signing])
        return try EnrolmentRequest(parsing: signed.bytes)
    }

    /// The three codes of the request over other fields, as one can make them who has the keys at hand.
    func proofs(
        over changes: [UInt8: [UInt8]], link: SymmetricKey, message: SymmetricKey, secret: SymmetricKey
    ) throws -> [UInt8: [UInt8]] {
        let body = try forged(changes).signed.body
        let object = Array(body[..<(body.count - 4 * 35 - (pending.request.supersedes == nil ? 0 : 19))])
        var all = changes
        for (tag, key) in [(UInt8(0x08), link), (0x09, message), (0x0A, secret)] {
            var mac = HMACSHA256(key: key)
            let prefix = Array("covey1-pop".utf8)
            mac.update(prefix.span.bytes)
            mac.update(tag)
            mac.update(object.span.bytes)
            if all[tag] == nil { all[tag] = mac.finish().array }
        }
        return all
    }

    func honestProofs(over changes: [UInt8: [UInt8]]) throws -> [UInt8: [UInt8]] {
        let enrolKey = open.invitation.enrolKey
        return try proofs(
            over: changes, link: pending.identity.link.agree(with: enrolKey),
            message: pending.identity.message.agree(with: enrolKey), secret: open.invitation.secret.key)
    }
}

@Suite("Invitations")
struct InvitationTests {
    @Test("an invitation comes back as it was made, with and without a release")
    func roundTrip() throws {
        let story = try EnrolmentStory(seed: 1)
        for manifest in [nil, Octets32.random(from: story.random)] {
            let made = EnrolmentStory.invite("Zoë", story.founding, story.random, manifest: manifest).invitation
            let read = try Invitation(parsing: made.bytes)
            #expect(read.bytes == made.bytes)
            #expect(read.mesh == story.founding.mesh)
            #expect(read.authority == story.founding.field.authority)
            #expect(read.secret.isEqual(to: made.secret))
            #expect(read.label == "Zoë")
            #expect(read.manifest == manifest)
            #expect(read.id == made.id)
        }
    }

    @Test("22: cut at any byte, an invitation is refused; so is one with a byte after it")
    func truncation() throws {
        let bytes = try EnrolmentStory(seed: 2).open.invitation.bytes
        for size in 0..<bytes.count {
            #expect(throws: Malformed.self) { try Invitation(parsing: Array(bytes[..<size])) }
        }
        #expect(throws: Malformed.self) { try Invitation(parsing: bytes + [0]) }
    }

    @Test("23: an invitation with any bit flipped is refused, or its request is, or nothing was changed that is proved")
    func flips() throws {
        let story = try EnrolmentStory(seed: 3)
        let bytes = story.open.invitation.bytes
        // The expiry and the manifest bind nobody but the reader; the authority keeps its own copy.
        let informative: Range<Int> = 4 + 35 + 19 + 35 + 35..<4 + 35 + 19 + 35 + 35 + 7
        let authority: Range<Int> = 4 + 35..<4 + 35 + 19
        for bit in 0..<bytes.count * 8 {
            var altered = bytes
            altered[bit / 8] ^= 1 << (bit % 8)
            guard let invitation = try? Invitation(parsing: altered) else { continue }
            guard !informative.contains(bit / 8), !authority.contains(bit / 8) else { continue }
            let pending = try? PendingEnrolment(
                accepting: invitation, buildHash: Octets32(), random: story.random)
            guard let request = pending?.request else { continue }
            #expect(story.refusal(request) != nil, "bit \(bit)")
        }
    }

    @Test("40: an invitation is good through its last minute")
    func expiry() throws {
        let story = try EnrolmentStory(seed: 4)
        let expires = story.open.invitation.expires
        #expect(!story.open.invitation.isExpired(now: expires))
        #expect(story.open.invitation.isExpired(now: expires.adding(1)))
        #expect(story.refusal(story.pending.request, now: expires) == nil)
        #expect(story.refusal(story.pending.request, now: expires.adding(1)) == .expired)
    }

    @Test("the authority's half comes back from its file, and cut or mixed up it does not")
    func openInvitation() throws {
        let story = try EnrolmentStory(seed: 5)
        let bytes = story.open.bytes
        let read = try OpenInvitation(parsing: bytes.span.bytes)
        #expect(read.bytes == bytes)
        _ = try read.verify(story.pending.request, now: EnrolmentStory.now)
        for size in 0..<bytes.count {
            #expect(throws: Malformed.self) { try OpenInvitation(parsing: bytes.span.bytes.extracting(first: size)) }
        }
        let other = EnrolmentStory.invite("ben", story.founding, story.random)
        let mixed = Array(bytes[..<33]) + other.invitation.bytes
        #expect(throws: Malformed.value(0x03)) { try OpenInvitation(parsing: mixed.span.bytes) }
        var newer = bytes
        newer[0] = 3
        #expect(throws: Malformed.unknownVersion(3)) { try OpenInvitation(parsing: newer.span.bytes) }
    }
}

@Suite("Enrolment requests")
struct EnrolmentRequestTests {
    @Test("an honest request is verified, under the id that its keys have in the mesh")
    func honest() throws {
        let story = try EnrolmentStory(seed: 20)
        let request = try EnrolmentRequest(parsing: story.pending.request.signed.bytes)
        let verified = try story.open.verify(request, now: EnrolmentStory.now)
        #expect(verified.deviceHash == story.pending.identity.hash)
        #expect(verified.deviceHash.deviceID == story.pending.identity.id)
        #expect(request.label == "ana")
        #expect(request.supersedes == nil)
        #expect(request.signed.body.count < 400)
    }

    @Test("a device with new keys names the one it was before")
    func supersedes() throws {
        let before = DeviceID(copying: [UInt8](repeating: 7, count: 16).span.bytes)
        let story = try EnrolmentStory(seed: 21, supersedes: before)
        let verified = try story.open.verify(story.pending.request, now: EnrolmentStory.now)
        #expect(verified.request.supersedes == before)
    }

    @Test("40: a request answers one invitation only")
    func otherInvitation() throws {
        let story = try EnrolmentStory(seed: 22)
        let other = EnrolmentStory.invite("ana", story.founding, story.random)
        #expect(throws: RequestRefusal.otherInvitation) {
            try other.verify(story.pending.request, now: EnrolmentStory.now)
        }
    }

    @Test("40: without its code for LNK, MSG or the invitation, or with a wrong one, a request is refused")
    func proofs() throws {
        let story = try EnrolmentStory(seed: 23)
        let wrong = [UInt8](repeating: 9, count: 32)
        #expect(story.refusal(try story.forged([0x08: wrong])) == .possession)
        #expect(story.refusal(try story.forged([0x09: wrong])) == .possession)
        #expect(story.refusal(try story.forged([0x0A: wrong])) == .invitationProof)
        // A code is bound to its tag: that of LNK does not stand for MSG, even under the right key.
        for tag: UInt8 in [0x08, 0x09, 0x0A] {
            var writer = CanonicalWriter(.request)
            let body = story.pending.request.signed.body
            var at = 4
            while at < body.count {
                let size = Int(body[at + 1]) << 8 | Int(body[at + 2])
                if body[at] != tag { writer.field(body[at], bytes: Array(body[at + 3..<at + 3 + size])) }
                at += 3 + size
            }
            let signed = Signed(
                writer.bytes, type: .object(.request), mesh: story.founding.mesh,
                keys: [story.pending.identity.signing])
            #expect(throws: Malformed.missing(tag)) { try EnrolmentRequest(parsing: signed.bytes) }
        }
    }

    @Test("40: another's LNK cannot be enrolled by one who does not have its private half")
    func unknownKeyShare() throws {
        let story = try EnrolmentStory(seed: 24)
        let victim = DeviceIdentity(mesh: story.founding.mesh, random: story.random)
        let changes = try story.honestProofs(over: [0x03: victim.link.publicKey.array])
        #expect(story.refusal(try story.forged(changes)) == .possession)
        let message = try story.honestProofs(over: [0x04: victim.message.publicKey.array])
        #expect(story.refusal(try story.forged(message)) == .possession)
    }

    @Test("honest codes over changed fields are what the other refusals stand on")
    func honestForgery() throws {
        let story = try EnrolmentStory(seed: 25)
        let changes = try story.honestProofs(over: [0x06: [UInt8](repeating: 1, count: 32)])
        #expect(story.refusal(try story.forged(changes)) == nil)
    }

    @Test("another label than the invitation's is refused")
    func label() throws {
        let story = try EnrolmentStory(seed: 26)
        let changes = try story.honestProofs(over: [0x05: Array("commander".utf8)])
        #expect(story.refusal(try story.forged(changes)) == .label)
    }

    @Test("7, 8: a request signed by another key, for another mesh or as another object is refused")
    func signature() throws {
        let story = try EnrolmentStory(seed: 27)
        let other = SigningPrivateKey(from: story.random)
        #expect(story.refusal(try story.forged([:], signer: other)) == .signature)
        let body = story.pending.request.signed.body
        let key = story.pending.identity.signing
        let elsewhere = Signed(body, type: .object(.request), mesh: MeshID(), keys: [key])
        #expect(story.refusal(try EnrolmentRequest(parsing: elsewhere.bytes)) == .signature)
        let otherType = Signed(body, type: .object(.renewRequest), mesh: story.founding.mesh, keys: [key])
        #expect(story.refusal(try EnrolmentRequest(parsing: otherType.bytes)) == .signature)
        let two = Signed(body, type: .object(.request), mesh: story.founding.mesh, keys: [key, other])
        #expect(story.refusal(try EnrolmentRequest(parsing: two.bytes)) == .signature)
    }

    @Test("1, 2: keys of small order, in another encoding than their own, or used twice are not certified")
    func keys() throws {
        let story = try EnrolmentStory(seed: 28)
        var unreduced = story.pending.identity.link.publicKey.array
        unreduced[31] |= 0x80
        let zero = [UInt8](repeating: 0, count: 32)
        let one = [1] + [UInt8](repeating: 0, count: 31)
        for changes: [UInt8: [UInt8]] in [
            [0x03: unreduced], [0x03: zero], [0x04: one], [0x04: story.pending.identity.link.publicKey.array],
            [0x0B: story.pending.identity.link.publicKey.array],
        ] {
            let forged = try story.forged(try story.honestProofs(over: changes))
            #expect(story.refusal(forged) == .key)
        }
    }

    @Test("22: cut at any byte, a request is refused; so is one with a byte after it")
    func truncation() throws {
        let bytes = try EnrolmentStory(seed: 29).pending.request.signed.bytes
        for size in 0..<bytes.count {
            #expect(throws: Malformed.self) { try EnrolmentRequest(parsing: Array(bytes[..<size])) }
        }
        #expect(throws: Malformed.self) { try EnrolmentRequest(parsing: bytes + [0]) }
    }

    @Test("23: every single-bit flip of a request is refused")
    func flips() throws {
        let story = try EnrolmentStory(seed: 30)
        let bytes = story.pending.request.signed.bytes
        for bit in 0..<bytes.count * 8 {
            var altered = bytes
            altered[bit / 8] ^= 1 << (bit % 8)
            guard let request = try? EnrolmentRequest(parsing: altered) else { continue }
            #expect(story.refusal(request) != nil, "bit \(bit)")
        }
    }

    @Test("the short string is 25 digits, the same for the same request and another for any other")
    func shortString() throws {
        let first = try EnrolmentStory(seed: 31).pending.request
        let second = try EnrolmentStory(seed: 32).pending.request
        #expect(try EnrolmentRequest(parsing: first.signed.bytes).shortString == first.shortString)
        #expect(first.shortString != second.shortString)
        let groups = first.shortString.split(separator: " ")
        #expect(groups.count == 5)
        #expect(groups.allSatisfy { $0.utf8.count == 5 && $0.allSatisfy(\.isNumber) })
    }

    @Test("a device between request and welcome comes back from its file; cut anywhere, it does not")
    func pendingFile() throws {
        let story = try EnrolmentStory(seed: 33)
        let bytes = story.pending.bytes
        let read = try PendingEnrolment(parsing: bytes.span.bytes)
        #expect(read.bytes == bytes)
        #expect(read.identity.id == story.pending.identity.id)
        #expect(read.welcomeKey.publicKey == story.pending.request.welcomeKey)
        for size in 0..<bytes.count {
            #expect(throws: Malformed.self) { try PendingEnrolment(parsing: bytes.span.bytes.extracting(first: size)) }
        }
    }
}

@Suite("Device and authority keys")
struct KeyFileTests {
    @Test("a device's keys come back from their file with the same id; cut, longer or newer they do not")
    func device() throws {
        let identity = DeviceIdentity(mesh: MeshID(), random: SeededRandom(seed: 40))
        let bytes = identity.bytes
        let read = try DeviceIdentity(parsing: bytes.span.bytes)
        #expect(read.id == identity.id)
        #expect(read.bytes == bytes)
        for size in 0..<bytes.count {
            #expect(throws: Malformed.truncated) {
                try DeviceIdentity(parsing: bytes.span.bytes.extracting(first: size))
            }
        }
        let longer = bytes + [0]
        #expect(throws: Malformed.trailing) { try DeviceIdentity(parsing: longer.span.bytes) }
        let newer = [2] + bytes.dropFirst()
        #expect(throws: Malformed.unknownVersion(2)) { try DeviceIdentity(parsing: newer.span.bytes) }
    }

    @Test("an authority's keys come back from their file; cut, longer or newer they do not")
    func authority() throws {
        let founding = try Founding.found(
            name: "Keys", profile: .standard, root: KeysetShape(2, of: 3), random: SeededRandom(seed: 41),
            now: Minute(29_000_000))
        let bytes = founding.root.bytes
        let read = try AuthorityKeys(parsing: bytes.span.bytes)
        #expect(read.bytes == bytes)
        #expect(read.current.keyset == founding.genesis.root)
        #expect(read.next.keyset.commit == founding.genesis.nextCommit)
        for size in 0..<bytes.count {
            #expect(throws: Malformed.truncated) {
                try AuthorityKeys(parsing: bytes.span.bytes.extracting(first: size))
            }
        }
        let longer = bytes + [0]
        #expect(throws: Malformed.trailing) { try AuthorityKeys(parsing: longer.span.bytes) }
        let newer = [3] + bytes.dropFirst()
        #expect(throws: Malformed.unknownVersion(3)) { try AuthorityKeys(parsing: newer.span.bytes) }
    }
}
