import CoveyCore
import CoveyCrypto
import CoveyVectors
import Testing

@Suite("Envelopes")
struct EnvelopeTests {
    /// All envelopes that the reference wrote whole, with their ids.
    static func golden() throws -> [(bytes: [UInt8], id: EnvelopeID)] {
        let json = try Golden.json()
        return (json["session"]["messages"].items + json["group"]["messages"].items).map {
            (bytes: $0["envelope"].bytes, id: $0["env_id"].octets())
        }
    }

    static func refusal(of bytes: [UInt8]) -> EnvelopeRefusal? {
        do {
            _ = try Envelope(parsing: bytes)
            return nil
        } catch {
            return error
        }
    }

    static func header(
        kind: EnvelopeKind = .pairwise, priority: Priority = .normal, ttl: TTL = .week, bucket: Bucket = .bytes512,
        zone: ZoneHint = .any, expiry: Hour = Hour(483_600)
    ) -> EnvelopeHeader {
        EnvelopeHeader(
            kind: kind, priority: priority, ttl: ttl, bucket: bucket, zone: zone, expiry: expiry,
            tag: RecipientTag(), purgeCommit: PurgeCommit())
    }

    static func parsed(_ header: EnvelopeHeader) -> EnvelopeHeader? {
        try? header.withSpan { (bytes) throws(EnvelopeRefusal) in try EnvelopeHeader.parse(bytes) }
    }

    @Test("ids of the golden envelopes are those of the reference")
    func ids() throws {
        for golden in try Self.golden() {
            let envelope = try Envelope(parsing: golden.bytes)
            #expect(envelope.id == golden.id)
            #expect(envelope.bytes == golden.bytes)
            #expect(EnvelopeID(header: envelope.header, body: envelope.bodyHash) == golden.id)
        }
    }

    @Test("a golden header reads as it was written, and is written as it reads")
    func header() throws {
        let session = try Golden.json()["session"]
        for message in session["messages"].items {
            let envelope = try Envelope(parsing: message["envelope"].bytes)
            let header = envelope.header
            #expect(header.kind == .pairwise)
            #expect(header.priority == .normal)
            #expect(header.ttl == .week)
            #expect(header.bucket == (message["first"].bool ? .bytes2048 : .bytes512))
            #expect(header.zone == (message["from"].string == "a" ? ZoneHint(3) : .any))
            #expect(header.expiry == Hour(UInt32(session["expiry_hours"].int)))
            #expect(header.slot == Hour(483_600 - 168))
            let secret = message["purge_secret"].octets(as: PurgeSecret.self)
            #expect(header.purgeCommit == PurgeCommit(to: secret))
            let again = EnvelopeHeader(
                kind: header.kind, priority: header.priority, ttl: header.ttl, bucket: header.bucket,
                zone: header.zone, expiry: header.expiry, tag: header.tag, purgeCommit: header.purgeCommit)
            #expect(again == header)
            #expect(again.octets.array == Array(envelope.bytes[..<40]))
        }
    }

