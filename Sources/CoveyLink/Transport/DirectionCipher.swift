import CoveyCrypto

/// The cipher of one direction: after the message whose nonce n makes (n + 1) a multiple of 2^14 the key is replaced,
/// the nonce goes on (protocol.md §2.3).
struct DirectionCipher: Sendable {
    private(set) var state: CipherState
    /// Stands for the key where two are compared often; nil before the first time.
    private var name: Octets8?

    init(_ state: CipherState) { self.state = state }

    mutating func seal(inPlace message: inout MutableRawSpan) throws(NoiseFailure) -> AuthenticationTag {
        let tag = try state.seal(inPlace: &message)
        rekeyWhenDue()
        return tag
    }

    mutating func open(inPlace message: inout MutableRawSpan, tag: AuthenticationTag) throws(NoiseFailure) {
        try state.open(inPlace: &message, tag: tag)
        rekeyWhenDue()
    }

    /// As `open`, of a message whose plaintext is known.
    mutating func skip() throws(NoiseFailure) {
        try state.skip()
        rekeyWhenDue()
    }

    /// Gives the key a name of 64 bits that says nothing else of it.
    mutating func startNaming() { if name == nil { name = state.keyName } }

    /// Both have names, and would make the same of the next message.
    func isEqual(to other: DirectionCipher) -> Bool {
        guard let name, let theirs = other.name else { return false }
        return state.nonce == other.state.nonce && name == theirs
    }

    private mutating func rekeyWhenDue() {
        guard state.nonce & (LinkBounds.rekeyMessages - 1) == 0 else { return }
        state.rekey()
        if name != nil { name = state.keyName }
    }
}
