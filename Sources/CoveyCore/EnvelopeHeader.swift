package import CoveyCrypto

/// What is sealed in an envelope (protocol.md §3.1). Its number on the wire is the raw value.
package enum EnvelopeKind: UInt8, CaseIterable, Sendable {
    case pairwise = 1
    case group = 2
    case chunk = 3
    case announcement = 4
}

/// How urgent an envelope is; smaller goes first (protocol.md §3.3).
package enum Priority: UInt8, CaseIterable, Comparable, Sendable {
    case emergency = 0
    case urgent = 1
    case normal = 2
    case bulk = 3

    /// Hours that expiries of this priority are multiples of: the less urgent, the less an expiry tells of when it was sent.
    package var expiryGrid: UInt32 {
        switch self {
        case .emergency, .urgent: 1
        case .normal, .bulk: 6
        }
    }

    package static func < (left: Priority, right: Priority) -> Bool { left.rawValue < right.rawValue }
}

/// How long an envelope lives, as the header's index says it.
package enum TTL: UInt8, CaseIterable, Sendable {
    case hour = 0
    case sixHours = 1
    case day = 2
    case threeDays = 3
    case week = 4
    case twoWeeks = 5

    package var hours: UInt32 {
        switch self {
        case .hour: 1
        case .sixHours: 6
        case .day: 24
        case .threeDays: 72
        case .week: 168
        case .twoWeeks: 336
        }
    }
}

/// The whole size of an envelope, header included.
package enum Bucket: UInt8, CaseIterable, Comparable, Sendable {
    case bytes512 = 0
    case bytes1024 = 1
    case bytes2048 = 2
    case bytes4096 = 3
    case bytes16384 = 4

    /// Bytes.
    package var size: Int {
        switch self {
        case .bytes512: 512
        case .bytes1024: 1024
        case .bytes2048: 2048
        case .bytes4096: 4096
        case .bytes16384: 16384
        }
    }

    /// Bytes after the header.
    package var bodySize: Int { size - EnvelopeHeader.byteCount }

    /// The smallest bucket for an envelope of `size` bytes; nil when it is larger than all.
    package init?(holding size: Int) {
        guard let bucket = Self.allCases.first(where: { $0.size >= size }) else { return nil }
        self = bucket
    }

    package static func < (left: Bucket, right: Bucket) -> Bool { left.rawValue < right.rawValue }
}

/// The recipient's home zone, or that there is none to be told.
package struct ZoneHint: Hashable, Sendable, BitwiseCopyable {
    /// 0…254 a zone, 255 any.
    package let value: UInt8

    package init(_ value: UInt8) { self.value = value }

    package static let any = ZoneHint(255)
    package var isAny: Bool { value == 255 }
}

/// Why a relay does not take an envelope in (protocol.md §3.1).
package enum EnvelopeRefusal: Error, Hashable, CaseIterable, Sendable {
    /// Not the bytes of a header, or not the size of the bucket.
    case length
    case version
    case kind
    case ttl
    case bucket
    /// Priority 0 with another kind than 4, or larger than 4096 bytes.
    case emergency
    /// An expiry between the hours that its priority allows.
    case grid
    case expired
    /// More than 15 days ahead.
    case tooFarAhead
}

