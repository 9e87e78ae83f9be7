import CoveyContact

/// What reading a scenario found: problems, and what was taken for something else.
final class Findings {
    let file: String
    private(set) var problems: [ScenarioProblem] = []
    private(set) var notes: [ScenarioProblem] = []
    /// Hosts of each group, for names that point at one.
    var hosts: [String: Int] = [:]
    var links: [String: Int] = [:]
    /// Names of topology entries that a fault may be about.
    var layers: Set<String> = []
    /// Values that braces may still make.
    var valuesLeft = ScenarioBounds.values

    init(file: String) { self.file = file }

    func problem(_ line: Int, _ key: String, _ reason: String) {
        guard problems.count < ScenarioBounds.problems else { return }
        let problem = ScenarioProblem(file: file, line: max(line, 1), key: key, reason: reason)
        if !problems.contains(problem) { problems.append(problem) }
    }

    func note(_ line: Int, _ key: String, _ reason: String) {
        guard notes.count < ScenarioBounds.problems else { return }
        let note = ScenarioProblem(file: file, line: max(line, 1), key: key, reason: reason)
        if !notes.contains(where: { $0.reason == reason }) { notes.append(note) }
    }
}

/// One value of the file on its way to a type. A nil result means that the problem was told.
struct Item {
    let value: YAMLValue
    let path: String
    let findings: Findings

    func problem(_ reason: String) { findings.problem(value.line, path, reason) }

    func note(_ reason: String) { findings.note(value.line, path, reason) }

    func word() -> String? {
        guard let text = value.text else {
            problem("is \(value.kind); a word is expected")
            return nil
        }
        guard !text.isEmpty else {
            problem("is empty")
            return nil
        }
        return text
    }

    /// A word that `make` understands; `example` shows how it is spelled.
    func parsed<T>(_ make: (String) -> T?, _ example: String) -> T? {
        guard let text = word() else { return nil }
        guard let result = make(text) else {
            problem("“\(text)” is not \(example)")
            return nil
        }
        return result
    }

    func name() -> String? {
        guard let text = word() else { return nil }
        guard text.utf8.count <= 64,
            text.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) })
        else {
            problem("“\(text)” is not a name: letters, digits, - and _, at most 64")
            return nil
        }
        return text
    }

    func boolean() -> Bool? {
        parsed({ ["true": true, "false": false, "yes": true, "no": false][$0] }, "true or false")
    }

    func integer(_ range: ClosedRange<Int>) -> Int? {
        guard let number = parsed({ Int($0) }, "a whole number") else { return nil }
        guard range.contains(number) else {
            problem("\(number) is not within \(range.lowerBound) … \(range.upperBound)")
            return nil
        }
        return number
    }

    func number(_ range: ClosedRange<Double>) -> Double? {
        guard let number = parsed({ Double($0) }, "a number") else { return nil }
        guard range.contains(number) else {
            problem("\(number) is not within \(range.lowerBound) … \(range.upperBound)")
            return nil
        }
        return number
    }

    func probability() -> Double? { number(0...1) }

    /// A length of time, not negative.
    func span() -> TimeSpan? {
        guard let span = parsed({ TimeSpan($0) }, "a duration such as 90s, 15m, 72h or 30d") else { return nil }
        guard span >= .zero, span.microseconds <= ScenarioBounds.duration else {
            problem("\(span) is not within 0 … 3650d")
            return nil
        }
        return span
    }

    func bytes() -> ByteCount? { parsed({ ByteCount($0) }, "a size such as 700, 64KB or 50MB") }

    func rate() -> BitRate? { parsed({ BitRate($0) }, "a rate such as 9600bit or 10Mbit") }

    func distance() -> Distance? { parsed({ Distance($0) }, "a distance such as 40m or 5km") }

    /// How far a radio reaches.
    func range() -> Distance? {
        guard let range = distance() else { return nil }
        guard range.metres > 0, range.metres <= Ground.maxSide else {
            problem("\(range) is not within 0 … \(Distance(metres: Ground.maxSide)), or is nothing")
            return nil
        }
        return range
    }

    /// A length of time that is not none.
    func some() -> TimeSpan? {
        guard let span = span() else { return nil }
        guard span > .zero else {
            problem("is no time")
            return nil
        }
        return span
    }

    func choice<T: RawRepresentable & CaseIterable>(_ type: T.Type) -> T? where T.RawValue == String {
        guard let text = word() else { return nil }
        if let result = T(rawValue: text) { return result }
        problem("“\(text)” is not known" + nearest(text, T.allCases.map(\.rawValue)))
        return nil
    }

    func link() -> String? {
        guard let name = name() else { return nil }
        guard findings.links[name] != nil else {
            problem("no link is named “\(name)”" + nearest(name, findings.links.keys.sorted()))
            return nil
        }
        return name
    }

    /// Items of a list, or the one value that stands for a list of one.
    func items() -> [Item] {
        guard case .list(let items) = value.content else { return [self] }
        return items.enumerated().map { Item(value: $1, path: path.index($0), findings: findings) }
    }

    func list(atMost limit: Int) -> [Item]? {
        guard case .list(let items) = value.content else {
            problem("is \(value.kind); a list is expected")
            return nil
        }
        guard items.count <= limit else {
            problem("has \(items.count) entries; \(limit) are the most")
            return nil
        }
        return self.items()
    }

    func fields() -> Fields? {
        guard case .map(let entries) = value.content else {
            problem("is \(value.kind); a map is expected")
            return nil
        }
        return Fields(item: self, entries: entries)
    }

    /// All of a map that `read` makes of its keys; a key nobody asked for is a problem.
    func map<T>(_ read: (inout Fields) -> T?) -> T? {
        guard var fields = fields() else { return nil }
        let result = read(&fields)
        fields.close()
        return result
    }
}

