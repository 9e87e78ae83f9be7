import CoveyCore
import CoveyCrypto
import CoveyLink

/// A link on which the node should say little: what comes is counted by frame, and what should not come is named.
struct CatchUpVisit {
    /// The frames of a catch-up link (protocol.md §2.3), written down here once more: the node's own list is on trial.
    private static let allowed: Set<UInt8> = [0x02, 0x03, 0x04, 0x70, 0x71, 0x72, 0x73, 0x75, 0x76]

    /// Who answered.
    let peer: DeviceCertificate
    private let thief: StolenAuthority
    private let connection: Connection
    private var transport: Transport
    private var seen: [UInt8: Int] = [:]
    private(set) var mistakes: [String] = []

    init(_ connection: Connection, _ transport: Transport, peer: DeviceCertificate, thief: StolenAuthority) {
        self.connection = connection
        self.transport = transport
        self.peer = peer
        self.thief = thief
    }

    /// By frame number, as in `72 logPut`.
    var counts: [(frame: String, count: Int)] {
        seen.sorted { $0.key < $1.key }.map { (frame: Self.name($0.key), count: $0.value) }
    }

    private static func name(_ number: UInt8) -> String {
        let digits = String(number, radix: 16)
        let padded = digits.utf8.count < 2 ? "0" + digits : digits
        return FrameType(rawValue: number).map { "\(padded) \($0)" } ?? padded
    }

    // MARK: Asking

    /// Says what a member that was away would say: where its log ends, and what it would like to have of the others'.
    mutating func ask(greedily: Bool) throws {
        var heads: [UInt8] = []
        if let root = thief.root, let head = thief.head(of: root) {
            heads.append(head.log)
            heads.append(u64: head.sequence)
            heads.append(Octets16(prefixOf: head.id))
        }
        transport.sender.append(.logHeads, heads.span.bytes)
        var get: [UInt8] = []
        get.append(thief.keys.authority)
        get.append(u64: 1)
        get.append(u16: 64)
        transport.sender.append(.logGet, get.span.bytes)
        if greedily {
            let bundle = peer.device.array + [0, 0, 0, 0]
            transport.sender.append(.bundleGet, bundle.span.bytes)
            transport.sender.append(.want, [UInt8](repeating: 0, count: 10).span.bytes)
        }
        _ = try connection.send(transport.sender.take())
    }

    // MARK: Listening

    /// Counts frames until the node closes. False when it had not after `limit` milliseconds of `watch`.
    mutating func record(until limit: Int, _ watch: Stopwatch) throws -> Bool {
        while true {
            switch try connection.receive(within: max(0, limit - watch.milliseconds)) {
            case .closed: return true
            case .silence: return false
            case .bytes(let bytes): take(bytes)
            }
        }
    }

    /// Bytes of the link.
    mutating func take(_ bytes: [UInt8]) {
        var frames: [(type: FrameType, body: [UInt8])] = []
        do {
            try transport.receiver.receive(adopting: bytes) { frames.append(($0, [UInt8](copying: $1))) }
        } catch {
            mistakes.append("bytes that are no frames (\(error))")
        }
        for (type, body) in frames { judge(type, body) }
    }

    mutating func judge(_ type: FrameType, _ body: [UInt8]) {
        seen[type.rawValue, default: 0] += 1
        guard Self.allowed.contains(type.rawValue) else {
            mistakes.append("the frame \(Self.name(type.rawValue))")
            return
        }
        if type == .logPut { judge(entries: body) }
    }

    /// Towards somebody it cannot validate a node shows how it came to be a member itself, and no roster (§1.7).
    private mutating func judge(entries body: [UInt8]) {
        var rest = body[...]
        while rest.count >= 2 {
            let size = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
            rest = rest.dropFirst(2)
            guard rest.count >= size, let signed = try? Signed(parsing: Array(rest.prefix(size))),
                let entry = try? LogEntry(parsing: signed, mesh: thief.mesh)
            else {
                mistakes.append("a log frame that is none")
                return
            }
            rest = rest.dropFirst(size)
            guard case .certIssue(let certificates) = entry.payload else { continue }
            for other in certificates where other.device != peer.device {
                mistakes.append("the certificate of \(other.label)")
            }
        }
    }
}
