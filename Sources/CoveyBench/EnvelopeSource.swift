import CoveyCore
import CoveyCrypto

/// Sound envelopes with a random body: whoever only carries them sees no difference to a sealed one.
struct EnvelopeSource {
    let bucket: Bucket
    private let header: EnvelopeHeader
    private var bytes: [UInt8]
    private var count: UInt64 = 0

    init(_ bucket: Bucket, now: Minute, random: any RandomSource) {
        self.bucket = bucket
        header = EnvelopeHeader(
            kind: .pairwise, priority: .normal, ttl: .twoWeeks, bucket: bucket, zone: .any,
            expiry: Hour.expiry(of: .twoWeeks, priority: .normal, from: now), tag: RecipientTag.random(from: random),
            purgeCommit: PurgeCommit.random(from: random))
        bytes = header.octets.array + random.bytes(bucket.bodySize)
    }

    /// The next one, with its number in the body and the id that follows from it.
    mutating func next() -> Envelope {
        count += 1
        bytes.withUnsafeMutableBytes {
            $0.storeBytes(of: count, toByteOffset: EnvelopeHeader.byteCount, as: UInt64.self)
        }
        guard let envelope = try? Envelope(parsing: bytes) else { preconditionFailure("the envelope is sound") }
        return envelope
    }
}
