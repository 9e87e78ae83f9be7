import TOMLKit

/// A TOML file as rows of settings, each with the line it stands on.
struct ConfigurationFile {
    struct Row {
        /// With its section, as in `discovery.port`.
        let key: String
        let line: Int
        let isList: Bool
        /// Nil when a value is of a kind that no setting has.
        let values: [String]?
    }

    let name: String
    /// In the order of lines.
    let rows: [Row]

    /// - Throws: a `Complaint` with the line when the text is not TOML.
    init(_ text: String, name: String) throws {
        self.name = name
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw Complaint(.usage, "\(name), line \(error.source.begin.line): \(error.description)")
        }
        var rows: [Row] = []
        func append(_ value: any TOMLValueConvertible, _ key: String, section: String) {
            let line = Self.line(of: key, section: section, in: text)
            rows.append(
                Row(
                    key: section.isEmpty ? key : section + "." + key, line: line, isList: value.array != nil,
                    values: Self.texts(value)))
        }
        for key in table.keys {
            guard let value = table[key] else { continue }
            guard let section = value.table else {
                append(value, key, section: "")
                continue
            }
            for inner in section.keys {
                if let innerValue = section[inner] { append(innerValue, inner, section: key) }
            }
        }
        self.rows = rows.sorted { ($0.line, $0.key) < ($1.line, $1.key) }
    }

    private static func texts(_ value: any TOMLValueConvertible) -> [String]? {
        if let text = value.string { return [text] }
        if let number = value.int { return [String(number)] }
        if let truth = value.bool { return [String(truth)] }
        guard let array = value.array else { return nil }
        var texts: [String] = []
        for element in array {
            guard let text = element.string else { return nil }
            texts.append(text)
        }
        return texts
    }

    /// TOMLKit does not tell where a key stands, so the text is asked.
    private static func line(of key: String, section: String, in text: String) -> Int {
        var current = ""
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let trimmed = line.drop { $0 == " " || $0 == "\t" }
            if trimmed.hasPrefix("[") {
                current = String(trimmed.dropFirst().prefix { $0 != "]" })
                continue
            }
            let name = String(trimmed.prefix { $0 != "=" && $0 != " " && $0 != "\t" })
            let path = current.isEmpty ? name : current + "." + name
            if path == (section.isEmpty ? key : section + "." + key) { return number + 1 }
            // An inline table: `log = { level = "info" }`.
            if !section.isEmpty, path == section, line.contains(key) { return number + 1 }
        }
        return 1
    }
}
