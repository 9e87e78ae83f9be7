/// What several turns wrote, taken out of a store to be made durable by another thread.
package protocol CommitBatch: AnyObject, Sendable {
    /// Makes all of it durable, or throws a `StoreError`: then the run ends, and what a restart finds is a commit.
    ///
    /// Called once, on any thread, while the store goes on taking the writes of later turns and answering reads.
    func write() throws
}

/// A store that gathers the writes of turns and hands them over in batches: one commit for many turns.
///
/// ```
/// turn, turn ─ isDirty ─ takeBatch() ─┬─ batch.write()    on another thread ─┬─ finished(batch) ─ effects performed
///                                     └─ turn, turn, …    seen by reads      ┘
/// ```
/// All but `write()` is called from the thread of the turns. There is one batch at a time: the next is taken after
/// `finished`. A batch whose `write()` threw is not finished: the run ends there.
package protocol CommittingStore: Store {
    /// A turn wrote something that is in no batch yet.
    var isDirty: Bool { get }
    /// The writes since the last batch, and `isDirty` is false again; nil when there are none.
    func takeBatch() -> (any CommitBatch)?
    /// The batch is durable: what was kept in memory for reads meanwhile can go.
    func finished(_ batch: any CommitBatch)
}

extension CommittingStore {
    /// Makes all that turns wrote durable before it returns: for commands and tests, which have no other thread.
    package func commit() throws {
        guard let batch = takeBatch() else { return }
        try batch.write()
        finished(batch)
    }
}
