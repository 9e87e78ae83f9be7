internal import CSodium
internal import Synchronization

/// Guarded memory for secrets, cut into slots.
///
/// One `sodium_malloc` costs about 25 µs and three pages, and a process has only some 16,000 mappings for them.
/// So a few guarded, locked arenas are cut into slots, and a key costs tens of nanoseconds.
enum SecretArena {
    /// Bytes of a slot, and of every arena: one kind of slot for keys, one for records with keys in them.
    static let slotSizes = [64, 256]
    private static let arenaSize = 1 << 16

    private struct FreeLists: @unchecked Sendable {
        /// By the number of the slot's size.
        var slots: [[UnsafeMutableRawPointer]] = SecretArena.slotSizes.map { _ in [] }
    }

    private static let free = Mutex(FreeLists())

    /// The smallest size of slot that has the room; nil for what takes pages of its own.
    private static func kind(for byteCount: Int) -> Int? { slotSizes.firstIndex { byteCount <= $0 } }

    /// At least so many bytes, all zero.
    static func take(byteCount: Int) -> UnsafeMutableRawPointer {
        guard let kind = kind(for: byteCount) else { return pages(byteCount: byteCount) }
        return free.withLock { lists in
            if let slot = lists.slots[kind].popLast() { return slot }
            let arena = pages(byteCount: arenaSize)
            for start in stride(from: slotSizes[kind], to: arenaSize, by: slotSizes[kind]).reversed() {
                lists.slots[kind].append(arena + start)
            }
            return arena
        }
    }

    /// Wipes what `take` gave for as many bytes, and takes it back.
    static func give(_ slot: UnsafeMutableRawPointer, byteCount: Int) {
        guard let kind = kind(for: byteCount) else { return sodium_free(slot) }
        sodium_memzero(slot, slotSizes[kind])
        free.withLock { $0.slots[kind].append(slot) }
    }

    /// Guarded pages of zero bytes; `sodium_free` wipes them and gives them back.
    private static func pages(byteCount: Int) -> UnsafeMutableRawPointer {
        Sodium.start()
        guard let pages = sodium_malloc(byteCount) else { fatalError("memory for secrets is exhausted") }
        sodium_memzero(pages, byteCount)
        return pages
    }
}
