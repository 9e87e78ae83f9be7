import CoveyContact

/// Bytes: `50MB`, `64KiB`, `700`.
package struct ByteCount: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var bytes: Int

    package init(_ bytes: Int) { self.bytes = bytes }

    private static let units: [(name: String, bytes: Int)] = [
        ("GiB", 1 << 30), ("GB", 1_000_000_000), ("MiB", 1 << 20), ("MB", 1_000_000), ("KiB", 1 << 10), ("KB", 1000),
        ("kB", 1000), ("B", 1),
    ]

    package init?(_ text: String) {
        guard let (number, unit) = Numeral.split(text) else { return nil }
        guard let factor = unit.isEmpty ? 1 : Self.units.first(where: { $0.name == unit })?.bytes else { return nil }
        let product = number * Double(factor)
        guard product >= 0, product < 0x1p53 else { return nil }
        bytes = Int(product.rounded())
    }

    package static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }

    package var description: String {
        for unit in Self.units where bytes > 0 && bytes.isMultiple(of: unit.bytes) && unit.bytes > 1 {
            return "\(bytes / unit.bytes)\(unit.name)"
        }
        return "\(bytes)B"
    }
}

/// Bits a second: `10Mbit`, `9600bit`.
package struct BitRate: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var bitsPerSecond: Int

    package init(_ bitsPerSecond: Int) { self.bitsPerSecond = bitsPerSecond }

    private static let units: [(name: String, bits: Int)] = [
        ("Gbit", 1_000_000_000), ("Mbit", 1_000_000), ("kbit", 1000), ("bit", 1),
    ]

    package init?(_ text: String) {
        guard let (number, unit) = Numeral.split(text),
            let factor = Self.units.first(where: { $0.name == unit || $0.name + "/s" == unit })?.bits
        else { return nil }
        let product = number * Double(factor)
        guard product >= 1, product < 0x1p50 else { return nil }
        bitsPerSecond = Int(product.rounded())
    }

    package static func < (left: BitRate, right: BitRate) -> Bool { left.bitsPerSecond < right.bitsPerSecond }

    /// `9600bit`, not `9.6kbit`; `64kbit`, `10Mbit`.
    package var description: String {
        for unit in Self.units where bitsPerSecond.isMultiple(of: unit.bits) {
            return "\(bitsPerSecond / unit.bits)\(unit.name)"
        }
        preconditionFailure("every rate is a whole number of bits")
    }
}

/// Metres: `1200m`, `5km`.
package struct Distance: Hashable, Sendable, CustomStringConvertible {
    package var metres: Double

    package init(metres: Double) { self.metres = metres }

    package init?(_ text: String) {
        guard let (number, unit) = Numeral.split(text), number >= 0, number < 1e9 else { return nil }
        switch unit {
        case "m": metres = number
        case "km": metres = number * 1000
        default: return nil
        }
    }

    package var description: String {
        let kilometres = metres / 1000
        return kilometres >= 1 && kilometres == kilometres.rounded()
            ? "\(Numeral.text(kilometres))km" : "\(Numeral.text(metres))m"
    }
}

/// A rectangle: `1200m x 800m`.
package struct Area: Hashable, Sendable, CustomStringConvertible {
    package var width: Distance
    package var height: Distance

    package init(width: Distance, height: Distance) {
        self.width = width
        self.height = height
    }

    package init?(_ text: String) {
        let sides = text.split(separator: "x").map { String($0.filter { $0 != " " }) }
        guard sides.count == 2, let width = Distance(sides[0]), let height = Distance(sides[1]), width.metres > 0,
            height.metres > 0, width.metres <= Ground.maxSide, height.metres <= Ground.maxSide
        else { return nil }
        self.width = width
        self.height = height
    }

    package var description: String { "\(width) x \(height)" }
}

