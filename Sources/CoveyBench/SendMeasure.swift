import CoveyCore
import CoveyCrypto
import CoveyKEM
import CoveyNode
import Glibc

/// From `send` to the other's inbox: two nodes in one process, with stores in memory and queues for a network, so that
/// what is left is what the nodes compute. Every message is a first one, with a key agreement of its own.
func measureSending() throws {
    let pair = try NodePair()
    try pair.link()
    let text = String(repeating: "x", count: 100)
    for _ in 0..<50 { try pair.send(text) }
    let count = 1_000
    let (start, before) = (Stopwatch.processor, pair.delivered)
    for _ in 0..<count { try pair.send(text) }
    let used = Double(Stopwatch.processor - start) / 1_000 / Double(count)
    precondition(pair.delivered - before == count, "every message reaches the inbox")

    let primitives = primitivesOfFirstMessage()
    var report = Report("send_to_inbox")
    report.set("size", text.utf8.count)
    report.set("msgs", count)
    report.set("cpu_us", used, digits: 1)
    report.set("primitives_us", primitives, digits: 1)
    report.set("ratio", used / primitives, digits: 3)
    report.print()
}

/// Microseconds of the operations that a first message cannot do without, on both sides together.
private func primitivesOfFirstMessage() -> Double {
    let random = SystemRandom()
    let kem = MLKEM768()
    let nothing: [UInt8] = []
    let own = AgreementPrivateKey(from: random)
    let peer = AgreementPrivateKey(from: random).publicKey
    let kemKey = KEMPrivateKey(from: random)
    let kemPublic = kem.publicKey(of: kemKey)
    guard let (ciphertext, _) = try? kem.encapsulate(to: kemPublic, random: random) else {
        preconditionFailure("an own key is sound")
    }
    let key = SymmetricKey(from: random)
    let body = random.bytes(2048)
    var sealed: [UInt8] = []

    // The ephemeral key and the first ratchet key.
    let generate = Stopwatch.microseconds { _ = AgreementPrivateKey(from: random) }
    // Three agreements and the first ratchet step, on each side.
    let agree = Stopwatch.microseconds { _ = try? own.agree(with: peer) }
    let encapsulate = Stopwatch.microseconds { _ = try? kem.encapsulate(to: kemPublic, random: random) }
    let decapsulate = Stopwatch.microseconds { _ = kem.decapsulate(ciphertext, with: kemKey) }
    // The envelope is sealed and opened, hashed on both sides, and sealed and opened for the link.
    let hash = Stopwatch.microseconds { _ = Blake2b.hash256(body.span.bytes, personal: "bench") }
    let seal = Stopwatch.microseconds {
        sealed.removeAll(keepingCapacity: true)
        XChaCha20Poly1305.seal(
            body.span.bytes, ad: nothing.span.bytes, nonce: Nonce24(), key: key, to: &sealed)
    }
    return 2 * generate + 8 * agree + encapsulate + decapsulate + 2 * hash + 4 * seal
}

/// Two nodes of one mesh and the wire between them.
private final class NodePair {
    private struct Host {
        let node: Node
        let store: MemoryStore
        let connection: ConnectionID
    }

    private var hosts: [Host] = []
    private var queue: [(host: Int, event: Event)] = []
    private var effects = Effects()
    private var commands: UInt64 = 0
    private let recipient: String
    private(set) var delivered = 0

    init() throws {
        let now = Self.now
        let mesh = try BenchMesh(devices: 2, seed: 2, founded: Minute(wall: now.wall))
        recipient = mesh.identities[1].id.hex
        for device in 0..<2 {
            let store = MemoryStore()
            try mesh.install(device, in: store)
            var configuration = mesh.configuration(of: device)
            configuration.multicast = .off
            if device == 0 {
                configuration.peers = [
                    NodeConfiguration.StaticPeer(address: SocketAddress(v4: 10, 0, 0, 2, port: 1))
                ]
            }
            let node = try Node(
                configuration: configuration, store: store, random: SystemRandom(), kem: MLKEM768(), now: now)
            store.commit()
            hosts.append(Host(node: node, store: store, connection: device == 0 ? .dialled(1) : .accepted(1)))
        }
    }

    private static var now: Now {
        Now(uptime: Stopwatch.now / 1_000, wall: Int64(time(nil)) * 1_000_000)
    }

    /// A link, and the recipient's bundle at the sender.
    func link() throws {
        let limit = Stopwatch.now + 10_000_000_000
        queue.append((0, .endpoints([])))
        queue.append((1, .endpoints([])))
        try settle()
        while delivered == 0 {
            guard Stopwatch.now < limit else { throw Complaint("two nodes of one process were not linked in 10 s") }
            for host in hosts.indices { queue.append((host, .deadline)) }
            try send("first")
        }
    }

    func send(_ text: String) throws {
        commands += 1
        queue.append((0, .command(CommandID(commands), .send(to: recipient, text: text))))
        try settle()
    }

    private func settle() throws {
        var at = 0
        while at < queue.count {
            let (host, event) = queue[at]
            at += 1
            try hosts[host].node.handle(event, at: Self.now, store: hosts[host].store, into: &effects)
            hosts[host].store.commit()
            for effect in effects.list { perform(effect, host) }
            effects.removeAll()
        }
        queue.removeAll(keepingCapacity: true)
    }

    private func perform(_ effect: Effect, _ host: Int) {
        switch effect {
        case .dial(let connection, let address):
            queue.append((1, .accepted(hosts[1].connection, from: address, isStatic: true)))
            queue.append((0, .connected(connection)))
        case .send(_, let bytes): queue.append((1 - host, .received(hosts[1 - host].connection, bytes)))
        case .reportDrained(let connection): queue.append((host, .drained(connection)))
        case .observe(.delivered): delivered += 1
        case .close, .abort, .multicast, .reply, .observe, .stop: break
        }
    }
}
