/// `v{0..11}` stands for twelve names.
///
/// Braces in an item of a list of words make more words: `stops: ["v{0..11}"]`. Braces in the words of a map that is
/// itself an item of a list make more maps, all braces of it counting together: `- {name: "v{0..11}", count: 8}`.
enum Braces {
    struct Range: Equatable {
        var first: Int
        var last: Int
    }

    /// What stands before, in and behind the first pair of braces.
    static func split(_ text: String) -> (before: Substring, range: Range, after: Substring)? {
        guard let open = text.firstIndex(of: "{"), let close = text[open...].firstIndex(of: "}") else { return nil }
        let inside = text[text.index(after: open)..<close]
        guard let dots = inside.firstRange(of: "..") else { return nil }
        guard let first = Int(inside[..<dots.lowerBound]), let last = Int(inside[dots.upperBound...]), first >= 0,
            first <= last, last - first < ScenarioBounds.braces
        else { return nil }
        return (text[..<open], Range(first: first, last: last), text[text.index(after: close)...])
    }

    /// Nil: more than one word may stand for.
    static func names(_ text: String) -> [String]? {
        guard let (before, range, after) = split(text) else { return [text] }
        guard let tails = names(String(after)),
            tails.count * (range.last - range.first + 1) <= ScenarioBounds.braces
        else { return nil }
        return (range.first...range.last).flatMap { number in tails.map { "\(before)\(number)\($0)" } }
    }

    static func expand(_ value: YAMLValue, findings: Findings, path: String) -> YAMLValue {
        // Braces in the items of lists in one another multiply: what they come to is counted as it is made.
        guard findings.valuesLeft > 0 else {
            findings.problem(value.line, path, "braces make more than \(ScenarioBounds.values) values")
            return value
        }
        findings.valuesLeft -= 1
        var result = value
        switch value.content {
        case .text: break
        case .map(let entries):
            result.content = .map(
                entries.map { entry in
                    var entry = entry
                    entry.value = expand(entry.value, findings: findings, path: path.key(entry.key))
                    return entry
                })
        case .list(let items):
            var expanded: [YAMLValue] = []
            for (index, item) in items.enumerated() {
                let here = path.index(index)
                switch item.content {
                case .text(let text):
                    guard let names = names(text) else {
                        findings.problem(item.line, here, "braces make more than \(ScenarioBounds.braces) names")
                        return value
                    }
                    guard names.count <= findings.valuesLeft else {
                        findings.problem(item.line, here, "braces make more than \(ScenarioBounds.values) values")
                        return value
                    }
                    findings.valuesLeft -= names.count
                    expanded += names.map { YAMLValue(line: item.line, .text($0)) }
                case .list: expanded.append(expand(item, findings: findings, path: here))
                case .map: expanded += copies(item, findings: findings, path: here)
                }
            }
            result.content = .list(expanded)
        }
        return result
    }

    private static func copies(_ item: YAMLValue, findings: Findings, path: String) -> [YAMLValue] {
        var ranges: [Range] = []
        collect(item, into: &ranges)
        guard let range = ranges.first else { return [expand(item, findings: findings, path: path)] }
        guard ranges.allSatisfy({ $0 == range }) else {
            findings.problem(item.line, path, "braces of one entry count from the same first to the same last number")
            return [item]
        }
        return (range.first...range.last).map { expand(fill(item, number: $0), findings: findings, path: path) }
    }

    /// Braces in words of this map and of the maps within it, but not in lists: those make items of their own.
    private static func collect(_ value: YAMLValue, into ranges: inout [Range]) {
        switch value.content {
        case .text(let text): if let (_, range, _) = split(text) { ranges.append(range) }
        case .list: break
        case .map(let entries): for entry in entries { collect(entry.value, into: &ranges) }
        }
    }

    private static func fill(_ value: YAMLValue, number: Int) -> YAMLValue {
        var result = value
        switch value.content {
        case .text(let text):
            if let (before, _, after) = split(text) { result.content = .text("\(before)\(number)\(after)") }
        case .list: break
        case .map(let entries):
            result.content = .map(
                entries.map { entry in
                    var entry = entry
                    entry.value = fill(entry.value, number: number)
                    return entry
                })
        }
        return result
    }

