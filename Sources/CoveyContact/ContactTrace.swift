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

extension ContactTrace {
    /// Without what changes nothing: an `up` of a pair that is in contact over that kind of link, a `down` of one that
    /// is not.
    package var tidied: ContactTrace {
        var isUp: Set<ContactChange> = []
        var changes: [ContactChange] = []
        for change in self.changes {
            let pair = ContactChange(
                time: 0, a: min(change.a, change.b), b: max(change.a, change.b), link: change.link, isUp: true)
            if change.isUp ? isUp.insert(pair).inserted : isUp.remove(pair) != nil { changes.append(change) }
        }
        return ContactTrace(nodes: nodes, changes: changes)
    }
}

/// The contacts of a trace, one after the other.
package struct TraceContacts: ContactSource, Sendable {
    private let changes: [ContactChange]
    private var taken = 0

    package init(_ trace: ContactTrace) { changes = trace.changes }

    package mutating func next() -> ContactChange? {
        guard taken < changes.count else { return nil }
        taken += 1
        return changes[taken - 1]
    }
}

extension ContactTrace {
    /// All contacts of a source that ends.
    /// - Parameter nodes: the highest number found, plus one, when not said.
    package init(_ source: some ContactSource, nodes: Int? = nil) {
        var source = source
        var changes: [ContactChange] = []
        var top = -1
        while let change = source.next() {
            changes.append(change)
            top = max(top, Int(max(change.a, change.b)))
        }
        self.init(nodes: nodes ?? top + 1, changes: changes)
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
    /// Microseconds; nil: as all mail of the study.
    package var lifetime: UInt64?

    package init(name: String, time: UInt64, from: UInt32, to: UInt32, size: Int, lifetime: UInt64? = nil) {
        self.name = name
        self.time = time
        self.from = from
        self.to = to
        self.size = size
        self.lifetime = lifetime
    }
}
