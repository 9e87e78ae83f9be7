internal import CSodium

/// The 16-byte tag of an authenticated cipher.
package typealias AuthenticationTag = Octets16

/// The 12-byte nonce of ChaCha20-Poly1305 (RFC 8439 §2.8).
package struct Nonce12: FixedOctets {
    private var a: UInt32 = 0
    private var b: UInt32 = 0
    private var c: UInt32 = 0
    package init() {}

    /// Noise §12.3: 32 zero bits, then the counter, little-endian.
    package init(counter: UInt64) {
        b = UInt32(truncatingIfNeeded: counter).littleEndian
        c = UInt32(truncatingIfNeeded: counter >> 32).littleEndian
    }
}

/// The 24-byte nonce of XChaCha20-Poly1305, always random and always stored with the ciphertext (protocol.md §0.3).
package typealias Nonce24 = Octets24

/// An authenticated cipher with associated data, with a 32-byte key and a 16-byte tag.
package protocol AEAD {
    associatedtype Nonce: FixedOctets
    /// Encrypts `count` bytes from `input` to `output` (they may be the same) and writes 16 bytes to `tag`.
    static func encrypt(
        _ input: UnsafePointer<UInt8>, _ output: UnsafeMutablePointer<UInt8>, _ count: Int,
        _ tag: UnsafeMutablePointer<UInt8>, ad: UnsafeRawBufferPointer, nonce: UnsafePointer<UInt8>,
        key: UnsafePointer<UInt8>)
    static func decrypt(
        _ input: UnsafePointer<UInt8>, _ output: UnsafeMutablePointer<UInt8>, _ count: Int,
        _ tag: UnsafePointer<UInt8>, ad: UnsafeRawBufferPointer, nonce: UnsafePointer<UInt8>,
        key: UnsafePointer<UInt8>
    ) -> Bool
}

extension AEAD {
    package static var tagSize: Int { 16 }

    /// Encrypts where the plaintext lies. The hot path of links: no allocation, no copy.
    package static func seal(
        inPlace message: inout MutableRawSpan, ad: RawSpan, nonce: Nonce, key: SymmetricKey
    ) -> AuthenticationTag {
        var tag = AuthenticationTag()
        message.withUnsafeMutableBytes { raw in
            let base = raw.isEmpty ? nowhere : raw.baseAddress!.assumingMemoryBound(to: UInt8.self)
            sealed(base, base, raw.count, ad, nonce, key, &tag)
        }
        return tag
    }

    /// Encrypts to where it will be written from, which has the size of `plaintext`: what is read is not copied first.
    package static func seal(
        _ plaintext: RawSpan, to output: inout MutableRawSpan, ad: RawSpan, nonce: Nonce, key: SymmetricKey
    ) -> AuthenticationTag {
        precondition(output.byteCount == plaintext.byteCount, "a ciphertext is as long as its plaintext")
        var tag = AuthenticationTag()
        output.withUnsafeMutableBytes { raw in
            let base = raw.isEmpty ? nowhere : raw.baseAddress!.assumingMemoryBound(to: UInt8.self)
            plaintext.withUnsafeBytes { input in
                let from = input.isEmpty ? UnsafePointer(base) : input.baseAddress!.assumingMemoryBound(to: UInt8.self)
                sealed(from, base, raw.count, ad, nonce, key, &tag)
            }
        }
        return tag
    }

    /// Decrypts where the ciphertext lies; on failure the bytes are no longer of use.
    package static func open(
        inPlace message: inout MutableRawSpan, tag: AuthenticationTag, ad: RawSpan, nonce: Nonce, key: SymmetricKey
    ) throws(CryptoFailure) {
        let good = message.withUnsafeMutableBytes { raw in
            let base = raw.isEmpty ? nowhere : raw.baseAddress!.assumingMemoryBound(to: UInt8.self)
            return opened(base, base, raw.count, tag, ad, nonce, key)
        }
        guard good else { throw .authentication }
    }

