/// What happened to messages and their copies, counted as The ONE's message report counts it.
package struct MessageCounters: Hashable, Sendable {
    package var created = 0
    /// Transfers that a receiver accepted.
    package var started = 0
    /// Transfers that came to their end, also repeated ones and those to the destination.
    package var relayed = 0
    package var aborted = 0
    /// Copies that had to make room or that outlived their time.
    package var dropped = 0
    /// Copies that moved on or that their router deleted.
    package var removed = 0
    /// Messages that arrived, each once.
    package var delivered = 0

    package init() {}
}
