import CoveyCrypto

/// Takes up connections: a first message that comes a byte every three seconds, and now and then nothing at all.
final class Slowloris: Conduct {
    private static let connections = 4
    private static let secondsPerByte = 3
    /// Microseconds.
    private static let patience: UInt64 = 60_000_000
    /// The head of a first message: 66 bytes follow, kind 1.
    private static let head: [UInt8] = [0, 66, 1, 0]
    private var ticks = 0

    func ticked(_ insider: Insider) {
        ticks += 1
        // A handshake of its own would be in its own way: they come on top of a link.
        for host in insider.reach
        where insider.rawCalls(to: host) < Self.connections && insider.links.contains(where: { $0.host == host }) {
            let bytes = ticks % 4 == 0 ? [] : Self.head + insider.random.bytes(64)
            insider.dial(host, saying: bytes, for: Self.patience, slowly: true)
        }
        if ticks % Self.secondsPerByte == 0 { insider.dribble() }
    }
}
