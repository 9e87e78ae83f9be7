import CoveyCore
import CoveyNode

/// Copies are handed on, not made: of a message there are never more tokens in the world than its sender drew, and those
/// that a lost acknowledgement, a stick or a torn write left with two hosts; and its sender keeps one while it holds the
/// message (invariant 27). Mail that floods has none.
///
/// In worlds whose policy has tokens, `sprayAndWait` and `firstContact`; in others it sees nothing.
public final class TokensAreConserved: Checker {
    public let name = "tokens are conserved"

    private struct Copy: Hashable {
        let host: Host
        let mail: EnvelopeID
    }

    private struct Transfer: Hashable {
        let from: Host
        let to: Host
        let mail: EnvelopeID
    }

    /// Copies that were looked at once.
    private var seen: Set<Copy> = []
    /// What a message may have in all.
    private var allowed: [EnvelopeID: Int] = [:]
    /// What a receiver got and its giver has not heard of.
    private var unconfirmed: [Transfer: Int] = [:]
    /// Through the hands of somebody who may write any number.
    private var excused: Set<EnvelopeID> = []

    public init() {}

    private func drawn(in world: World) -> Int? {
        switch world.options.routing {
        case .sprayAndWait(let copies): copies
        case .firstContact: 1
        case .flood, .direct, .epidemic, .adaptive: nil
        }
    }

    public func noticed(_ sighting: Sighting, at host: Host, in world: World) {
        guard drawn(in: world) != nil else { return }
        switch sighting {
        case .stored(let mail, from: let other):
            let id = mail.envelope
            guard let other, world.isHonest(other) else {
                excused.insert(id)
                return
            }
            seen.insert(Copy(host: host, mail: id))
            guard let record = world.store(of: host).record(id) else { return }
            let transfer = Transfer(from: other, to: host, mail: id)
            unconfirmed[transfer] = Self.tokens(of: record)
            allowed[id, default: 0] += Self.tokens(of: record)
        case .handedOn(let mail, to: let other?):
            let transfer = Transfer(from: host, to: other, mail: mail.envelope)
            // Handed on before it was looked at: sealed there.
            if seen.insert(Copy(host: host, mail: mail.envelope)).inserted {
                allowed[mail.envelope, default: 0] += drawn(in: world) ?? 0
            }
            if let tokens = unconfirmed.removeValue(forKey: transfer) { allowed[mail.envelope, default: 0] -= tokens }
        case .handedOn, .started, .heardBeacon, .dialling, .linkUp, .linkDown, .refused, .logAccepted,
            .revocationLearnt, .epochLearnt, .delivered, .announced, .expired, .warning,
            .suspensionLearnt, .quarantined, .staleness, .wipeAccepted, .wipeRefused, .wipeReceipt:
            break
        }
    }

    public func sampled(in world: World) { look(in: world) }

    public func ended(in world: World) { look(in: world) }

    private func look(in world: World) {
        guard let drawn = drawn(in: world) else { return }
        let now = world.minute.hour
        var sums: [EnvelopeID: Int] = [:]
        for host in world.hosts where world.isHonest(host) {
            for record in world.store(of: host).known().held where record.header.expiry > now {
                let tokens = Self.tokens(of: record)
                sums[record.id, default: 0] += tokens
                if seen.insert(Copy(host: host, mail: record.id)).inserted {
                    // Sealed here; or brought by a stick, or by a write whose turn was lost.
                    allowed[record.id, default: 0] += record.isOwn ? drawn : tokens
                }
                if record.isOwn, tokens == 0, !record.isFlooded {
                    world.violate(name, "the sender of \(MailID(record.id)) gave away its last copy", at: host)
                }
            }
        }
        for (id, sum) in sums.sorted(by: { $0.key < $1.key }) where !excused.contains(id) {
            let most = allowed[id, default: 0]
            if sum > most { world.violate(name, "\(MailID(id)) has \(sum) tokens, and may have \(most)") }
        }
        allowed = allowed.filter { sums[$0.key] != nil }
        seen = seen.filter { sums[$0.mail] != nil }
        unconfirmed = unconfirmed.filter { sums[$0.key.mail] != nil }
        excused = excused.filter { sums[$0] != nil }
    }

    /// None of what floods.
    private static func tokens(of record: EnvelopeRecord) -> Int { record.isFlooded ? 0 : Int(record.tokens) }
}

extension EnvelopeRecord {
    fileprivate var isFlooded: Bool { tokens == 255 }
}
