import CoveyCrypto
import CoveyNode

/// What a host once accepted into its log and its notes stays, in its place, byte for byte (invariant 9).
public final class LogOnlyGrows: Checker {
    public let name = "log only grows"
    private var logs: [[Octets32]] = []
    private var notes: [Set<Octets32>] = []

    public init() {}

    public func sampled(in world: World) { for host in world.hosts { look(at: host, in: world) } }

    public func changed(_ host: Host, to state: Host.State, in world: World) {
        if state == .up { look(at: host, in: world) }
    }

    private static func hash(_ bytes: [UInt8]) -> Octets32 {
        Blake2b.hash256(bytes.span.bytes, personal: "covey-sim:record")
    }

    private func look(at host: Host, in world: World) {
        while logs.count <= host.index {
            logs.append([])
            notes.append([])
        }
        let store = world.store(of: host)
        let entries = store.records(.log, after: 0, limit: .max).map { Self.hash($0.value) }
        if !entries.starts(with: logs[host.index]) {
            world.violate(name, "its log is not what it was, and more", at: host)
        }
        logs[host.index] = entries
        let noted = Set(world.storedRevocations(of: host).map { Self.hash($0.value) })
        if !noted.isSuperset(of: notes[host.index]) { world.violate(name, "it forgot a revocation", at: host) }
        notes[host.index] = noted
    }
}
