package import CoveyCore
package import CoveyCrypto
package import CoveyNode

/// Envelopes that differ by their number; bodies are noise.
package struct Mail {
    package let record: EnvelopeRecord
    package let bytes: [UInt8]
    package var id: EnvelopeID { record.id }

    /// - Parameter expiry: a multiple of 6.
    package init(_ number: Int, expiry: UInt32 = 492_000, bucket: Bucket = .bytes512, tokens: UInt8 = 255) {
        let source = SeededRandom(seed: UInt64(number), stream: "mail")
        let header = EnvelopeHeader(
            kind: .pairwise, priority: .normal, ttl: .day, bucket: bucket, zone: .any, expiry: Hour(expiry),
            tag: .random(from: source), purgeCommit: .random(from: source))
        let sealed = source.bytes(bucket.bodySize)
        let body = BodyHash(of: sealed.span.bytes)
        bytes = header.octets.array + sealed
        record = EnvelopeRecord(
            id: EnvelopeID(header: header, body: body), header: header, tokens: tokens, hops: UInt8(number % 30),
            isOwn: number.isMultiple(of: 3), ingress: .random(from: source))
    }

    package func ghost(_ reason: GhostReason = .deleted) -> Ghost {
        Ghost(id: id, expiry: record.header.expiry, ttlHours: 24, priority: .normal, reason: reason)
    }
}

/// Turns drawn from a seed: records, envelopes, ghosts and expiries of a few hours.
package struct Turns {
    package static let key = SymmetricKey(from: SeededRandom(seed: 1, stream: "master"))

    private let dice: SeededRandom
    private var hour: UInt32 = 492_000
    private var next = 0
    private var mail: [Mail] = []
    private var kept: (hour: UInt32, mail: [Mail]) = (492_000, [])

    package init(seed: UInt64) { dice = SeededRandom(seed: seed, stream: "turns") }

    package mutating func keep() { kept = (hour, mail) }
    package mutating func lose() { (hour, mail) = kept }

    package mutating func turn(_ store: any Store) throws {
        for _ in 0...dice.uniform(4) {
            switch dice.uniform(9) {
            case 0: try store.put(.delivered, dice.bytes(1), dice.bytes(20))
            case 1: try store.delete(.delivered, dice.bytes(1))
            case 2: try store.put(.outbox, dice.uniform(20), dice.bytes(9))
            case 3: try store.delete(.outbox, dice.uniform(20))
            case 4:
                guard !mail.isEmpty else { continue }
                let one = mail.remove(at: dice.uniform(0...mail.count - 1))
                try store.replace(one.id, with: one.ghost(.evicted))
            case 5:
                guard dice.uniform(4) == 0 else { continue }
                hour += 6
                let now = hour
                mail.removeAll { $0.record.header.expiry.value <= now }
                try store.expire(upTo: Hour(hour))
            case 6:
                next += 1
                try store.insert(Mail(next, expiry: hour + 6).ghost(.refused))
            default:
                next += 1
                let one = Mail(next, expiry: hour + 6 + 6 * UInt32(dice.uniform(3)))
                mail.append(one)
                try store.insert(one.record, one.bytes)
            }
        }
    }
}
