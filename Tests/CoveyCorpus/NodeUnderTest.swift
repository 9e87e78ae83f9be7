import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyNode

/// A node of a small mesh that is set up before each input and put back after it. What it may do to the outside for what
/// comes in is bounded here, and what it has written must be something a node can start from.
final class NodeUnderTest {
    let mesh = SmallMesh()
    let store = MemoryStore()
    private(set) var node: Node
    private(set) var sent: [ConnectionID: [UInt8]] = [:]
    private(set) var dialled: [ConnectionID] = []
    private(set) var closed: Set<ConnectionID> = []
    private var uptime: UInt64 = 0
    private let random = 5 as UInt64
    /// Bytes said to it, and by it.
    private var heard = 0
    private var said = 0

    static let peer = SocketAddress(v4: 10, 9, 0, 1, port: 40_000)
    /// Where `there` is said to listen.
    static let listener = SocketAddress(v4: 10, 9, 0, 2, port: 26_117)
    private static let own = SocketAddress(v4: 10, 0, 0, 1, port: 26_117)

    init() {
        do {
            try Installation.write(mesh.welcome, to: store)
            node = try Self.made(mesh, store, seed: 1)
            // The first turn makes prekeys; they are the same for all inputs.
            var effects = Effects()
            try node.handle(.deadline, at: Now(uptime: 0, wall: SmallMesh.start), store: store, into: &effects)
            store.commit()
            begin()
        } catch {
            preconditionFailure("a node starts from its welcome: \(error)")
        }
    }

    private static func made(_ mesh: SmallMesh, _ store: MemoryStore, seed: UInt64) throws -> Node {
        var configuration = NodeConfiguration(
            genesis: mesh.founding.genesis, identity: mesh.here.identity,
            peers: [.init(address: listener, device: mesh.there.identity.id)], quota: 256 << 10)
        configuration.multicast = .on
        return try Node(
            configuration: configuration, store: store, random: SeededRandom(seed: seed), kem: HollowKEM(),
            now: Now(uptime: 0, wall: SmallMesh.start))
    }

    /// Forgets the last input.
    func begin() {
        store.crash()
        sent = [:]
        dialled = []
        closed = []
        uptime = 0
        heard = 0
        said = 0
        do { node = try Self.made(mesh, store, seed: random) } catch {
            preconditionFailure("a node starts where it was: \(error)")
        }
        handle(.endpoints([LocalEndpoint(address: Self.own, interface: 1, isLoopback: false)]))
    }

    var now: Now { Now(uptime: uptime, wall: SmallMesh.start + Int64(uptime)) }

    func handle(_ event: Event) {
        if case .received(_, let bytes) = event { heard += bytes.count }
        if case .datagram(let bytes, _, _) = event { heard += bytes.count }
        // What left may be said again.
        if case .drained = event { said = 0 }
        var effects = Effects()
        do { try node.handle(event, at: now, store: store, into: &effects) } catch {
            preconditionFailure("strangers do not break the store: \(error)")
        }
        precondition(effects.list.count < 4_096 + 64 * 1_024, "what a turn does is bounded")
        for effect in effects.take() {
            switch effect {
            case .send(let connection, let bytes):
                precondition(!closed.contains(connection), "nothing is sent after the end")
                sent[connection, default: []] += bytes
                said += bytes.count
            case .dial(let connection, _): dialled.append(connection)
            case .close(let connection), .abort(let connection): closed.insert(connection)
            case .multicast(let bytes): said += bytes.count
            case .reportDrained, .reply, .observe, .stop: break
            }
        }
        precondition(said <= (1 << 20) + 160 * heard, "what is said is in proportion to what was heard")
    }

    /// What the node said on a connection since the last time.
    func takeSent(_ connection: ConnectionID) -> [UInt8] { sent.removeValue(forKey: connection) ?? [] }

    /// Time passes, and everything that is due happens; at most `turns` turns.
    func wait(_ microseconds: UInt64, turns: Int = 64) {
        let end = uptime + microseconds
        for _ in 0..<turns {
            guard let next = node.nextDeadline, next <= end else { break }
            uptime = max(uptime, next)
            handle(.deadline)
        }
        uptime = end
    }

    /// It still answers, it counts as its store does, and a node could go on from what is written.
    func check() {
        var effects = Effects()
        do {
            try node.handle(.command(CommandID(1), .status), at: now, store: store, into: &effects)
            var status: Status?
            for case .reply(_, .status(let reply)) in effects.list { status = reply }
            precondition(status?.held == store.known().held.count, "what is counted is what is held")
            _ = try Self.made(mesh, store, seed: 9)
        } catch {
            preconditionFailure("what is written can be read: \(error)")
        }
    }
}
