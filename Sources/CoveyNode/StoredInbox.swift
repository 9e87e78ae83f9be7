package import CoveyCore

/// The inbox of a store that no node runs on: of a device that was locked, and was given back for reading.
package struct StoredInbox {
    private let store: any Store
    private let membership: Membership

    package init(_ store: any Store, genesis: Genesis, now: Now) throws {
        self.store = store
        var clock = MeshClock(floor: genesis.created, now: now)
        membership = try Roster(
            loading: store, genesis: genesis, snapshot: nil, commons: nil, seed: 0, clock: &clock, now: now
        ).membership
    }

    /// - Parameter limit: 1 to `Limits.page`.
    package func page(after: UInt64, limit: Int) throws -> [InboxMessage] {
        try InboxMessage.read(after: after, limit: limit, store, by: membership) { !$0.isQuarantine }
    }
}

extension InboxMessage {
    static func read(
        after: UInt64, limit: Int, _ store: any Store, by membership: Membership, isWanted: (SenderStanding) -> Bool
    ) throws -> [InboxMessage] {
        var found: [InboxMessage] = []
        var last = after
        while found.count < limit {
            let records = try store.records(.inbox, after: last, limit: limit)
            guard let end = records.last?.sequence else { break }
            for record in records where found.count < limit {
                let message = try InboxMessage(sequence: record.sequence, record: record.value).judged(by: membership)
                if isWanted(message.standing) { found.append(message) }
            }
            last = end
        }
        return found
    }

    /// With what is known of its sender now (protocol.md §1.9).
    func judged(by membership: Membership) -> InboxMessage {
        var judged = self
        let revocation = membership.revocation(of: from)
        judged.standing = SenderStanding(of: revocation, cameAfter: standing.isQuarantine, sent: sent)
        judged.revoked = revocation?.reason
        return judged
    }
}
