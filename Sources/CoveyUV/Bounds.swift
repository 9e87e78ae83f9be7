import CoveyControl

/// Bounds of what comes from outside and of what waits to go there. Times are milliseconds.
enum Bounds {
    /// Streams others opened to us, bytes of which no handshake has judged yet among them.
    static let acceptedConnections = 64
    static let listenBacklog: Int32 = 64
    /// Names being looked up at once. The resolver may take long, and commits need threads of the same pool.
    static let lookups = 2
    static let dialTimeout: UInt64 = 10_000
    /// How long a closed stream may take to hand over what was sent.
    static let closeTimeout: UInt64 = 2_000
    /// How long a control client that was dropped may take to read its last lines.
    static let dropTimeout: UInt64 = 10_000
    /// Bytes one read delivers at most.
    static let readSlab = 65_536
    /// Bytes queued to one connection. The node waits for `drained`, so only a fault gets here.
    static let writeQueue = 32 << 20
    /// Bytes of small frames gathered into one write.
    static let gatheredBytes = 65_536
    /// Bytes of effects that wait for a commit; above it nothing more is read.
    static let waitingEffects = 4 << 20
    /// Longest datagram handed on; a beacon has 220 bytes.
    static let datagram = 512
    static let interfaceInterval: UInt64 = 3_000
    /// Microseconds of sleep after which the machine counts as woken (sync-routing.md §1.4).
    static let sleep: UInt64 = 5_000_000
    /// Rounds of turns that effects cause at once, before the loop looks at the sockets again.
    static let roundsPerIteration = 64

    /// Bytes of one line, its newline not counted.
    static let controlLine = ControlLine.longest
    /// Bytes of the list in a line; the rest is for what stands around it.
    static let controlList = controlLine - 1_024
    /// Of those the numbers of announcements that did not come, beside the announcements.
    static let controlMissing = 128 << 10
    /// Of those what is said of a device besides its revocations.
    static let controlContact = 8 << 10
    static let controlClients = 32
    /// Commands of one client without an answer; above it no further line is read.
    static let controlCommands = 64
    /// Bytes queued to one client; above it the client is dropped.
    static let controlQueue = 4 << 20
}
