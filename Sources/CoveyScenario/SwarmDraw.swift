import CoveyContact

/// The scenario of one seed of a swarm, and what the seed chose.
package struct SwarmDraw: Sendable {
    package struct Choice: Hashable, Sendable, CustomStringConvertible {
        package var path: String
        package var value: String

        package var description: String { "\(path) = \(value)" }
    }

    package var scenario: Scenario
    package var choices: [Choice]
}

extension Scenario {
    /// Each range drawn once from `seed`, and written wherever its path leads.
    package func drawn(seed: UInt64) throws(ScenarioProblems) -> SwarmDraw {
        var result = self
        result.seed = seed
        result.swarm = []
        guard !swarm.isEmpty else { return SwarmDraw(scenario: result, choices: []) }
        var tree = result.yaml(isFolded: false)
        var choices: [SwarmDraw.Choice] = []
        for (index, range) in swarm.enumerated() {
            var dice = Dice(seed: seed).stream("swarm", UInt64(index))
            let value = range.value(&dice)
            let places = tree.set(range.path.split(separator: ".").map(String.init)[...], to: value)
            guard places > 0 else {
                throw ScenarioProblems(name, 1, "swarm".key(range.path), "leads to no value of the scenario")
            }
            choices.append(SwarmDraw.Choice(path: range.path, value: value))
        }
        var drawn = try ScenarioReader(file: name).read(tree).scenario
        drawn.folder = folder
        return SwarmDraw(scenario: drawn, choices: choices)
    }
}

extension SwarmRange {
    fileprivate func value(_ dice: inout Dice) -> String {
        switch draw {
        case .oneOf(let words): words[dice.below(words.count)]
        case .between(let low, let high, let unit, true):
            Numeral.text(low + Double(dice.below(UInt64(high - low) + 1))) + unit
        case .between(let low, let high, let unit, false):
            // In thousandths of the range: a number somebody may read.
            "\(low + (high - low) * Double(dice.below(1001)) / 1000)\(unit)"
        }
    }
}

extension YAMLValue {
    /// Sets the value at the end of `path`, in as many places as it leads to. The last key may be new.
    fileprivate mutating func set(_ path: ArraySlice<String>, to text: String) -> Int {
        guard let step = path.first else {
            content = .text(text)
            return 1
        }
        let rest = path.dropFirst()
        var places = 0
        switch content {
        case .text: return 0
        case .list(var items):
            for index in items.indices
            where step == "*" || step == "\(index)" || items[index]["name"]?.text == step {
                places += items[index].set(rest, to: text)
            }
            content = .list(items)
        case .map(var entries):
            for index in entries.indices where step == "*" || step == entries[index].key {
                places += entries[index].value.set(rest, to: text)
            }
            if places == 0, rest.isEmpty, step != "*" {
                entries.append(Entry(key: step, line: 0, value: .text(text)))
                places = 1
            }
            content = .map(entries)
        }
        return places
    }
}
