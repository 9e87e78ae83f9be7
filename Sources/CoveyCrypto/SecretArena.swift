internal import CSodium
internal import Synchronization

/// Guarded memory for secrets, cut into slots.
///
/// One `sodium_malloc` costs about 25 µs and three pages, and a process has only some 16,000 mappings for them.
/// So a few guarded, locked arenas are cut into 64-byte slots, and a key costs tens of nanoseconds.
enum SecretArena {
    static let slotSize = 64
    private static let slotsPerArena = 1024

    private struct FreeList: @unchecked Sendable {
        var slots: [UnsafeMutableRawPointer] = []
    }

    private static let free = Mutex(FreeList())

    static func take() -> UnsafeMutableRawPointer {
        free.withLock { list in
            if let slot = list.slots.popLast() { return slot }
            let arena = pages(byteCount: slotSize * slotsPerArena)
            for index in (1..<slotsPerArena).reversed() { list.slots.append(arena + index * slotSize) }
            return arena
        }
    }

    /// Guarded pages of zero bytes; `sodium_free` wipes them and gives them back.
    static func pages(byteCount: Int) -> UnsafeMutableRawPointer {
        Sodium.start()
        guard let pages = sodium_malloc(byteCount) else { fatalError("memory for secrets is exhausted") }
        sodium_memzero(pages, byteCount)
        return pages
    }

    static func give(_ slot: UnsafeMutableRawPointer) {
        sodium_memzero(slot, slotSize)
        free.withLock { $0.slots.append(slot) }
    }
}
