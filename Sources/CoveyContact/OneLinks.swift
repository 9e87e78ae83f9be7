/// The links of all nodes. Each node has its own in a list, in the order in which they came up.
///
/// A link is two ends in one pool, numbered 2k and 2k+1; an end stands in the list of the node it belongs to and names
/// the node at the other end. Ends that are not in use are chained as links were given back.
struct OneLinks {
    static let none: Int32 = -1

    /// A message on its way over a link.
    struct Load: BitwiseCopyable {
        var message: Int32
        var sender: Int32
        var receiver: Int32
        /// The copy that was sent, as it was at the start.
        var copies: Int32
        var hops: Int32
        var path: Int32
        /// When the last byte is over; seconds.
        var finish: Double
    }

    private(set) var first: [Int32]
    private var last: [Int32]
    private(set) var next: [Int32] = []
    private var previous: [Int32] = []
    private(set) var peer: [Int32] = []
    /// By link. A link that went down keeps its load until its sender has looked after it.
    private(set) var isUp: [Bool] = []
    private(set) var loads: [Load] = []
    private var spare: [Int32] = []

    /// Nodes that have a link, in no order that matters, and where each stands among them.
    private(set) var linked: [Int32] = []
    private var linkedPlace: [Int32]

    static let noLoad = Load(message: -1, sender: -1, receiver: -1, copies: 0, hops: 0, path: 0, finish: 0)

    init(nodes: Int) {
        first = Array(repeating: Self.none, count: nodes)
        last = first
        linkedPlace = first
    }

    func isLoaded(_ link: Int) -> Bool { loads[link].message >= 0 }

    /// The link of two nodes, if they have one.
    func find(_ a: Int, _ b: Int) -> Int? {
        var end = first[a]
        while end >= 0 {
            if peer[Int(end)] == Int32(b) { return Int(end >> 1) }
            end = next[Int(end)]
        }
        return nil
    }

    mutating func connect(_ a: Int, _ b: Int) {
        let link: Int
        if let free = spare.popLast() {
            link = Int(free)
        } else {
            link = isUp.count
            isUp.append(false)
            loads.append(Self.noLoad)
            next += [Self.none, Self.none]
            previous += [Self.none, Self.none]
            peer += [Self.none, Self.none]
        }
        isUp[link] = true
        append(2 * link, to: a, peer: b)
        append(2 * link + 1, to: b, peer: a)
    }

    /// Takes a link out of both lists; a loaded one is given back by `release`.
    mutating func disconnect(_ link: Int) {
        isUp[link] = false
        let a = Int(peer[2 * link + 1])
        let b = Int(peer[2 * link])
        unchain(2 * link, of: a)
        unchain(2 * link + 1, of: b)
        if !isLoaded(link) { spare.append(Int32(link)) }
    }

    mutating func load(_ link: Int, _ load: Load) { loads[link] = load }

    mutating func unload(_ link: Int) {
        loads[link].message = -1
        if !isUp[link] { spare.append(Int32(link)) }
    }

    private mutating func append(_ end: Int, to node: Int, peer other: Int) {
        peer[end] = Int32(other)
        next[end] = Self.none
        previous[end] = last[node]
        if last[node] >= 0 {
            next[Int(last[node])] = Int32(end)
        } else {
            first[node] = Int32(end)
            linkedPlace[node] = Int32(linked.count)
            linked.append(Int32(node))
        }
        last[node] = Int32(end)
    }

    private mutating func unchain(_ end: Int, of node: Int) {
        if previous[end] >= 0 { next[Int(previous[end])] = next[end] } else { first[node] = next[end] }
        if next[end] >= 0 { previous[Int(next[end])] = previous[end] } else { last[node] = previous[end] }
        if first[node] < 0, let moved = linked.popLast(), moved != Int32(node) {
            linked[Int(linkedPlace[node])] = moved
            linkedPlace[Int(moved)] = linkedPlace[node]
        }
    }
}