/// The 40 bytes of an envelope that a relay can read, checked against everything that needs no clock.
///
///      0        1                        2          3          4          8        24              40
///     | ver 1  | kind<<5|prio<<3|ttl 1  | bucket 1 | zone 1   | expiry 4 | tag 16 | purge commit 16 |
///
/// Expiry is in hours since 1970, big-endian. The bytes are associated data of everything sealed under them.
package struct EnvelopeHeader: Hashable, Sendable, BitwiseCopyable {
    package static let byteCount = 40
    /// Hours an expiry may lie ahead of `mail_now`.
    package static let mostAhead: Int64 = 15 * 24
    private static let version: UInt8 = 1

    /// The bytes as they travel.
    package let octets: Octets40

    private init(octets: Octets40) { self.octets = octets }

    /// A header of one's own. `expiry` comes from `Hour.expiry(of:priority:from:)`.
    ///
    /// A zone hint in kinds 2 and 4 would tell something for nothing: they are flooded, and have none.
    package init(
        kind: EnvelopeKind, priority: Priority, ttl: TTL, bucket: Bucket, zone: ZoneHint, expiry: Hour,
        tag: RecipientTag, purgeCommit: PurgeCommit
    ) {
        precondition(
            priority != .emergency || (kind == .announcement && bucket <= .bytes4096),
            "priority 0 is for announcements of at most 4096 bytes")
        precondition(expiry.value.isMultiple(of: priority.expiryGrid), "an expiry lies on the grid of its priority")
        precondition(
            zone.isAny || kind == .pairwise || kind == .chunk, "groups and announcements are for any zone")
        var octets = Octets40()
        octets.withMutableSpan { span in
            span.withUnsafeMutableBytes { raw in
                raw[0] = Self.version
                raw[1] = kind.rawValue << 5 | priority.rawValue << 3 | ttl.rawValue
                raw[2] = bucket.rawValue
                raw[3] = zone.value
                raw.storeBytes(of: expiry.value.bigEndian, toByteOffset: 4, as: UInt32.self)
                raw.storeBytes(of: tag, toByteOffset: 8, as: RecipientTag.self)
                raw.storeBytes(of: purgeCommit, toByteOffset: 24, as: PurgeCommit.self)
            }
        }
        self.octets = octets
    }

    /// Reads exactly 40 bytes. All relay checks that need neither the body nor a clock, and no others: nodes that differed
    /// in what they take would never be done reconciling.
    package static func parse(_ bytes: RawSpan) throws(EnvelopeRefusal) -> EnvelopeHeader {
        guard bytes.byteCount == byteCount else { throw .length }
        let first = bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self)
        let second = bytes.unsafeLoad(fromByteOffset: 1, as: UInt8.self)
        guard first == version else { throw .version }
        guard let kind = EnvelopeKind(rawValue: second >> 5) else { throw .kind }
        guard TTL(rawValue: second & 7) != nil else { throw .ttl }
        guard let bucket = Bucket(rawValue: bytes.unsafeLoad(fromByteOffset: 2, as: UInt8.self)) else {
            throw .bucket
        }
        let header = EnvelopeHeader(octets: Octets40(copying: bytes))
        let priority = header.priority
        guard priority != .emergency || (kind == .announcement && bucket <= .bytes4096) else { throw .emergency }
        guard header.expiry.value.isMultiple(of: priority.expiryGrid) else { throw .grid }
        return header
    }

    /// What an OFFER shows of a header: the first 24 bytes, all but the purge commit.
    package var shownOctets: Octets24 { octets.withSpan { Octets24(copying: $0.extracting(first: 24)) } }

    /// The header with zeros in place of what an OFFER does not show.
    package var shown: EnvelopeHeader { EnvelopeHeader(shown: shownOctets).unsafelyUnwrapped }

    /// Nil when no header begins so.
    package init?(shown: Octets24) {
        var whole = Octets40()
        whole.withMutableSpan { $0.withUnsafeMutableBytes { $0.storeBytes(of: shown, as: Octets24.self) } }
        guard let header = try? whole.withSpan({ (bytes) throws(EnvelopeRefusal) in try Self.parse(bytes) }) else {
            return nil
        }
        self = header
    }

    /// The rest of a relay's checks: `mail_now < expiry ≤ mail_now + 15 d`.
    ///
    /// Whole hours lose nothing: an expiry is one, and `now` cut down to its hour is on the same side of it.
    package func check(now: Hour) throws(EnvelopeRefusal) {
        guard now < expiry else { throw .expired }
        guard expiry <= now.adding(Self.mostAhead) else { throw .tooFarAhead }
    }

    package var kind: EnvelopeKind { EnvelopeKind(rawValue: byte(1) >> 5).unsafelyUnwrapped }
    package var priority: Priority { Priority(rawValue: byte(1) >> 3 & 3).unsafelyUnwrapped }
    package var ttl: TTL { TTL(rawValue: byte(1) & 7).unsafelyUnwrapped }
    package var bucket: Bucket { Bucket(rawValue: byte(2)).unsafelyUnwrapped }
    package var zone: ZoneHint { ZoneHint(byte(3)) }
    package var expiry: Hour { Hour(UInt32(bigEndian: load(4))) }
    package var tag: RecipientTag { load(8) }
    package var purgeCommit: PurgeCommit { load(24) }

    /// When it was created, to 1 or 6 hours; with the id it is the key of reconciliation (sync-routing.md §2.2).
    package var slot: Hour { expiry.adding(-Int64(ttl.hours)) }

    package var expiryDay: ExpiryDay { ExpiryDay(of: expiry) }

    package func withSpan<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try octets.withSpan(body)
    }

    private func byte(_ offset: Int) -> UInt8 { load(offset) }

    private func load<Value: BitwiseCopyable>(_ offset: Int) -> Value {
        withUnsafeBytes(of: octets) { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
    }
}

package struct Octets40: FixedOctets {
    private var a: UInt64 = 0
    private var b: UInt64 = 0
    private var c: UInt64 = 0
    private var d: UInt64 = 0
    private var e: UInt64 = 0
    package init() {}
}

extension Hour {
    /// The expiry of mail made at `mailNow`: so long, rounded up to the grid of its priority (protocol.md §3.1).
    package static func expiry(of ttl: TTL, priority: Priority, from mailNow: Minute) -> Hour {
        let minutes = UInt64(mailNow.value) + UInt64(ttl.hours) * 60
        let grid = UInt64(priority.expiryGrid)
        let step = grid * 60
        return Hour(UInt32((minutes + step - 1) / step * grid))
    }
}
