import CoveyCore
import CoveyCrypto

/// Somebody of no mesh, or of another: whatever it says, it gets not one byte (protocol.md §2.1).
struct Stranger {
    let target: SocketAddress
    /// Milliseconds to wait for an answer.
    let patience: Int

    /// Knocks in every way at once, and says what came back. True when nothing did.
    func run() throws -> Bool {
        let random = SystemRandom()
        let watch = Stopwatch()
        var open: [(knock: Knock, connection: Connection)] = []
        for knock in try Knock.all(now: Minute.current, random: random) {
            let connection = try Connection(to: target)
            _ = try connection.send(knock.bytes)
            open.append((knock, connection))
        }
        var total = 0
        for (knock, connection) in open {
            let (count, isClosed) = try Self.drain(connection, until: patience, watch)
            total += count
            Line.write("\(knock.name): \(count) bytes came back, \(isClosed ? "closed" : "left without an answer")")
        }
        Line.write("stranger: \(open.count) knocks, \(total) bytes in \(watch.seconds) s")
        return total == 0
    }

    private static func drain(
        _ connection: Connection, until deadline: Int, _ watch: Stopwatch
    ) throws -> (count: Int, isClosed: Bool) {
        var count = 0
        while true {
            switch try connection.receive(within: max(0, deadline - watch.milliseconds)) {
            case .bytes(let bytes): count += bytes.count
            case .closed: return (count, true)
            case .silence: return (count, false)
            }
        }
    }
}
