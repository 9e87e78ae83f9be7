import CoveyCore
import CoveyCrypto
import CoveyLink

/// One link of the tree along which live mail goes (sync-routing.md §2.4): whether mail goes on it at once, or its id alone.
struct Branch {
    struct Told {
        let short: Octets8
        let id: EnvelopeID
    }

    /// Mail goes at once. Every link begins so; what comes twice makes the branches.
    var isEager = true
    /// Microseconds of uptime of the last PRUNE.
    var prunedAt: UInt64?
    /// Rows of the next IHAVE, and when it leaves.
    private(set) var announcing: [Frame.IHave.Row] = []
    private var announceAt = UInt64.max
    /// What the peer was told of lately, and may ask for; the oldest makes room.
    private var told: [Told] = []
    private var nextTold = 0
    /// What the peer told of and is not here, by when it is asked for.
    private var awaited: [Octets8: UInt64] = [:]
    /// None of them before.
    private var awaitedFrom = UInt64.max

    /// When something is to be done, in microseconds of uptime.
    var next: UInt64 { min(announceAt, awaitedFrom) }

    func announces(at now: UInt64) -> Bool { announceAt <= now }
    func asks(at now: UInt64) -> Bool { awaitedFrom <= now }

    /// Mail came in that the peer is to be told of.
    mutating func tell(_ row: Frame.IHave.Row, of id: EnvelopeID, by time: UInt64) {
        announcing.append(row)
        announceAt = min(announceAt, time)
        if told.count < Limits.told {
            told.append(Told(short: row.id, id: id))
        } else {
            told[nextTold] = Told(short: row.id, id: id)
            nextTold = (nextTold + 1) % Limits.told
        }
    }

    mutating func takeAnnouncements() -> [Frame.IHave.Row] {
        defer {
            announcing = []
            announceAt = .max
        }
        return announcing
    }

    /// The peer has it: it need not be told.
    mutating func forgetAnnouncement(of short: Octets8) {
        guard !announcing.isEmpty else { return }
        announcing.removeAll { $0.id == short }
        if announcing.isEmpty { announceAt = .max }
    }

    func wasTold(_ short: Octets8) -> Bool { told.contains { $0.short == short } }

    /// What the peer was told under this id; it asks once.
    mutating func takeTold(_ short: Octets8) -> EnvelopeID? {
        guard let at = told.firstIndex(where: { $0.short == short }) else { return nil }
        let id = told[at].id
        told[at] = Told(short: Octets8(), id: EnvelopeID())
        return id
    }

    /// The peer told of mail that is not here.
    mutating func expect(_ short: Octets8, by time: UInt64) {
        guard awaited.count < Limits.awaited, awaited[short] == nil else { return }
        awaited[short] = time
        awaitedFrom = min(awaitedFrom, time)
    }

    var isAwaiting: Bool { !awaited.isEmpty }

    /// It came, by whatever way. True when the peer had told of it.
    mutating func came(_ short: Octets8) -> Bool {
        guard awaited.removeValue(forKey: short) != nil else { return false }
        if awaited.isEmpty { awaitedFrom = .max }
        return true
    }

    /// Another link was asked for what is missing: this one waits for it.
    mutating func wait(until time: UInt64) {
        guard !awaited.isEmpty else { return }
        awaited = awaited.mapValues { max($0, time) }
        awaitedFrom = max(awaitedFrom, time)
    }

    /// What is to be asked for now, in ascending order.
    mutating func takeMissing(at now: UInt64) -> [Octets8] {
        let due = awaited.filter { $0.value <= now }.keys.sorted()
        for short in due { awaited[short] = nil }
        awaitedFrom = awaited.values.min() ?? .max
        return due
    }
}
