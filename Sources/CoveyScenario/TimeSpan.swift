/// A length of time, or a moment since the world began: whole microseconds, also negative.
package struct TimeSpan: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    package static func seconds(_ count: Int64) -> TimeSpan { TimeSpan(microseconds: count * 1_000_000) }

    package static func hours(_ count: Int64) -> TimeSpan { .seconds(count * 3600) }

    package static let zero = TimeSpan(microseconds: 0)
    package static let day = TimeSpan.hours(24)

    package var seconds: Double { Double(microseconds) / 1e6 }

    package static func < (left: TimeSpan, right: TimeSpan) -> Bool { left.microseconds < right.microseconds }

    package static func + (left: TimeSpan, right: TimeSpan) -> TimeSpan {
        TimeSpan(microseconds: left.microseconds + right.microseconds)
    }

    package static func - (left: TimeSpan, right: TimeSpan) -> TimeSpan {
        TimeSpan(microseconds: left.microseconds - right.microseconds)
    }

    private static let units: [(name: String, microseconds: Int64)] = [
        ("y", 365 * 86_400_000_000), ("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000),
        ("ms", 1000), ("us", 1),
    ]

    /// `72h`, `8h5m`, `0.5s`, `-50y`, `+3d`. A bare number has no unit and is refused, but for `0`.
    package init?(_ text: String) {
        var rest = text[...]
        var sign: Int64 = 1
        if rest.first == "-" || rest.first == "+" {
            sign = rest.removeFirst() == "-" ? -1 : 1
        }
        if rest == "0" {
            self = .zero
            return
        }
        guard !rest.isEmpty else { return nil }
        var total: Int64 = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(name.count)
            guard let unit = Self.units.first(where: { $0.name == name })?.microseconds else { return nil }
            let part: Int64
            if let whole = Int64(digits) {
                let product = whole.multipliedReportingOverflow(by: unit)
                guard !product.overflow else { return nil }
                part = product.partialValue
            } else {
                guard let number = Double(digits), number * Double(unit) < 0x1p62 else { return nil }
                part = Int64((number * Double(unit)).rounded())
            }
            let sum = total.addingReportingOverflow(part)
            guard !sum.overflow else { return nil }
            total = sum.partialValue
        }
        microseconds = sign * total
    }

    /// With the largest unit that divides it; years only for many of them.
    package var description: String {
        if microseconds == 0 { return "0s" }
        for unit in Self.units where microseconds.isMultiple(of: unit.microseconds) {
            return "\(microseconds / unit.microseconds)\(unit.name)"
        }
        preconditionFailure("every span is a whole number of microseconds")
    }
}
