package import CoveyCore
package import CoveyCrypto

/// Why the disk could not do what a turn asked. It ends the run: stop, restart, recover.
package enum StoreError: Error, Equatable, Sendable {
    case full
    /// Another process holds the store.
    case locked
    /// A file is not what was written; the text names it and says what to do.
    case damaged(String)
    /// Written by a newer version.
    case newer(String)
    /// The system does not let this user; the text names the file.
    case permission(String)
    /// Anything else the system reported.
    case io(String)
}

/// Records found by a key. On disk the key is a keyed hash, and key and value are sealed.
package enum KeyedTable: UInt8, CaseIterable, Sendable {
    /// Single values: boot counter, time floor, bundle sequence, sequences of the tables below.
    case state = 1
    /// RevokeNotes, Suspends, requests for renewal and the receipts of wipe orders, by hash.
    case notes = 3
    /// The newest bundle of each device, by device id.
    case bundles = 4
    /// Ephemeral keys seen in first messages, by key (replay cache, protocol.md §4.1).
    case firstMessages = 6
    /// Envelopes and messages delivered here, by id: never delivered twice.
    case delivered = 7
    /// Conversations; the ratchet's state will live here.
    case sessions = 8
    /// Devices that were written to or heard from, by device id: no first contact while the log is stale.
    case peers = 9
    /// Announcements heard and made, by author and number.
    case announcements = 10
}

/// Records found by a key as those of a `KeyedTable`, with which they share the numbers, that hold secrets: their values
/// are in guarded memory on every way between the node and the sealed form.
package enum SecretTable: UInt8, CaseIterable, Sendable {
    /// Epoch keys held, by commit.
    case epochs = 2
    /// Own prekeys, by id.
    case prekeys = 5
}

/// Records in a sequence. The sequence number stands in the clear, the value is sealed.
package enum SequenceTable: UInt8, CaseIterable, Sendable {
    /// Accepted log entries, in the order of acceptance.
    case log = 32
    case inbox = 33
    case outbox = 34
}

/// What is kept of an envelope besides its bytes.
package struct EnvelopeRecord: Hashable, Sendable {
    package let id: EnvelopeID
    package let header: EnvelopeHeader
    /// Spray tokens left; 255 floods, 0 is an opportunistic copy (protocol.md §3.3).
    package var tokens: UInt8
    package var hops: UInt8
    /// Sealed here: never evicted for others' mail.
    package let isOwn: Bool
    /// The neighbour that pays for it; own mail has our own id.
    package let ingress: DeviceID

    package init(
        id: EnvelopeID, header: EnvelopeHeader, tokens: UInt8, hops: UInt8, isOwn: Bool, ingress: DeviceID
    ) {
        self.id = id
        self.header = header
        self.tokens = tokens
        self.hops = hops
        self.isOwn = isOwn
        self.ingress = ingress
    }
}

/// Why an id is known although its bytes are not held (sync-routing.md §2.2).
package enum GhostReason: UInt8, CaseIterable, Sendable {
    case refused = 1
    case evicted = 2
    case purged = 3
    case deleted = 4
}

package struct Ghost: Hashable, Sendable {
    package let id: EnvelopeID
    /// Kept until this hour and one day more.
    package let expiry: Hour
    package let ttlHours: UInt16
    package let priority: Priority
    package let reason: GhostReason

    package init(id: EnvelopeID, expiry: Hour, ttlHours: UInt16, priority: Priority, reason: GhostReason) {
        self.id = id
        self.expiry = expiry
        self.ttlHours = ttlHours
        self.priority = priority
        self.reason = reason
    }

    init(of id: EnvelopeID, _ header: EnvelopeHeader, _ reason: GhostReason) {
        self.init(
            id: id, expiry: header.expiry, ttlHours: UInt16(header.ttl.hours), priority: header.priority,
            reason: reason)
    }
}

/// The node's disk. Writes of a turn become durable together at the driver's next commit, and are seen by reads at once.
///
/// After a crash the store is at a commit: everything acknowledged is there, nothing of a later turn is half there, with
/// one exception that is harmless: envelopes may be there whose turn's other records are not. They are mail; the node
/// looks at all held mail when it starts.
package protocol Store: AnyObject {
    func put(_ table: KeyedTable, _ key: [UInt8], _ value: [UInt8]) throws
    func delete(_ table: KeyedTable, _ key: [UInt8]) throws
    func get(_ table: KeyedTable, _ key: [UInt8]) throws -> [UInt8]?
    /// All records, in the order of their keys' bytes.
    func all(_ table: KeyedTable) throws -> [(key: [UInt8], value: [UInt8])]

    func put(_ table: SecretTable, _ key: [UInt8], _ value: SecretBytes) throws
    func delete(_ table: SecretTable, _ key: [UInt8]) throws
    /// All records, in the order of their keys' bytes.
    func all(_ table: SecretTable) throws -> [(key: [UInt8], value: SecretBytes)]

    func put(_ table: SequenceTable, _ sequence: UInt64, _ value: [UInt8]) throws
    func delete(_ table: SequenceTable, _ sequence: UInt64) throws
    /// At most `limit` records with a sequence above `after`, ascending.
    func records(
        _ table: SequenceTable, after: UInt64, limit: Int
    ) throws -> [(sequence: UInt64, value: [UInt8])]

    /// Takes an envelope in. `bytes` are the whole envelope, header first.
    func insert(_ record: EnvelopeRecord, _ bytes: [UInt8]) throws
    /// The whole envelope; nil when it is not held.
    func envelope(_ id: EnvelopeID) throws -> [UInt8]?
    /// Lets go of the bytes and keeps the id as a ghost.
    func replace(_ id: EnvelopeID, with ghost: Ghost) throws
    /// Remembers an id that was never held.
    func insert(_ ghost: Ghost) throws
    /// Forgets envelopes whose expiry is at or before `hour`, and ghosts a day older.
    func expire(upTo hour: Hour) throws
    /// Everything held and every ghost, in the order of ids. Called once, at the start.
    func known() throws -> (held: [EnvelopeRecord], ghosts: [Ghost])
}
