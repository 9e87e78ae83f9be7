package import CoveyCore
package import CoveyCrypto

/// A first message that authenticates under a held epoch: so it is from a member, or from somebody who once was.
///
/// Opening it took symmetric work only. The node now answers with message 2, turns the roles, or stays silent.
package struct FirstMessage: Sendable {
    /// Which first message may come on a connection.
    package enum Expectation: Sendable, Equatable {
        /// The other side dialled: a message that is no REVERSE.
        case fresh
        /// We sent a first message with this key, which is unanswered: only its REVERSE.
        case reversal(of: AgreementPublicKey)
        /// We turned the roles ourselves: none.
        case none
    }

    package let epoch: EpochCommit
    package let payload: FirstPayload
    package let ephemeral: AgreementPublicKey
    package let isReverse: Bool
    private let context: LinkContext
    private let psk: SymmetricKey
    private let noise: HandshakeState

    /// Tries the held epochs in their order, the preferred one first.
    package static func open(
        _ packet: HandshakePacket, context: LinkContext, held: [HeldPSK], expecting: Expectation
    ) throws(LinkFault) -> FirstMessage {
        guard packet.kind == .first else { throw .outOfOrder(packet.kind) }
        switch expecting {
        case .fresh: guard !packet.isReverse else { throw .reverseUnasked }
        case .reversal: guard packet.isReverse else { throw .outOfOrder(.first) }
        case .none: throw .outOfOrder(.first)
        }
        for candidate in held {
            var noise = context.noise(.responder, psk: candidate.psk, isReverse: packet.isReverse)
            guard let bytes = try? noise.readMessage(packet.bytes.span.bytes) else { continue }
            guard let ephemeral = noise.remoteEphemeral else { preconditionFailure("message 1 carries e") }
            let payload = try FirstPayload(parsing: bytes)
            try payload.checkVersion()
            if case .reversal(let own) = expecting {
                guard ephemeral != own else { throw .reflection }
                guard payload.isAhead else { throw .reverseWithoutAhead }
                guard payload.answered == Octets8(prefixOf: own) else { throw .reverseAnswersAnother }
            }
            return FirstMessage(
                epoch: candidate.epoch, payload: payload, ephemeral: ephemeral, isReverse: packet.isReverse,
                context: context, psk: candidate.psk, noise: noise)
        }
        throw .noEpoch
    }

    /// The packet of message 2, which shows who we are; then the wait for message 3.
    package func respond(
        _ payload: AuthPayload, random: any RandomSource
    ) throws(LinkFault) -> (packet: [UInt8], responder: Responder) {
        var noise = noise
        var message: [UInt8] = []
        let padded = try payload.padded(mayBeShort: false)
        do {
            try noise.writeMessage(padded.span.bytes, random: random, to: &message)
        } catch { throw LinkFault(error, kind: .second) }
        let packet = HandshakePacket(kind: .second, bytes: message).encode()
        return (packet, Responder(context: context, epoch: epoch, noise: noise))
    }

    /// The packet of our own first message under the same key, REVERSE and AHEAD, in place of an answer.
    package func reverse(slot: UInt32, random: any RandomSource) -> (packet: [UInt8], initiator: Initiator) {
        precondition(!isReverse, "a REVERSE is never answered by REVERSE")
        var packet: [UInt8] = []
        let first = FirstPayload(isAhead: true, slot: slot, answered: Octets8(prefixOf: ephemeral))
        let initiator = Initiator(context, psk: psk, first: first, isReverse: true, random: random, to: &packet)
        return (packet, initiator)
    }
}
