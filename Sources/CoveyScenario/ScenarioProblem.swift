/// What is wrong with a scenario file, and where.
package struct ScenarioProblem: Error, Hashable, Sendable, CustomStringConvertible {
    package var file: String
    /// From 1.
    package var line: Int
    /// The path of keys to the value: `groups[2].clock.rtc`. Empty: the file itself.
    package var key: String
    package var reason: String

    package init(file: String, line: Int, key: String, reason: String) {
        self.file = file
        self.line = line
        self.key = key
        self.reason = reason
    }

    package var description: String {
        key.isEmpty ? "\(file):\(line): \(reason)" : "\(file):\(line): \(key): \(reason)"
    }
}

/// All that is wrong with a scenario file, by line.
package struct ScenarioProblems: Error, Sendable, CustomStringConvertible {
    package var all: [ScenarioProblem]

    package init(_ all: [ScenarioProblem]) { self.all = all }

    init(_ file: String, _ line: Int, _ key: String, _ reason: String) {
        all = [ScenarioProblem(file: file, line: max(line, 1), key: key, reason: reason)]
    }

    package var description: String { all.map(\.description).joined(separator: "\n") }
}
