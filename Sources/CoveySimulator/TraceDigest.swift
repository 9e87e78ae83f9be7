import CoveyCrypto

/// One event of a run, as two runs are compared by it.
public struct TraceEvent: Hashable, Sendable, CustomStringConvertible {
    /// Microseconds since the world began.
    public let time: UInt64
    /// Its index; 4294967295 for what is of no host.
    public let host: Int
    /// `received`, `send`, `deadline`, …: events, effects, and faults of the world.
    public let kind: String
    /// Bytes that went in or out.
    public let size: Int
    /// Of all of it: two events with one hash are the same.
    public let hash: UInt64

    public var description: String { "\(time) \(host) \(kind) \(size) \(String(hash, radix: 16))" }
}

/// A rolling BLAKE2b over everything that goes into the nodes and comes out of them.
///
///     event  = time 8 | host 4 | kind 1 | number 8 | size 4 | fold 8        integers little-endian
///     digest = BLAKE2b-256(digest before | some 64 KiB of events)
///
/// `fold` stands for the bytes themselves. It is quick and no secret's guard: it has to notice that two runs differ, and a
/// run that wants to deceive its own digest is nobody's.
struct TraceDigest {
    enum Kind: UInt8 {
        case start = 1, endpoints, deadline, accepted, connected, dialFailed, received, drained, closed, datagram,
            command
        case dial = 32, send, reportDrained, close, abort, multicast, reply, observe, stop
        case carry = 64, crash, fault
    }

    private static let block = 64 << 10
    private static let event = 33
    private var state = Octets32()
    /// Events that are not in `state` yet, `used` bytes of them.
    private var buffer = [UInt8](repeating: 0, count: block + event)
    private var used = 0
    private let keepsEvents: Bool
    private(set) var events: [TraceEvent] = []
    private(set) var count = 0

    init(keepsEvents: Bool) { self.keepsEvents = keepsEvents }

    mutating func add(_ kind: Kind, time: UInt64, host: UInt32, number: UInt64 = 0) {
        add(kind, time: time, host: host, number: number, size: 0, fold: 0)
    }

    mutating func add(_ kind: Kind, time: UInt64, host: UInt32, number: UInt64, bytes: [UInt8]) {
        add(
            kind, time: time, host: host, number: number, size: bytes.count, fold: bytes.isEmpty ? 0 : Self.fold(bytes))
    }

    private mutating func add(_ kind: Kind, time: UInt64, host: UInt32, number: UInt64, size: Int, fold: UInt64) {
        let start = used
        buffer.withUnsafeMutableBytes { raw in
            raw.storeBytes(of: time.littleEndian, toByteOffset: start, as: UInt64.self)
            raw.storeBytes(of: host.littleEndian, toByteOffset: start + 8, as: UInt32.self)
            raw[start + 12] = kind.rawValue
            raw.storeBytes(of: number.littleEndian, toByteOffset: start + 13, as: UInt64.self)
            raw.storeBytes(
                of: UInt32(truncatingIfNeeded: size).littleEndian, toByteOffset: start + 21, as: UInt32.self)
            raw.storeBytes(of: fold.littleEndian, toByteOffset: start + 25, as: UInt64.self)
        }
        used += Self.event
        count += 1
        if keepsEvents { keep(kind, time, host, size, from: start) }
        if used >= Self.block { roll() }
    }

    /// Eight bytes at a time, each word mixed into all that follows.
    private static func fold(_ bytes: [UInt8]) -> UInt64 {
        bytes.withUnsafeBytes { raw in
            var state: UInt64 = 0x9e37_79b9_7f4a_7c15 ^ UInt64(raw.count)
            var at = 0
            while at + 8 <= raw.count {
                let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt64.self))
                state = mix(state ^ word)
                at += 8
            }
            var last: UInt64 = 0
            for index in at..<raw.count { last = last << 8 | UInt64(raw[index]) }
            return mix(mix(state ^ last))
        }
    }

    /// Both halves of a wide product.
    private static func mix(_ word: UInt64) -> UInt64 {
        let product = word.multipliedFullWidth(by: 0xd6e8_feb8_6659_fd93)
        return product.high ^ product.low
    }

    private mutating func keep(_ kind: Kind, _ time: UInt64, _ host: UInt32, _ size: Int, from start: Int) {
        let hash: Octets8 = Blake2b.hash(
            buffer.span.bytes.extracting(start..<used), personal: "covey-sim:event")
        let word = hash.withSpan { $0.unsafeLoadUnaligned(as: UInt64.self) }
        events.append(
            TraceEvent(time: time, host: Int(host), kind: "\(kind)", size: size, hash: UInt64(bigEndian: word)))
    }

    private mutating func roll() {
        let whole = state.array + buffer[..<used]
        state = Blake2b.hash256(whole.span.bytes, personal: "covey-sim:trace")
        used = 0
    }

    /// Of everything so far, in hex.
    var value: String {
        var copy = self
        copy.roll()
        return copy.state.hex
    }
}
