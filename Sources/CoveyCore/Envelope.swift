import CoveyCrypto

/// BLAKE2b-256 of an envelope's sealed body (protocol.md §3.1).
package struct BodyHash: FixedOctets {
    private var octets = Octets32()
    package init() {}

    package init(of body: RawSpan) { self = Blake2b.hash(body, personal: .envelopeBody) }
}

extension EnvelopeID {
    /// `BLAKE2b-256(header 40 | body hash 32)`: header and body hash prove an id without the body.
    package init(header: EnvelopeHeader, body: BodyHash) {
        self = HeaderAndHash(header: header.octets, body: body).withSpan { Blake2b.hash($0, personal: .envelopeID) }
    }
}

/// The 72 bytes that an id is the hash of, side by side without an allocation.
private struct HeaderAndHash: FixedOctets {
    private var header = Octets40()
    private var body = BodyHash()

    init() {}

    init(header: Octets40, body: BodyHash) {
        self.header = header
        self.body = body
    }
}

/// An envelope whose header is sound and whose size is that of its bucket.
///
///     header 40 | sealed body, to exactly the size of the bucket
package struct Envelope: Sendable {
    package let header: EnvelopeHeader
    package let id: EnvelopeID
    /// All of it, header first.
    package let bytes: [UInt8]

    /// Takes the array as it is; two hashes, no allocation.
    package init(parsing bytes: [UInt8]) throws(EnvelopeRefusal) {
        let header: EnvelopeHeader
        let body: BodyHash
        do {
            let whole = bytes.span.bytes
            guard whole.byteCount >= EnvelopeHeader.byteCount else { throw EnvelopeRefusal.length }
            header = try EnvelopeHeader.parse(whole.extracting(first: EnvelopeHeader.byteCount))
            guard whole.byteCount == header.bucket.size else { throw EnvelopeRefusal.length }
            body = BodyHash(of: whole.extracting(droppingFirst: EnvelopeHeader.byteCount))
        }
        self.header = header
        self.id = EnvelopeID(header: header, body: body)
        self.bytes = bytes
    }

    /// The part under the header.
    package func withBody<Result>(_ read: (RawSpan) throws -> Result) rethrows -> Result {
        try read(bytes.span.bytes.extracting(droppingFirst: EnvelopeHeader.byteCount))
    }

    package var bodyHash: BodyHash { withBody { BodyHash(of: $0) } }
}
