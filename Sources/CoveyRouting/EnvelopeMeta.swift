package import CoveyCore

/// What routing sees of an envelope: the header a relay can read, and how it came here. Inline, so that lists of it are flat.
package struct EnvelopeMeta: Hashable, Sendable {
    package var id: EnvelopeID
    /// The neighbour that pays for it; our own id for own mail.
    package var ingress: DeviceID
    package var expiry: Hour
    package var kind: EnvelopeKind
    package var priority: Priority
    package var ttl: TTL
    package var bucket: Bucket
    package var zone: ZoneHint
    package var destination: Destination
    @usableFromInline var bytes: UInt32
    package var tokens: Tokens
    package var hops: UInt8
    /// Sealed here.
    package var isOwn: Bool
    /// Taken in beyond its neighbour's rate, while there was room.
    package var isSurplus: Bool
    /// Promised to be held until it expires or is purged.
    package var isCustody: Bool

    package init(
        id: EnvelopeID, header: EnvelopeHeader, tokens: Tokens, hops: UInt8, ingress: DeviceID, isOwn: Bool = false,
        isSurplus: Bool = false, isCustody: Bool = false
    ) {
        self.id = id
        self.ingress = ingress
        expiry = header.expiry
        kind = header.kind
        priority = header.priority
        ttl = header.ttl
        bucket = header.bucket
        zone = header.zone
        destination = Destination(header.zone)
        bytes = UInt32(header.bucket.size)
        self.tokens = tokens
        self.hops = hops
        self.isOwn = isOwn
        self.isSurplus = isSurplus
        self.isCustody = isCustody
    }

    /// Where contacts are studied there are no envelopes: pairwise mail of normal priority to a host, as it stands here.
    @inlinable
    package init(
        study id: EnvelopeID, from ingress: DeviceID, to host: UInt32, size: Int, expiry: Hour, tokens: Tokens,
        hops: UInt8, isOwn: Bool
    ) {
        self.id = id
        self.ingress = ingress
        self.expiry = expiry
        kind = .pairwise
        priority = .normal
        ttl = .hour
        bucket = .bytes512
        zone = .any
        destination = .host(host)
        bytes = UInt32(size)
        self.tokens = tokens
        self.hops = hops
        self.isOwn = isOwn
        isSurplus = false
        isCustody = false
    }

    /// Bytes: those of its bucket, in a mesh.
    @inlinable package var size: Int { Int(bytes) }
    package var slot: Hour { expiry.adding(-Int64(ttl.hours)) }

    /// Over all links in any policy: mail of groups and announcements, and the chunks of groups.
    @inlinable
    package var isFlooded: Bool {
        switch kind {
        case .group, .announcement: true
        case .chunk: tokens == .flood
        case .pairwise: false
        }
    }
}

/// Where an envelope goes, as far as those who carry it may know: to a zone. Where contacts are studied, to a host.
///
///     0…254 a zone | 255 unknown | 256… hosts
package struct Destination: Hashable, Comparable, Sendable, BitwiseCopyable {
    package let value: UInt32

    @inlinable
    package init(value: UInt32) { self.value = value }

    @inlinable
    package init(_ zone: ZoneHint) { value = UInt32(zone.value) }

    @inlinable package static var unknown: Destination { Destination(value: 255) }

    @inlinable
    package static func host(_ number: UInt32) -> Destination { Destination(value: 256 + number) }

    @inlinable
    package var zone: ZoneHint? { value < 255 ? ZoneHint(UInt8(truncatingIfNeeded: value)) : nil }

    @inlinable
    package static func < (left: Destination, right: Destination) -> Bool { left.value < right.value }
}

/// Copies that may still be handed on, as the DATA frame writes them (protocol.md §3.3).
package struct Tokens: Hashable, Sendable, BitwiseCopyable {
    package let value: UInt8

    @inlinable
    init(_ value: UInt8) { self.value = value }

    /// Over all links, bounded by quotas only.
    @inlinable package static var flood: Tokens { Tokens(255) }
    /// A copy that is nobody's duty: first to go.
    @inlinable package static var opportunistic: Tokens { Tokens(0) }

    @inlinable package static var mostSprayed: UInt8 { 64 }

    @inlinable
    package static func spray(_ count: UInt8) -> Tokens { Tokens(min(count, mostSprayed)) }

    /// What is left when `given` have been handed on. A flood stays one.
    @inlinable
    package func without(_ given: Tokens) -> Tokens {
        self == .flood ? self : Tokens(value - min(given.value, value))
    }

    /// What a neighbour wrote, held to what it may write: only kinds 2 and 4, and chunks for any zone, are flooded, and kinds
    /// 2 and 4 never otherwise.
    package init(received value: UInt8, kind: EnvelopeKind, zone: ZoneHint) {
        switch kind {
        case .group, .announcement: self = .flood
        case .chunk where zone.isAny && value == 255: self = .flood
        case .pairwise, .chunk: self = .spray(value)
        }
    }
}

