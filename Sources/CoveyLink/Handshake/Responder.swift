package import CoveyCore
package import CoveyCrypto

/// The side that wrote message 2 and waits for message 3.
package struct Responder: Sendable {
    private let context: LinkContext
    private let noise: HandshakeState
    /// The epoch the handshake runs under.
    package let epoch: EpochCommit

    init(context: LinkContext, epoch: EpochCommit, noise: HandshakeState) {
        self.context = context
        self.epoch = epoch
        self.noise = noise
    }

    /// Reads message 3. A refusal leaves the responder as it was.
    /// - Parameter now: microseconds of uptime.
    package func open(
        _ packet: HandshakePacket, now: UInt64, random: any RandomSource
    ) throws(LinkFault) -> ThirdMessage {
        guard packet.kind == .third else { throw .outOfOrder(packet.kind) }
        var noise = noise
        let bytes: [UInt8]
        do { bytes = try noise.readMessage(packet.bytes.span.bytes) } catch { throw LinkFault(error, kind: .third) }
        guard let linkKey = noise.remoteStatic else { preconditionFailure("message 3 carries s") }
        guard linkKey != context.key.publicKey else { throw .reflection }
        let payload = try AuthPayload(padded: bytes)
        let keys = noise.split()
        let transport = Transport(
            sending: keys.responder, receiving: keys.initiator, handshakeHash: noise.handshakeHash, now: now,
            random: random)
        return ThirdMessage(claim: PeerClaim(payload: payload, linkKey: linkKey), transport: transport)
    }
}

/// The initiator has shown who it is. The link is of use once the node has judged the claim.
package struct ThirdMessage: Sendable {
    package let claim: PeerClaim
    package let transport: Transport
}
