/// What to do with a first message that authenticates (protocol.md §2.1, stale-epoch role reversal).
///
/// A node shows its certificate first only under the epoch it prefers, or to a peer that is ahead of it; towards others
/// it makes the peer show its own first, and judges that against the newer log.
package enum FirstAnswer: Sendable, Equatable {
    case respond
    /// Respond, counted: at most four times an hour, else stay silent (`HandshakeBudget.answerVouched`).
    case respondCounted
    case reverse
    case silent

    /// - Parameters:
    ///   - isPreferred: the message came under the epoch this node prefers.
    ///   - isUntainted: that epoch is clean for this node.
    ///   - isAhead: the sender says it prefers another.
    ///   - isVouched: the address is a static peer's, or in a beacon of a non-revoked device verified within 10 min.
    package static func decide(
        isPreferred: Bool, isUntainted: Bool, isAhead: Bool, isVouched: Bool
    ) -> FirstAnswer {
        if isPreferred { return .respond }
        guard isAhead else { return .reverse }
        if isUntainted { return .respond }
        return isVouched ? .respondCounted : .silent
    }
}
