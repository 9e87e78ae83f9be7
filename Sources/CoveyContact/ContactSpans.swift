/// Contacts with both ends, made into changes by ascending time.
enum ContactSpans {
    struct Span {
        /// µs; `end` is after `start`.
        var start: UInt64
        var end: UInt64
        var a: UInt32
        var b: UInt32
        var link: UInt16
    }

    /// Spans of one pair that overlap or touch are one.
    static func trace(_ spans: [Span], nodes: Int) -> ContactTrace {
        var changes: [ContactChange] = []
        changes.reserveCapacity(spans.count * 2)
        let order = spans.sorted { one, two in
            let (a, b) = (min(one.a, one.b), max(one.a, one.b))
            let (c, d) = (min(two.a, two.b), max(two.a, two.b))
            return (a, b, one.link, one.start, one.end) < (c, d, two.link, two.start, two.end)
        }
        var index = 0
        while index < order.count {
            let first = order[index]
            let pair = (min(first.a, first.b), max(first.a, first.b), first.link)
            var end = first.end
            index += 1
            while index < order.count {
                let next = order[index]
                guard (min(next.a, next.b), max(next.a, next.b), next.link) == pair, next.start <= end else { break }
                end = max(end, next.end)
                index += 1
            }
            changes.append(ContactChange(time: first.start, a: pair.0, b: pair.1, link: pair.2, isUp: true))
            changes.append(ContactChange(time: end, a: pair.0, b: pair.1, link: pair.2, isUp: false))
        }
        changes.sort { one, two in
            // Who leaves goes before who comes.
            (one.time, one.isUp ? 1 : 0, one.a, one.b, one.link) < (two.time, two.isUp ? 1 : 0, two.a, two.b, two.link)
        }
        return ContactTrace(nodes: nodes, changes: changes)
    }
}
