/// Cuts a list of what happened down to what a failure needs (Zeller and Hildebrandt's ddmin).
///
/// The result still fails, and leaving out any single item of it no longer does. It is the same for the same questions and
/// answers, so a shrunk seed is as much a bug report as the seed was.
package enum DeltaDebugging {
    /// - Parameters:
    ///   - items: of which all together fail.
    ///   - fails: whether a run with only these items, in their order, still fails in the same way.
    package static func minimum<Item>(of items: [Item], fails: ([Item]) throws -> Bool) rethrows -> [Item] {
        // Often nothing in the list matters at all.
        if items.isEmpty { return [] }
        if try fails([]) { return [] }
        var kept = items
        var parts = 2
        while kept.count >= 2 {
            var next: (kept: [Item], parts: Int)?
            let cuts = cuts(of: kept.count, into: parts)
            for cut in cuts where parts > 2 || cut.count < kept.count {
                let part = Array(kept[cut])
                if try fails(part) {
                    next = (part, 2)
                    break
                }
            }
            // With two parts a complement is the other part, which was asked already.
            if next == nil, parts > 2 {
                for cut in cuts {
                    let rest = Array(kept[..<cut.lowerBound] + kept[cut.upperBound...])
                    if try fails(rest) {
                        next = (rest, max(parts - 1, 2))
                        break
                    }
                }
            }
            if let next {
                (kept, parts) = next
            } else if parts < kept.count {
                parts = min(parts * 2, kept.count)
            } else {
                break
            }
        }
        return kept
    }

    /// Near-equal runs of neighbours that cover the list.
    private static func cuts(of count: Int, into parts: Int) -> [Range<Int>] {
        (0..<parts).map { (count * $0 / parts)..<(count * ($0 + 1) / parts) }.filter { !$0.isEmpty }
    }
}