/// A set of zones, inline.
package struct ZoneSet: Hashable, Sendable, BitwiseCopyable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    package init() {}

    package init(_ zones: some Sequence<ZoneHint>) {
        for zone in zones { insert(zone) }
    }

    /// The zones of both.
    package func intersection(_ other: ZoneSet) -> ZoneSet {
        var both = self
        both.words.0 &= other.words.0
        both.words.1 &= other.words.1
        both.words.2 &= other.words.2
        both.words.3 &= other.words.3
        return both
    }

    /// The zones of either.
    package func union(_ other: ZoneSet) -> ZoneSet {
        var either = self
        either.words.0 |= other.words.0
        either.words.1 |= other.words.1
        either.words.2 |= other.words.2
        either.words.3 |= other.words.3
        return either
    }

    /// The zones of `other` are not in it.
    package func subtracting(_ other: ZoneSet) -> ZoneSet {
        var left = self
        left.words.0 &= ~other.words.0
        left.words.1 &= ~other.words.1
        left.words.2 &= ~other.words.2
        left.words.3 &= ~other.words.3
        return left
    }

    package var isEmpty: Bool { words.0 | words.1 | words.2 | words.3 == 0 }

    /// The hint that says any is no zone, and never in the set.
    package mutating func insert(_ zone: ZoneHint) {
        guard !zone.isAny else { return }
        let bit: UInt64 = 1 << UInt64(zone.value & 63)
        switch zone.value >> 6 {
        case 0: words.0 |= bit
        case 1: words.1 |= bit
        case 2: words.2 |= bit
        default: words.3 |= bit
        }
    }

    package func contains(_ zone: ZoneHint) -> Bool {
        guard !zone.isAny else { return false }
        let word =
            switch zone.value >> 6 {
            case 0: words.0
            case 1: words.1
            case 2: words.2
            default: words.3
            }
        return word >> UInt64(zone.value & 63) & 1 == 1
    }

    package static func == (left: ZoneSet, right: ZoneSet) -> Bool { left.words == right.words }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }
}

/// One value for each priority.
package struct PerPriority<Value> {
    private var values: (Value, Value, Value, Value)

    package init(_ value: Value) { values = (value, value, value, value) }

    package init(emergency: Value, urgent: Value, normal: Value, bulk: Value) {
        values = (emergency, urgent, normal, bulk)
    }

    package subscript(priority: Priority) -> Value {
        _read {
            switch priority {
            case .emergency: yield values.0
            case .urgent: yield values.1
            case .normal: yield values.2
            case .bulk: yield values.3
            }
        }
        _modify {
            switch priority {
            case .emergency: yield &values.0
            case .urgent: yield &values.1
            case .normal: yield &values.2
            case .bulk: yield &values.3
            }
        }
    }
}

extension PerPriority: Sendable where Value: Sendable {}

/// How full a class is: 0 empty, 255 full, as HELLO and CREDIT tell it.
package struct Pressure: Hashable, Comparable, Sendable, BitwiseCopyable {
    package let value: UInt8

    @inlinable
    package init(_ value: UInt8) { self.value = value }

    package init(used: Int, of quota: Int) {
        value = quota <= 0 ? 255 : UInt8(clamping: used * 255 / quota)
    }

    /// Above it rates and shares bind: 50 %.
    @inlinable package static var binding: Pressure { Pressure(127) }
    /// Above it a class takes only mail of its own zones: 90 %.
    @inlinable package static var nearlyFull: Pressure { Pressure(229) }

    package static func < (left: Pressure, right: Pressure) -> Bool { left.value < right.value }
}

/// What routing knows of a neighbour.
package struct PeerView: Sendable {
    package var device: DeviceID
    /// The zones it lists in HELLO.
    package var zones: ZoneSet
    /// Where contacts are studied: the neighbour as a destination. Nobody knows that of a device in a mesh.
    package var host: Destination
    /// Zones that it reaches better than we do, by what it told last.
    package var nearer = ZoneSet()
    /// Zones to which a way leads from us, our own among them: there, only who is nearer is of use.
    package var reached = ZoneSet()
    package var pressure: PerPriority<Pressure>

    package init(
        device: DeviceID, zones: ZoneSet, host: Destination = .unknown,
        pressure: PerPriority<Pressure> = PerPriority(Pressure(0))
    ) {
        self.device = device
        self.zones = zones
        self.host = host
        self.pressure = pressure
    }

    /// Whether mail for there is for the neighbour, or its zone.
    @inlinable
    package func receives(_ destination: Destination) -> Bool {
        if let zone = destination.zone { return zones.contains(zone) }
        return destination == host && destination != .unknown
    }

    @inlinable
    package func isNearer(to destination: Destination) -> Bool { destination.zone.map(nearer.contains) ?? false }

    @inlinable
    package func isNeedless(for destination: Destination) -> Bool { destination.zone.map(reached.contains) ?? false }
}

/// What routing knows of a link.
package struct LinkView: Sendable {
    /// Costs money, or somebody's battery: nothing but what has to travel.
    package var isSparing: Bool

    package init(isSparing: Bool) { self.isSparing = isSparing }
}
