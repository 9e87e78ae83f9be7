/// Contacts of hosts that keep so many links at once and no more. Who comes into reach of somebody who is full waits, in
/// the order of coming, until one of the two has a link to spare on both sides.
package struct LimitedContacts: ContactSource {
    private struct Pair: Hashable {
        var a: UInt32
        var b: UInt32
        var link: UInt16
    }

    private var source: any ContactSource
    private let limit: Int
    private let limited: @Sendable (UInt32) -> Bool
    /// Lookups only: whether the pair is joined (true) or waits.
    private var pairs: [Pair: Bool] = [:]
    private var links: [UInt32: Int] = [:]
    /// By host, in the order of coming.
    private var waiting: [UInt32: [Pair]] = [:]
    private var batch: [ContactChange] = []
    private var taken = 0

    /// - Parameter limited: whom the limit holds for; everybody unless said.
    package init(
        _ source: any ContactSource, limit: Int, for limited: @escaping @Sendable (UInt32) -> Bool = { _ in true }
    ) {
        precondition(limit > 0, "a host keeps a link at least")
        self.source = source
        self.limit = limit
        self.limited = limited
    }

    package mutating func next() -> ContactChange? {
        while taken == batch.count {
            batch.removeAll(keepingCapacity: true)
            taken = 0
            guard let change = source.next() else { return nil }
            let pair = Pair(a: change.a, b: change.b, link: change.link)
            if change.isUp {
                guard pairs[pair] == nil else { continue }
                if hasRoom(pair) {
                    join(pair, at: change.time)
                } else {
                    pairs[pair] = false
                    waiting[pair.a, default: []].append(pair)
                    waiting[pair.b, default: []].append(pair)
                }
            } else if pairs.removeValue(forKey: pair) == true {
                links[pair.a, default: 0] -= 1
                links[pair.b, default: 0] -= 1
                batch.append(change)
                for host in [pair.a, pair.b] { admit(host, at: change.time) }
            } else {
                forget(pair)
            }
        }
        taken += 1
        return batch[taken - 1]
    }

    private func hasRoom(_ pair: Pair) -> Bool {
        [pair.a, pair.b].allSatisfy { !limited($0) || links[$0, default: 0] < limit }
    }

    private mutating func join(_ pair: Pair, at time: UInt64) {
        pairs[pair] = true
        links[pair.a, default: 0] += 1
        links[pair.b, default: 0] += 1
        batch.append(ContactChange(time: time, a: pair.a, b: pair.b, link: pair.link, isUp: true))
    }

    private mutating func admit(_ host: UInt32, at time: UInt64) {
        for pair in waiting[host] ?? [] where hasRoom(pair) {
            forget(pair)
            join(pair, at: time)
        }
    }

    private mutating func forget(_ pair: Pair) {
        for host in [pair.a, pair.b] {
            waiting[host]?.removeAll { $0 == pair }
            if waiting[host]?.isEmpty == true { waiting[host] = nil }
        }
    }
}
