package import CoveyCore

/// What has been asked of whom, so that two links do not fetch one item twice (sync-routing.md §2.3).
///
/// An entry ends when its item comes, when its peer says no or goes, or at its deadline: then another link may ask.
package struct InFlight: Sendable {
    private struct Entry {
        let peer: DeviceID
        /// Microseconds of uptime.
        let deadline: UInt64
    }

    private let most: Int
    private var entries: [ItemID: Entry] = [:]
    /// In the order of asking; deadlines ascend as long as askers wait equally long. Ended entries stay until they surface.
    private var order: [(id: ItemID, deadline: UInt64)] = []
    private var head = 0

    /// - Parameter most: entries held at once; beyond it nothing more is asked for.
    package init(most: Int) {
        precondition(most > 0, "something may be in flight")
        self.most = most
    }

    package var count: Int { entries.count }

    /// Whom we asked, unless the time is up.
    package func peer(of id: ItemID, now: UInt64) -> DeviceID? {
        guard let entry = entries[id], entry.deadline > now else { return nil }
        return entry.peer
    }

    /// True when the item may be asked of `peer` now; it then counts as asked. False: somebody is asked already, or the
    /// table is full.
    package mutating func ask(_ id: ItemID, of peer: DeviceID, until deadline: UInt64, now: UInt64) -> Bool {
        expire(now: now)
        if let entry = entries[id], entry.deadline > now { return false }
        guard entries.count < most else { return false }
        entries[id] = Entry(peer: peer, deadline: deadline)
        order.append((id, deadline))
        return true
    }

    /// It came, or will not come.
    @discardableResult
    package mutating func end(_ id: ItemID) -> Bool {
        defer { compact() }
        return entries.removeValue(forKey: id) != nil
    }

    /// The link is gone: what was asked there may be asked elsewhere. In the order of asking.
    @discardableResult
    package mutating func endAll(of peer: DeviceID) -> [ItemID] {
        var ended: [ItemID] = []
        for (id, deadline) in order[head...] {
            guard let entry = entries[id], entry.peer == peer, entry.deadline == deadline else { continue }
            entries[id] = nil
            ended.append(id)
        }
        compact()
        return ended
    }

    /// Drops entries whose time is up, oldest questions first.
    package mutating func expire(now: UInt64) {
        while head < order.count {
            let (id, deadline) = order[head]
            if let entry = entries[id], entry.deadline == deadline {
                guard deadline <= now else { break }
                entries[id] = nil
            }
            head += 1
        }
        compact()
    }

    private mutating func compact() {
        if head > 64, head * 2 > order.count {
            order.removeFirst(head)
            head = 0
        }
        // Items that came in leave their place behind.
        if order.count - head > 2 * entries.count + 64 {
            order = order[head...].filter { one in entries[one.id].map { $0.deadline == one.deadline } ?? false }
            head = 0
        }
    }
}
