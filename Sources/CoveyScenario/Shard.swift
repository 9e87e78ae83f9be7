/// One of `count` machines that share a sweep: every seed belongs to exactly one of them.
package struct Shard: Hashable, Sendable, CustomStringConvertible {
    /// From 1.
    package let number: Int
    package let count: Int

    package static let whole = Shard(number: 1, count: 1)

    private init(number: Int, count: Int) {
        self.number = number
        self.count = count
    }

    /// `3/8`. Nil when it is not that, or the third of two.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let number = parts[0], let count = parts[1], number >= 1, number <= count else {
            return nil
        }
        self.init(number: number, count: count)
    }

    package var description: String { "\(number)/\(count)" }

    /// Seeds are dealt like cards, so that shards take about equally long whatever the seeds cost.
    package func seeds(of all: ClosedRange<UInt64>) -> [UInt64] {
        let first = all.lowerBound + UInt64(number - 1)
        guard first <= all.upperBound else { return [] }
        return Array(stride(from: first, through: all.upperBound, by: count))
    }
}

/// `1..200`, both ends run; a single number is a sweep of one.
package struct SeedRange: Hashable, Sendable {
    package enum Bounds {
        /// Seeds of one sweep.
        package static let seeds: UInt64 = 1_000_000
    }

    package let seeds: ClosedRange<UInt64>

    package init?(_ text: String) {
        let ends: [UInt64?]
        if let dots = text.firstRange(of: "..") {
            ends = [UInt64(text[..<dots.lowerBound]), UInt64(text[dots.upperBound...])]
        } else {
            ends = [UInt64(text), UInt64(text)]
        }
        guard let first = ends[0], let last = ends[1], first <= last, last - first < Bounds.seeds else { return nil }
        seeds = first...last
    }
}
