package import CoveyLink

/// Told what a node's links carry, as it is written and read. The simulator counts by it; a daemon has none.
package protocol TrafficObserver: AnyObject {
    /// Frames that leave in one `Effect.send`.
    func wrote(_ tally: FrameTally, on connection: ConnectionID)
    /// Items that this side pushes or asks for, as reconciliation found that one of the two lacks them. The other side
    /// does not say so of the same ones.
    func found(differences: Int, on connection: ConnectionID)
    /// An envelope came that was known already.
    func gotAgain(on connection: ConnectionID)
}
