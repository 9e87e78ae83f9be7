package import CoveyCore
package import CoveyNode

/// What the driver drives: the node, or in tests a script.
package protocol Turning: AnyObject {
    /// One turn. Throws a `StoreError`, which ends the run.
    func handle(_ event: Event, at now: Now, store: any Store, into effects: inout Effects) throws
    /// Microseconds of uptime at which `Event.deadline` is wanted.
    var nextDeadline: UInt64? { get }
}

extension Node: Turning {}
