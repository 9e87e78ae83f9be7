/// A message that a node may offer over one of its links.
struct OneOffer: BitwiseCopyable {
    /// In the node's order.
    var copy: Int32
    var end: Int32
}

// Steps 4 and 5 of a node's update. Each first looks, with few instructions, whether any offer could be taken; only
// then is the list made and ordered as The ONE does it.
extension OneEngine {
    // MARK: Deliverables

    /// Step 4: what is for a neighbour goes first, then what a neighbour has for this node.
    mutating func exchangeDeliverables(_ node: Int) -> Bool {
        if deliver(node) { return true }
        guard !pending[node].isEmpty else { return false }
        var end = links.first[node]
        while end >= 0 {
            let other = Int(links.peer[Int(end)])
            if !isBusy(other), fetch(node, from: other, over: Int(end >> 1)) { return true }
            end = links.next[Int(end)]
        }
        return false
    }

    /// Whether a destination would say more than no to a message that is pending for it.
    private func mayDeliver(_ message: Int, from node: Int, to destination: Int) -> Bool {
        buffers.holds(node, message) && !buffers.holds(destination, message)
            && buffers.sizes[message] <= buffers.capacity
    }

    private mutating func deliver(_ node: Int) -> Bool {
        var found = 0
        var only = OneOffer(copy: 0, end: 0)
        var end = links.first[node]
        while end >= 0 {
            let other = Int(links.peer[Int(end)])
            if !pending[other].isEmpty, !isBusy(other) {
                for message in pending[other] where mayDeliver(Int(message), from: node, to: other) {
                    found += 1
                    only = OneOffer(copy: message, end: end)
                }
            }
            end = links.next[Int(end)]
        }
        guard found > 0 else { return false }
        if found == 1 {
            let other = Int(links.peer[Int(only.end)])
            return offer(Int(only.end >> 1), node, buffers.place(node, Int(only.copy)), to: other)
        }
        offers.removeAll(keepingCapacity: true)
        for index in 0..<buffers.copies[node].count {
            let destination = Int32(to[Int(buffers.copies[node][index].message)])
            var end = links.first[node]
            while end >= 0 {
                if links.peer[Int(end)] == destination { offers.append(OneOffer(copy: Int32(index), end: end)) }
                end = links.next[Int(end)]
            }
        }
        arrange(node)
        for item in offers
        where offer(Int(item.end >> 1), node, Int(item.copy), to: Int(links.peer[Int(item.end)])) { return true }
        return false
    }

    /// A neighbour is asked for what it has for this node, in the order of its map.
    private mutating func fetch(_ node: Int, from other: Int, over link: Int) -> Bool {
        var found = 0
        var only: Int32 = 0
        for message in pending[node] where mayDeliver(Int(message), from: other, to: node) {
            found += 1
            only = message
        }
        guard found > 0 else { return false }
        if found == 1 { return offer(link, other, buffers.place(other, Int(only)), to: node) }
        for index in 0..<buffers.copies[other].count
        where to[Int(buffers.copies[other][index].message)] == node && offer(link, other, index, to: node) {
            return true
        }
        return false
    }

    /// Orders `offers`, which are in the order of the map, by the queue mode.
    private mutating func arrange(_ node: Int) {
        switch settings.queue {
        case .random:
            var dice = JavaRandom(seed: second)
            dice.shuffle(&offers)
        case .fifo:
            let copies = buffers.copies[node]
            // Swift's sort keeps the order of equal ones, as Java's does.
            offers.sort { copies[Int($0.copy)].received < copies[Int($1.copy)].received }
        }
    }

    // MARK: Routers

    /// Step 5.
    mutating func route(_ node: Int) {
        switch settings.router {
        case .epidemic, .firstContact: flood(node, spraysOnly: false)
        case .sprayAndWait: flood(node, spraysOnly: true)
        case .directDelivery: break
        case .prophet: routeByPredictability(node)
        }
    }

    /// All messages, or all that have copies to give away, over the first link whose other end takes one.
    private mutating func flood(_ node: Int, spraysOnly: Bool) {
        var isListed = false
        var end = links.first[node]
        while end >= 0 {
            let other = Int(links.peer[Int(end)])
            if !isBusy(other), mayFlood(node, other, spraysOnly: spraysOnly) {
                if !isListed {
                    list(node, spraysOnly: spraysOnly)
                    isListed = true
                }
                for item in offers where offer(Int(end >> 1), node, Int(item.copy), to: other) { return }
            }
            end = links.next[Int(end)]
        }
    }

    private mutating func list(_ node: Int, spraysOnly: Bool) {
        offers.removeAll(keepingCapacity: true)
        for index in 0..<buffers.copies[node].count where !spraysOnly || buffers.copies[node][index].copies > 1 {
            offers.append(OneOffer(copy: Int32(index), end: 0))
        }
        arrange(node)
    }

    /// Whether the other node, not busy, would take one of these messages, or drop something for one that it refuses.
    private func mayFlood(_ node: Int, _ other: Int, spraysOnly: Bool) -> Bool {
        let mine = node * buffers.words
        let theirs = other * buffers.words
        for word in 0..<buffers.words {
            var bits = (spraysOnly ? buffers.sprayable[mine + word] : buffers.held[mine + word])
            bits &= ~buffers.held[theirs + word]
            while bits != 0 {
                let message = word << 6 + bits.trailingZeroBitCount
                bits &= bits - 1
                guard buffers.sizes[message] <= buffers.capacity else { continue }
                if to[message] == other ? isDelivered[message] : isExpired(message) { continue }
                if settings.router != .firstContact || buffers.free(other) < buffers.sizes[message] { return true }
                if !hasPassed(buffers.copies[node][buffers.place(node, message)].path, other) { return true }
            }
        }
        return false
    }

    /// PRoPHET: the message whose destination the other end of some link is likeliest to meet, of those for which it
    /// is likelier than this node.
    private mutating func routeByPredictability(_ node: Int) {
        var best: (chance: Double, received: Double, copy: Int, end: Int32)?
        var end = links.first[node]
        while end >= 0 {
            let other = Int(links.peer[Int(end)])
            if !isBusy(other), lacks(other, node) {
                // Reading ages, whether anything comes of it or not.
                predictability.age(node, now: now)
                predictability.age(other, now: now)
                for index in 0..<buffers.copies[node].count {
                    let copy = buffers.copies[node][index]
                    let message = Int(copy.message)
                    guard !buffers.holds(other, message) else { continue }
                    let chance = predictability.value(other, about: to[message])
                    guard chance > predictability.value(node, about: to[message]) else { continue }
                    // Those that are refused change nothing, so the first to be taken is the best of the others.
                    guard buffers.sizes[message] <= buffers.capacity,
                        to[message] == other ? !isDelivered[message] : !isExpired(message)
                    else { continue }
                    let received = settings.queue == .fifo ? copy.received : 0
                    if let best, best.chance > chance || best.chance == chance && best.received <= received {
                        continue
                    }
                    best = (chance, received, index, end)
                }
            }
            end = links.next[Int(end)]
        }
        guard let best else { return }
        _ = offer(Int(best.end >> 1), node, best.copy, to: Int(links.peer[Int(best.end)]))
    }

    /// Whether one node holds anything that the other does not.
    private func lacks(_ other: Int, _ node: Int) -> Bool {
        let mine = node * buffers.words
        let theirs = other * buffers.words
        for word in 0..<buffers.words where buffers.held[mine + word] & ~buffers.held[theirs + word] != 0 {
            return true
        }
        return false
    }
}
