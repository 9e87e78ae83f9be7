/// A value that every seed draws anew: `timeline.*.churn.fraction: [0.0, 0.1]`.
///
/// The path names keys and positions of the file; `*` stands for every one that has what follows.
package struct SwarmRange: Hashable, Sendable {
    package enum Draw: Hashable, Sendable {
        case between(low: Double, high: Double, unit: String, isWhole: Bool)
        case oneOf([String])
    }

    package var path: String
    package var draw: Draw

    /// `[low, high]`, two numbers of one unit; any other list is one of its items. `{oneOf: […]}` says so.
    static func read(_ path: String, _ item: Item) -> SwarmRange? {
        if case .map = item.value.content {
            return item.map { fields in
                fields.required("oneOf") { words($0) }.map { SwarmRange(path: path, draw: .oneOf($0)) }
            }
        }
        guard let words = words(item) else { return nil }
        if words.count == 2, let low = Numeral.split(words[0]), let high = Numeral.split(words[1]) {
            // Beyond 2^53 not every whole number is one.
            guard low.unit == high.unit, low.number <= high.number, high.number < 0x1p53 else {
                item.problem("is not a range: two numbers of the same unit below 2^53, the lower first")
                return nil
            }
            let isWhole = !words.contains { $0.contains(".") }
            return SwarmRange(
                path: path,
                draw: .between(low: low.number, high: high.number, unit: low.unit, isWhole: isWhole))
        }
        return SwarmRange(path: path, draw: .oneOf(words))
    }

    private static func words(_ item: Item) -> [String]? {
        guard let items = item.list(atMost: 1000), !items.isEmpty else {
            if case .list = item.value.content { item.problem("is empty") }
            return nil
        }
        let words = items.compactMap { $0.word() }
        return words.count == items.count ? words : nil
    }

    var yaml: YAMLValue {
        switch draw {
        case .between(let low, let high, let unit, let isWhole):
            .list([low, high].map { .text((isWhole ? Numeral.text($0) : "\($0)") + unit) })
        case .oneOf(let words): .map([("oneOf", .list(words.map { .text($0) }))])
        }
    }
}