    @Test("golden tags come from the pair key in first messages, from the session's key later, from the group's key")
    func tags() throws {
        let json = try Golden.json()
        let keys = json["pqxdh"]
        for message in json["session"]["messages"].items {
            let name = message["first"].bool ? "K_tag" : message["from"].string == "a" ? "TAGab" : "TAGba"
            let header = try Envelope(parsing: message["envelope"].bytes).header
            let index = UInt8(message["i"].int % 4)
            #expect(RecipientTag(day: header.expiryDay, index: index, key: keys[name].key()) == header.tag)
        }
        for message in json["group"]["messages"].items {
            let header = try Envelope(parsing: message["envelope"].bytes).header
            let index = UInt8(message["n"].int)
            #expect(header.kind == .group)
            #expect(
                RecipientTag(day: header.expiryDay, index: index, key: json["group"]["GTK"].key()) == header.tag)
        }
    }

    @Test("a drawn tag is one of the four of its day, and all four are drawn")
    func drawnTags() {
        let random = SeededRandom(seed: 1)
        let key = SymmetricKey(from: random)
        let day = ExpiryDay(20_150)
        let four = Set(RecipientTag.indices.map { RecipientTag(day: day, index: $0, key: key) })
        let drawn = Set((0..<200).map { _ in RecipientTag(day: day, key: key, random: random) })
        #expect(four.count == 4)
        #expect(drawn == four)
    }

    @Test("54: a size that is not the bucket's is refused, and so is every other first kilobyte of lengths")
    func sizes() throws {
        let whole = try #require(try Self.golden().first { $0.bytes.count == 512 }).bytes
        for size in 0..<1024 where size != 512 {
            let bytes = size < 512 ? Array(whole[..<size]) : whole + [UInt8](repeating: 0, count: size - 512)
            #expect(Self.refusal(of: bytes) == .length)
        }
    }

    @Test("54: unknown version, kind, TTL and bucket are refused, each by its name")
    func unknownNumbers() throws {
        let whole = try #require(try Self.golden().first { $0.bytes.count == 512 }).bytes
        for version in 0...255 where version != 1 {
            var bytes = whole
            bytes[0] = UInt8(version)
            #expect(Self.refusal(of: bytes) == .version)
        }
        for kind: UInt8 in [0, 5, 6, 7] {
            var bytes = whole
            bytes[1] = kind << 5 | bytes[1] & 0x1F
            #expect(Self.refusal(of: bytes) == .kind)
        }
        for ttl: UInt8 in [6, 7] {
            var bytes = whole
            bytes[1] = bytes[1] & 0xF8 | ttl
            #expect(Self.refusal(of: bytes) == .ttl)
        }
        for bucket in 5...255 {
            var bytes = whole
            bytes[2] = UInt8(bucket)
            #expect(Self.refusal(of: bytes) == .bucket)
        }
    }

    @Test(
        "54: priority 0 is for announcements of at most 4096 bytes",
        arguments: EnvelopeKind.allCases, Bucket.allCases)
    func emergencies(kind: EnvelopeKind, bucket: Bucket) {
        var bytes = Self.header(kind: kind, priority: .urgent, bucket: bucket).octets.array
        bytes += [UInt8](repeating: 7, count: bucket.bodySize)
        #expect(Self.refusal(of: bytes) == nil)
        bytes[1] &= 0xE7
        #expect(Self.refusal(of: bytes) == (kind == .announcement && bucket != .bytes16384 ? nil : .emergency))
    }

    @Test("55: an expiry is refused when past and when more than 15 days ahead, never between")
    func window() throws {
        let now = Hour(483_600)
        for ahead in -30...400 {
            let expiry = now.adding(Int64(ahead))
            let header = Self.header(priority: .urgent, expiry: expiry)
            var refusal: EnvelopeRefusal?
            do { try header.check(now: now) } catch { refusal = error }
            #expect(refusal == (ahead <= 0 ? .expired : ahead > 360 ? .tooFarAhead : nil))
        }
    }

    @Test("55: normal and bulk mail expires at multiples of six hours only", arguments: Priority.allCases)
    func grid(priority: Priority) {
        for hour in UInt32(483_600)..<483_624 {
            var bytes = Self.header(kind: .announcement, priority: priority).octets.array
            bytes[6] = UInt8(hour >> 8 & 0xFF)
            bytes[7] = UInt8(hour & 0xFF)
            bytes += [UInt8](repeating: 0, count: 472)
            let onGrid = priority <= .urgent || hour.isMultiple(of: 6)
            #expect(Self.refusal(of: bytes) == (onGrid ? nil : .grid))
        }
    }

    @Test("an expiry made for any minute is on the grid, not earlier than asked, and accepted at once by every relay")
    func expiries() throws {
        let random = SeededRandom(seed: 2)
        for _ in 0..<2_000 {
            let now = Minute(UInt32(random.uniform(28_000_000...40_000_000)))
            let ttl = TTL.allCases[random.uniform(0...5)]
            let priority = Priority.allCases[random.uniform(0...3)]
            let expiry = Hour.expiry(of: ttl, priority: priority, from: now)
            #expect(expiry.value.isMultiple(of: priority.expiryGrid))
            let minutes = expiry.value * 60
            let asked = now.value + ttl.hours * 60
            #expect(minutes >= asked && minutes < asked + priority.expiryGrid * 60)
            let header = Self.header(kind: .announcement, priority: priority, ttl: ttl, expiry: expiry)
            try header.check(now: now.hour)
            #expect(header.slot.value * 60 < now.value + 6 * 60)
            #expect(Self.parsed(header) == header)
        }
    }

    @Test("the last hours of the clock neither trap nor pass")
    func extremes() {
        let last = Self.header(priority: .urgent, ttl: .twoWeeks, expiry: Hour(.max))
        #expect(throws: EnvelopeRefusal.tooFarAhead) { try last.check(now: Hour(0)) }
        #expect(throws: EnvelopeRefusal.expired) { try last.check(now: Hour(.max)) }
        let first = Self.header(ttl: .twoWeeks, expiry: Hour(6))
        #expect(first.slot == Hour(0))
        #expect(throws: Never.self) { try first.check(now: Hour(5)) }
    }

    @Test("every single-bit flip of an envelope is refused or has another id")
    func flips() throws {
        let golden = try #require(try Self.golden().first { $0.bytes.count == 512 })
        for bit in 0..<golden.bytes.count * 8 {
            var bytes = golden.bytes
            bytes[bit / 8] ^= 1 << (bit % 8)
            guard let envelope = try? Envelope(parsing: bytes) else { continue }
            #expect(envelope.id != golden.id)
        }
    }

    @Test("random bytes never trap, and what parses is written back as it was")
    func randomHeaders() {
        let random = SeededRandom(seed: 3)
        var parsed = 0
        for _ in 0..<5_000 {
            var bytes = random.bytes(40)
            bytes[0] = 1
            bytes[2] &= 7
            guard let header = try? EnvelopeHeader.parse(bytes.span.bytes) else { continue }
            parsed += 1
            #expect(header.octets.array == bytes)
            #expect(header.slot <= header.expiry)
        }
        #expect(parsed > 200)
    }

    @Test("the smallest bucket that holds a size is chosen, and none for more than the largest")
    func buckets() {
        #expect(Bucket(holding: 40) == .bytes512)
        #expect(Bucket(holding: 512) == .bytes512)
        #expect(Bucket(holding: 513) == .bytes1024)
        #expect(Bucket(holding: 16_384) == .bytes16384)
        #expect(Bucket(holding: 16_385) == nil)
    }
}

