package import CoveyCore

/// What one link packed since it was last asked, by type of frame.
///
/// The simulator asks. A daemon's links keep none, and pay for that with one comparison a frame.
package struct FrameTally: Sendable {
    package struct Row: Hashable, Sendable {
        package let type: FrameType
        /// Of the envelope in a DATA frame.
        package let priority: Priority?
        package fileprivate(set) var count: Int
        /// Whole frames, with their type and length.
        package fileprivate(set) var bytes: Int
    }

    /// In the order in which the first of each came; a burst has few types.
    package private(set) var rows: [Row] = []
    /// Bytes that are no frame: heads of packets, padding, tags.
    package private(set) var overhead = 0

    mutating func add(_ type: FrameType, _ priority: Priority?, bytes: Int) {
        if let at = rows.firstIndex(where: { $0.type == type && $0.priority == priority }) {
            rows[at].count += 1
            rows[at].bytes += bytes
        } else {
            rows.append(Row(type: type, priority: priority, count: 1, bytes: bytes))
        }
    }

    mutating func add(overhead bytes: Int) { overhead += bytes }

    mutating func removeAll() {
        rows.removeAll(keepingCapacity: true)
        overhead = 0
    }
}
