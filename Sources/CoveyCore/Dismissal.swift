import CoveyCrypto

/// An AuthorityRevoke that counts, as one log has it: of its authority, or of one below that.
package struct Dismissal: Hashable, Sendable {
    /// Who is dismissed by it.
    package let authority: AuthorityID
    package let label: String
    package let reason: UInt8
    /// Who says so, and where.
    package let by: LogID
    package let sequence: UInt64
    package let time: Minute
    /// What the log grants counts up to this entry.
    package let upTo: UInt64
}

extension Membership {
    /// By what an authority, or one above it, was dismissed; of several what leaves it the least. It is for good: no new
    /// certificate gives it back what it lost.
    package func dismissal(of log: LogID) -> Dismissal? {
        countingRevocations.compactMap { dismissal(of: log, by: $0) }.min { one, other in
            (one.upTo, one.time, one.sequence, one.by, one.reason)
                < (other.upTo, other.time, other.sequence, other.by, other.reason)
        }
    }

    /// Every authority that was dismissed itself, in the order of the days.
    package var dismissed: [Dismissal] {
        countingRevocations.compactMap { dismissal(of: $0.revocation.authority, by: $0) }.sorted { one, other in
            // Two branches of a log may dismiss at one place.
            (one.time, one.by, one.sequence, one.authority, one.upTo, one.reason)
                < (other.time, other.by, other.sequence, other.authority, other.upTo, other.reason)
        }
    }

    private func dismissal(of log: LogID, by placed: PlacedRevocation) -> Dismissal? {
        guard let upTo = limit(of: log, by: placed) else { return nil }
        let (place, authority) = (placed.place, placed.revocation.authority)
        let certificate = self.authority(authority) ?? latestGrant(of: authority)
        return Dismissal(
            authority: authority, label: certificate?.content.label ?? "", reason: placed.revocation.reason,
            by: place.log, sequence: place.sequence,
            time: time(of: place.entry, at: place.sequence, in: place.log) ?? Minute(0), upTo: upTo)
    }
}
