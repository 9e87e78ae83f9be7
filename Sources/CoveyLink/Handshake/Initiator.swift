package import CoveyCrypto

/// The side that wrote the first message and waits for the second.
package struct Initiator: Sendable {
    private let context: LinkContext
    private let noise: HandshakeState
    package let isReverse: Bool
    package let ephemeral: AgreementPublicKey

    /// Appends the first message to `out`.
    ///
    /// The node puts `ephemeral` into its replay cache, so that its own message coming back is a known one.
    package init(
        _ context: LinkContext, psk: SymmetricKey, first: FirstPayload, isReverse: Bool = false,
        random: any RandomSource, to out: inout [UInt8]
    ) {
        precondition(!isReverse || first.isAhead, "a REVERSE says AHEAD")
        var noise = context.noise(.initiator, psk: psk, isReverse: isReverse)
        var message: [UInt8] = []
        do {
            try noise.writeMessage(first.encode().span.bytes, random: random, to: &message)
        } catch { preconditionFailure("a first message needs nothing of the peer's") }
        guard let ephemeral = noise.ownEphemeralKey else { preconditionFailure("a first message begins with e") }
        self.context = context
        self.noise = noise
        self.isReverse = isReverse
        self.ephemeral = ephemeral
        out += HandshakePacket(kind: .first, isReverse: isReverse, bytes: message).encode()
    }

    /// What a first message that comes instead of the second has to be. A REVERSE is never answered by REVERSE.
    package var expectation: FirstMessage.Expectation { isReverse ? .none : .reversal(of: ephemeral) }

    /// Reads the second message. A refusal leaves the initiator as it was.
    package func open(_ packet: HandshakePacket) throws(LinkFault) -> SecondMessage {
        guard packet.kind == .second else { throw .outOfOrder(packet.kind) }
        var noise = noise
        let bytes: [UInt8]
        do { bytes = try noise.readMessage(packet.bytes.span.bytes) } catch { throw LinkFault(error, kind: .second) }
        guard let linkKey = noise.remoteStatic else { preconditionFailure("message 2 carries s") }
        guard linkKey != context.key.publicKey, noise.remoteEphemeral != ephemeral else { throw .reflection }
        let payload = try AuthPayload(padded: bytes)
        return SecondMessage(claim: PeerClaim(payload: payload, linkKey: linkKey), noise: noise)
    }
}

/// The responder has shown who it is; the node judges that before it shows itself.
package struct SecondMessage: Sendable {
    package let claim: PeerClaim
    private let noise: HandshakeState

    fileprivate init(claim: PeerClaim, noise: HandshakeState) {
        self.claim = claim
        self.noise = noise
    }

    /// The packet of the third message, and the link.
    /// - Parameter now: microseconds of uptime.
    package func finish(
        _ payload: AuthPayload, now: UInt64, random: any RandomSource
    ) throws(LinkFault) -> (packet: [UInt8], transport: Transport) {
        var noise = noise
        var message: [UInt8] = []
        let padded = try payload.padded(mayBeShort: true)
        do {
            try noise.writeMessage(padded.span.bytes, random: random, to: &message)
        } catch { throw LinkFault(error, kind: .third) }
        let keys = noise.split()
        let transport = Transport(
            sending: keys.initiator, receiving: keys.responder, handshakeHash: noise.handshakeHash, now: now,
            random: random)
        return (HandshakePacket(kind: .third, bytes: message).encode(), transport)
    }
}