    /// Appends ciphertext and tag.
    package static func seal(
        _ plaintext: RawSpan, ad: RawSpan, nonce: Nonce, key: SymmetricKey, to out: inout [UInt8]
    ) {
        let start = out.count
        let size = plaintext.byteCount
        out.append(contentsOf: repeatElement(0, count: size + 16))
        var tag = AuthenticationTag()
        out.withUnsafeMutableBytes { raw in
            let base = raw.baseAddress!.assumingMemoryBound(to: UInt8.self) + start
            plaintext.withUnsafeBytes { input in
                let from = input.isEmpty ? UnsafePointer(base) : input.baseAddress!.assumingMemoryBound(to: UInt8.self)
                sealed(from, base, size, ad, nonce, key, &tag)
            }
            withUnsafeBytes(of: tag) {
                UnsafeMutableRawBufferPointer(rebasing: raw[(start + size)...]).copyMemory(from: $0)
            }
        }
    }

    package static func seal(_ plaintext: RawSpan, ad: RawSpan, nonce: Nonce, key: SymmetricKey) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(plaintext.byteCount + 16)
        seal(plaintext, ad: ad, nonce: nonce, key: key, to: &out)
        return out
    }

    /// The plaintext of ciphertext and tag.
    package static func open(
        _ sealed: RawSpan, ad: RawSpan, nonce: Nonce, key: SymmetricKey
    ) throws(CryptoFailure) -> [UInt8] {
        guard sealed.byteCount >= 16 else { throw .length }
        let size = sealed.byteCount - 16
        let tag = AuthenticationTag(copying: sealed.extracting(last: 16))
        var good = false
        // An array made with no capacity shares the one empty storage of the process: nothing is written there.
        guard size > 0 else {
            good = sealed.withUnsafeBytes { input in
                opened(input.baseAddress!.assumingMemoryBound(to: UInt8.self), nowhere, 0, tag, ad, nonce, key)
            }
            guard good else { throw .authentication }
            return []
        }
        let plaintext = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            good = sealed.withUnsafeBytes { input in
                opened(
                    input.baseAddress!.assumingMemoryBound(to: UInt8.self), buffer.baseAddress!, size, tag, ad, nonce,
                    key)
            }
            count = good ? size : 0
        }
        guard good else { throw .authentication }
        return plaintext
    }

    /// The same for a plaintext with keys in it, which has at least one byte: it is never anywhere but in guarded memory.
    package static func openSecret(
        _ sealed: RawSpan, ad: RawSpan, nonce: Nonce, key: SymmetricKey
    ) throws(CryptoFailure) -> SecretBytes {
        guard sealed.byteCount > 16 else { throw .length }
        let size = sealed.byteCount - 16
        let tag = AuthenticationTag(copying: sealed.extracting(last: 16))
        let plaintext = Secret(byteCount: size)
        let good = sealed.withUnsafeBytes { input in
            plaintext.withMutablePointer { out in
                opened(input.baseAddress!.assumingMemoryBound(to: UInt8.self), out, size, tag, ad, nonce, key)
            }
        }
        guard good else { throw .authentication }
        return SecretBytes(taking: plaintext)
    }

    @inline(__always)
    private static func sealed(
        _ input: UnsafePointer<UInt8>, _ output: UnsafeMutablePointer<UInt8>, _ count: Int, _ ad: RawSpan,
        _ nonce: Nonce, _ key: SymmetricKey, _ tag: inout AuthenticationTag
    ) {
        ad.withUnsafeBytes { ad in
            withUnsafeBytes(of: nonce) { nonce in
                withUnsafeMutableBytes(of: &tag) { tag in
                    encrypt(
                        input, output, count, tag.baseAddress!.assumingMemoryBound(to: UInt8.self), ad: ad,
                        nonce: nonce.baseAddress!.assumingMemoryBound(to: UInt8.self), key: key.secret.pointer)
                }
            }
        }
        withExtendedLifetime(key.secret) {}
    }

    @inline(__always)
    private static func opened(
        _ input: UnsafePointer<UInt8>, _ output: UnsafeMutablePointer<UInt8>, _ count: Int, _ tag: AuthenticationTag,
        _ ad: RawSpan, _ nonce: Nonce, _ key: SymmetricKey
    ) -> Bool {
        let good = ad.withUnsafeBytes { ad in
            withUnsafeBytes(of: nonce) { nonce in
                withUnsafeBytes(of: tag) { tag in
                    decrypt(
                        input, output, count, tag.baseAddress!.assumingMemoryBound(to: UInt8.self), ad: ad,
                        nonce: nonce.baseAddress!.assumingMemoryBound(to: UInt8.self), key: key.secret.pointer)
                }
            }
        }
        withExtendedLifetime(key.secret) {}
        return good
    }
}

