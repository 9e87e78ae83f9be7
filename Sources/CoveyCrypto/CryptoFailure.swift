/// Why a primitive refused. None of them says more than the caller may know.
package enum CryptoFailure: Error, Equatable, Sendable {
    /// The tag does not match: wrong key, wrong nonce, wrong associated data or altered bytes.
    case authentication
    /// A Diffie–Hellman result of all zero bytes (RFC 7748 §6.1), or a key of another form.
    case badPublicKey
    /// A length outside what the primitive takes.
    case length
    /// The password hash could not get its memory.
    case outOfMemory
}
