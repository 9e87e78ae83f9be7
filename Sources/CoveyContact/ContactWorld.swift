import CoveyCore
package import CoveyRouting

/// Mail over contacts: who meets whom is given, what is handed over the node's own policy decides, and buffers let go as
/// the node's do. No links, no cryptography, no frames: a message is its number and its size.
///
/// Event-driven: a transfer begins as soon as both ends are free, takes exactly its bytes' time, and is lost when the
/// contact ends first. Of one time, contacts change first, then hosts come and go, then messages are written; then the
/// transfers that end and the hosts that may begin something have their turns, in an order of the dice.
package struct ContactWorld<Policy: ReplicationPolicy, Source: ContactSource> {
    private struct Host {
        /// By ascending message.
        var copies: [Copy] = []
        /// In the order in which they came up.
        var links: [UInt32] = []
        var policy: Policy
        /// Bytes of own mail, and of others'.
        var own = 0
        var relayed = 0
        let quota: Quota
        /// Bytes of relayed mail by the neighbour it came from, since room was short first. Asked by neighbour only.
        var shares: [UInt32: Int]?
        /// Nothing expires before, microseconds.
        var nextExpiry = UInt64.max
        /// Transfers to it and from it.
        var transfers: UInt16 = 0
        var isOff = false
        var isDirty = false
    }

    /// One direction of a contact.
    private struct Lane {
        static var idle: UInt32 { .max }

        /// What the other end is to get; the first `urgent` ones from `head` on are for itself.
        var queue: [UInt32] = []
        var head = 0
        var urgent = 0
        /// What is under way.
        var message = Self.idle
        var tokens: UInt8 = 0
        var reason = Handover.Reason.tokens
        /// When its bytes are through, microseconds.
        var through: UInt64 = 0

        var isIdle: Bool { message == Self.idle }
        var isEmpty: Bool { head == queue.count }

        mutating func clear() {
            queue.removeAll(keepingCapacity: true)
            head = 0
            urgent = 0
        }
    }

    private struct Link: BitwiseCopyable {
        var a: UInt32
        var b: UInt32
        var kind: UInt16
        /// Both ends are on.
        var isOpen = false
        /// Counts up when the link closes, so that what was to end then is known to be stale.
        var generation: UInt32 = 0

        func other(_ host: UInt32) -> UInt32 { host == a ? b : a }
        func sender(_ isForth: Bool) -> UInt32 { isForth ? a : b }
    }

    private struct Ending: BitwiseCopyable {
        var link: UInt32
        var generation: UInt32
        var isForth: Bool
    }

    private struct Switching {
        var time: UInt64
        var host: UInt32
        var isOff: Bool
    }

    private let settings: ContactSettings
    private let messages: [PlannedMessage]
    private var source: Source
    private var dice: Dice
    private var hosts: [Host]
    private var facts: [MessageFacts]
    private var hops = HopTree()
    private var links: [Link] = []
    /// Two a link: from `a` to `b`, and back.
    private var lanes: [Lane] = []
    private var freeLinks: [UInt32] = []
    private var endings = EventHeap<Ending>()
    private var switchings: [Switching]
    private var dirty: [UInt32] = []
    /// Transfers that end now.
    private var ended: [Ending] = []
    private var result = ContactResult()
    private var deliveryHops: [UInt32] = []
    private var now: UInt64 = 0
    /// Reused by every contact.
    private var choice: [(key: UInt64, message: UInt32)] = []

    /// - Parameter messages: by ascending time.
    /// - Parameter policy: of each host.
    package init(
        _ source: Source, messages: [PlannedMessage], settings: ContactSettings, outages: [HostOutage] = [],
        policy: (UInt32) -> Policy
    ) {
        precondition(messages.count < UInt32.max, "messages are numbered in 32 bits")
        self.source = source
        self.messages = messages
        self.settings = settings
        precondition(
            settings.buffers.isEmpty || settings.buffers.count == settings.nodes, "each host has a buffer, or all one")
        dice = Dice(seed: settings.seed).stream("contact-world")
        hosts = (0..<UInt32(settings.nodes)).map {
            Host(policy: policy($0), quota: .oneRoom(settings.buffer(of: Int($0))))
        }
        facts = messages.map { message in
            precondition(
                message.from < settings.nodes && message.to < settings.nodes, "mail is between hosts of the world")
            precondition(message.size >= 0 && message.size <= UInt32.max, "a size is a number of 32 bits")
            let (expiry, isBeyond) = message.time.addingReportingOverflow(
                message.lifetime ?? settings.lifetime ?? .max)
            return MessageFacts(
                from: message.from, to: message.to, size: UInt32(message.size), isDelivered: false,
                expiry: isBeyond ? .max : expiry)
        }
        switchings = outages.filter { $0.from < $0.until }.flatMap {
            [
                Switching(time: $0.from, host: $0.host, isOff: true),
                Switching(time: $0.until, host: $0.host, isOff: false),
            ]
        }.sorted { ($0.time, $0.host, $0.isOff ? 1 : 0) < ($1.time, $1.host, $1.isOff ? 1 : 0) }
    }

    /// The whole study.
    package consuming func run() -> ContactResult {
        var world = self
        world.runAll()
        return world.result
    }

    private mutating func runAll() {
        var change = source.next()
        var written = 0
        var switched = 0
        while true {
            var next = endings.nextTime ?? .max
            if let change { next = min(next, change.time) }
            if written < messages.count { next = min(next, messages[written].time) }
            if switched < switchings.count { next = min(next, switchings[switched].time) }
            guard next <= settings.end, next != .max else { break }
            precondition(next >= now, "contacts, messages and outages come by ascending time")
            now = next
            while endings.nextTime == now, let ending = endings.pop()?.payload { ended.append(ending) }
            while let one = change, one.time == now {
                if one.isUp { meet(one) } else { part(one.a, one.b) }
                change = source.next()
            }
            while switched < switchings.count, switchings[switched].time == now {
                turn(switchings[switched].host, isOff: switchings[switched].isOff)
                switched += 1
            }
            while written < messages.count, messages[written].time == now {
                write(UInt32(written))
                written += 1
            }
            serveAll()
        }
        now = settings.end
        for host in hosts.indices { expire(UInt32(host)) }
        result.deliveries = zip(result.deliveries, deliveryHops).map { delivery, hop in
            ContactResult.Delivery(message: delivery.message, time: delivery.time, path: hops.path(hop))
        }
    }

    // MARK: Contacts

    private mutating func link(_ a: UInt32, _ b: UInt32) -> Int? {
        let few = hosts[Int(a)].links.count <= hosts[Int(b)].links.count ? a : b
        let other = few == a ? b : a
        for at in hosts[Int(few)].links where links[Int(at)].other(few) == other { return Int(at) }
        return nil
    }

    private mutating func meet(_ change: ContactChange) {
        precondition(change.a < hosts.count && change.b < hosts.count, "a contact is between hosts of the world")
        precondition(change.link < settings.rates.count, "each kind of link has a rate")
        guard change.a != change.b, link(change.a, change.b) == nil else { return }
        let at: UInt32
        if let free = freeLinks.popLast() {
            at = free
            links[Int(at)].a = change.a
            links[Int(at)].b = change.b
            links[Int(at)].kind = change.link
        } else {
            at = UInt32(links.count)
            links.append(Link(a: change.a, b: change.b, kind: change.link))
            lanes.append(Lane())
            lanes.append(Lane())
        }
        hosts[Int(change.a)].links.append(at)
        hosts[Int(change.b)].links.append(at)
        open(at)
    }

    private mutating func part(_ a: UInt32, _ b: UInt32) {
        guard a < hosts.count, b < hosts.count, let at = link(a, b) else { return }
        close(UInt32(at))
        for host in [a, b] {
            if let place = hosts[Int(host)].links.firstIndex(of: UInt32(at)) {
                hosts[Int(host)].links.remove(at: place)
            }
        }
        freeLinks.append(UInt32(at))
    }

    private mutating func turn(_ host: UInt32, isOff: Bool) {
        hosts[Int(host)].isOff = isOff
        for at in hosts[Int(host)].links {
            if isOff { close(at) } else { open(at) }
        }
    }

    private static func lane(_ link: UInt32, _ isForth: Bool) -> Int { Int(link) * 2 + (isForth ? 0 : 1) }

    private mutating func open(_ at: UInt32) {
        let (a, b) = (links[Int(at)].a, links[Int(at)].b)
        guard !links[Int(at)].isOpen, !hosts[Int(a)].isOff, !hosts[Int(b)].isOff else { return }
        links[Int(at)].isOpen = true
        expire(a)
        expire(b)
        hosts[Int(a)].policy.contactUp(view(b), now: clock)
        if Policy.tellsUtility {
            tell(b, to: a)
            hosts[Int(b)].policy.contactUp(view(a), now: clock)
            tell(a, to: b)
            // Both tables have changed: all neighbours are told, `a` once more of what `b` makes of it.
            for host in [b, a] {
                for link in hosts[Int(host)].links where links[Int(link)].isOpen {
                    let other = links[Int(link)].other(host)
                    mark(other)
                    if link == at, host == a { continue }
                    tell(host, to: other)
                    plan(link)
                }
            }
        } else {
            hosts[Int(b)].policy.contactUp(view(a), now: clock)
            plan(at)
        }
        mark(a)
        mark(b)
    }

    private mutating func tell(_ host: UInt32, to other: UInt32) {
        let utility = hosts[Int(host)].policy.utility(limit: .max, now: clock)
        hosts[Int(other)].policy.heardUtility(utility, from: view(host), now: clock)
    }

    private mutating func close(_ at: UInt32) {
        guard links[Int(at)].isOpen else { return }
        links[Int(at)].isOpen = false
        links[Int(at)].generation &+= 1
        let (a, b) = (links[Int(at)].a, links[Int(at)].b)
        for isForth in [true, false] {
            lanes[Self.lane(at, isForth)].clear()
            guard !lanes[Self.lane(at, isForth)].isIdle else { continue }
            if lanes[Self.lane(at, isForth)].through <= now {
                complete(at, isForth)
                continue
            }
            result.counters.aborted += 1
            let message = lanes[Self.lane(at, isForth)].message
            release(at, isForth)
            // Its tokens are there for others again.
            announce(message, at: links[Int(at)].sender(isForth), isAgain: true)
        }
        hosts[Int(a)].policy.contactDown(view(b), sent: 0, got: 0, now: clock)
        hosts[Int(b)].policy.contactDown(view(a), sent: 0, got: 0, now: clock)
    }

    // MARK: What goes over a contact

    private var clock: Now { Now(uptime: now, wall: Int64(clamping: now)) }

    private func view(_ host: UInt32) -> PeerView {
        var view = PeerView(device: StudyNames.device(host), zones: ZoneSet(), host: .host(host))
        switch settings.dropping {
        case .fair:
            let used = hosts[Int(host)].relayed
            let share = hosts[Int(host)].quota.share(.normal, own: hosts[Int(host)].own)
            // Nearly every host is nearly empty: the division is spared.
            if used > 0, used * 2 > share { view.pressure[.normal] = Pressure(used: used, of: share) }
        case .oldest: break
        }
        return view
    }

    @inline(__always)
    private func meta(_ copy: Copy, tokens: UInt8) -> EnvelopeMeta {
        let fact = facts[Int(copy.message)]
        let hop = hops.hops[Int(copy.hop)]
        let isOwn = hop.parent == Copy.noHop
        let ingress = isOwn ? fact.from : hops.hops[Int(hop.parent)].host
        return EnvelopeMeta(
            study: StudyNames.envelope(copy.message), from: StudyNames.device(ingress), to: fact.to,
            size: Int(fact.size), expiry: fact.expiryHour,
            tokens: Tokens(received: tokens, kind: .pairwise, zone: .any),
            hops: settings.boundsHops ? UInt8(clamping: hop.depth) : 0, isOwn: isOwn)
    }

    /// What each end is to get, chosen in one walk over what both know.
    private mutating func plan(_ at: UInt32) {
        let (a, b) = (links[Int(at)].a, links[Int(at)].b)
        for isForth in [true, false] {
            let (from, to) = isForth ? (a, b) : (b, a)
            let peer = view(to)
            choice.removeAll(keepingCapacity: true)
            var there = 0
            let known = hosts[Int(to)].copies.count
            for here in hosts[Int(from)].copies.indices {
                let copy = hosts[Int(from)].copies[here]
                while there < known, hosts[Int(to)].copies[there].message < copy.message { there += 1 }
                if there < known, hosts[Int(to)].copies[there].message == copy.message { continue }
                guard copy.isHeld else { continue }
                let meta = meta(copy, tokens: copy.tokens)
                guard let handover = hosts[Int(from)].policy.offer(meta, to: peer, link: Self.plain, now: clock) else {
                    continue
                }
                let isUrgent = facts[Int(copy.message)].to == to
                let key: UInt64 =
                    switch settings.order {
                    case .ranked: hosts[Int(from)].policy.rank(meta, handover, to: peer, now: clock)
                    case .shuffled: dice.next()
                    case .oldest: hops.hops[Int(copy.hop)].time
                    }
                choice.append((key: key >> 1 | (isUrgent ? 0 : 1 << 63), message: copy.message))
            }
            choice.sort { $0.key != $1.key ? $0.key < $1.key : $0.message < $1.message }
            lanes[Self.lane(at, isForth)].clear()
            for one in choice { lanes[Self.lane(at, isForth)].queue.append(one.message) }
            lanes[Self.lane(at, isForth)].urgent = choice.count { $0.key < 1 << 63 }
        }
    }

    private static var plain: LinkView { LinkView(isSparing: false) }

    /// A copy is new at a host: its neighbours may get it.
    private mutating func announce(_ message: UInt32, at host: UInt32, isAgain: Bool = false) {
        guard let place = find(message, at: host) else { return }
        let copy = hosts[Int(host)].copies[place]
        guard copy.isHeld else { return }
        let meta = meta(copy, tokens: copy.tokens)
        for at in hosts[Int(host)].links where links[Int(at)].isOpen {
            let other = links[Int(at)].other(host)
            guard find(message, at: other) == nil,
                hosts[Int(host)].policy.offer(meta, to: view(other), link: Self.plain, now: clock) != nil
            else { continue }
            let isForth = links[Int(at)].a == host
            if isAgain {
                let head = lanes[Self.lane(at, isForth)].head
                guard !lanes[Self.lane(at, isForth)].queue[head...].contains(message) else { continue }
            }
            let isUrgent = facts[Int(message)].to == other
            let first = lanes[Self.lane(at, isForth)].head + lanes[Self.lane(at, isForth)].urgent
            let end = lanes[Self.lane(at, isForth)].queue.count
            let place =
                switch settings.order {
                case _ where isUrgent: first
                case .ranked, .oldest: end
                case .shuffled: first + dice.below(end - first + 1)
                }
            lanes[Self.lane(at, isForth)].queue.insert(message, at: place)
            if isUrgent { lanes[Self.lane(at, isForth)].urgent += 1 }
            mark(other)
        }
        mark(host)
    }

    private func find(_ message: UInt32, at host: UInt32) -> Int? {
        let place = insertion(message, at: host)
        guard place < hosts[Int(host)].copies.count, hosts[Int(host)].copies[place].message == message else {
            return nil
        }
        return place
    }

    private func insertion(_ message: UInt32, at host: UInt32) -> Int {
        var low = 0
        var high = hosts[Int(host)].copies.count
        while low < high {
            let middle = (low + high) / 2
            if hosts[Int(host)].copies[middle].message < message { low = middle + 1 } else { high = middle }
        }
        return low
    }

    // MARK: Transfers

    private mutating func mark(_ host: UInt32) {
        guard !hosts[Int(host)].isDirty else { return }
        hosts[Int(host)].isDirty = true
        dirty.append(host)
    }

    /// One after the other, in an order of the dice: a transfer ends and its sender goes on before anybody else takes
    /// either end, or a host begins what it may. Nobody is first for having a small number, and of transfers that end at
    /// one time, as with turns, one that was drawn later still holds its ends.
    private mutating func serveAll() {
        while true {
            let count = ended.count + dirty.count
            guard count > 0 else { return }
            let drawn = count == 1 ? 0 : dice.below(count)
            if drawn < ended.count {
                ended.swapAt(drawn, ended.count - 1)
                end(ended.removeLast())
            } else {
                dirty.swapAt(drawn - ended.count, dirty.count - 1)
                let host = dirty.removeLast()
                hosts[Int(host)].isDirty = false
                serve(host)
            }
        }
    }

    /// Mail for the other end first, either way; then what this host has for others, in the order of its contacts.
    private mutating func serve(_ host: UInt32) {
        for isUrgent in [true, false] {
            for place in hosts[Int(host)].links.indices {
                if settings.channel == .host, hosts[Int(host)].transfers > 0 { return }
                let at = hosts[Int(host)].links[place]
                guard links[Int(at)].isOpen else { continue }
                let isForth = links[Int(at)].a == host
                begin(at, isForth, isUrgent: isUrgent)
                if isUrgent { begin(at, !isForth, isUrgent: true) }
            }
        }
    }

    private func isFree(_ at: UInt32, _ isForth: Bool) -> Bool {
        switch settings.channel {
        case .host: hosts[Int(links[Int(at)].a)].transfers == 0 && hosts[Int(links[Int(at)].b)].transfers == 0
        case .contact: lanes[Self.lane(at, true)].isIdle && lanes[Self.lane(at, false)].isIdle
        case .direction: lanes[Self.lane(at, isForth)].isIdle
        }
    }

    /// Begins the first transfer in line that still makes sense, when the way is free.
    private mutating func begin(_ at: UInt32, _ isForth: Bool, isUrgent: Bool) {
        guard !lanes[Self.lane(at, isForth)].isEmpty, isFree(at, isForth) else { return }
        let from = links[Int(at)].sender(isForth)
        let to = links[Int(at)].other(from)
        var place = lanes[Self.lane(at, isForth)].head
        while true {
            let bound =
                isUrgent
                ? lanes[Self.lane(at, isForth)].head + lanes[Self.lane(at, isForth)].urgent
                : lanes[Self.lane(at, isForth)].queue.count
            guard place < bound else { return }
            let message = lanes[Self.lane(at, isForth)].queue[place]
            if isUnderWay(message, to: to) {
                // If that fails, this one is still in line.
                place += 1
                continue
            }
            let handover = handover(message, from: from, to: to)
            take(at, isForth, place)
            guard let handover else {
                place = max(place, lanes[Self.lane(at, isForth)].head)
                continue
            }
            lanes[Self.lane(at, isForth)].message = message
            lanes[Self.lane(at, isForth)].tokens = handover.tokens.value
            lanes[Self.lane(at, isForth)].reason = handover.reason
            hosts[Int(from)].transfers += 1
            hosts[Int(to)].transfers += 1
            result.counters.started += 1
            let time = settings.duration(Int(facts[Int(message)].size), kind: links[Int(at)].kind)
            lanes[Self.lane(at, isForth)].through = now + time
            endings.push(
                at: now + settings.occupation(time),
                Ending(link: at, generation: links[Int(at)].generation, isForth: isForth))
            return
        }
    }

    /// Takes one out of the line.
    private mutating func take(_ at: UInt32, _ isForth: Bool, _ place: Int) {
        let head = lanes[Self.lane(at, isForth)].head
        if place < head + lanes[Self.lane(at, isForth)].urgent { lanes[Self.lane(at, isForth)].urgent -= 1 }
        if place == head {
            lanes[Self.lane(at, isForth)].head += 1
        } else {
            lanes[Self.lane(at, isForth)].queue.remove(at: place)
        }
    }

    /// What the other end is given of a message now; nil when there is no copy, no need, or no leave.
    private func handover(_ message: UInt32, from: UInt32, to: UInt32) -> Handover? {
        guard let place = find(message, at: from), hosts[Int(from)].copies[place].isHeld,
            find(message, at: to) == nil, now < facts[Int(message)].expiry
        else { return nil }
        let copy = hosts[Int(from)].copies[place]
        let promised = settings.channel == .host ? 0 : min(copy.tokens, promised(message, by: from))
        return hosts[Int(from)].policy.offer(
            meta(copy, tokens: copy.tokens - promised), to: view(to), link: Self.plain, now: clock)
    }

    /// Tokens under way are nobody else's to get.
    private func promised(_ message: UInt32, by host: UInt32) -> UInt8 {
        var sum: UInt8 = 0
        for at in hosts[Int(host)].links {
            let isForth = links[Int(at)].a == host
            guard lanes[Self.lane(at, isForth)].message == message else { continue }
            sum = UInt8(clamping: Int(sum) + Int(lanes[Self.lane(at, isForth)].tokens))
        }
        return sum
    }

    private func isUnderWay(_ message: UInt32, to host: UInt32) -> Bool {
        if hosts[Int(host)].transfers == 0 { return false }
        for at in hosts[Int(host)].links where lanes[Self.lane(at, links[Int(at)].b == host)].message == message {
            return true
        }
        return false
    }

    private mutating func release(_ at: UInt32, _ isForth: Bool) {
        lanes[Self.lane(at, isForth)].message = Lane.idle
        for host in [links[Int(at)].a, links[Int(at)].b] {
            hosts[Int(host)].transfers -= 1
            mark(host)
            // Who has something for it may have waited.
            for link in hosts[Int(host)].links where !lanes[Self.lane(link, links[Int(link)].b == host)].isEmpty {
                mark(links[Int(link)].other(host))
            }
        }
    }

    private mutating func end(_ ending: Ending) {
        guard links[Int(ending.link)].generation == ending.generation else { return }
        let sender = links[Int(ending.link)].sender(ending.isForth)
        complete(ending.link, ending.isForth)
        serve(sender)
    }

    private mutating func complete(_ at: UInt32, _ isForth: Bool) {
        let message = lanes[Self.lane(at, isForth)].message
        let (tokens, reason) = (lanes[Self.lane(at, isForth)].tokens, lanes[Self.lane(at, isForth)].reason)
        let from = links[Int(at)].sender(isForth)
        let to = links[Int(at)].other(from)
        release(at, isForth)
        guard now < facts[Int(message)].expiry, let place = find(message, at: from) else {
            result.counters.aborted += 1
            return
        }
        let copy = hosts[Int(from)].copies[place]
        guard copy.isHeld else {
            result.counters.aborted += 1
            return
        }
        result.counters.relayed += 1
        result.mix(now)
        result.mix(UInt64(from) << 32 | UInt64(to))
        result.mix(UInt64(message))
        let hop = hops.add(to, after: copy.hop, at: now)
        let isStored = arrive(message, hop, tokens: tokens, at: to, from: from)
        hops.release(hop)
        guard isStored, let place = find(message, at: from) else { return }
        let handover = Handover(
            id: StudyNames.envelope(message), tokens: Tokens(received: tokens, kind: .pairwise, zone: .any),
            reason: reason)
        hosts[Int(from)].policy.handed(handover, to: StudyNames.device(to), ack: .stored)
        switch hosts[Int(from)].policy.remains(
            of: Tokens(received: copy.tokens, kind: .pairwise, zone: .any), after: handover)
        {
        case .whole: break
        case .tokens(let left): hosts[Int(from)].copies[place].tokens = left.value
        case .nothing:
            result.counters.removed += 1
            letGo(place, at: from, isKnown: true)
        }
    }

    // MARK: Buffers

    private mutating func write(_ message: UInt32) {
        let fact = facts[Int(message)]
        result.counters.created += 1
        let hop = hops.add(fact.from, after: Copy.noHop, at: now)
        defer { hops.release(hop) }
        if fact.from == fact.to {
            deliver(message, hop)
            return
        }
        let copy = Copy(message: message, hop: hop, tokens: 0)
        guard let tokens = intake(copy, at: fact.from, from: nil) else {
            result.refused += 1
            return
        }
        insert(Copy(message: message, hop: hop, tokens: tokens.value), at: fact.from)
        announce(message, at: fact.from)
    }

    /// True when it was taken in, so that tokens move.
    private mutating func arrive(_ message: UInt32, _ hop: UInt32, tokens: UInt8, at host: UInt32, from: UInt32) -> Bool
    {
        let isRecipient = facts[Int(message)].to == host
        if isRecipient, !facts[Int(message)].isDelivered { deliver(message, hop) }
        guard !isRecipient || settings.recipientsCarry else {
            insert(Copy(message: message, hop: Copy.noHop, tokens: 0), at: host)
            return true
        }
        guard let kept = intake(Copy(message: message, hop: hop, tokens: tokens), at: host, from: from) else {
            result.refused += 1
            if isRecipient { insert(Copy(message: message, hop: Copy.noHop, tokens: 0), at: host) }
            return isRecipient
        }
        insert(Copy(message: message, hop: hop, tokens: kept.value), at: host)
        announce(message, at: host)
        return true
    }

    private mutating func deliver(_ message: UInt32, _ hop: UInt32) {
        facts[Int(message)].isDelivered = true
        hops.hold(hop)
        deliveryHops.append(hop)
        result.deliver(ContactResult.Delivery(message: Int(message), time: now, path: []))
    }

    /// The tokens it is kept with, room having been made; nil when it is not taken in.
    private mutating func intake(_ copy: Copy, at host: UInt32, from: UInt32?) -> Tokens? {
        expire(host)
        let size = Int(facts[Int(copy.message)].size)
        var envelope = meta(copy, tokens: copy.tokens)
        if from == nil {
            // How often hosts meet, no policy of a study asks.
            let mesh = MeshView(members: hosts.count, contactsPerHour: 0)
            envelope.tokens = hosts[Int(host)].policy.initialTokens(envelope, mesh: mesh)
        }
        switch settings.dropping {
        case .oldest:
            let isRoomy = makeRoom(size, at: host)
            // One's own is written whatever the room.
            guard isRoomy || from == nil else { return nil }
            return from == nil
                ? envelope.tokens
                : Tokens(received: copy.tokens, kind: .pairwise, zone: .any)
        case .fair:
            if hosts[Int(host)].shares == nil {
                let holdings = holdings(of: host)
                if holdings.isShort { hosts[Int(host)].shares = holdings.countShares() }
            }
            guard let (tokens, victims) = decide(envelope, size, at: host, from: from) else { return nil }
            for victim in victims {
                guard let place = find(StudyNames.message(victim), at: host) else { continue }
                result.counters.dropped += 1
                letGo(place, at: host, isKnown: true)
            }
            return tokens
        }
    }

    /// The node's own decisions. What they looked at is let go of before anything changes.
    private func decide(
        _ envelope: EnvelopeMeta, _ size: Int, at host: UInt32, from: UInt32?
    ) -> (Tokens, victims: [EnvelopeID])? {
        let holdings = holdings(of: host)
        let kept: Tokens
        switch hosts[Int(host)].policy.admit(
            envelope, from: from.map { view($0) }, isWithinRate: true, store: holdings)
        {
        case .keep(let tokens), .surplus(let tokens): kept = tokens
        case .refuse: return nil
        }
        let held = hosts[Int(host)].own + hosts[Int(host)].relayed
        guard held + size > hosts[Int(host)].quota.store else { return (kept, []) }
        guard
            let victims = hosts[Int(host)].policy.victims(
                .normal, need: size, store: holdings, now: Hour(UInt32(clamping: now / MessageFacts.hour)))
        else { return nil }
        return (kept, victims)
    }

    private func holdings(of host: UInt32) -> HostHoldings {
        HostHoldings(
            host: host, copies: hosts[Int(host)].copies, facts: facts, hops: hops, quota: hosts[Int(host)].quota,
            neighbours: hosts[Int(host)].links.count, ownBytes: hosts[Int(host)].own,
            relayedBytes: hosts[Int(host)].relayed, sending: sending(host), shares: hosts[Int(host)].shares)
    }

    private func sending(_ host: UInt32) -> [UInt32] {
        guard hosts[Int(host)].transfers > 0 else { return [] }
        return hosts[Int(host)].links.compactMap { at in
            let message = lanes[Self.lane(at, links[Int(at)].a == host)].message
            return message == Lane.idle ? nil : message
        }
    }

    /// The oldest received goes first, but not what is being sent.
    private mutating func makeRoom(_ size: Int, at host: UInt32) -> Bool {
        let buffer = hosts[Int(host)].quota.store
        guard size <= buffer else { return false }
        while buffer - hosts[Int(host)].own - hosts[Int(host)].relayed < size {
            let sending = sending(host)
            var oldest: (time: UInt64, place: Int)?
            for place in hosts[Int(host)].copies.indices {
                let copy = hosts[Int(host)].copies[place]
                guard copy.isHeld, !sending.contains(copy.message) else { continue }
                let time = hops.hops[Int(copy.hop)].time
                if oldest.map({ time < $0.time }) ?? true { oldest = (time: time, place: place) }
            }
            guard let oldest else { return false }
            result.counters.dropped += 1
            letGo(oldest.place, at: host, isKnown: false)
        }
        return true
    }

    /// What is held holds its hop.
    private mutating func insert(_ copy: Copy, at host: UInt32) {
        hosts[Int(host)].copies.insert(copy, at: insertion(copy.message, at: host))
        let fact = facts[Int(copy.message)]
        hosts[Int(host)].nextExpiry = min(hosts[Int(host)].nextExpiry, fact.expiry)
        guard copy.isHeld else { return }
        hops.hold(copy.hop)
        weigh(copy, at: host, Int(fact.size))
        result.held += 1
        result.mostHeld = max(result.mostHeld, result.held)
    }

    private mutating func weigh(_ copy: Copy, at host: UInt32, _ bytes: Int) {
        let parent = hops.hops[Int(copy.hop)].parent
        guard parent != Copy.noHop else {
            hosts[Int(host)].own += bytes
            return
        }
        hosts[Int(host)].relayed += bytes
        if hosts[Int(host)].shares != nil {
            hosts[Int(host)].shares?[hops.hops[Int(parent)].host, default: 0] += bytes
        }
    }

    /// The copy goes; `isKnown`: the message is not taken in again.
    private mutating func letGo(_ place: Int, at host: UInt32, isKnown: Bool) {
        forget(hosts[Int(host)].copies[place], at: host)
        if isKnown {
            hosts[Int(host)].copies[place].hop = Copy.noHop
        } else {
            hosts[Int(host)].copies.remove(at: place)
        }
    }

    private mutating func forget(_ copy: Copy, at host: UInt32) {
        weigh(copy, at: host, -Int(facts[Int(copy.message)].size))
        hops.release(copy.hop)
        result.held -= 1
    }

    /// What has expired is not known any more either: nobody would take it.
    private mutating func expire(_ host: UInt32) {
        guard now >= hosts[Int(host)].nextExpiry else { return }
        var next = UInt64.max
        var kept = 0
        for place in hosts[Int(host)].copies.indices {
            let copy = hosts[Int(host)].copies[place]
            let expiry = facts[Int(copy.message)].expiry
            if expiry > now {
                hosts[Int(host)].copies[kept] = copy
                kept += 1
                next = min(next, expiry)
            } else if copy.isHeld {
                result.counters.dropped += 1
                forget(copy, at: host)
            }
        }
        hosts[Int(host)].copies.removeLast(hosts[Int(host)].copies.count - kept)
        hosts[Int(host)].nextExpiry = next
    }
}
