/// A handle of one host of a world: one device, with a node, a disk and a clock.
public struct Host: Hashable, Sendable, CustomStringConvertible {
    /// From 0, in the order in which hosts were added.
    public let index: Int
    /// Its label in the mesh.
    public let name: String

    init(index: Int, name: String) {
        self.index = index
        self.name = name
    }

    public var description: String { name }

    public static func == (left: Host, right: Host) -> Bool { left.index == right.index }

    public func hash(into hasher: inout Hasher) { hasher.combine(index) }

    /// What a host is doing.
    public enum State: Hashable, Sendable {
        case up
        /// The power is on, the node's process stands still.
        case paused
        /// No node runs: not started yet, crashed, killed, or told to stop.
        case down
        /// Its disk made the node end; the text is the node's own.
        case failed(String)
    }
}

/// What a host's clock shows.
public struct ClockQuality: Hashable, Sendable {
    /// How far it is ahead of the true time at the start; behind when negative.
    public var skew: Duration
    /// Parts in a million that it is too fast; too slow when negative.
    public var drift: Int
    /// Without one, each start begins at `wake` instead of going on.
    public var hasRTC: Bool
    /// Seconds since 1970 that a clock without RTC shows after each start.
    public var wake: Int64

    /// - Parameter drift: from -100,000 to 100,000, a tenth either way.
    public init(skew: Duration = .zero, drift: Int = 0, hasRTC: Bool = true, wake: Int64 = 0) {
        precondition((-100_000...100_000).contains(drift), "a clock is wrong by at most a tenth")
        self.skew = skew
        self.drift = drift
        self.hasRTC = hasRTC
        self.wake = wake
    }

    /// Shows the true time.
    public static let exact = ClockQuality()
}

/// What a host's disk is like.
public struct DiskQuality: Hashable, Sendable {
    /// How long a commit takes. Turns meanwhile share the next one, and what they want done waits for it, as in the real
    /// driver. Zero: each turn is durable at once.
    public var commit: Duration
    /// Bytes that may be written in all before the disk is full.
    public var capacity: Int?

    /// - Parameter capacity: in bytes; nil: it is never full.
    public init(commit: Duration = .zero, capacity: Int? = nil) {
        self.commit = commit
        self.capacity = capacity
    }

    /// Durable at once, and never full.
    public static let sound = DiskQuality()
}
