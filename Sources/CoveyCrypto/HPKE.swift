/// Hybrid public key encryption (RFC 9180), modes base and psk, for the one suite of the protocol:
/// DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, ChaCha20Poly1305 0x0003. It seals an enrolment.
///
/// A context counts its messages, so it cannot be copied: two messages under one number would share a nonce.
package enum HPKE {
    /// A key both sides hold already, and the name they know it by. With one the mode is psk, without one base.
    package struct PreSharedKey: Sendable {
        let key: SymmetricKey
        let id: [UInt8]

        package init(key: SymmetricKey, id: [UInt8]) {
            precondition(!id.isEmpty, "a pre-shared key has an id (RFC 9180 §5.1)")
            self.key = key
            self.id = id
        }
    }

    /// The sender's side: seals messages 0, 1, 2, …
    package struct Sealer: ~Copyable {
        /// What the receiver needs to set up its side; sent in the clear.
        package let encapsulated: AgreementPublicKey
        private var schedule: KeySchedule

        /// RFC 9180 §5.1.1, §5.1.2. Refuses a receiver's key of small order.
        package init(
            to receiver: AgreementPublicKey, info: [UInt8], psk: PreSharedKey? = nil, random: any RandomSource
        ) throws(CryptoFailure) {
            let ephemeral = AgreementPrivateKey(from: random)
            let shared = try sharedSecret(
                ephemeral.agree(with: receiver), encapsulated: ephemeral.publicKey, receiver: receiver)
            encapsulated = ephemeral.publicKey
            schedule = KeySchedule(shared: shared, info: info, psk: psk)
        }

        /// Ciphertext and tag.
        package mutating func seal(_ plaintext: RawSpan, ad: RawSpan) -> [UInt8] {
            let sealed = ChaCha20Poly1305.seal(plaintext, ad: ad, nonce: schedule.nonce, key: schedule.key)
            schedule.advance()
            return sealed
        }

        /// RFC 9180 §5.3, 32 bytes.
        package borrowing func export(context: [UInt8]) -> SymmetricKey { schedule.export(context: context) }
    }

    /// The receiver's side: opens messages in the order in which they were sealed.
    package struct Opener: ~Copyable {
        private var schedule: KeySchedule

        /// RFC 9180 §5.1.1, §5.1.2. Refuses an encapsulated key of small order; a wrong psk shows at the first `open`.
        package init(
            _ encapsulated: AgreementPublicKey, with key: AgreementPrivateKey, info: [UInt8],
            psk: PreSharedKey? = nil
        ) throws(CryptoFailure) {
            let shared = try sharedSecret(
                key.agree(with: encapsulated), encapsulated: encapsulated, receiver: key.publicKey)
            schedule = KeySchedule(shared: shared, info: info, psk: psk)
        }

        /// A message that does not open does not count.
        package mutating func open(_ sealed: RawSpan, ad: RawSpan) throws(CryptoFailure) -> [UInt8] {
            let plaintext = try ChaCha20Poly1305.open(sealed, ad: ad, nonce: schedule.nonce, key: schedule.key)
            schedule.advance()
            return plaintext
        }

        /// The same for a message with keys in it.
        package mutating func openSecret(_ sealed: RawSpan, ad: RawSpan) throws(CryptoFailure) -> SecretBytes {
            let plaintext = try ChaCha20Poly1305.openSecret(sealed, ad: ad, nonce: schedule.nonce, key: schedule.key)
            schedule.advance()
            return plaintext
        }

        /// RFC 9180 §5.3, 32 bytes.
        package borrowing func export(context: [UInt8]) -> SymmetricKey { schedule.export(context: context) }
    }

    /// One message (RFC 9180 §6.1).
    package static func seal(
        _ plaintext: RawSpan, ad: RawSpan, to receiver: AgreementPublicKey, info: [UInt8],
        psk: PreSharedKey? = nil, random: any RandomSource
    ) throws(CryptoFailure) -> (encapsulated: AgreementPublicKey, ciphertext: [UInt8]) {
        var sealer = try Sealer(to: receiver, info: info, psk: psk, random: random)
        let ciphertext = sealer.seal(plaintext, ad: ad)
        return (sealer.encapsulated, ciphertext)
    }

    /// One message (RFC 9180 §6.1).
    package static func open(
        _ sealed: RawSpan, ad: RawSpan, encapsulated: AgreementPublicKey, with key: AgreementPrivateKey,
        info: [UInt8], psk: PreSharedKey? = nil
    ) throws(CryptoFailure) -> [UInt8] {
        var opener = try Opener(encapsulated, with: key, info: info, psk: psk)
        return try opener.open(sealed, ad: ad)
    }

    /// The same for a message with keys in it.
    package static func openSecret(
        _ sealed: RawSpan, ad: RawSpan, encapsulated: AgreementPublicKey, with key: AgreementPrivateKey,
        info: [UInt8], psk: PreSharedKey? = nil
    ) throws(CryptoFailure) -> SecretBytes {
        var opener = try Opener(encapsulated, with: key, info: info, psk: psk)
        return try opener.openSecret(sealed, ad: ad)
    }

    /// DHKEM's ExtractAndExpand (RFC 9180 §4.1): kem_context is `enc | pkR`.
    private static func sharedSecret(
        _ agreed: SymmetricKey, encapsulated: AgreementPublicKey, receiver: AgreementPublicKey
    ) -> SymmetricKey {
        let extracted = Labeled.kem.extract(salt: nil, label: "eae_prk", agreed)
        return Labeled.kem.expand(extracted, label: "shared_secret", info: encapsulated.array + receiver.array)
    }

    /// RFC 9180 §5.1: what both sides derive, and the number of the next message.
    private struct KeySchedule: ~Copyable {
        let key: SymmetricKey
        private let baseNonce: Nonce12
        private let exporter: SymmetricKey
        private var sequence: UInt64 = 0

        init(shared: SymmetricKey, info: [UInt8], psk: PreSharedKey?) {
            let suite = Labeled.hpke
            // key_schedule_context = mode u8 | psk_id_hash[32] | info_hash[32]
            var context: [UInt8] = [psk == nil ? 0 : 1]
            suite.extract(salt: nil, label: "psk_id_hash", psk?.id ?? []).exposing { context.append(copying: $0) }
            suite.extract(salt: nil, label: "info_hash", info).exposing { context.append(copying: $0) }
            let secret =
                if let psk { suite.extract(salt: shared, label: "secret", psk.key) } else {
                    suite.extract(salt: shared, label: "secret", [])
                }
            key = suite.expand(secret, label: "key", info: context)
            baseNonce = suite.expandNonce(secret, label: "base_nonce", info: context)
            exporter = suite.expand(secret, label: "exp", info: context)
        }

        /// RFC 9180 §5.2: the base nonce, and the number in its last eight bytes, big-endian, by exclusive or.
        var nonce: Nonce12 {
            var nonce = baseNonce
            nonce.withMutableSpan { span in
                span.withUnsafeMutableBytes { raw in
                    for at in 0..<8 { raw[11 - at] ^= UInt8(truncatingIfNeeded: sequence >> (8 * UInt64(at))) }
                }
            }
            return nonce
        }

        mutating func advance() {
            precondition(sequence < .max, "a context seals fewer than 2^64 messages")
            sequence += 1
        }

        borrowing func export(context: [UInt8]) -> SymmetricKey {
            Labeled.hpke.expand(exporter, label: "sec", info: context)
        }
    }

    /// HKDF bound to its place (RFC 9180 §4): every input begins with `"HPKE-v1" | suite_id | label`.
    private struct Labeled {
        let suite: [UInt8]

        /// suite_id of the KEM: "KEM" | kem_id.
        static let kem = Labeled(suite: Array("KEM".utf8) + [0x00, 0x20])
        /// suite_id of the whole: "HPKE" | kem_id | kdf_id | aead_id.
        static let hpke = Labeled(suite: Array("HPKE".utf8) + [0x00, 0x20, 0x00, 0x01, 0x00, 0x03])

        func extract(salt: SymmetricKey?, label: StaticString, _ key: SymmetricKey) -> SymmetricKey {
            var material = prefix(label)
            material.append(key)
            return extract(salt: salt, material)
        }

        func extract(salt: SymmetricKey?, label: StaticString, _ bytes: [UInt8]) -> SymmetricKey {
            var material = prefix(label)
            material.append(bytes)
            return extract(salt: salt, material)
        }

        func expand(_ key: SymmetricKey, label: StaticString, info: [UInt8]) -> SymmetricKey {
            HKDF.expand(key, info: labeled(label, info, byteCount: 32), count: 1)[0]
        }

        /// One block of HKDF, cut to the length of a nonce.
        func expandNonce(_ key: SymmetricKey, label: StaticString, info: [UInt8]) -> Nonce12 {
            HKDF.expand(key, info: labeled(label, info, byteCount: Nonce12.byteCount), count: 1)[0]
                .exposing { Nonce12(copying: $0.extracting(first: Nonce12.byteCount)) }
        }

        private func prefix(_ label: StaticString) -> HKDF.Material {
            var material = HKDF.Material()
            material.append(Array("HPKE-v1".utf8) + suite + HKDF.bytes(of: label))
            return material
        }

        private func extract(salt: SymmetricKey?, _ material: HKDF.Material) -> SymmetricKey {
            guard let salt else { return HKDF.extract(salt: [UInt8]().span.bytes, material: material) }
            return salt.exposing { HKDF.extract(salt: $0, material: material) }
        }

        /// I2OSP(L, 2) | "HPKE-v1" | suite_id | label | info
        private func labeled(_ label: StaticString, _ info: [UInt8], byteCount: Int) -> [UInt8] {
            [UInt8(byteCount >> 8), UInt8(byteCount & 0xff)] + Array("HPKE-v1".utf8) + suite + HKDF.bytes(of: label)
                + info
        }
    }
}
