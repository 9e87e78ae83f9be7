package import CoveyReport

/// A world and what happens in it, as a file says it. docs/scenarios.md is the reference.
package struct Scenario: Sendable {
    package var name: String
    package var about: String
    package var seed: UInt64
    package var duration: TimeSpan
    /// The level it is meant for. Nil: the full one.
    package var level: DetailLevel?
    /// Who signs for the mesh; nil: one key.
    package var officers: Officers?
    package var groups: [HostGroup]
    /// In the order of the file.
    package var links: [LinkKind]
    package var topology: [Layer]
    package var timeline: [TimelineEntry]
    package var traffic: [TrafficFlow]
    package var claims: [Claim]
    package var report: ReportOptions
    package var swarm: [SwarmRange]

    /// Where the file lies: traces it names are looked for there.
    package var folder = ""

    /// `2of3`: how many keys an authority has, and how many of them sign.
    package struct Officers: Hashable, Sendable, CustomStringConvertible {
        package let threshold: Int
        package let keys: Int

        init?(_ text: String) {
            let parts = text.split { $0 == "o" || $0 == "f" }.compactMap { Int($0) }
            guard parts.count == 2, (1...7).contains(parts[1]), (1...parts[1]).contains(parts[0]) else { return nil }
            (threshold, keys) = (parts[0], parts[1])
        }

        package var description: String { "\(threshold)of\(keys)" }
    }

    package struct ReportOptions: Hashable, Sendable {
        package var sampleEvery = TimeSpan.seconds(30)
        package var animate = true
    }

    package var hostCount: Int { groups.reduce(0) { $0 + $1.count } }

    package func linkNumber(_ name: String) -> Int? { links.firstIndex { $0.name == name } }
}