/// The keys of one map, taken one after the other.
struct Fields {
    let item: Item
    let entries: [YAMLValue.Entry]
    private(set) var known: [String] = []

    init(item: Item, entries: [YAMLValue.Entry]) {
        self.item = item
        self.entries = entries
    }

    var findings: Findings { item.findings }

    func has(_ key: String) -> Bool { entries.contains { $0.key == key } }

    /// The value under `key`, if it is there. From now on the key is known.
    mutating func take(_ key: String) -> Item? {
        known.append(key)
        return item(key)
    }

    /// The same, of a key that is known.
    func item(_ key: String) -> Item? {
        guard let entry = entries.first(where: { $0.key == key }) else { return nil }
        return Item(value: entry.value, path: item.path.key(key), findings: findings)
    }

    mutating func optional<T>(_ key: String, _ read: (Item) -> T?) -> T? { take(key).flatMap(read) }

    mutating func required<T>(_ key: String, _ read: (Item) -> T?) -> T? {
        guard let value = take(key) else {
            item.problem("lacks “\(key)”")
            return nil
        }
        return read(value)
    }

    mutating func flag(_ key: String) -> Bool { optional(key) { $0.boolean() } ?? false }

    /// Tells of every key that was not asked for.
    func close() {
        for entry in entries where !known.contains(entry.key) {
            findings.problem(
                entry.line, item.path.key(entry.key), "is not a key here" + nearest(entry.key, known))
        }
    }
}

/// `; is “count” meant?`, or all there are when none is near and they are few.
func nearest(_ word: String, _ known: [String]) -> String {
    let distances = known.map { (distance: editDistance(word, $0), name: $0) }
    let near = distances.min { ($0.distance, $0.name) < ($1.distance, $1.name) }
    if let near, near.distance <= max(1, (word.count + 1) / 3) { return "; is “\(near.name)” meant?" }
    let unique = Set(known).sorted()
    return (1...24).contains(unique.count) ? "; known: \(unique.joined(separator: ", "))" : ""
}

/// Letters to change, add or take away, capitals aside.
func editDistance(_ one: String, _ two: String) -> Int {
    let one = Array(one.lowercased()), two = Array(two.lowercased())
    var row = Array(0...two.count)
    for (i, left) in one.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, right) in two.enumerated() {
            let substituted = diagonal + (left == right ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
        }
    }
    return row[two.count]
}
