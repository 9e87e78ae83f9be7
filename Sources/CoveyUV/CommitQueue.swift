import CoveyNode

/// Which effects wait for which commit.
///
/// ```
/// turn left the store dirty ──────────────▶ afterNext ──begin──▶ afterCurrent ──end──▶ ready
/// turn left it clean, a batch is written ────────────────────────▶ afterCurrent
/// turn left it clean, none is written ────────────────────────────────────────────────▶ ready
/// ```
/// The store stays dirty until its next batch is taken, so nothing overtakes what came before it.
struct CommitQueue {
    private(set) var isWriting = false
    private(set) var waitingBytes = 0
    /// Uptime of the oldest turn whose effects wait.
    private(set) var waitingSince: UInt64?
    private var ready: [Effect] = []
    private var afterCurrent: [Effect] = []
    private var afterNext: [Effect] = []

    mutating func append(_ effects: [Effect], storeIsDirty: Bool, at uptime: UInt64) {
        guard storeIsDirty || isWriting else { return ready.append(contentsOf: effects) }
        if effects.isEmpty { return }
        for effect in effects { waitingBytes += effect.weight }
        if waitingSince == nil { waitingSince = uptime }
        if storeIsDirty { afterNext.append(contentsOf: effects) } else { afterCurrent.append(contentsOf: effects) }
    }

    /// A batch with the writes of all turns until now was taken.
    mutating func begin() {
        precondition(!isWriting && afterCurrent.isEmpty, "one batch is written at a time")
        isWriting = true
        swap(&afterCurrent, &afterNext)
    }

    /// The batch is durable; `uptime` is when.
    mutating func end(at uptime: UInt64) {
        precondition(isWriting, "a batch ends after it began")
        isWriting = false
        for effect in afterCurrent { waitingBytes -= effect.weight }
        if ready.isEmpty { swap(&ready, &afterCurrent) } else { ready.append(contentsOf: afterCurrent) }
        afterCurrent.removeAll(keepingCapacity: true)
        // What waits now came while this batch was written.
        waitingSince = afterNext.isEmpty ? nil : uptime
    }

    /// Effects that may be performed now, in order.
    mutating func takeReady() -> [Effect] {
        if ready.isEmpty { return [] }
        var taken: [Effect] = []
        swap(&taken, &ready)
        return taken
    }
}

extension Effect {
    /// Bytes it keeps in memory, roughly.
    fileprivate var weight: Int {
        switch self {
        case .send(_, let bytes), .multicast(let bytes): 64 + bytes.count
        case .dial, .reportDrained, .close, .abort, .reply, .observe, .stop: 64
        }
    }
}
