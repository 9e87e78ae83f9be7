/// Every n-th of a stream of unknown length, never more than a limit: when the limit is reached, n doubles and every
/// second one that was kept goes.
struct Thinned<Element: Sendable>: Sendable {
    private(set) var kept: [Element] = []
    private(set) var stride = 1
    private(set) var seen = 0
    let limit: Int

    init(limit: Int) {
        precondition(limit > 0, "a thinned stream keeps something")
        self.limit = limit
    }

    /// Whether the next element will be kept; `pass()` or `append(_:)` must follow.
    var wantsNext: Bool { seen % stride == 0 }

    mutating func pass() { seen += 1 }

    mutating func append(_ element: Element) {
        if wantsNext {
            if kept.count == limit { halve() }
            // The element that made the stride double may itself fall between two of the new ones.
            if wantsNext { kept.append(element) }
        }
        seen += 1
    }

    mutating func update(_ index: Int, _ change: (inout Element) -> Void) { change(&kept[index]) }

    private mutating func halve() {
        kept = kept.indices.filter { $0 % 2 == 0 }.map { kept[$0] }
        stride *= 2
    }
}
