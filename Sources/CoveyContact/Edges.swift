/// Pairs of hosts that are joined for good: the shapes a network is drawn in.
package enum Edges {
    package struct Edge: Hashable, Sendable, BitwiseCopyable {
        package var a: UInt32
        package var b: UInt32

        package init(_ a: UInt32, _ b: UInt32) {
            self.a = a
            self.b = b
        }
    }

    /// All with all.
    package static func clique(_ hosts: [UInt32]) -> [Edge] {
        var edges: [Edge] = []
        edges.reserveCapacity(hosts.count * max(0, hosts.count - 1) / 2)
        for one in hosts.indices {
            for two in hosts.indices where two > one { edges.append(Edge(hosts[one], hosts[two])) }
        }
        return edges
    }

    /// One segment: all hear all, and each keeps links with `degree` others. All of them when they are no more.
    package static func lan(_ hosts: [UInt32], degree: Int, _ dice: inout Dice) -> [Edge] {
        randomRegular(hosts, degree: degree, &dice)
    }

    package static func line(_ hosts: [UInt32]) -> [Edge] { zip(hosts, hosts.dropFirst()).map { Edge($0, $1) } }

    package static func ring(_ hosts: [UInt32]) -> [Edge] {
        guard hosts.count > 2 else { return line(hosts) }
        return line(hosts) + [Edge(hosts[hosts.count - 1], hosts[0])]
    }

    /// Row after row; each is joined with those beside, above and below it.
    package static func grid(_ hosts: [UInt32], columns: Int) -> [Edge] {
        precondition(columns > 0, "a grid has a column")
        var edges: [Edge] = []
        for index in hosts.indices {
            if index % columns + 1 < columns, index + 1 < hosts.count {
                edges.append(Edge(hosts[index], hosts[index + 1]))
            }
            if index + columns < hosts.count { edges.append(Edge(hosts[index], hosts[index + columns])) }
        }
        return edges
    }

    /// The first is the root; each has up to `fanout` below it, level after level.
    package static func tree(_ hosts: [UInt32], fanout: Int) -> [Edge] {
        precondition(fanout > 0, "a tree branches")
        return hosts.indices.dropFirst().map { Edge(hosts[($0 - 1) / fanout], hosts[$0]) }
    }

    /// Each has `degree` others, drawn. With an odd number of ends one host has one less; with few hosts it is a clique.
    package static func randomRegular(_ hosts: [UInt32], degree: Int, _ dice: inout Dice) -> [Edge] {
        guard degree + 1 < hosts.count else { return clique(hosts) }
        // Every host brings `degree` ends; ends are paired as they lie, and a bad pair changes ends with another one.
        var ends: [Int] = []
        for host in hosts.indices { ends += repeatElement(host, count: degree) }
        for index in ends.indices.reversed() { ends.swapAt(index, dice.below(index + 1)) }
        let pairs = ends.count / 2
        var taken: [Edge: Int] = [:]
        func edge(_ pair: Int) -> Edge {
            let one = UInt32(ends[2 * pair])
            let two = UInt32(ends[2 * pair + 1])
            return Edge(min(one, two), max(one, two))
        }
        func isBad(_ edge: Edge) -> Bool { edge.a == edge.b || taken[edge, default: 0] > 1 }
        for pair in 0..<pairs { taken[edge(pair), default: 0] += 1 }
        var tries = 0
        var pair = 0
        while pair < pairs {
            guard isBad(edge(pair)), tries < 100 * ends.count else {
                pair += 1
                continue
            }
            tries += 1
            let other = dice.below(pairs)
            guard other != pair else { continue }
            let before = [edge(pair), edge(other)]
            for edge in before { taken[edge, default: 0] -= 1 }
            ends.swapAt(2 * pair + 1, 2 * other + 1)
            let now = [edge(pair), edge(other)]
            for edge in now { taken[edge, default: 0] += 1 }
            if now.contains(where: { isBad($0) }) {
                for edge in now { taken[edge, default: 0] -= 1 }
                ends.swapAt(2 * pair + 1, 2 * other + 1)
                for edge in before { taken[edge, default: 0] += 1 }
            }
        }
        var edges: [Edge] = []
        var seen: Set<Edge> = []
        for pair in 0..<pairs {
            let edge = edge(pair)
            if edge.a != edge.b, seen.insert(edge).inserted {
                edges.append(Edge(hosts[Int(edge.a)], hosts[Int(edge.b)]))
            }
        }
        return edges
    }

    /// The first `anchors` hosts of each group, those of one group with those of every other.
    package static func overlay(_ groups: [[UInt32]], anchors: Int) -> [Edge] {
        var edges: [Edge] = []
        for one in groups.indices {
            for two in groups.indices where two > one {
                for a in groups[one].prefix(anchors) {
                    for b in groups[two].prefix(anchors) { edges.append(Edge(a, b)) }
                }
            }
        }
        return edges
    }

    /// The first host of each group: they hang on one switch.
    package static func core(_ groups: [[UInt32]]) -> [Edge] { overlay(groups, anchors: 1) }

    /// `count` links between drawn hosts of two groups, no host twice while there are others.
    package static func bridge(_ one: [UInt32], _ two: [UInt32], count: Int, _ dice: inout Dice) -> [Edge] {
        guard !one.isEmpty, !two.isEmpty else { return [] }
        let left = shuffled(one, &dice)
        let right = shuffled(two, &dice)
        // Rounds of all hosts, the right side one further each time: no link twice.
        let shorter = min(left.count, right.count)
        let longer = max(left.count, right.count)
        var edges: [Edge] = []
        for index in 0..<min(count, left.count * right.count) {
            let short = (index / longer + index % longer) % shorter
            let long = index % longer
            edges.append(left.count <= right.count ? Edge(left[short], right[long]) : Edge(left[long], right[short]))
        }
        return edges
    }

    private static func shuffled(_ hosts: [UInt32], _ dice: inout Dice) -> [UInt32] {
        var hosts = hosts
        for index in hosts.indices.reversed() { hosts.swapAt(index, dice.below(index + 1)) }
        return hosts
    }
}

/// Hosts that are in contact from the beginning and never part.
package struct StaticContacts: ContactSource, Sendable {
    private let edges: [Edges.Edge]
    private let link: UInt16
    private var taken = 0

    package init(_ edges: [Edges.Edge], link: UInt16 = 0) {
        self.edges = edges
        self.link = link
    }

    package mutating func next() -> ContactChange? {
        guard taken < edges.count else { return nil }
        taken += 1
        let edge = edges[taken - 1]
        return ContactChange(time: 0, a: edge.a, b: edge.b, link: link, isUp: true)
    }
}
