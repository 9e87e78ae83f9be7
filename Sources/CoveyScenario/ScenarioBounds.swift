/// What a scenario may ask for at most. A file comes from anywhere.
package enum ScenarioBounds {
    /// Bytes of a file.
    package static let fileBytes = 64 << 20
    /// Values of a file: words, lists and maps together.
    package static let values = 4_000_000
    /// Levels of lists and maps in one another.
    package static let depth = 32
    /// Names that one pair of braces stands for.
    package static let braces = 100_000
    /// Hosts of all groups.
    package static let hosts = 1_000_000
    package static let groups = 10_000
    package static let links = 1_000
    /// Entries of the topology.
    package static let layers = 20_000
    /// Entries of the timeline as written.
    package static let timeline = 100_000
    /// Deeds that the timeline comes to, with `every` unrolled.
    package static let deeds = 1_000_000
    /// Sides of one partition.
    package static let sides = 64
    package static let flows = 1_000
    /// Messages of all flows.
    package static let messages = 4_000_000
    /// Copies of messages that a world of contacts may come to hold: some 36 bytes each, and 20 to 30 µs on dense LANs.
    package static let copies = 8_000_000
    /// Contacts and ways of one entry of the topology, about.
    package static let contacts = 1_000_000_000
    /// Contacts that a plan comes to, with `every` unrolled.
    package static let planned = 8_000_000
    /// Contacts that the oracle looks at for a run, with some nanoseconds each.
    package static let oracleSteps = 2_000_000_000
    package static let claims = 1_000
    package static let swarm = 1_000
    /// Links that are up from the beginning to the end.
    package static let edges = 8_000_000
    /// Microseconds: ten years.
    package static let duration: Int64 = 3650 * 86_400_000_000
    /// Microseconds that a clock jumps: a thousand years.
    package static let clockJump: Int64 = 1000 * 365 * 86_400_000_000
    /// Bytes of one message.
    package static let messageBytes = 1 << 30
    /// Problems told at once.
    package static let problems = 50
}