    /// The way back: runs of items that differ by one counting number become one item with braces.
    static func fold(_ value: YAMLValue) -> YAMLValue {
        var result = value
        switch value.content {
        case .text: break
        case .map(let entries):
            result.content = .map(
                entries.map { entry in
                    var entry = entry
                    entry.value = fold(entry.value)
                    return entry
                })
        case .list(let items): result.content = .list(runs(items.map(fold)))
        }
        return result
    }

    private static func runs(_ items: [YAMLValue]) -> [YAMLValue] {
        var folded: [YAMLValue] = []
        var index = 0
        while index < items.count {
            let (count, item) = run(items[index...])
            folded.append(item)
            index += count
        }
        return folded
    }

    private static func run(_ items: ArraySlice<YAMLValue>) -> (Int, YAMLValue) {
        let first = items[items.startIndex]
        for number in numbers(first) {
            let template = mark(first, number: number)
            var count = 1
            for item in items.dropFirst() {
                guard fill(template, number: number + count).isSame(as: item) else { break }
                count += 1
            }
            // A pair is clearer written out.
            if count > 2 { return (count, widen(template, last: number + count - 1)) }
        }
        return (1, first)
    }

    private static func numbers(_ value: YAMLValue) -> [Int] {
        switch value.content {
        case .text(let text): tail(text).map { [$0.number] } ?? []
        case .list: []
        case .map(let entries):
            entries.flatMap { numbers($0.value) }.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        }
    }

    /// A word that ends with a number after letters: `farm7`, or `farm7.0`, whose host stays what it is.
    private static func tail(_ text: String) -> (stem: Substring, number: Int, rest: Substring)? {
        let dot = text.firstIndex(of: ".") ?? text.endIndex
        let head = text[..<dot]
        guard let last = head.lastIndex(where: { !($0.isASCII && $0.isNumber) }), head[last].isLetter else {
            return nil
        }
        let digits = head[head.index(after: last)...]
        guard let number = Int(digits), "\(number)" == digits else { return nil }
        return (head[...last], number, text[dot...])
    }

    /// The first step: `farm7` becomes `farm{7..7}` wherever the number is this one.
    private static func mark(_ value: YAMLValue, number: Int) -> YAMLValue {
        value.mappingTexts { text in
            guard let (stem, found, rest) = tail(text), found == number else { return text }
            return "\(stem){\(number)..\(number)}\(rest)"
        }
    }

    private static func widen(_ value: YAMLValue, last: Int) -> YAMLValue {
        value.mappingTexts { text in
            guard let (before, range, after) = split(text) else { return text }
            return "\(before){\(range.first)..\(last)}\(after)"
        }
    }
}

extension YAMLValue {
    /// The same with other texts, those of lists excepted: braces stand in texts and under keys.
    func mappingTexts(_ change: (String) -> String) -> YAMLValue {
        var result = self
        switch content {
        case .text(let text): result.content = .text(change(text))
        case .list: break
        case .map(let entries):
            result.content = .map(
                entries.map { entry in
                    var entry = entry
                    entry.value = entry.value.mappingTexts(change)
                    return entry
                })
        }
        return result
    }

    /// Equal but for the lines.
    func isSame(as other: YAMLValue) -> Bool {
        switch (content, other.content) {
        case (.text(let one), .text(let two)): one == two
        case (.list(let one), .list(let two)):
            one.count == two.count && zip(one, two).allSatisfy { $0.isSame(as: $1) }
        case (.map(let one), .map(let two)):
            one.count == two.count && zip(one, two).allSatisfy { $0.key == $1.key && $0.value.isSame(as: $1.value) }
        case (.text, _), (.list, _), (.map, _): false
        }
    }
}

extension String {
    /// The path of a key below this one.
    func key(_ name: String) -> String { isEmpty ? name : "\(self).\(name)" }

    func index(_ index: Int) -> String { "\(self)[\(index)]" }
}
