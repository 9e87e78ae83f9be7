import CoveyCrypto

/// The cipher of one direction: after the message whose nonce n makes (n + 1) a multiple of 2^14 the key is replaced,
/// the nonce goes on (protocol.md §2.3).
struct DirectionCipher: Sendable {
    private(set) var state: CipherState

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

    /// Would make of the next message what the other makes of it.
    func isEqual(to other: DirectionCipher) -> Bool { state.isEqual(to: other.state) }

    private mutating func rekeyWhenDue() {
        if state.nonce & (LinkBounds.rekeyMessages - 1) == 0 { state.rekey() }
    }
}
