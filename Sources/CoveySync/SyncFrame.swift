package import CoveyCore
package import CoveyCrypto

/// Frames 20 to 23 (sync-routing.md §2.5).
package enum SyncFrame: Hashable, Sendable {
    case digest(Digest)
    case summary(Summary)
    case recon(Recon)
    case done(ReconDone)

    /// The frame's type byte.
    package var type: UInt8 {
        switch self {
        case .digest: 0x20
        case .summary: 0x21
        case .recon: 0x22
        case .done: 0x23
        }
    }

    package var namespace: Namespace {
        switch self {
        case .digest(let digest): digest.namespace
        case .summary(let summary): summary.namespace
        case .recon(let recon): recon.namespace
        case .done(let done): done.namespace
        }
    }

    package var body: [UInt8] {
        switch self {
        case .digest(let digest): digest.body
        case .summary(let summary): summary.body
        case .recon(let recon): recon.body
        case .done(let done): done.body
        }
    }

    /// Nil when `type` is not one of the four.
    package init?(type: UInt8, body: RawSpan) throws(SyncFault) {
        guard body.byteCount <= Limits.frameBytesIn else { throw .oversized }
        var reader = ByteReader(body)
        switch type {
        case 0x20: self = .digest(try Digest(from: &reader))
        case 0x21: self = .summary(try Summary(from: &reader))
        case 0x22: self = .recon(try Recon(from: &reader))
        case 0x23: self = .done(try ReconDone(from: &reader))
        default: return nil
        }
        guard reader.isAtEnd else { throw .malformed }
    }
}

/// What a whole set comes to.
///
///     ns varint | floor varint (hours) | count varint | fp 8
package struct Digest: Hashable, Sendable {
    package var namespace: Namespace
    /// Items that expire before it take no part.
    package var floor: Hour
    package var count: UInt32
    package var fingerprint: Octets8

    package init(namespace: Namespace, floor: Hour, count: UInt32, fingerprint: Octets8) {
        self.namespace = namespace
        self.floor = floor
        self.count = count
        self.fingerprint = fingerprint
    }

    /// Also read and written inside HELLO, one after another.
    package init(from reader: inout ByteReader) throws(SyncFault) {
        namespace = try reader.namespace()
        floor = Hour(try reader.number32())
        count = try reader.number32()
        fingerprint = try reader.fixed()
    }

    package var body: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(varint: namespace.number)
        bytes.append(varint: UInt64(floor.value))
        bytes.append(varint: UInt64(count))
        bytes.append(fingerprint)
        return bytes
    }
}

/// A set by the age of its slots, in eleven buckets that double in length.
///
///     ns varint | T0 varint (hours) | 11 × (count varint | fp 8) | 32 × zigzag varint
///
/// Bucket 0 is every slot from T0 - 1, bucket i = [T0 - 2^i, T0 - 2^(i-1)), the last one open downwards.
package struct Summary: Hashable, Sendable {
    package static let buckets = 11

    package struct Bucket: Hashable, Sendable {
        package var count: UInt32
        package var fingerprint: Octets8

        package init(count: UInt32, fingerprint: Octets8) {
            self.count = count
            self.fingerprint = fingerprint
        }
    }

    package var namespace: Namespace
    package var origin: Hour
    package private(set) var buckets: [Bucket]
    package var tugOfWar: TugOfWar

    init(of set: inout KnownSet, origin: Hour, floor: Hour, salt: Salt) {
        namespace = set.namespace
        self.origin = origin
        tugOfWar = set.tugOfWar(floor: floor)
        buckets = []
        for index in 0..<Self.buckets {
            let aggregate = set.aggregate(in: Self.range(index, origin: origin), floor: floor)
            buckets.append(Bucket(count: aggregate.count, fingerprint: salt.fingerprint(of: aggregate)))
        }
    }

    static func range(_ bucket: Int, origin: Hour) -> Range<Bound> {
        func back(_ index: Int) -> Bound { Bound(slot: origin.adding(-(1 << Int64(index)))) }
        return switch bucket {
        case 0: back(0)..<Bound.end
        case buckets - 1: .start..<back(buckets - 2)
        default: back(bucket)..<back(bucket - 1)
        }
    }

    init(from reader: inout ByteReader) throws(SyncFault) {
        namespace = try reader.namespace()
        origin = Hour(try reader.number32())
        buckets = []
        for _ in 0..<Self.buckets {
            let count = try reader.number32()
            buckets.append(Bucket(count: count, fingerprint: try reader.fixed()))
        }
        var sums: [Int32] = []
        for _ in 0..<TugOfWar.counters {
            let zigzag = try reader.number32()
            sums.append(Int32(bitPattern: zigzag >> 1 ^ (0 &- (zigzag & 1))))
        }
        tugOfWar = TugOfWar(sums)
    }

    package var body: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(varint: namespace.number)
        bytes.append(varint: UInt64(origin.value))
        for bucket in buckets {
            bytes.append(varint: UInt64(bucket.count))
            bytes.append(bucket.fingerprint)
        }
        for value in tugOfWar.sums {
            bytes.append(varint: UInt64(UInt32(bitPattern: value << 1 ^ value >> 31)))
        }
        return bytes
    }
}

