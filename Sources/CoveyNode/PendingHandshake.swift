import CoveyCore
import CoveyLink

/// A connection on its way to being a link.
struct PendingHandshake {
    enum State {
        /// Dialled, not yet connected.
        case dialling
        /// Accepted; the first message is awaited.
        case listening(HandshakeBudget.Ticket, isStatic: Bool)
        /// Our first message is out.
        case initiating(Initiator)
        /// Our second message is out; the third is awaited.
        case responding(Responder, HandshakeBudget.Ticket)
    }

    var state: State
    var address: SocketAddress
    /// Whom a static peer's entry or a beacon named.
    var expected: DeviceID?
    var packets = PacketBuffer()
    /// Our log gives the peer's certificate no right.
    var isPeerRefused = false
    /// It failed; nothing more is read, and the connection ends at its deadline.
    var isRefused = false
}
