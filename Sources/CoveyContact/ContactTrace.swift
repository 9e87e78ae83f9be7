/// Two hosts come into each other's reach, or leave it.
package struct ContactChange: Hashable, Sendable, BitwiseCopyable {
    /// Microseconds since the world began.
    package var time: UInt64
    package var a: UInt32
    package var b: UInt32
    /// Which of the scenario's kinds of link joins them; 0 when there is one kind only.
    package var link: UInt16
    package var isUp: Bool

    package init(time: UInt64, a: UInt32, b: UInt32, link: UInt16 = 0, isUp: Bool) {
        self.time = time
        self.a = a
        self.b = b
        self.link = link
        self.isUp = isUp
    }
}

/// Contacts one after the other, by ascending time: a file, a plan, or movement that is computed as it is asked for.
package protocol ContactSource {
    mutating func next() -> ContactChange?
}

/// Contacts that are all known beforehand.
package struct ContactTrace: Sendable {
    /// Hosts are numbered from 0.
    package var nodes: Int
    /// By ascending time; the order of changes at one time is theirs.
    package var changes: [ContactChange]

    package init(nodes: Int, changes: [ContactChange]) {
        self.nodes = nodes
        self.changes = changes
    }
}

/// One message that somebody wants to send, at the level of contacts.
package struct PlannedMessage: Hashable, Sendable {
    /// As the workload names it.
    package var name: String
    /// Microseconds since the world began.
    package var time: UInt64
    package var from: UInt32
    package var to: UInt32
    /// Bytes.
    package var size: Int

    package init(name: String, time: UInt64, from: UInt32, to: UInt32, size: Int) {
        self.name = name
        self.time = time
        self.from = from
        self.to = to
        self.size = size
    }
}
