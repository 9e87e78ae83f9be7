package import CoveyCrypto

/// A link after its handshake: both directions, its hash, and its age.
///
/// The halves are apart, so that frames can be answered while others are still being read. Streams only: datagram links,
/// with explicit nonces, a window and cookies, do not exist yet.
package struct Transport: Sendable {
    package var sender: FrameSender
    package var receiver: FrameReceiver
    /// The same on both sides and on no other link. Decides between two links to one peer, and salts short ids.
    package let handshakeHash: Octets32
    package let shortIDs: ShortIDs
    /// Microseconds of uptime.
    package let established: UInt64
    private let rehandshakeAt: UInt64

    init(
        sending: CipherState, receiving: CipherState, handshakeHash: Octets32, now: UInt64, random: any RandomSource
    ) {
        sender = FrameSender(sending)
        receiver = FrameReceiver(receiving)
        self.handshakeHash = handshakeHash
        shortIDs = ShortIDs(handshakeHash: handshakeHash)
        established = now
        let spread = LinkBounds.rehandshakeSpread
        rehandshakeAt = now + LinkBounds.rehandshake - spread + random.uniform(2 * spread + 1)
    }

    /// When a new handshake is due: at 60 min, give or take ten percent.
    package var rehandshakeDue: UInt64 { rehandshakeAt }
    /// When the link ends in any case.
    package var hardStop: UInt64 { established + LinkBounds.hardStop }

    package func isDueForRehandshake(now: UInt64) -> Bool { now >= rehandshakeAt }
    package func mustEnd(now: UInt64) -> Bool { now >= hardStop }
}
