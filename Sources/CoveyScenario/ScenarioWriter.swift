import CoveyReport

/// Writes a scenario the one way we write them: blocks for what has parts, one line for what fits on one.
package enum ScenarioWriter {
    package static func write(_ scenario: Scenario) -> String {
        guard case .map(let entries) = scenario.yaml(isFolded: true).content else {
            preconditionFailure("a scenario is a map")
        }
        var text = ""
        for entry in entries {
            // Room between the parts; the head stands together.
            if !text.isEmpty, entry.value.text == nil { text += "\n" }
            write(entry, indent: 0, into: &text)
        }
        return text
    }

    private static let width = 110

    private static func write(_ entry: YAMLValue.Entry, indent: Int, into text: inout String) {
        let margin = String(repeating: " ", count: indent)
        // The parts of the file are blocks even when they are short.
        let line = "\(margin)\(word(entry.key)): \(flow(entry.value))"
        switch entry.value.content {
        case .text: text += line + "\n"
        case .list(let items):
            if items.isEmpty || (indent > 0 && line.count <= width) {
                text += line + "\n"
                return
            }
            text += "\(margin)\(word(entry.key)):\n"
            for item in items { write(item: item, indent: indent + 2, into: &text) }
        case .map(let entries):
            if entries.isEmpty || (indent > 0 && line.count <= width) {
                text += line + "\n"
                return
            }
            text += "\(margin)\(word(entry.key)):\n"
            for entry in entries { write(entry, indent: indent + 2, into: &text) }
        }
    }

    private static func write(item: YAMLValue, indent: Int, into text: inout String) {
        let margin = String(repeating: " ", count: indent)
        let line = "\(margin)- \(flow(item))"
        guard line.count > width else {
            text += line + "\n"
            return
        }
        switch item.content {
        case .text: text += line + "\n"
        case .list(let items):
            text += "\(margin)-\n"
            for item in items { write(item: item, indent: indent + 2, into: &text) }
        case .map(let entries):
            var block = ""
            for entry in entries { write(entry, indent: indent + 2, into: &block) }
            text += "\(margin)- \(block.dropFirst(indent + 2))"
        }
    }

    /// On one line.
    static func flow(_ value: YAMLValue) -> String {
        switch value.content {
        case .text(let text): word(text)
        case .list(let items): "[\(items.map(flow).joined(separator: ", "))]"
        case .map(let entries): "{\(entries.map { "\(word($0.key)): \(flow($0.value))" }.joined(separator: ", "))}"
        }
    }

    /// Quoted unless it is plain in every place.
    private static func word(_ text: String) -> String {
        let plain = text.unicodeScalars.allSatisfy { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "-", "_", ".", "/", "+", " ", ";": true
            case ":": true
            default: scalar.value > 0x7f
            }
        }
        let first = text.unicodeScalars.first
        let isSafe =
            plain && first != nil && first != " " && first != "-" && text.last != " " && !text.contains(": ")
            && !text.hasSuffix(":") && !looksSexagesimal(text)
        if isSafe { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// `07:30`, which some readers of YAML take for a number to the base of sixty.
    private static func looksSexagesimal(_ text: String) -> Bool {
        text.contains(":") && text.allSatisfy { $0.isNumber || $0 == ":" }
    }
}

extension Scenario {
    /// Folded, names that count on are written with braces; paths into the file count the entries without them.
    func yaml(isFolded: Bool) -> YAMLValue {
        func some(_ items: [YAMLValue]) -> YAMLValue? {
            items.isEmpty ? nil : isFolded ? Braces.fold(.list(items)) : .list(items)
        }
        let whole: [(String, YAMLValue?)] = [
            ("v", .text(1)), ("name", .text(name)), ("about", about.isEmpty ? nil : .text(about)),
            ("seed", .text(seed)), ("duration", .text(duration)), ("level", level.map { .text($0.rawValue) }),
            ("officers", officers.map { .text($0) }),
            ("groups", some(groups.map(\.yaml))), ("links", .map(links.map { ($0.name, $0.yaml) })),
            ("topology", some(topology.map(\.yaml)) ?? .list([])), ("timeline", some(timeline.map(\.yaml))),
            ("traffic", some(traffic.map(\.yaml))), ("assert", some(claims.map(\.yaml))),
            (
                "report",
                report == ReportOptions()
                    ? nil : .map([("sampleEvery", .text(report.sampleEvery)), ("animate", .text(report.animate))])
            ), ("swarm", swarm.isEmpty ? nil : .map(swarm.map { ($0.path, $0.yaml) })),
        ]
        return .map(whole)
    }
}
