import Yams

/// A value of a YAML document as it was written, with its line.
package struct YAMLValue: Sendable {
    package enum Content: Sendable {
        case text(String)
        case list([YAMLValue])
        case map([Entry])
    }

    package struct Entry: Sendable {
        package var key: String
        package var line: Int
        package var value: YAMLValue
    }

    /// From 1; 0 when it was never in a file.
    package var line: Int
    package var content: Content

    package init(line: Int = 0, _ content: Content) {
        self.line = line
        self.content = content
    }

    package static func text(_ text: some CustomStringConvertible) -> YAMLValue { YAMLValue(.text("\(text)")) }

    package static func list(_ items: [YAMLValue]) -> YAMLValue { YAMLValue(.list(items)) }

    package static func map(_ entries: [(String, YAMLValue?)]) -> YAMLValue {
        YAMLValue(.map(entries.compactMap { key, value in value.map { Entry(key: key, line: 0, value: $0) } }))
    }

    package subscript(_ key: String) -> YAMLValue? {
        guard case .map(let entries) = content else { return nil }
        return entries.first { $0.key == key }?.value
    }

    package var text: String? {
        if case .text(let text) = content { text } else { nil }
    }

    /// What a reader of a problem calls it.
    var kind: String {
        switch content {
        case .text: "a value"
        case .list: "a list"
        case .map: "a map"
        }
    }

    /// The document in `source`. JSON is YAML too.
    package static func parse(_ source: String, file: String) throws(ScenarioProblems) -> YAMLValue {
        guard source.utf8.count <= ScenarioBounds.fileBytes else {
            throw ScenarioProblems(file, 1, "", "is larger than \(ScenarioBounds.fileBytes) bytes")
        }
        let node: Node?
        do {
            node = try compose(yaml: source)
        } catch {
            throw problem(error, file: file)
        }
        guard let node else { throw ScenarioProblems(file, 1, "", "holds no document") }
        var budget = ScenarioBounds.values
        return try convert(node, file: file, depth: 0, budget: &budget)
    }

    private static func problem(_ error: any Error, file: String) -> ScenarioProblems {
        guard let error = error as? YamlError else { return ScenarioProblems(file, 1, "", "\(error)") }
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return ScenarioProblems(file, mark.line, "", "is not YAML: \(problem)")
        case .duplicatedKeysInMapping(let keys, let context):
            return ScenarioProblems(file, context.mark.line, keys.joined(separator: ", "), "is there twice")
        case .reader(let problem, _, _, _), .writer(let problem), .emitter(let problem), .representer(let problem):
            return ScenarioProblems(file, 1, "", "is not YAML: \(problem)")
        case .no, .memory, .dataCouldNotBeDecoded:
            return ScenarioProblems(file, 1, "", "cannot be read as YAML")
        }
    }

    /// Aliases share their value, so a small file can unfold into a huge tree: the budget counts what comes of it.
    private static func convert(
        _ node: Node, file: String, depth: Int, budget: inout Int
    ) throws(ScenarioProblems) -> YAMLValue {
        let line = node.mark?.line ?? 0
        budget -= 1
        guard budget >= 0 else {
            throw ScenarioProblems(file, line, "", "holds more than \(ScenarioBounds.values) values")
        }
        guard depth < ScenarioBounds.depth else {
            throw ScenarioProblems(file, line, "", "nests deeper than \(ScenarioBounds.depth) levels")
        }
        switch node {
        case .scalar(let scalar): return YAMLValue(line: line, .text(scalar.string))
        case .sequence(let sequence):
            var items: [YAMLValue] = []
            items.reserveCapacity(sequence.count)
            for item in sequence { items.append(try convert(item, file: file, depth: depth + 1, budget: &budget)) }
            return YAMLValue(line: line, .list(items))
        case .mapping(let mapping):
            var entries: [Entry] = []
            for (key, value) in mapping {
                guard case .scalar(let name) = key else {
                    throw ScenarioProblems(file, key.mark?.line ?? line, "", "has a key that is not a word")
                }
                let value = try convert(value, file: file, depth: depth + 1, budget: &budget)
                entries.append(Entry(key: name.string, line: key.mark?.line ?? line, value: value))
            }
            return YAMLValue(line: line, .map(entries))
        case .alias: throw ScenarioProblems(file, line, "", "holds an alias of nothing")
        }
    }
}
