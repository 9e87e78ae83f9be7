/// Why a Noise object refused. A failed read or write leaves the object as it was.
package enum NoiseFailure: Error, Equatable, Sendable {
    /// A message shorter than its tokens, or longer than 65535 bytes (Noise §3).
    case length
    /// A tag does not match: another key, another transcript, or altered bytes.
    case authentication
    /// A Diffie–Hellman result of all zero bytes: the peer's key is of small order.
    case badPublicKey
    /// The nonce 2^64 − 1 is never used for data (Noise §5.1).
    case nonceExhausted
    /// Reading where the pattern writes, or after its last message.
    case outOfOrder
}
