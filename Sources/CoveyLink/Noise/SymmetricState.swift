package import CoveyCrypto

/// Chaining key, transcript hash and the cipher they give (Noise §5.2), over SHA-256.
package struct SymmetricState: Sendable {
    private var cipher = CipherState()
    private var chainingKey: SymmetricKey
    /// `h`: after the last message the handshake hash, the same on both sides and on no other link (Noise §11.2).
    package private(set) var hash: Octets32

    /// InitializeSymmetric. A name of at most 32 bytes is padded with zeros, a longer one hashed.
    package init(protocolName: String) {
        var name = Array(protocolName.utf8)
        if name.count <= Octets32.byteCount {
            name += repeatElement(0, count: Octets32.byteCount - name.count)
            hash = Octets32(copying: name.span.bytes)
        } else {
            hash = SHA256.hash(name.span.bytes)
        }
        chainingKey = hash.withSpan { SymmetricKey(copying: $0) }
    }

    package var hasKey: Bool { cipher.hasKey }

    package mutating func mixKey(_ input: SymmetricKey) {
        var material = HKDF.Material()
        material.append(input)
        mixKey(material)
    }

    /// An ephemeral public key, in handshakes with a pre-shared key (Noise §9.2).
    package mutating func mixKey(_ key: AgreementPublicKey) {
        var material = HKDF.Material()
        material.append(key.array)
        mixKey(material)
    }

    private mutating func mixKey(_ material: HKDF.Material) {
        let keys = derive(material, count: 2)
        chainingKey = keys[0]
        cipher = CipherState(key: keys[1])
    }

    package mutating func mixHash(_ bytes: RawSpan) {
        var next = SHA256()
        next.update(hash)
        next.update(bytes)
        hash = next.finish()
    }

    package mutating func mixHash(_ octets: some FixedOctets) { octets.withSpan { mixHash($0) } }

    /// A pre-shared key goes into the transcript as well, through a value of its own (Noise §9.1).
    package mutating func mixKeyAndHash(_ psk: SymmetricKey) {
        var material = HKDF.Material()
        material.append(psk)
        let keys = derive(material, count: 3)
        chainingKey = keys[0]
        keys[1].exposing { mixHash($0) }
        cipher = CipherState(key: keys[2])
    }

    package mutating func encryptAndHash(_ plaintext: RawSpan, to out: inout [UInt8]) throws(NoiseFailure) {
        let start = out.count
        try hash.withSpan { (ad) throws(NoiseFailure) in try cipher.encrypt(plaintext, ad: ad, to: &out) }
        mixHash(out.span.bytes.extracting(droppingFirst: start))
    }

    package mutating func decryptAndHash(_ ciphertext: RawSpan) throws(NoiseFailure) -> [UInt8] {
        let plaintext = try hash.withSpan { (ad) throws(NoiseFailure) in try cipher.decrypt(ciphertext, ad: ad) }
        mixHash(ciphertext)
        return plaintext
    }

    /// Split: the cipher of the initiator's messages, then that of the responder's.
    package func split() -> (initiator: CipherState, responder: CipherState) {
        let keys = derive(HKDF.Material(), count: 2)
        return (CipherState(key: keys[0]), CipherState(key: keys[1]))
    }

    /// Noise's HKDF is RFC 5869 with the chaining key as salt and an empty info (Noise §4.3).
    private func derive(_ material: HKDF.Material, count: Int) -> [SymmetricKey] {
        let extracted = chainingKey.exposing { HKDF.extract(salt: $0, material: material) }
        return HKDF.expand(extracted, info: [], count: count)
    }
}
