import CoveyCore
import CoveyCrypto

/// The epoch keys this node holds. Which of them count, the membership decides.
struct EpochRing {
    struct Held {
        let entry: EntryID
        let key: EpochKey
        let keys: EpochKeys
    }

    /// In the order of their commits.
    private(set) var held: [Held] = []
    /// Which of them have a clean successor, and since when.
    private var shelf = EpochShelf()

    var commits: [EpochCommit] { held.map(\.keys.commit) }

    subscript(commit: EpochCommit) -> Held? { held.first { $0.keys.commit == commit } }

    /// A record: key `commit 32`, value `entry 32 | K_e 32 | minute of the clean successor 4, 0 without one`.
    mutating func load(_ store: any Store, _ snapshot: RosterSnapshot?) throws {
        var succeeded: [EpochCommit: Minute?] = [:]
        for record in try store.all(.epochs) {
            guard record.value.byteCount == 68 else {
                throw StoreError.damaged("an epoch's record has \(record.value.byteCount) bytes")
            }
            let (epoch, since) = try record.value.exposing { value in
                var reader = ByteReader(value)
                let entry: EntryID = try reader.octets()
                let bytes = try reader.span(EpochKey.byteCount)
                let since = Minute(try reader.u32())
                if let commit = EpochCommit(record.key), let shared = snapshot?.epochKeys(commit) {
                    return (Held(entry: entry, key: shared.key, keys: shared.keys), since)
                }
                let key = EpochKey(copying: bytes)
                return (Held(entry: entry, key: key, keys: EpochKeys(key)), since)
            }
            held.append(epoch)
            succeeded[epoch.keys.commit] = .some(since.value == 0 ? nil : since)
        }
        held.sort { $0.keys.commit < $1.keys.commit }
        shelf = EpochShelf(succeeded)
    }

    /// False when it is held already.
    mutating func insert(_ entry: EntryID, _ key: EpochKey, _ store: any Store) throws -> Bool {
        let keys = EpochKeys(key)
        guard self[keys.commit] == nil else { return false }
        held.append(Held(entry: entry, key: key, keys: keys))
        held.sort { $0.keys.commit < $1.keys.commit }
        shelf.add(keys.commit)
        try Self.write(entry, key, since: nil, store)
        return true
    }

    static func write(_ entry: EntryID, _ key: EpochKey, since: Minute?, _ store: any Store) throws {
        let value = SecretBytes(byteCount: 68) { value in
            value.append(entry)
            value.append(key)
            value.append(bigEndian: since?.value ?? 0)
        }
        try store.put(.epochs, key.commit.array, value)
    }

    /// Erases what is beyond its grace, and returns it (protocol.md §1.10).
    mutating func settle(_ membership: Membership, at time: TimeView, _ store: any Store) throws -> [EpochCommit] {
        let before = shelf
        let erased = shelf.settle(membership, at: time)
        for commit in erased {
            held.removeAll { $0.keys.commit == commit }
            try store.delete(.epochs, commit.array)
        }
        for epoch in held {
            let since = shelf.succeeded[epoch.keys.commit] ?? nil
            if since != before.succeeded[epoch.keys.commit] ?? nil {
                try Self.write(epoch.entry, epoch.key, since: since, store)
            }
        }
        return erased
    }
}
