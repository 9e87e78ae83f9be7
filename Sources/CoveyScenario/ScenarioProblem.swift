/// What is wrong with a scenario file, and where.
package struct ScenarioProblem: Error, Hashable, Sendable, CustomStringConvertible {
    package var file: String
    /// From 1.
    package var line: Int
    /// The path of keys to the value: `groups[2].clock.rtc`.
    package var key: String
    package var reason: String

    package init(file: String, line: Int, key: String, reason: String) {
        self.file = file
        self.line = line
        self.key = key
        self.reason = reason
    }

    package var description: String { "\(file):\(line): \(key): \(reason)" }
}
