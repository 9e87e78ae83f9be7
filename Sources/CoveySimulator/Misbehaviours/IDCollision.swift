import CoveyCore
import CoveyCrypto

/// Envelopes ground so that their ids begin alike, and others whose eight-byte names would begin alike if the key of a
/// link were the one it guesses. Each link's key comes of its handshake, so the guess is as good as none.
final class IDCollision: Conduct {
    /// Tries: two of 4,096 have about 23 bits in common.
    private static let tries = 4_096
    private static let pairs = 16
    private var ground: [Envelope] = []

    func opened(_ link: InsiderLink, of insider: Insider) {
        if ground.isEmpty {
            grind(insider)
            for envelope in ground { insider.keep(envelope) }
        }
        for envelope in ground { link.say(HandedOn(id: envelope.id, bytes: envelope.bytes)) }
    }

    private func grind(_ insider: Insider) {
        let guess = SipHash(key: Octets16())
        let first = insider.makeEnvelope()
        let body = first.bodyHash
        let sealed = first.withBody { [UInt8](copying: $0) }
        let tries = (0..<Self.tries).map { _ in
            let tag = RecipientTag.random(from: insider.random)
            let header = EnvelopeHeader(
                kind: .pairwise, priority: .normal, ttl: first.header.ttl, bucket: first.header.bucket, zone: .any,
                expiry: first.header.expiry, tag: tag, purgeCommit: first.header.purgeCommit)
            return (header: header, id: EnvelopeID(header: header, body: body))
        }
        for name in [{ Octets8(prefixOf: $0) }, { guess.hash($0) }] as [(EnvelopeID) -> Octets8] {
            let sorted = tries.map { (word: Self.word(name($0.id)), header: $0.header) }.sorted { $0.word < $1.word }
            let nearest = zip(sorted, sorted.dropFirst()).sorted { $0.1.word - $0.0.word < $1.1.word - $1.0.word }
            for (one, other) in nearest.prefix(Self.pairs) {
                for header in [one.header, other.header] {
                    guard let envelope = try? Envelope(parsing: header.withSpan { [UInt8](copying: $0) } + sealed)
                    else {
                        preconditionFailure("a header with a body of its size is an envelope")
                    }
                    ground.append(envelope)
                }
            }
        }
    }

    private static func word(_ octets: Octets8) -> UInt64 { octets.array.reduce(0) { $0 << 8 | UInt64($1) } }
}
