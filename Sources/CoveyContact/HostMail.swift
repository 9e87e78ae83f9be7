import CoveyCore
import CoveyCrypto
import CoveyRouting

/// One copy of a message at a host, 12 bytes, or that the host knows the message and has no copy any more.
struct Copy: BitwiseCopyable {
    static let noHop = UInt32.max

    /// In the list of planned messages.
    var message: UInt32
    /// How it came; `noHop`: known, not held.
    var hop: UInt32
    var tokens: UInt8

    var isHeld: Bool { hop != Self.noHop }
}

/// How copies came where they are: a tree that grows from each origin, whose branches nobody needs any more are cut.
struct HopTree {
    struct Hop: BitwiseCopyable {
        /// Microseconds; when the host had it.
        var time: UInt64
        var host: UInt32
        var parent: UInt32
        /// Copies, deliveries and further hops that stand on it.
        var holders: UInt32
        /// Hops from the origin.
        var depth: UInt32
    }

    private(set) var hops: [Hop] = []
    private var free: [UInt32] = []

    /// Held once by the caller.
    mutating func add(_ host: UInt32, after parent: UInt32, at time: UInt64) -> UInt32 {
        var hop = Hop(time: time, host: host, parent: parent, holders: 1, depth: 0)
        if parent != Copy.noHop {
            hops[Int(parent)].holders += 1
            hop.depth = hops[Int(parent)].depth + 1
        }
        if let place = free.popLast() {
            hops[Int(place)] = hop
            return place
        }
        hops.append(hop)
        return UInt32(hops.count - 1)
    }

    mutating func hold(_ hop: UInt32) { hops[Int(hop)].holders += 1 }

    mutating func release(_ hop: UInt32) {
        var at = hop
        while at != Copy.noHop {
            hops[Int(at)].holders -= 1
            guard hops[Int(at)].holders == 0 else { return }
            free.append(at)
            at = hops[Int(at)].parent
        }
    }

    func path(_ hop: UInt32) -> [UInt32] {
        var path: [UInt32] = []
        var at = hop
        while at != Copy.noHop {
            path.append(hops[Int(at)].host)
            at = hops[Int(at)].parent
        }
        return path.reversed()
    }
}

/// What is the same for all copies of a message.
struct MessageFacts: BitwiseCopyable {
    var from: UInt32
    var to: UInt32
    var size: UInt32
    var isDelivered: Bool
    /// Microseconds.
    var expiry: UInt64

    static let hour: UInt64 = 3_600_000_000

    /// In whole hours, as envelopes have it, rounded up.
    var expiryHour: Hour { Hour(UInt32(clamping: expiry / Self.hour + (expiry % Self.hour == 0 ? 0 : 1))) }
}

/// Names of envelopes and devices, made of numbers. Ids are spread as hashes are.
enum StudyNames {
    static func envelope(_ message: UInt32) -> EnvelopeID {
        var id = EnvelopeID()
        var mixed = (UInt64(message) &+ 1) &* 0x9e37_79b9_7f4a_7c15
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        id.withMutableSpan { span in
            span.withUnsafeMutableBytes { raw in
                raw.storeBytes(of: mixed, as: UInt64.self)
                raw.storeBytes(of: message, toByteOffset: 24, as: UInt32.self)
            }
        }
        return id
    }

    static func message(_ id: EnvelopeID) -> UInt32 {
        id.withSpan { $0.withUnsafeBytes { $0.load(fromByteOffset: 24, as: UInt32.self) } }
    }

    static func device(_ host: UInt32) -> DeviceID {
        var id = DeviceID()
        id.withMutableSpan { span in
            span.withUnsafeMutableBytes { $0.storeBytes(of: host.bigEndian, as: UInt32.self) }
        }
        return id
    }

    static func host(_ device: DeviceID) -> UInt32 {
        device.withSpan { $0.withUnsafeBytes { UInt32(bigEndian: $0.load(as: UInt32.self)) } }
    }
}

/// The mail of one host as `Retention` looks at it: the same decisions as a node's, over 12 bytes a copy.
struct HostHoldings: Holdings {
    let host: UInt32
    let copies: [Copy]
    let facts: [MessageFacts]
    let hops: HopTree
    let quota: Quota
    let neighbours: Int
    let ownBytes: Int
    let relayedBytes: Int
    /// Copies that are being sent stay.
    let sending: [UInt32]
    /// Bytes of relayed mail by the neighbour it came from; nil: there is room, and nobody asks.
    let shares: [UInt32: Int]?

    /// Room is so short that neighbours have shares.
    var isShort: Bool { pressure(.normal) > .binding }

    var zones: ZoneSet { ZoneSet() }

    func used(_ priority: Priority) -> Int { priority == .normal ? relayedBytes : 0 }

    func bytes(_ priority: Priority, of neighbour: DeviceID) -> Int {
        guard let shares else { preconditionFailure("shares are counted as soon as room is short") }
        return priority == .normal ? shares[StudyNames.host(neighbour)] ?? 0 : 0
    }

    /// What neighbours have of the room.
    func countShares() -> [UInt32: Int] {
        var shares: [UInt32: Int] = [:]
        for copy in relayed {
            let from = hops.hops[Int(hops.hops[Int(copy.hop)].parent)].host
            shares[from, default: 0] += Int(facts[Int(copy.message)].size)
        }
        return shares
    }

    func mail(_ priority: Priority) -> [EnvelopeMeta] {
        guard priority == .normal else { return [] }
        return relayed.map { copy in
            let fact = facts[Int(copy.message)]
            var meta = EnvelopeMeta(
                study: StudyNames.envelope(copy.message), from: ingress(of: copy), to: fact.to, size: Int(fact.size),
                expiry: fact.expiryHour, tokens: Tokens(received: copy.tokens, kind: .pairwise, zone: .any),
                hops: UInt8(clamping: hops.hops[Int(copy.hop)].depth), isOwn: false)
            meta.isCustody = sending.contains(copy.message)
            return meta
        }
    }

    private var relayed: some Sequence<Copy> {
        copies.lazy.filter { $0.isHeld && hops.hops[Int($0.hop)].parent != Copy.noHop }
    }

    private func ingress(of copy: Copy) -> DeviceID {
        StudyNames.device(hops.hops[Int(hops.hops[Int(copy.hop)].parent)].host)
    }
}
