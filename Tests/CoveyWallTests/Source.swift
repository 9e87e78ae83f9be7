import CoveyVectors
import Foundation
import Testing

/// One file of ours.
struct Source {
    let room: String
    let path: String
    let lines: [String]

    static func all() throws -> [Source] {
        let root = Shared.packageRoot + "/Sources"
        let files = try #require(FileManager.default.enumerator(atPath: root))
        var sources: [Source] = []
        for case let path as String in files where path.hasSuffix(".swift") {
            let text = try String(contentsOfFile: root + "/" + path, encoding: .utf8)
            sources.append(
                Source(
                    room: String(path.prefix { $0 != "/" }), path: path, lines: text.components(separatedBy: "\n")))
        }
        return sources
    }

    var imports: [String] {
        lines.compactMap { line in
            var words = line.split(separator: " ").map(String.init)
            while let first = words.first, first.hasPrefix("@") || Self.access.contains(first) { words.removeFirst() }
            guard words.first == "import", words.count > 1 else { return nil }
            if Self.kinds.contains(words[1]), words.count > 2 { words.removeFirst() }
            return words[1].split(separator: ".").first.map(String.init)
        }
    }

    private static let access: Set<String> = ["package", "internal", "private", "fileprivate", "public"]
    private static let kinds: Set<String> = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
}
