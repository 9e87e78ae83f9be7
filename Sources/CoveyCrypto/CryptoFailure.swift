/// Why a primitive refused. None of them says more than the caller may know.
package enum CryptoFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The tag does not match: wrong key, wrong nonce, wrong associated data or altered bytes.
    case authentication
    /// A Diffie–Hellman result of all zero bytes (RFC 7748 §6.1), or a key of another form.
    case badPublicKey
    /// A length outside what the primitive takes.
    case length
    /// The password hash could not get its memory.
    case outOfMemory

    package var description: String {
        switch self {
        case .authentication: "it was altered, or made with another key"
        case .badPublicKey: "a key in it is none that may be used"
        case .length: "it has a wrong length"
        case .outOfMemory: "there is not enough memory"
        }
    }
}