/// Metres a second, from the slowest to the fastest: `0.5-1.5mps`, `6mps`.
package struct SpeedRange: Hashable, Sendable, CustomStringConvertible {
    /// Metres a second: a way round the earth ends some time.
    private static let least = 0.001
    private static let most = 10_000.0

    package var slowest: Double
    package var fastest: Double

    package init(slowest: Double, fastest: Double) {
        self.slowest = slowest
        self.fastest = fastest
    }

    package init?(_ text: String) {
        guard text.hasSuffix("mps") else { return nil }
        let ends = text.dropLast(3).split(separator: "-", omittingEmptySubsequences: false).map { Double($0) }
        guard (1...2).contains(ends.count), let slowest = ends[0], let fastest = ends[ends.count - 1],
            slowest >= Self.least, slowest <= fastest, fastest <= Self.most
        else { return nil }
        self.slowest = slowest
        self.fastest = fastest
    }

    package var description: String {
        slowest == fastest
            ? "\(Numeral.text(slowest))mps" : "\(Numeral.text(slowest))-\(Numeral.text(fastest))mps"
    }
}

/// How often something happens: `3/h`, `15/day/node`.
package struct Frequency: Hashable, Sendable, CustomStringConvertible {
    package enum Period: String, CaseIterable, Sendable {
        case second = "s"
        case minute = "min"
        case hour = "h"
        case day

        var microseconds: Double {
            switch self {
            case .second: 1e6
            case .minute: 60e6
            case .hour: 3600e6
            case .day: 86_400e6
            }
        }
    }

    package var count: Double
    package var per: Period
    /// Each node by itself, not all of them together.
    package var isPerNode: Bool

    package init(count: Double, per: Period, isPerNode: Bool = false) {
        self.count = count
        self.per = per
        self.isPerNode = isPerNode
    }

    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), let count = Double(parts[0]), count > 0, count < 1e9,
            let per = Period(rawValue: parts[1] == "d" ? "day" : String(parts[1])),
            parts.count == 2 || parts[2] == "node"
        else { return nil }
        self.init(count: count, per: per, isPerNode: parts.count == 3)
    }

    package var microsecondsBetween: Double { per.microseconds / count }

    package var description: String { "\(Numeral.text(count))/\(per.rawValue)\(isPerNode ? "/node" : "")" }
}

/// Hours of the day in which something goes on: `06-20`, `07:30-17:30`.
package struct HoursOfDay: Hashable, Sendable, CustomStringConvertible {
    package var from: ClockTime
    package var to: ClockTime

    package init?(_ text: String) {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { ClockTime(String($0)) }
        guard ends.count == 2, let from = ends[0], let to = ends[1], from.minutes < to.minutes else { return nil }
        self.from = from
        self.to = to
    }

    package var description: String {
        let short = from.minutes.isMultiple(of: 60) && to.minutes.isMultiple(of: 60)
        return short ? "\(from.hour)-\(to.hour)" : "\(from)-\(to)"
    }
}

/// A time of day: `07:30`, `6`, `24:00`.
package struct ClockTime: Hashable, Sendable, CustomStringConvertible {
    /// Since midnight, at most 1440.
    package var minutes: Int

    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(parts.count), let hour = parts[0], let minute = parts.count == 2 ? parts[1] : 0,
            (0..<60).contains(minute), (0...24).contains(hour), hour * 60 + minute <= 1440
        else { return nil }
        minutes = hour * 60 + minute
    }

    package var span: TimeSpan { .seconds(Int64(minutes) * 60) }

    fileprivate var hour: String { Numeral.twoDigits(minutes / 60) }

    package var description: String { "\(hour):\(Numeral.twoDigits(minutes % 60))" }
}

enum Numeral {
    /// `9600bit` is 9600 and `bit`.
    static func split(_ text: String) -> (number: Double, unit: String)? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let number = Double(digits) else { return nil }
        return (number, String(text.dropFirst(digits.count)))
    }

    /// Without a point where there is nothing behind it.
    static func text(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? "\(Int64(number))" : "\(number)"
    }

    static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
