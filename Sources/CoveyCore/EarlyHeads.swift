import CoveyCrypto

/// Heads of logs that are unknown yet, as Checkpoints name them.
///
/// Whoever writes a Checkpoint chooses these ids freely, so they are few, and none is hashed by its first word alone. Only
/// the parent's word about a log ever counts, so each author has places of its own: nobody takes another's. Whatever the
/// order they come in, the same stay, those of the newest Checkpoints.
struct EarlyHeads: Sendable {
    fileprivate struct Named: Sendable {
        /// The newest last.
        var heads: [Octets16: [PlacedHead]] = [:]
        var count = 0
    }

    private var authors: [Octets16: Named] = [:]

    var count: Int { authors.values.reduce(0) { $0 + $1.count } }

    /// What one Checkpoint names.
    mutating func add(_ heads: [PlacedHead]) {
        guard let author = heads.first.map({ Octets16(prefixOf: $0.place.log) }) else { return }
        var named = authors[author] ?? Named()
        // Not kept twice while it grows.
        authors[author] = nil
        for head in heads { named.add(head) }
        named.trim()
        authors[author] = named
    }

    /// What was said of a log that is known now.
    mutating func take(_ log: LogID) -> [PlacedHead] {
        let key = Octets16(prefixOf: log)
        var taken: [PlacedHead] = []
        for author in authors.keys.sorted() { taken += authors[author]?.take(key) ?? [] }
        return taken
    }
}

extension EarlyHeads.Named {
    mutating func add(_ head: PlacedHead) {
        let key = Octets16(prefixOf: head.row.log)
        var known = heads[key, default: []]
        let at = known.lastIndex { $0.isOlder(than: head) }.map { $0 + 1 } ?? 0
        known.insert(head, at: at)
        count += 1
        if known.count > Membership.Bounds.earlyHeadsOfLog {
            known.removeFirst()
            count -= 1
        }
        heads[key] = known
    }

    /// Lets go of the oldest that are too many.
    mutating func trim() {
        let excess = count - Membership.Bounds.earlyHeads
        guard excess > 0 else { return }
        for head in heads.values.joined().sorted(by: { $0.isOlder(than: $1) }).prefix(excess) {
            let key = Octets16(prefixOf: head.row.log)
            heads[key]?.removeFirst()
            if heads[key]?.isEmpty ?? false { heads[key] = nil }
        }
        count -= excess
    }

    mutating func take(_ key: Octets16) -> [PlacedHead] {
        let taken = heads.removeValue(forKey: key) ?? []
        count -= taken.count
        return taken
    }
}

extension PlacedHead {
    /// By the Checkpoint that names it; of one Checkpoint by the log.
    fileprivate func isOlder(than other: PlacedHead) -> Bool {
        (place.sequence, place.entry, row.log) < (other.place.sequence, other.place.entry, other.row.log)
    }
}
