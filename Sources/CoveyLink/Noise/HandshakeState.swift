package import CoveyCrypto

/// One side of a handshake (Noise §5.3).
///
/// A value: a read or write that fails leaves it as it was, so garbage before the right message does no harm.
package struct HandshakeState: Sendable {
    package enum Role: Sendable { case initiator, responder }

    /// Bytes of a Noise message, head included (Noise §3).
    package static let mostMessage = 65535
    private static let keySize = 32

    package let pattern: HandshakePattern
    package let role: Role
    private var symmetric: SymmetricState
    private let ownStatic: AgreementPrivateKey?
    private var ownEphemeral: AgreementPrivateKey?
    package private(set) var remoteStatic: AgreementPublicKey?
    package private(set) var remoteEphemeral: AgreementPublicKey?
    private let psks: [SymmetricKey]
    private var pskIndex = 0
    private var messageIndex = 0

    /// - Parameter psks: one for each `psk` token of the pattern, in their order.
    package init(
        pattern: HandshakePattern, role: Role, prologue: RawSpan, ownStatic: AgreementPrivateKey? = nil,
        remoteStatic: AgreementPublicKey? = nil, psks: [SymmetricKey] = []
    ) {
        precondition(psks.count == pattern.pskCount, "every psk token has its key")
        self.pattern = pattern
        self.role = role
        self.ownStatic = ownStatic
        self.remoteStatic = remoteStatic
        self.psks = psks
        symmetric = SymmetricState(protocolName: Self.protocolName(pattern))
        symmetric.mixHash(prologue)
        let initiatorStatic = role == .initiator ? ownStatic?.publicKey : remoteStatic
        let responderStatic = role == .responder ? ownStatic?.publicKey : remoteStatic
        if pattern.initiatorKnown { mixKnown(initiatorStatic) }
        if pattern.responderKnown { mixKnown(responderStatic) }
    }

    package static func protocolName(_ pattern: HandshakePattern) -> String {
        "Noise_\(pattern.name)_25519_ChaChaPoly_SHA256"
    }

    package var isFinished: Bool { messageIndex == pattern.messages.count }

    /// Whether the next message of the pattern is ours to write.
    package var isOwnTurn: Bool { !isFinished && messageIndex.isMultiple(of: 2) == (role == .initiator) }

    package var ownEphemeralKey: AgreementPublicKey? { ownEphemeral?.publicKey }

    package var handshakeHash: Octets32 { symmetric.hash }

    /// Appends the next message. The ephemeral key is drawn from `random`.
    package mutating func writeMessage(
        _ payload: RawSpan, random: any RandomSource, to out: inout [UInt8]
    ) throws(NoiseFailure) {
        guard isOwnTurn else { throw .outOfOrder }
        let start = out.count
        var next = self
        do throws(NoiseFailure) {
            try next.write(payload, random, &out)
            guard out.count - start <= Self.mostMessage else { throw .length }
        } catch {
            out.removeLast(out.count - start)
            throw error
        }
        self = next
    }

    /// The payload of the peer's next message.
    package mutating func readMessage(_ message: RawSpan) throws(NoiseFailure) -> [UInt8] {
        guard !isFinished, !isOwnTurn else { throw .outOfOrder }
        guard message.byteCount <= Self.mostMessage else { throw .length }
        var next = self
        let payload = try next.read(message)
        self = next
        return payload
    }

    /// The ciphers of both directions, once the last message is through.
    package func split() -> (initiator: CipherState, responder: CipherState) {
        precondition(isFinished, "keys are split after the last message")
        return symmetric.split()
    }

    private mutating func write(
        _ payload: RawSpan, _ random: any RandomSource, _ out: inout [UInt8]
    ) throws(NoiseFailure) {
        for token in pattern.messages[messageIndex] {
            switch token {
            case .e:
                let key = AgreementPrivateKey(from: random)
                ownEphemeral = key
                out.append(key.publicKey)
                symmetric.mixHash(key.publicKey)
                if pattern.usesPSK { symmetric.mixKey(key.publicKey) }
            case .s:
                guard let key = ownStatic else { preconditionFailure("a pattern with s has a static key") }
                try key.publicKey.withSpan { (span) throws(NoiseFailure) in
                    try symmetric.encryptAndHash(span, to: &out)
                }
            case .ee, .es, .se, .ss, .psk:
                try mix(token)
            }
        }
        try symmetric.encryptAndHash(payload, to: &out)
        messageIndex += 1
    }

    private mutating func read(_ message: RawSpan) throws(NoiseFailure) -> [UInt8] {
        var rest = message
        for token in pattern.messages[messageIndex] {
            switch token {
            case .e:
                guard rest.byteCount >= Self.keySize else { throw .length }
                let key = AgreementPublicKey(copying: rest.extracting(first: Self.keySize))
                rest = rest.extracting(droppingFirst: Self.keySize)
                remoteEphemeral = key
                symmetric.mixHash(key)
                if pattern.usesPSK { symmetric.mixKey(key) }
            case .s:
                let size = symmetric.hasKey ? Self.keySize + CipherState.tagSize : Self.keySize
                guard rest.byteCount >= size else { throw .length }
                let key = try symmetric.decryptAndHash(rest.extracting(first: size))
                rest = rest.extracting(droppingFirst: size)
                remoteStatic = AgreementPublicKey(copying: key.span.bytes)
            case .ee, .es, .se, .ss, .psk:
                try mix(token)
            }
        }
        let payload = try symmetric.decryptAndHash(rest)
        messageIndex += 1
        return payload
    }

    private mutating func mix(_ token: HandshakePattern.Token) throws(NoiseFailure) {
        switch token {
        case .e, .s: preconditionFailure("e and s are sent, not mixed")
        case .psk:
            symmetric.mixKeyAndHash(psks[pskIndex])
            pskIndex += 1
        case .ee: try agree(ownEphemeral, remoteEphemeral)
        case .ss: try agree(ownStatic, remoteStatic)
        case .es: try role == .initiator ? agree(ownEphemeral, remoteStatic) : agree(ownStatic, remoteEphemeral)
        case .se: try role == .initiator ? agree(ownStatic, remoteEphemeral) : agree(ownEphemeral, remoteStatic)
        }
    }

    private mutating func agree(_ own: AgreementPrivateKey?, _ remote: AgreementPublicKey?) throws(NoiseFailure) {
        guard let own, let remote else { preconditionFailure("the pattern sends a key before it is used") }
        let shared: SymmetricKey
        do { shared = try own.agree(with: remote) } catch { throw .badPublicKey }
        symmetric.mixKey(shared)
    }

    private mutating func mixKnown(_ key: AgreementPublicKey?) {
        guard let key else { preconditionFailure("a key known beforehand is given") }
        symmetric.mixHash(key)
    }
}
