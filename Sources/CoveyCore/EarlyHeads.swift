import CoveyCrypto

/// Heads of logs that are unknown yet, as Checkpoints name them.
///
/// Whoever writes a Checkpoint chooses these ids freely, so they are few, and none is hashed by its first word alone.
struct EarlyHeads: Sendable {
    private var heads: [Octets16: [PlacedHead]] = [:]
    private(set) var count = 0

    mutating func add(_ head: PlacedHead) {
        let key = Octets16(prefixOf: head.row.log)
        guard count < Membership.Bounds.earlyHeads, heads[key, default: []].count < Membership.Bounds.earlyHeadsOfLog
        else { return }
        heads[key, default: []].append(head)
        count += 1
    }

    /// What was said of a log that is known now.
    mutating func take(_ log: LogID) -> [PlacedHead] {
        let taken = heads.removeValue(forKey: Octets16(prefixOf: log)) ?? []
        count -= taken.count
        return taken
    }
}
