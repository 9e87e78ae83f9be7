/// Looks at a world while it runs and says when something happened that must not. It looks; it does not act.
///
/// What it found it tells by `World.violate`; the run goes on. All functions but `name` may be left out.
public protocol Checker: AnyObject {
    /// As it stands in reports.
    var name: String { get }
    /// It was added.
    func begin(in world: World)
    /// A node noticed something, after the commit.
    func noticed(_ sighting: Sighting, at host: Host, in world: World)
    /// A node has had a turn, and its effects are on their way.
    func turned(_ host: Host, in world: World)
    /// Each `World.Options.sampleEvery`.
    func sampled(in world: World)
    /// A host's node started or ended, or was paused or let go on.
    func changed(_ host: Host, to state: Host.State, in world: World)
    /// The last look, for what has to be true in the end.
    func ended(in world: World)
}

extension Checker {
    public func begin(in world: World) {}
    public func noticed(_ sighting: Sighting, at host: Host, in world: World) {}
    public func turned(_ host: Host, in world: World) {}
    public func sampled(in world: World) {}
    public func changed(_ host: Host, to state: Host.State, in world: World) {}
    public func ended(in world: World) {}
}

/// Something that must not have happened.
public struct Violation: Error, Hashable, Sendable, CustomStringConvertible {
    /// The checker's, or "expectation".
    public let checker: String
    /// Since the world began.
    public let time: Duration
    /// Where; nil when it is about no host in particular.
    public let host: Host?
    /// What happened.
    public let text: String

    public var description: String { "\(time)\(host.map { " at \($0.name)" } ?? ""), \(checker): \(text)" }
}
