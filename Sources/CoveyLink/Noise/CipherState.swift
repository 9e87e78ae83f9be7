package import CoveyCrypto

/// A key and a counting nonce (Noise §5.1), over ChaCha20-Poly1305.
package struct CipherState: Sendable {
    /// Absent until the handshake has mixed its first secret; then messages pass in the clear.
    private(set) var key: SymmetricKey?
    package private(set) var nonce: UInt64

    package static let tagSize = 16

    package init() {
        key = nil
        nonce = 0
    }

    package init(key: SymmetricKey, nonce: UInt64 = 0) {
        self.key = key
        self.nonce = nonce
    }

    package var hasKey: Bool { key != nil }

    /// EncryptWithAd: appends ciphertext and tag, or the plaintext as it is when there is no key.
    package mutating func encrypt(_ plaintext: RawSpan, ad: RawSpan, to out: inout [UInt8]) throws(NoiseFailure) {
        guard let key else {
            out.append(copying: plaintext)
            return
        }
        let counter = try nextNonce()
        ChaCha20Poly1305.seal(plaintext, ad: ad, nonce: Nonce12(counter: counter), key: key, to: &out)
        nonce = counter + 1
    }

    /// DecryptWithAd. After a failure the nonce is as before.
    package mutating func decrypt(_ ciphertext: RawSpan, ad: RawSpan) throws(NoiseFailure) -> [UInt8] {
        guard let key else { return [UInt8](copying: ciphertext) }
        let counter = try nextNonce()
        guard ciphertext.byteCount >= Self.tagSize else { throw .length }
        let plaintext: [UInt8]
        do {
            plaintext = try ChaCha20Poly1305.open(ciphertext, ad: ad, nonce: Nonce12(counter: counter), key: key)
        } catch { throw .authentication }
        nonce = counter + 1
        return plaintext
    }

    /// EncryptWithAd without associated data where the plaintext lies: every message of a link.
    package mutating func seal(
        inPlace message: inout MutableRawSpan
    ) throws(NoiseFailure) -> AuthenticationTag {
        guard let key else { preconditionFailure("a link has keys") }
        let counter = try nextNonce()
        let tag = ChaCha20Poly1305.seal(inPlace: &message, ad: RawSpan(), nonce: Nonce12(counter: counter), key: key)
        nonce = counter + 1
        return tag
    }

    /// DecryptWithAd without associated data where the ciphertext lies.
    package mutating func open(
        inPlace message: inout MutableRawSpan, tag: AuthenticationTag
    ) throws(NoiseFailure) {
        guard let key else { preconditionFailure("a link has keys") }
        let counter = try nextNonce()
        do {
            try ChaCha20Poly1305.open(
                inPlace: &message, tag: tag, ad: RawSpan(), nonce: Nonce12(counter: counter), key: key)
        } catch { throw .authentication }
        nonce = counter + 1
    }

    /// One message passes that need not be opened.
    mutating func skip() throws(NoiseFailure) { nonce = try nextNonce() + 1 }

    /// A hash of the key.
    var keyName: Octets8 {
        guard let key else { preconditionFailure("a link has keys") }
        return key.exposing { Blake2b.hash($0, personal: "covey-node:name") }
    }

    /// The key becomes the first 32 bytes of ENCRYPT(k, 2^64 − 1, zerolen, zeros) (Noise §4.2, §11.3). The nonce stays.
    package mutating func rekey() {
        guard let key else { preconditionFailure("only a state with a key is rekeyed") }
        let zeros = Octets32()
        var block: [UInt8] = []
        block.reserveCapacity(SymmetricKey.byteCount + Self.tagSize)
        zeros.withSpan {
            ChaCha20Poly1305.seal($0, ad: RawSpan(), nonce: Nonce12(counter: .max), key: key, to: &block)
        }
        self.key = SymmetricKey(copying: block.span.bytes.extracting(first: SymmetricKey.byteCount))
        block.wipe()
    }

    private func nextNonce() throws(NoiseFailure) -> UInt64 {
        guard nonce != .max else { throw .nonceExhausted }
        return nonce
    }
}
