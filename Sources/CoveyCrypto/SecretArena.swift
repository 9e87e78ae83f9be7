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
            Sodium.start()
            guard let arena = sodium_malloc(slotSize * slotsPerArena) else {
                fatalError("memory for secrets is exhausted")
            }
            sodium_memzero(arena, slotSize * slotsPerArena)
            for index in (1..<slotsPerArena).reversed() { list.slots.append(arena + index * slotSize) }
            return arena
        }
    }

    static func give(_ slot: UnsafeMutableRawPointer) {
        sodium_memzero(slot, slotSize)
        free.withLock { $0.slots.append(slot) }
    }
}