/// Says that a side has handed over what it should, and what its set comes to now.
///
///     ns varint | sid 2 | want varint | push varint | fp 8
package struct ReconDone: Hashable, Sendable {
    package var namespace: Namespace
    package var session: SessionID
    /// Items asked for, and items pushed, in this round.
    package var wanted: UInt32
    package var pushed: UInt32
    package var fingerprint: Octets8

    init(namespace: Namespace, session: SessionID, wanted: UInt32, pushed: UInt32, fingerprint: Octets8) {
        self.namespace = namespace
        self.session = session
        self.wanted = wanted
        self.pushed = pushed
        self.fingerprint = fingerprint
    }

    init(from reader: inout ByteReader) throws(SyncFault) {
        namespace = try reader.namespace()
        session = try reader.session()
        wanted = try reader.number32()
        pushed = try reader.number32()
        fingerprint = try reader.fixed()
    }

    package var body: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(varint: namespace.number)
        bytes.append(u16: session.value)
        bytes.append(varint: UInt64(wanted))
        bytes.append(varint: UInt64(pushed))
        bytes.append(fingerprint)
        return bytes
    }
}

/// Names a run on a link and the round in it.
///
///     run 14 bits | round 2 bits        round 0: first salt · 1: second salt · 2: second salt, 16-byte ids
package struct SessionID: Hashable, Sendable {
    package let value: UInt16

    init(run: UInt16, round: UInt8) {
        precondition(round <= Limits.lastRound, "there are three rounds")
        value = run << 2 | UInt16(round)
    }

    init?(value: UInt16) {
        guard value & 3 <= UInt16(Limits.lastRound) else { return nil }
        self.value = value
    }

    var run: UInt16 { value >> 2 }
    var round: UInt8 { UInt8(value & 3) }
    /// The last round lists ids of 16 bytes.
    var isWide: Bool { round == Limits.lastRound }
}

extension ByteReader {
    @_lifetime(self: copy self)
    mutating func namespace() throws(SyncFault) -> Namespace {
        guard let namespace = Namespace(number: try number()) else { throw .namespace }
        return namespace
    }

    @_lifetime(self: copy self)
    mutating func session() throws(SyncFault) -> SessionID {
        guard let value = try? u16(), let session = SessionID(value: value) else { throw .malformed }
        return session
    }

    @_lifetime(self: copy self)
    mutating func number() throws(SyncFault) -> UInt64 {
        guard let value = try? varint() else { throw .malformed }
        return value
    }

    @_lifetime(self: copy self)
    mutating func number32() throws(SyncFault) -> UInt32 {
        guard let value = UInt32(exactly: try number()) else { throw .malformed }
        return value
    }

    @_lifetime(self: copy self)
    mutating func fixed<Value: FixedOctets>() throws(SyncFault) -> Value {
        guard let value = try? octets(Value.self) else { throw .malformed }
        return value
    }
}
