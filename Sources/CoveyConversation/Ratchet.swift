import CoveyCore
import CoveyCrypto

// The Double Ratchet with header encryption (protocol.md §4.3), as far as an initiator's first chain needs it: roots,
// chains, and the message that both make. Steps of the ratchet, sessions and skipped keys build on these three.

/// RK: gives a chain key and the next header key for each Diffie–Hellman agreement of ratchet keys.
struct RootKey: Sendable {
    private(set) var key: SymmetricKey

    init(_ key: SymmetricKey) { self.key = key }

    /// `HKDF(RK, DH, "covey1:dr-root", 96)` = RK | CK | NHK.
    /// - Parameter info: ours, but for traces that others made under a label of their own.
    mutating func step(
        _ agreed: SymmetricKey, info: [UInt8] = HKDF.bytes(of: DerivationLabel.ratchetRoot)
    ) -> (chain: ChainKey, nextHeader: SymmetricKey) {
        var material = HKDF.Material()
        material.append(agreed)
        let extracted = key.exposing { HKDF.extract(salt: $0, material: material) }
        let keys = HKDF.expand(extracted, info: info, count: 3)
        key = keys[0]
        return (ChainKey(keys[1]), keys[2])
    }
}

/// CK: gives one key a message, and cannot be turned back.
struct ChainKey: Sendable {
    private var key: SymmetricKey

    init(_ key: SymmetricKey) { self.key = key }

    /// `mk = HMAC(CK, 01)`, `CK = HMAC(CK, 02)`.
    mutating func next() -> SymmetricKey {
        let message = Self.derive(key, 1)
        skip()
        return message
    }

    /// Goes on without the key of a message.
    mutating func skip() { key = Self.derive(key, 2) }

    private static func derive(_ key: SymmetricKey, _ use: UInt8) -> SymmetricKey {
        var mac = HMACSHA256(key: key)
        let input: [1 of UInt8] = [use]
        mac.update(input.span.bytes)
        return mac.finishKey()
    }
}

/// Where a message stands: `dh 32 | pn u32 | n u32`, always encrypted.
struct RatchetHeader: Equatable, Sendable {
    static let byteCount = 40

    let ratchetKey: AgreementPublicKey
    /// Messages of the sender's chain before this one.
    let previousCount: UInt32
    let number: UInt32

    init(ratchetKey: AgreementPublicKey, previousCount: UInt32, number: UInt32) {
        self.ratchetKey = ratchetKey
        self.previousCount = previousCount
        self.number = number
    }

    /// Nil unless exactly 40 bytes.
    init?(parsing bytes: RawSpan) {
        guard bytes.byteCount == Self.byteCount else { return nil }
        var reader = ByteReader(bytes)
        do {
            ratchetKey = try reader.octets()
            previousCount = try reader.u32()
            number = try reader.u32()
        } catch {
            return nil
        }
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(ratchetKey)
        bytes.append(u32: previousCount)
        bytes.append(u32: number)
    }
}

/// `nonce24 | X(HK, ratchet header) | nonce24 | X(mk, padded plaintext)`: what fills the rest of an envelope.
///
/// Associated data of the header are `session_id | envelope header`, of the body these and the encrypted header.
/// Nonces are random although a key seals once: a restored snapshot then still repeats no keystream.
enum RatchetMessage {
    /// Bytes of nonce, encrypted header and tag.
    static let headerSize = 24 + RatchetHeader.byteCount + 16
    /// Bytes that are not plaintext: both nonces, the header, both tags.
    static let overhead = headerSize + 24 + 16

    /// Fills `envelope` up to the size of its bucket.
    static func seal(
        _ payload: [UInt8], _ header: RatchetHeader, headerKey: SymmetricKey, messageKey: SymmetricKey,
        session: SessionID, under envelopeHeader: EnvelopeHeader, random: any RandomSource, to envelope: inout [UInt8]
    ) {
        let start = envelope.count
        let size = envelopeHeader.bucket.size
        precondition(start + overhead + payload.count < size, "the bucket was chosen to hold the message")
        var associated = AssociatedData(session: session, envelope: envelopeHeader.octets)
        let headerNonce = Nonce24.random(from: random)
        envelope.append(headerNonce)
        header.append(to: &envelope)
        let sealed = associated.withHeaderData { data in
            Tail.seal(&envelope, from: start + 24, ad: data, nonce: headerNonce, key: headerKey)
        }
        envelope.append(sealed)
        associated.encryptedHeader = EncryptedHeader(
            copying: envelope.span.bytes.extracting(start..<start + headerSize))
        let bodyNonce = Nonce24.random(from: random)
        envelope.append(bodyNonce)
        let body = envelope.count
        envelope.append(contentsOf: payload)
        Padding.pad(&envelope, to: size - 16)
        let tag = associated.withSpan { data in
            Tail.seal(&envelope, from: body, ad: data, nonce: bodyNonce, key: messageKey)
        }
        envelope.append(tag)
    }

    /// The ratchet header; nil when the key is another, or anything was altered.
    static func header(
        of message: RawSpan, key: SymmetricKey, session: SessionID, under envelopeHeader: EnvelopeHeader
    ) -> RatchetHeader? {
        guard message.byteCount > overhead else { return nil }
        return AssociatedData(session: session, envelope: envelopeHeader.octets).withHeaderData { data in
            guard
                let bytes = try? XChaCha20Poly1305.unbox(message.extracting(first: headerSize), ad: data, key: key)
            else { return nil }
            return RatchetHeader(parsing: bytes.span.bytes)
        }
    }

    /// The plaintext with its padding; nil when the key is another, or anything was altered.
    static func body(
        of message: RawSpan, key: SymmetricKey, session: SessionID, under envelopeHeader: EnvelopeHeader
    ) -> [UInt8]? {
        guard message.byteCount > overhead else { return nil }
        var associated = AssociatedData(session: session, envelope: envelopeHeader.octets)
        associated.encryptedHeader = EncryptedHeader(copying: message.extracting(first: headerSize))
        return associated.withSpan { data in
            try? XChaCha20Poly1305.unbox(message.extracting(droppingFirst: headerSize), ad: data, key: key)
        }
    }
}

/// The last bytes of an envelope that is being written.
enum Tail {
    /// Encrypts in place, from `start` to the end; the tag is the caller's to append.
    static func seal(
        _ bytes: inout [UInt8], from start: Int, ad: RawSpan, nonce: Nonce24, key: SymmetricKey
    ) -> AuthenticationTag {
        bytes.withUnsafeMutableBytes { raw in
            var part = UnsafeMutableRawBufferPointer(rebasing: raw[start...]).mutableBytes
            return XChaCha20Poly1305.seal(inPlace: &part, ad: ad, nonce: nonce, key: key)
        }
    }
}

/// The first 80 bytes of a ratchet message.
private struct EncryptedHeader: FixedOctets {
    private var low = Octets64()
    private var high = Octets16()
    init() {}
}

/// `session_id 32 | envelope header 40 | encrypted header 80`, side by side without an allocation.
private struct AssociatedData: FixedOctets {
    private var session = SessionID()
    private var envelope = Octets40()
    var encryptedHeader = EncryptedHeader()

    init() {}

    init(session: SessionID, envelope: Octets40) {
        self.session = session
        self.envelope = envelope
    }

    /// What the ratchet header is sealed under: all but itself.
    func withHeaderData<Result>(_ read: (RawSpan) -> Result) -> Result {
        withSpan { read($0.extracting(first: 72)) }
    }
}