/// libsodium asks for a pointer even when there are no bytes: an address, never read or written.
private var nowhere: UnsafeMutablePointer<UInt8> { UnsafeMutablePointer(bitPattern: 16).unsafelyUnwrapped }

/// ChaCha20-Poly1305 (RFC 8439): the link's cipher, fixed by Noise.
package enum ChaCha20Poly1305: AEAD {
    package typealias Nonce = Nonce12

    package static func encrypt(
        _ input: UnsafePointer<UInt8>, _ output: UnsafeMutablePointer<UInt8>, _ count: Int,
        _ tag: UnsafeMutablePointer<UInt8>, ad: UnsafeRawBufferPointer, nonce: UnsafePointer<UInt8>,
        key: UnsafePointer<UInt8>
    ) {
        _ = crypto_aead_chacha20poly1305_ietf_encrypt_detached(
            output, tag, nil, input, UInt64(count), ad.baseAddress?.assumingMemoryBound(to: UInt8.self),
            UInt64(ad.count), nil, nonce, key)
    }

    package static func decrypt(
        _ input: UnsafePointer<UInt8>, _ output: UnsafeMutablePointer<UInt8>, _ count: Int,
        _ tag: UnsafePointer<UInt8>, ad: UnsafeRawBufferPointer, nonce: UnsafePointer<UInt8>,
        key: UnsafePointer<UInt8>
    ) -> Bool {
        crypto_aead_chacha20poly1305_ietf_decrypt_detached(
            output, nil, input, UInt64(count), tag, ad.baseAddress?.assumingMemoryBound(to: UInt8.self),
            UInt64(ad.count), nonce, key) == 0
    }
}

/// XChaCha20-Poly1305: everything that is not a link.
package enum XChaCha20Poly1305: AEAD {
    package typealias Nonce = Nonce24

    package static func encrypt(
        _ input: UnsafePointer<UInt8>, _ output: UnsafeMutablePointer<UInt8>, _ count: Int,
        _ tag: UnsafeMutablePointer<UInt8>, ad: UnsafeRawBufferPointer, nonce: UnsafePointer<UInt8>,
        key: UnsafePointer<UInt8>
    ) {
        _ = crypto_aead_xchacha20poly1305_ietf_encrypt_detached(
            output, tag, nil, input, UInt64(count), ad.baseAddress?.assumingMemoryBound(to: UInt8.self),
            UInt64(ad.count), nil, nonce, key)
    }

    package static func decrypt(
        _ input: UnsafePointer<UInt8>, _ output: UnsafeMutablePointer<UInt8>, _ count: Int,
        _ tag: UnsafePointer<UInt8>, ad: UnsafeRawBufferPointer, nonce: UnsafePointer<UInt8>,
        key: UnsafePointer<UInt8>
    ) -> Bool {
        crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
            output, nil, input, UInt64(count), tag, ad.baseAddress?.assumingMemoryBound(to: UInt8.self),
            UInt64(ad.count), nonce, key) == 0
    }

    /// `nonce24 | ciphertext | tag16`, the form in which the protocol stores and sends it.
    package static func box(
        _ plaintext: RawSpan, ad: RawSpan, key: SymmetricKey, nonce: Nonce24, to out: inout [UInt8]
    ) {
        out.append(nonce)
        seal(plaintext, ad: ad, nonce: nonce, key: key, to: &out)
    }

    package static func unbox(_ box: RawSpan, ad: RawSpan, key: SymmetricKey) throws(CryptoFailure) -> [UInt8] {
        guard box.byteCount >= 40 else { throw .length }
        let nonce = Nonce24(copying: box.extracting(first: 24))
        return try open(box.extracting(droppingFirst: 24), ad: ad, nonce: nonce, key: key)
    }

    package static func unboxSecret(
        _ box: RawSpan, ad: RawSpan, key: SymmetricKey
    ) throws(CryptoFailure) -> SecretBytes {
        guard box.byteCount > 40 else { throw .length }
        let nonce = Nonce24(copying: box.extracting(first: 24))
        return try openSecret(box.extracting(droppingFirst: 24), ad: ad, nonce: nonce, key: key)
    }
}
