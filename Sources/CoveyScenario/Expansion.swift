import CoveyCore

/// A scenario with every choice of its seed made: who is there, what happens when, who writes what to whom.
///
/// The same scenario and seed expand to the same, in any process. What `frozen` gives is a scenario without chance, in
/// the language of the others: the record that replays a run, and from which shrinking takes away.
package struct Expansion: Sendable {
    package let scenario: Scenario
    package let seed: UInt64
    package let cast: Cast
    /// By time.
    package let deeds: [Deed]
    /// By time.
    package let letters: [Letter]

    package init(_ scenario: Scenario, seed: UInt64) {
        self.scenario = scenario
        self.seed = seed
        cast = Cast(scenario)
        deeds = Schedule.deeds(scenario, cast, seed: seed)
        letters = Correspondence(scenario, cast, deeds).letters(scenario.traffic, seed: seed)
    }

    init(_ scenario: Scenario, seed: UInt64, cast: Cast, deeds: [Deed], letters: [Letter]) {
        self.scenario = scenario
        self.seed = seed
        self.cast = cast
        self.deeds = deeds
        self.letters = letters
    }

    /// The same with fewer deeds and letters; contacts stay those of the seed.
    package func with(deeds: [Deed], letters: [Letter]) -> Expansion {
        Expansion(scenario, seed: seed, cast: cast, deeds: deeds, letters: letters)
    }

    /// The scenario that expands to this without any choice: faults with their hosts, messages one by one.
    package func frozen() -> Scenario {
        var result = scenario
        result.seed = seed
        result.swarm = []
        result.timeline = Schedule.entries(deeds, scenario, cast)
        result.traffic = []
        if !letters.isEmpty {
            let messages = letters.map { letter in
                TrafficFlow.Message(
                    at: TimeSpan(microseconds: Int64(letter.at)), from: cast.term(letter.from),
                    to: letter.to.map(cast.term) ?? .everyone, bytes: letter.bytes, priority: letter.priority,
                    ttl: letter.ttl)
            }
            result.traffic = [
                TrafficFlow(
                    kind: .list(messages), size: .constant(0), priority: .normal, ttl: .day, source: [.everyone],
                    destination: .uniform, reply: 0)
            ]
        }
        return result
    }
}
