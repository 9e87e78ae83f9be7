/// What will happen, at exact microseconds: a heap of four children a node. Of one time, what went in first comes first.
///
/// `EventWheel` is faster for many events; it rounds to ticks, and here a transfer may end exactly when its contact does.
struct EventHeap<Payload: BitwiseCopyable> {
    private struct Entry: BitwiseCopyable {
        var time: UInt64
        var sequence: UInt64
        var payload: Payload

        func precedes(_ other: Entry) -> Bool {
            time != other.time ? time < other.time : sequence < other.sequence
        }
    }

    private var entries: [Entry] = []
    private var sequence: UInt64 = 0

    var nextTime: UInt64? { entries.first?.time }

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        sequence = 0
    }

    mutating func push(at time: UInt64, _ payload: Payload) {
        let entry = Entry(time: time, sequence: sequence, payload: payload)
        sequence += 1
        var at = entries.count
        entries.append(entry)
        while at > 0 {
            let parent = (at - 1) / 4
            guard entry.precedes(entries[parent]) else { break }
            entries[at] = entries[parent]
            at = parent
        }
        entries[at] = entry
    }

    mutating func pop() -> (time: UInt64, payload: Payload)? {
        guard let first = entries.first else { return nil }
        let moved = entries.removeLast()
        guard !entries.isEmpty else { return (first.time, first.payload) }
        var at = 0
        while true {
            let children = at * 4 + 1
            guard children < entries.count else { break }
            var best = children
            for child in children + 1..<max(children + 1, min(children + 4, entries.count))
            where entries[child].precedes(entries[best]) {
                best = child
            }
            guard entries[best].precedes(moved) else { break }
            entries[at] = entries[best]
            at = best
        }
        entries[at] = moved
        return (first.time, first.payload)
    }
}
