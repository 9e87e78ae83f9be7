package import CoveyCore

/// How the store is divided (sync-routing.md §3.4, protocol.md §3.4).
///
///     store = control 10 %, never less than the log | own mail, up to 50 % | relayed mail: the rest
///     relayed mail = emergency 10 % | urgent 20 % | normal 50 % | bulk 20 %
package struct Quota: Hashable, Sendable {
    /// Bytes of the whole store.
    package var store: Int
    /// Bytes of log and notes.
    package var log: Int
    /// Where contacts are studied a buffer is one room: nothing is kept back, and own mail may fill it.
    package var isOneRoom = false

    package init(store: Int, log: Int) {
        precondition(store >= 0 && log >= 0, "sizes are not negative")
        self.store = store
        self.log = log
    }

    package static func oneRoom(_ bytes: Int) -> Quota {
        var quota = Quota(store: bytes, log: 0)
        quota.isOneRoom = true
        return quota
    }

    package var control: Int { isOneRoom ? 0 : max(store / 10, log) }
    /// Bytes of own mail that the app may have waiting.
    package var outbox: Int { isOneRoom ? store : store / 2 }

    /// Bytes for relayed mail beside own mail of `own` bytes.
    package func relay(own: Int) -> Int { max(0, store - control - own) }

    /// A class's share of them. What a class does not use, more urgent ones may borrow.
    package func share(_ priority: Priority, own: Int) -> Int {
        let relay = relay(own: own)
        if isOneRoom { return relay }
        return switch priority {
        case .emergency: relay / 10
        case .urgent: relay / 5
        case .normal: relay / 2
        case .bulk: relay / 5
        }
    }
}
