import CoveyCrypto

/// Why a purge row deletes nothing.
package enum PurgeRefusal: Error, Equatable, Sendable {
    case length
    /// The header is none that a relay would have taken.
    case header(EnvelopeRefusal)
    /// The secret is not what the header commits to.
    case secret
}

/// The long form of a purge (frame VAX): proves id, expiry and the right to delete, to one who never saw the envelope.
///
///     header 40 | body hash 32 | purge secret 16        88 bytes
///
/// The expiry window is left to `header.check(now:)` (protocol.md §3.3).
package struct PurgeRow: Hashable, Sendable {
    package static let byteCount = 88

    package let header: EnvelopeHeader
    package let bodyHash: BodyHash
    package let secret: PurgeSecret
    package let id: EnvelopeID

    /// Reads exactly 88 bytes. Another body hash is another id, which nobody holds.
    package init(parsing bytes: RawSpan) throws(PurgeRefusal) {
        guard bytes.byteCount == Self.byteCount else { throw .length }
        let header: EnvelopeHeader
        do {
            header = try EnvelopeHeader.parse(bytes.extracting(first: 40))
        } catch {
            throw .header(error)
        }
        let secret = PurgeSecret(copying: bytes.extracting(72..<88))
        guard PurgeCommit(to: secret) == header.purgeCommit else { throw .secret }
        self.header = header
        self.secret = secret
        bodyHash = BodyHash(copying: bytes.extracting(40..<72))
        id = EnvelopeID(header: header, body: bodyHash)
    }

    /// For an envelope at hand; nil when the secret is not its own.
    package init?(_ envelope: Envelope, secret: PurgeSecret) {
        guard PurgeCommit(to: secret) == envelope.header.purgeCommit else { return nil }
        header = envelope.header
        bodyHash = envelope.bodyHash
        id = envelope.id
        self.secret = secret
    }

    package func append(to bytes: inout [UInt8]) {
        bytes.append(header.octets)
        bytes.append(bodyHash)
        bytes.append(secret)
    }
}
