/// One node's copy of a message.
struct OneCopy: BitwiseCopyable {
    var message: Int32
    /// SprayAndWait: how many copies of it this node may still give away, its own included.
    var copies: Int32
    var hops: Int32
    /// The last step of its way here, in the engine's steps.
    var path: Int32
    /// Seconds since the world began.
    var received: Double
}

/// What every node holds, in the order of The ONE's maps, and as bits.
struct OneBuffers {
    let capacity: Int
    /// Of each message, in bytes.
    let sizes: [Int]
    private let hashes: [UInt32]
    /// 64-bit words of one row of bits.
    let words: Int
    /// A row a node, a bit a message.
    private(set) var held: [UInt64]
    /// As `held`, of copies that SprayAndWait may give away; empty with other routers.
    private(set) var sprayable: [UInt64]
    private(set) var copies: [[OneCopy]]
    /// Bytes in use.
    private(set) var used: [Int]
    private var buckets: [Int32]

    init(nodes: Int, names: [String], sizes: [Int], capacity: Int, sprays: Bool) {
        self.capacity = capacity
        self.sizes = sizes
        hashes = names.map(JavaHashOrder.spread)
        words = (names.count + 63) / 64
        held = Array(repeating: 0, count: nodes * words)
        sprayable = sprays ? held : []
        copies = Array(repeating: [], count: nodes)
        used = Array(repeating: 0, count: nodes)
        buckets = Array(repeating: JavaHashOrder.smallest, count: nodes)
    }

    func isEmpty(_ node: Int) -> Bool { copies[node].isEmpty }

    func free(_ node: Int) -> Int { capacity - used[node] }

    func holds(_ node: Int, _ message: Int) -> Bool {
        held[node * words + message >> 6] >> UInt64(message & 63) & 1 != 0
    }

    /// Where a copy stands in its node's order.
    func place(_ node: Int, _ message: Int) -> Int {
        let mask = UInt32(buckets[node] - 1)
        let bucket = hashes[message] & mask
        return copies[node].withUnsafeBufferPointer { copies in
            var low = 0
            var high = copies.count
            while low < high {
                let middle = (low + high) / 2
                if hashes[Int(copies[middle].message)] & mask < bucket { low = middle + 1 } else { high = middle }
            }
            while copies[low].message != message { low += 1 }
            return low
        }
    }

    /// Puts a copy in its place; one of the same message is overwritten where it stands.
    mutating func put(_ node: Int, _ copy: OneCopy) {
        let message = Int(copy.message)
        if holds(node, message) {
            copies[node][place(node, message)] = copy
        } else {
            insert(node, copy)
            held[node * words + message >> 6] |= 1 << UInt64(message & 63)
            used[node] += sizes[message]
        }
        markSprayable(node, message, copy.copies > 1)
    }

    mutating func remove(_ node: Int, at place: Int) {
        let message = Int(copies[node].remove(at: place).message)
        held[node * words + message >> 6] &= ~(1 << UInt64(message & 63))
        used[node] -= sizes[message]
        markSprayable(node, message, false)
    }

    /// A sender that gave half of its copies away keeps the other half, and the odd one.
    mutating func halve(_ node: Int, _ message: Int) {
        let place = place(node, message)
        let left = (copies[node][place].copies + 1) / 2
        copies[node][place].copies = left
        markSprayable(node, message, left > 1)
    }

    /// The copy received first, of those that are not being sent; nil when there is none.
    func oldest(_ node: Int, except sent: Int32) -> Int? {
        copies[node].withUnsafeBufferPointer { copies in
            var oldest: Int?
            for index in 0..<copies.count where copies[index].message != sent {
                if let found = oldest, copies[found].received <= copies[index].received { continue }
                oldest = index
            }
            return oldest
        }
    }

    private mutating func markSprayable(_ node: Int, _ message: Int, _ isSprayable: Bool) {
        guard !sprayable.isEmpty else { return }
        let bit: UInt64 = 1 << UInt64(message & 63)
        if isSprayable {
            sprayable[node * words + message >> 6] |= bit
        } else {
            sprayable[node * words + message >> 6] &= ~bit
        }
    }

    private mutating func insert(_ node: Int, _ copy: OneCopy) {
        let mask = UInt32(buckets[node] - 1)
        let bucket = hashes[Int(copy.message)] & mask
        var low = 0
        var high = copies[node].count
        while low < high {
            let middle = (low + high) / 2
            if hashes[Int(copies[node][middle].message)] & mask <= bucket { low = middle + 1 } else { high = middle }
        }
        copies[node].insert(copy, at: low)
        if buckets[node] < JavaHashOrder.smallestWithTrees {
            var first = low
            while first > 0, hashes[Int(copies[node][first - 1].message)] & mask == bucket { first -= 1 }
            if low - first >= JavaHashOrder.fullBucket { double(node) }
        }
        if JavaHashOrder.isFull(copies[node].count, buckets: buckets[node]) { double(node) }
    }

    /// Each bucket becomes two, told apart by one more bit of the hash, and each keeps its order.
    private mutating func double(_ node: Int) {
        let bit = UInt32(buckets[node])
        buckets[node] *= 2
        let old = copies[node]
        copies[node].removeAll(keepingCapacity: true)
        for copy in old where hashes[Int(copy.message)] & bit == 0 { copies[node].append(copy) }
        for copy in old where hashes[Int(copy.message)] & bit != 0 { copies[node].append(copy) }
    }
}
