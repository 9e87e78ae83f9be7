/// What will happen, in the order in which it happens: a hierarchical timing wheel.
///
/// An event's time is rounded up to a whole tick of 64 µs. Events of one tick come out in the order in which they went
/// in. Any time of 64 bits fits. Nobody takes an event out again: the owner compares a generation in the payload with
/// its own and lets a stale event pass.
///
///     bits of a tick   57      51 50                      19 18      11 10         0
///                     | level 6  |  levels 5, 4, 3, 2       | level 1  |  level 0   |
///                      8 bits        8 bits each              8 bits     11 bits = 2048 ticks = 131 ms
///
/// An event lies in the level of the highest digit in which its tick differs from `position`, in the slot that this
/// digit names. So all events of one tick are always in one slot, and the order in that slot is theirs. When nothing is
/// left below, `position` goes to the earliest tick of the first slot above, whose events move down.
///
/// A slot is a chain of chunks of 16 entries in one flat array; emptied chunks are used again, so once the arrays have
/// grown to the most that was ever pending nothing is allocated. At most one chunk a slot is partly filled.
///
/// The type itself is marked for use from inlined code, or other rooms would call it unspecialised, twelve times slower.
@usableFromInline
package struct EventWheel<Payload: BitwiseCopyable> {
    @usableFromInline
    package struct Entry: BitwiseCopyable {
        @usableFromInline var tick: UInt64
        @usableFromInline var payload: Payload

        @inlinable
        init(tick: UInt64, payload: Payload) {
            self.tick = tick
            self.payload = payload
        }
    }

    /// Indices of entries: the first to leave, and where the next one goes. The latter may be one behind the end of its
    /// chunk; then the chunk is full.
    @usableFromInline
    package struct Slot: BitwiseCopyable {
        @usableFromInline var read: UInt32
        @usableFromInline var write: UInt32

        @inlinable
        init(read: UInt32, write: UInt32) {
            self.read = read
            self.write = write
        }
    }

    @usableFromInline var pending = 0
    /// The tick of the last event that came out.
    @usableFromInline var position: UInt64 = 0
    /// 2048 slots of level 0, then 256 for each level above.
    @usableFromInline var slots: [Slot]
    /// One bit a slot: something is in it.
    @usableFromInline var occupied: [UInt64]
    /// One bit for each of the 32 words of `occupied` that are level 0's.
    @usableFromInline var ground: UInt32 = 0
    /// One bit a level above 0: something is in it.
    @usableFromInline var upper: UInt32 = 0
    /// The earliest tick in each slot above level 0, while something is in it.
    @usableFromInline var earliest: [UInt64]
    @usableFromInline var entries: [Entry] = []
    /// The chunk after this one, in a slot's chain or among the free.
    @usableFromInline var links: [UInt32] = []
    @usableFromInline var free: UInt32 = .max

    @inlinable
    package init() {
        let count = 2048 + 6 * 256
        slots = Array(repeating: Slot(read: 0, write: 0), count: count)
        occupied = Array(repeating: 0, count: count / 64)
        earliest = Array(repeating: 0, count: 6 * 256)
    }

    /// Events that have not come out yet.
    @inlinable
    package var count: Int { pending }

    /// The time of the last event that came out, µs: a whole number of ticks.
    @inlinable
    package var now: UInt64 { position &<< 6 }

    /// The time of the next event, µs.
    @inlinable
    package var nextTime: UInt64? {
        if ground != 0 { return (position & ~2047 | UInt64(truncatingIfNeeded: firstOnGround())) &<< 6 }
        if upper != 0 { return earliest[firstAbove() &- 2048] &<< 6 }
        return nil
    }

    /// - Parameter time: µs, not before the last event that came out, nor in the last tick that 64 bits can tell.
    @inlinable
    package mutating func push(at time: UInt64, _ payload: Payload) {
        let tick = (time + 63) &>> 6
        precondition(tick >= position, "an event is not before what has already happened")
        pending &+= 1
        place(Entry(tick: tick, payload: payload))
    }

    /// The next event, unless its time rounded up is after `bound`, µs.
    @inlinable
    package mutating func pop(upTo bound: UInt64 = .max) -> (time: UInt64, payload: Payload)? {
        if ground == 0 {
            guard upper != 0 else { return nil }
            let slot = firstAbove()
            let tick = earliest[slot &- 2048]
            guard tick <= bound &>> 6 else { return nil }
            position = tick
            lower(slot)
        }
        let slot = firstOnGround()
        let tick = position & ~2047 | UInt64(truncatingIfNeeded: slot)
        guard tick <= bound &>> 6 else { return nil }
        position = tick
        pending &-= 1
        let read = slots[slot].read
        let payload = entries[Int(read)].payload
        let next = read &+ 1
        if next == slots[slot].write {
            release(read &>> 4)
            occupied[slot &>> 6] &= ~(1 &<< UInt64(truncatingIfNeeded: slot & 63))
            if occupied[slot &>> 6] == 0 { ground &= ~(1 &<< UInt32(truncatingIfNeeded: slot &>> 6)) }
        } else if next & 15 == 0 {
            slots[slot].read = links[Int(read &>> 4)] &<< 4
            release(read &>> 4)
        } else {
            slots[slot].read = next
        }
        return (tick &<< 6, payload)
    }

    @inlinable
    func firstOnGround() -> Int {
        let word = ground.trailingZeroBitCount
        return word &<< 6 | occupied[word].trailingZeroBitCount
    }

    @inlinable
    func firstAbove() -> Int {
        // Bit 0 of `upper` stands for level 1, whose slots come right after those of level 0.
        let first = 32 &+ upper.trailingZeroBitCount &<< 2
        var word = first
        while occupied[word] == 0 { word &+= 1 }
        return word &<< 6 | occupied[word].trailingZeroBitCount
    }

    @inlinable
    mutating func place(_ entry: Entry) {
        let different = entry.tick ^ position
        if different < 2048 {
            let slot = Int(truncatingIfNeeded: entry.tick & 2047)
            let word = slot &>> 6
            let bit: UInt64 = 1 &<< UInt64(truncatingIfNeeded: slot & 63)
            let isFirst = occupied[word] & bit == 0
            if isFirst {
                occupied[word] |= bit
                ground |= 1 &<< UInt32(truncatingIfNeeded: word)
            }
            append(entry, to: slot, isFirst: isFirst)
        } else {
            placeAbove(entry, different)
        }
    }

    @inlinable
    mutating func placeAbove(_ entry: Entry, _ different: UInt64) {
        let level = (52 &- different.leadingZeroBitCount) &>> 3
        let digit = Int(truncatingIfNeeded: entry.tick &>> UInt64(truncatingIfNeeded: 11 &+ level &* 8)) & 255
        let above = level &* 256 &+ digit
        let slot = 2048 &+ above
        let bit: UInt64 = 1 &<< UInt64(truncatingIfNeeded: slot & 63)
        let isFirst = occupied[slot &>> 6] & bit == 0
        if isFirst {
            occupied[slot &>> 6] |= bit
            upper |= 1 &<< UInt32(truncatingIfNeeded: level)
            earliest[above] = entry.tick
        } else if entry.tick < earliest[above] {
            earliest[above] = entry.tick
        }
        append(entry, to: slot, isFirst: isFirst)
    }

    @inlinable
    mutating func append(_ entry: Entry, to slot: Int, isFirst: Bool) {
        var write = slots[slot].write
        if isFirst {
            write = chunk(entry) &<< 4
            slots[slot].read = write
        } else if write & 15 == 0 {
            let next = chunk(entry)
            links[Int(write &>> 4) &- 1] = next
            write = next &<< 4
        }
        entries[Int(write)] = entry
        slots[slot].write = write &+ 1
    }

    /// The events of a slot above level 0 go to where they belong as seen from the new `position`, in their order.
    @inlinable
    mutating func lower(_ slot: Int) {
        occupied[slot &>> 6] &= ~(1 &<< UInt64(truncatingIfNeeded: slot & 63))
        let level = (slot &- 2048) &>> 8
        let words = 32 &+ level &<< 2
        if occupied[words] | occupied[words &+ 1] | occupied[words &+ 2] | occupied[words &+ 3] == 0 {
            upper &= ~(1 &<< UInt32(truncatingIfNeeded: level))
        }
        var read = slots[slot].read
        let end = slots[slot].write
        while true {
            place(entries[Int(read)])
            let next = read &+ 1
            if next == end {
                release(read &>> 4)
                return
            }
            if next & 15 == 0 {
                let chunk = read &>> 4
                read = links[Int(chunk)] &<< 4
                release(chunk)
            } else {
                read = next
            }
        }
    }

    /// A free chunk. `blank` fills the new entries when the arrays must grow: none is read before it is written.
    @inlinable
    mutating func chunk(_ blank: Entry) -> UInt32 {
        if free == .max { grow(blank) }
        let chunk = free
        free = links[Int(chunk)]
        return chunk
    }

    @inlinable
    mutating func release(_ chunk: UInt32) {
        links[Int(chunk)] = free
        free = chunk
    }

    /// Half as much again, at least 64 chunks.
    @inlinable
    @inline(never)
    mutating func grow(_ blank: Entry) {
        let old = links.count
        let new = old + max(64, old / 2)
        precondition(new < 1 << 28, "fewer than four thousand million events are pending")
        entries.reserveCapacity(new * 16)
        entries.append(contentsOf: repeatElement(blank, count: (new - old) * 16))
        links.reserveCapacity(new)
        for chunk in old..<new { links.append(chunk + 1 < new ? UInt32(chunk + 1) : .max) }
        free = UInt32(old)
    }
}

extension EventWheel: Sendable where Payload: Sendable {}
extension EventWheel.Entry: Sendable where Payload: Sendable {}
extension EventWheel.Slot: Sendable {}
