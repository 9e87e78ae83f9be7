import Glibc

/// How likely each node is to meet each other one, as PRoPHET keeps it (SEMANTICS.md §6).
///
/// A node's values stand side by side and age by one multiplication each, at exactly the reads at which The ONE ages
/// them: the last bits of a value decide ties.
struct OnePredictability {
    private let rules: OneProphet
    private var peers: [[Int32]]
    private var values: [[Double]]
    private var aged: [Double]
    /// Where the value about a peer stands: open addressing with a power of two of cells, a row a node.
    private var cells: [[Int32]]
    /// The factor of the last ageing: most are by the same time.
    private var lastPassed = 0.0
    private var lastFactor = 1.0

    init(nodes: Int, rules: OneProphet) {
        self.rules = rules
        peers = Array(repeating: [], count: nodes)
        values = Array(repeating: [], count: nodes)
        cells = Array(repeating: [], count: nodes)
        aged = Array(repeating: 0, count: nodes)
    }

    /// A node's value about another, as it was aged last.
    func value(_ node: Int, about other: Int) -> Double {
        let found = place(node, Int32(other))
        return found < 0 ? 0 : values[node][Int(found)]
    }

    mutating func age(_ node: Int, now: Double) {
        let passed = (now - aged[node]) / rules.unit
        guard passed != 0 else { return }
        aged[node] = now
        if passed != lastPassed {
            lastPassed = passed
            lastFactor = pow(rules.gamma, passed)
        }
        let factor = lastFactor
        values[node].withUnsafeMutableBufferPointer { values in
            for index in 0..<values.count { values[index] *= factor }
        }
    }

    /// One node of two that have met takes notice of the other: of the meeting, and of whom the other meets.
    mutating func meet(_ node: Int, _ other: Int, now: Double) {
        age(node, now: now)
        let before = value(node, about: other)
        let direct = before + (1 - before) * rules.first
        set(node, about: other, direct)
        age(other, now: now)
        for index in 0..<peers[other].count {
            let third = Int(peers[other][index])
            if third == node { continue }
            let old = value(node, about: third)
            set(node, about: third, old + (1 - old) * direct * values[other][index] * rules.beta)
        }
    }

    private mutating func set(_ node: Int, about other: Int, _ value: Double) {
        let found = place(node, Int32(other))
        if found >= 0 {
            values[node][Int(found)] = value
            return
        }
        peers[node].append(Int32(other))
        values[node].append(value)
        if 2 * peers[node].count > cells[node].count {
            cells[node] = Array(repeating: -1, count: max(8, 2 * cells[node].count))
            for index in 0..<peers[node].count { enter(node, index) }
        } else {
            enter(node, peers[node].count - 1)
        }
    }

    private mutating func enter(_ node: Int, _ index: Int) {
        let mask = cells[node].count - 1
        var cell = Self.cell(peers[node][index], mask)
        while cells[node][cell] >= 0 { cell = (cell + 1) & mask }
        cells[node][cell] = Int32(index)
    }

    private func place(_ node: Int, _ other: Int32) -> Int32 {
        let mask = cells[node].count - 1
        guard mask > 0 else { return -1 }
        return cells[node].withUnsafeBufferPointer { cells in
            peers[node].withUnsafeBufferPointer { peers in
                var cell = Self.cell(other, mask)
                while cells[cell] >= 0, peers[Int(cells[cell])] != other { cell = (cell + 1) & mask }
                return cells[cell]
            }
        }
    }

    private static func cell(_ peer: Int32, _ mask: Int) -> Int { Int(UInt32(peer) &* 0x9E37_79B1 >> 7) & mask }
}
