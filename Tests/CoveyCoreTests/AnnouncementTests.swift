import CoveyCore
import CoveyCrypto
import Testing

/// protocol.md §5.4 and §7.2, item 81.
@Suite("Announcements")
struct AnnouncementTests {
    private let random = SeededRandom(seed: 40)
    private let mesh = MeshID([UInt8](repeating: 7, count: 32))!
    private let now = Minute(29_000_000)

    private func content(expires: Hour) -> Announcement.Content {
        Announcement.Content(
            author: DeviceID([UInt8](repeating: 3, count: 16))!, scope: .zone(4), sequence: 5, issued: now,
            expires: expires, severity: .warning, text: "the bridge is closed", supersedes: 2, isDrill: true)
    }

    private func made(_ priority: Priority = .normal) throws -> (announcement: Announcement, key: SigningPrivateKey) {
        let key = SigningPrivateKey(from: random)
        let expires = Hour.expiry(of: .day, priority: priority, from: now)
        return (try Announcement.make(content(expires: expires), mesh: mesh, key: key), key)
    }

    @Test("What is announced is read back, and opens under its epoch's key only")
    func roundTrip() throws {
        let key = EpochKeys(EpochKey(from: random)).announcement
        for priority in Priority.allCases {
            let announcement = try made(priority).announcement
            let envelope = try announcement.seal(priority: priority, ttl: .day, key: key, random: random)
            #expect(envelope.header.kind == .announcement && envelope.header.priority == priority)
            #expect(envelope.header.bucket == .bytes512)
            let tags = RecipientTag.indices.map {
                RecipientTag(day: ExpiryDay(of: envelope.header.expiry), index: $0, key: key.key)
            }
            #expect(tags.contains(envelope.header.tag))
            #expect(try Announcement.open(envelope, key: key) == announcement)
            let other = EpochKeys(EpochKey(from: random)).announcement
            #expect(throws: AnnouncementRefusal.sealing) { try Announcement.open(envelope, key: other) }
        }
    }

    @Test("81: sealed again under another header, with a longer life or another priority, it is refused")
    func sealedAgain() throws {
        let key = EpochKeys(EpochKey(from: random)).announcement
        let announcement = try made().announcement
        let envelope = try announcement.seal(priority: .normal, ttl: .day, key: key, random: random)
        // A holder of the epoch puts the same signed body under a header that lives for two weeks.
        let longer = EnvelopeHeader(
            kind: .announcement, priority: .normal, ttl: .twoWeeks, bucket: .bytes512, zone: .any,
            expiry: Hour.expiry(of: .twoWeeks, priority: .normal, from: now), tag: envelope.header.tag,
            purgeCommit: envelope.header.purgeCommit)
        var padded = announcement.signed.bytes
        Padding.pad(&padded, to: 512 - 40 - 40)
        var bytes: [UInt8] = []
        longer.withSpan { bytes.append(copying: $0) }
        longer.withSpan {
            XChaCha20Poly1305.box(
                padded.span.bytes, ad: $0, key: key.key, nonce: Nonce24.random(from: random), to: &bytes)
        }
        let again = try Envelope(parsing: bytes)
        #expect(throws: AnnouncementRefusal.expiry) { try Announcement.open(again, key: key) }
        // And any byte of the header that is changed breaks the seal.
        for offset in [1, 3, 8, 24] {
            var altered = envelope.bytes
            altered[offset] ^= offset == 1 ? 0x08 : 0x01
            guard let parsed = try? Envelope(parsing: altered) else { continue }
            #expect(throws: AnnouncementRefusal.sealing) { try Announcement.open(parsed, key: key) }
        }
    }

    @Test("Every single bit flipped of a signed announcement is refused, and every truncation")
    func damaged() throws {
        let (announcement, key) = try made()
        let bytes = announcement.signed.bytes
        for bit in 0..<bytes.count * 8 {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let parsed = try? Announcement(parsing: Signed(parsing: flipped)) else { continue }
            let signers = parsed.signed.signers(among: [key.publicKey], type: .object(.announcement), mesh: mesh)
            #expect(signers == nil, "bit \(bit)")
        }
        for size in 0..<bytes.count {
            #expect(throws: Malformed.self) { try Announcement(parsing: Signed(parsing: Array(bytes.prefix(size)))) }
        }
    }

    @Test("Text of 2 KiB fits, more does not, nor control characters, nor number 0, nor superseding a later one")
    func bounds() throws {
        let key = SigningPrivateKey(from: random)
        var draft = content(expires: Hour(500_000))
        draft.text = String(repeating: "a", count: Announcement.Bounds.text)
        let longest = try Announcement.make(draft, mesh: mesh, key: key)
        let epoch = EpochKeys(EpochKey(from: random)).announcement
        #expect(
            try longest.seal(priority: .emergency, ttl: .day, key: epoch, random: random).header.bucket == .bytes4096)
        draft.text = String(repeating: "a", count: Announcement.Bounds.text + 1)
        #expect(throws: Malformed.width(0x08)) { try Announcement.make(draft, mesh: mesh, key: key) }
        draft.text = "two\nlines"
        #expect(throws: Malformed.text(0x08)) { try Announcement.make(draft, mesh: mesh, key: key) }
        draft.text = ""
        #expect(throws: Malformed.width(0x08)) { try Announcement.make(draft, mesh: mesh, key: key) }
        draft.text = nil
        #expect(throws: Malformed.missing(0x08)) { try Announcement.make(draft, mesh: mesh, key: key) }
        draft.text = "x"
        draft.supersedes = 5
        #expect(throws: Malformed.value(0x0A)) { try Announcement.make(draft, mesh: mesh, key: key) }
        draft.supersedes = nil
        draft.sequence = 0
        #expect(throws: Malformed.value(0x04)) { try Announcement.make(draft, mesh: mesh, key: key) }
    }
}
