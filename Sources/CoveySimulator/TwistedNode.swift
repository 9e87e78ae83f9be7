package import CoveyCore
package import CoveyNode

/// A node whose wishes are altered before the world fulfils them: what a faulty or hostile program does that is otherwise
/// like ours.
package final class TwistedNode: Resident {
    package let node: Node
    private let twist: (Event, [Effect]) -> [Effect]

    /// - Parameter twist: told what happened and what the node wants done; says what is done.
    package init(_ node: Node, twist: @escaping (Event, [Effect]) -> [Effect]) {
        self.node = node
        self.twist = twist
    }

    package var nextDeadline: UInt64? { node.nextDeadline }

    package func handle(_ event: Event, at now: Now, store: any Store, into effects: inout Effects) throws {
        try node.handle(event, at: now, store: store, into: &effects)
        for effect in twist(event, effects.take()) { effects.append(effect) }
    }
}
