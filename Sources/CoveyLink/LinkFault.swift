package import CoveyCore

/// Why a peer's bytes end a handshake or a link. For us only: the peer sees a silent close.
package enum LinkFault: Error, Hashable, Sendable {
    // Packets.
    case unknownKind(UInt8)
    case unknownFlags(UInt8)
    case packetLength(Int)
    /// A packet of the handshake when another was due, or of the link before the handshake was through.
    case outOfOrder(PacketKind)

    // The handshake.
    /// The first message authenticates under no epoch held here.
    case noEpoch
    case authentication
    /// A Diffie–Hellman result of all zero bytes.
    case badPublicKey
    /// Our own key came back.
    case reflection
    case firstPayload
    /// The versions offered do not contain ours, or not the one of the prologue.
    case wireVersion
    case replayed
    case replayPageFull
    /// REVERSE to somebody who has no first message of his own unanswered on this connection.
    case reverseUnasked
    case reverseWithoutAhead
    case reverseAnswersAnother
    case payload(Malformed)
    /// Our own certificate does not fit the payload, even with its chain by hash.
    case payloadTooLarge

    // The link.
    case nonceExhausted
    case frame(Malformed)
    case unknownFrame(UInt8)
    case padding
}

extension LinkFault {
    init(_ failure: NoiseFailure, kind: PacketKind) {
        switch failure {
        case .length: self = .packetLength(0)
        case .authentication: self = .authentication
        case .badPublicKey: self = .badPublicKey
        case .nonceExhausted: self = .nonceExhausted
        case .outOfOrder: self = .outOfOrder(kind)
        }
    }
}
