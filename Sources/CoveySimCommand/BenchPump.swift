import CoveyCore
import CoveyCrypto
import CoveyNode

/// Envelopes from one node's store to another's, over a queue of bytes: everything of carrying but the kernel and the disk.
struct BenchPump {
    var envelopes: Int
    var bucket = Bucket.bytes2048

    func run() throws {
        let mesh = try BenchNodes(devices: 2)
        let there = SocketAddress(v4: 10, 0, 0, 2, port: 26117)
        var pair = Pair(try mesh.node(0, peers: [NodeConfiguration.StaticPeer(address: there)]), try mesh.node(1))
        try pair.link()
        var source = Source(bucket)
        let made = (0..<envelopes).map { _ in source.next() }
        let began = Usage.processor
        var sent = 0
        while sent < envelopes {
            let count = min(32, envelopes - sent)
            try pair.carry(Array(made[sent..<sent + count]))
            sent += count
        }
        let ended = Usage.processor
        precondition(pair.stored == envelopes, "every envelope arrived")
        var figures = Figures("pump")
        figures.set("envelopes", envelopes)
        figures.set("bucket", bucket.size)
        figures.set("us_per_envelope", (ended - began) * 1_000_000 / Double(envelopes))
        figures.set("resident_kib", Usage.residentMemory)
        figures.print()
    }

    /// Sound envelopes with a random body.
    private struct Source {
        private var bytes: [UInt8]
        private var count: UInt64 = 0

        init(_ bucket: Bucket) {
            let random = SeededRandom(seed: 2, stream: "bench-pump")
            let header = EnvelopeHeader(
                kind: .pairwise, priority: .normal, ttl: .twoWeeks, bucket: bucket, zone: .any,
                expiry: Hour.expiry(of: .twoWeeks, priority: .normal, from: Minute(wall: BenchNodes.start)),
                tag: RecipientTag.random(from: random), purgeCommit: PurgeCommit.random(from: random))
            bytes = header.octets.array + random.bytes(bucket.bodySize)
        }

        mutating func next() -> Envelope {
            count += 1
            bytes.withUnsafeMutableBytes {
                $0.storeBytes(of: count, toByteOffset: EnvelopeHeader.byteCount, as: UInt64.self)
            }
            guard let envelope = try? Envelope(parsing: bytes) else { preconditionFailure("the envelope is sound") }
            return envelope
        }
    }

    /// Two nodes, and what each has written to the other.
    private struct Pair {
        private var sides: [(node: Node, store: MemoryStore)]
        private var queue: [(to: Int, event: Event)] = []
        private var effects = Effects()
        private(set) var stored = 0
        private let uptime: UInt64 = 1_000_000

        init(_ a: (node: Node, store: MemoryStore), _ b: (node: Node, store: MemoryStore)) { sides = [a, b] }

        mutating func link() throws {
            try turn(0, .deadline)
            try drain()
            precondition(sides[0].node.isOpen(to: sides[1].node.device), "the two are linked")
        }

        mutating func carry(_ envelopes: [Envelope]) throws {
            _ = try sides[0].node.carry(
                envelopes, at: BenchNodes.now(uptime), store: sides[0].store, into: &effects)
            perform(0)
            try drain()
        }

        private mutating func drain() throws {
            var next = 0
            while next < queue.count {
                let (to, event) = queue[next]
                queue[next].event = .deadline
                next += 1
                try turn(to, event)
            }
            queue.removeAll(keepingCapacity: true)
        }

        private mutating func turn(_ side: Int, _ event: Event) throws {
            try sides[side].node.handle(event, at: BenchNodes.now(uptime), store: sides[side].store, into: &effects)
            perform(side)
        }

        private mutating func perform(_ side: Int) {
            sides[side].store.commit()
            for effect in effects.list {
                switch effect {
                case .dial(let connection, _):
                    queue.append((1 - side, .accepted(.accepted(1), from: Self.dialler, isStatic: true)))
                    queue.append((side, .connected(connection)))
                case .send(_, let bytes):
                    queue.append((1 - side, .received(side == 0 ? .accepted(1) : .dialled(1), bytes)))
                case .reportDrained(let connection): queue.append((side, .drained(connection)))
                case .observe(.stored): stored += 1
                case .close, .abort, .multicast, .reply, .observe, .stop: break
                }
            }
            effects.removeAll()
        }

        private static let dialler = SocketAddress(v4: 10, 0, 0, 1, port: 40_000)
    }
}