@Suite("Purge rows")
struct PurgeRowTests {
    static func rows() throws -> [(row: [UInt8], envelope: Envelope, secret: PurgeSecret)] {
        try Golden.json()["session"]["messages"].items.map {
            (
                row: $0["vax_row"].bytes, envelope: try Envelope(parsing: $0["envelope"].bytes),
                secret: $0["purge_secret"].octets()
            )
        }
    }

    @Test("golden rows prove the ids of their envelopes, and are made from them")
    func golden() throws {
        for golden in try Self.rows() {
            let row = try PurgeRow(parsing: golden.row.span.bytes)
            #expect(row.id == golden.envelope.id)
            #expect(row.header == golden.envelope.header)
            #expect(row == PurgeRow(golden.envelope, secret: golden.secret))
            var bytes: [UInt8] = []
            row.append(to: &bytes)
            #expect(bytes == golden.row)
        }
    }

    @Test("22: a row cut or lengthened anywhere is refused")
    func truncation() throws {
        let row = try #require(try Self.rows().first).row
        for size in 0..<row.count {
            #expect(throws: PurgeRefusal.length) { try PurgeRow(parsing: row.span.bytes.extracting(first: size)) }
        }
        let longer = row + [0]
        #expect(throws: PurgeRefusal.length) { try PurgeRow(parsing: longer.span.bytes) }
    }

    @Test("23, 58: every single-bit flip is refused or proves nothing about the envelope")
    func flips() throws {
        let golden = try #require(try Self.rows().first)
        for bit in 0..<golden.row.count * 8 {
            var bytes = golden.row
            bytes[bit / 8] ^= 1 << (bit % 8)
            var id: EnvelopeID?
            var refusal: PurgeRefusal?
            do { id = try PurgeRow(parsing: bytes.span.bytes).id } catch { refusal = error }
            #expect(id != golden.envelope.id)
            if bit / 8 >= 72 || (24..<40).contains(bit / 8) { #expect(refusal == .secret) }
            if (40..<72).contains(bit / 8) { #expect(refusal == nil) }
        }
    }

    @Test("58: a wrong secret makes no row; an expiry outside the window is told by the header")
    func wrongSecret() throws {
        let golden = try #require(try Self.rows().first)
        #expect(PurgeRow(golden.envelope, secret: PurgeSecret()) == nil)
        let row = try PurgeRow(parsing: golden.row.span.bytes)
        #expect(throws: EnvelopeRefusal.expired) { try row.header.check(now: row.header.expiry) }
        #expect(throws: EnvelopeRefusal.tooFarAhead) { try row.header.check(now: row.header.expiry.adding(-361)) }
        #expect(throws: Never.self) { try row.header.check(now: row.header.expiry.adding(-360)) }
    }
}

@Suite("Padding")
struct PaddingTests {
    @Test("62: every length from none to the longest comes back, and fills the size exactly")
    func lengths() throws {
        let random = SeededRandom(seed: 4)
        for size in [1, 2, 352, 707] {
            for length in 0..<size {
                let message = random.bytes(length)
                var padded = message
                Padding.pad(&padded, to: size)
                #expect(padded.count == size)
                #expect(padded[length] == 0x80)
                try Padding.unpad(&padded)
                #expect(padded == message)
            }
        }
    }

    @Test("a message that ends like padding keeps its end")
    func lookalikes() throws {
        for message: [UInt8] in [[0x80], [0x80, 0, 0], [0, 0], [1, 0x80, 0]] {
            var padded = message
            Padding.pad(&padded, to: 16)
            try Padding.unpad(&padded)
            #expect(padded == message)
        }
    }

    @Test("62: without its mark, padding is refused")
    func missing() {
        for bytes: [UInt8] in [[], [0], [0, 0, 0], [1], [0x80, 1], [0x80, 0, 0x81, 0], [0x40, 0]] {
            var padded = bytes
            #expect(throws: Padding.Failure.missing) { try Padding.unpad(&padded) }
            #expect(padded == bytes)
        }
    }
}
