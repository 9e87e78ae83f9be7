/// Several sources as one, by time and then by their order. Two hosts are in contact over a kind of link as long as any
/// source has them so: contacts that overlap become one.
///
/// Each source has to part a pair before it lets them meet again, as `ContactTrace.tidied` does.
package struct MergedContacts: ContactSource {
    private struct Pair: Hashable {
        var a: UInt32
        var b: UInt32
        var link: UInt16
    }

    private struct Head {
        var change: ContactChange
        var source: Int

        static func < (one: Head, two: Head) -> Bool {
            (one.change.time, one.source) < (two.change.time, two.source)
        }
    }

    private var sources: [any ContactSource]
    /// A heap: the least is first.
    private var heads: [Head] = []
    /// How many sources have the pair in contact; only ever asked for one pair.
    private var counts: [Pair: UInt32] = [:]

    package init(_ sources: [any ContactSource]) {
        self.sources = sources
        for source in sources.indices {
            guard let change = self.sources[source].next() else { continue }
            heads.append(Head(change: change, source: source))
        }
        for place in heads.indices.reversed() { sink(place) }
    }

    package mutating func next() -> ContactChange? {
        while let head = heads.first {
            if let change = sources[head.source].next() {
                heads[0].change = change
            } else {
                heads[0] = heads[heads.count - 1]
                heads.removeLast()
            }
            sink(0)
            let change = head.change
            let pair = Pair(a: min(change.a, change.b), b: max(change.a, change.b), link: change.link)
            let count = counts[pair] ?? 0
            if change.isUp {
                counts[pair] = count + 1
                if count == 0 { return change }
            } else if count > 1 {
                counts[pair] = count - 1
            } else if count == 1 {
                counts[pair] = nil
                return change
            }
        }
        return nil
    }

    private mutating func sink(_ place: Int) {
        var place = place
        while true {
            var least = place
            for child in 2 * place + 1...2 * place + 2 where child < heads.count && heads[child] < heads[least] {
                least = child
            }
            if least == place { return }
            heads.swapAt(place, least)
            place = least
        }
    }
}
