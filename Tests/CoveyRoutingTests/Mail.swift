import CoveyCore
import CoveyCrypto

@testable import CoveyRouting

/// Envelopes out of nothing, for tests of policy.
struct Mail {
    static let hour: UInt32 = 492_000
    static let mesh = MeshView(members: 100, contactsPerHour: 2)
    let dice: SeededRandom

    init(seed: UInt64) { dice = SeededRandom(seed: seed, stream: "mail") }

    func neighbour() -> DeviceID { .random(from: dice) }

    func make(
        _ kind: EnvelopeKind = .pairwise, _ priority: Priority = .normal, bucket: Bucket = .bytes512,
        ttl: TTL = .week, zone: ZoneHint = .any, expiresIn: UInt32 = 60, tokens: Tokens = .spray(4), hops: UInt8 = 1,
        from ingress: DeviceID? = nil, isOwn: Bool = false, isSurplus: Bool = false, isCustody: Bool = false
    ) -> EnvelopeMeta {
        let header = EnvelopeHeader(
            kind: kind, priority: priority, ttl: ttl, bucket: bucket, zone: zone,
            expiry: Hour(Self.hour + expiresIn), tag: .random(from: dice), purgeCommit: .random(from: dice))
        return EnvelopeMeta(
            id: .random(from: dice), header: header, tokens: tokens, hops: hops, ingress: ingress ?? neighbour(),
            isOwn: isOwn, isSurplus: isSurplus, isCustody: isCustody)
    }
}
