/// Numbers as people read them.
package enum Figure {
    /// Three significant digits where that says something: `0.42`, `3.14`, `27.5`, `1,204`.
    package static func decimal(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        let size = abs(value)
        return fixed(value, places: size < 10 ? 2 : size < 100 ? 1 : 0)
    }

    /// A share, 0...1.
    package static func percent(_ share: Double) -> String {
        guard share.isFinite else { return "–" }
        // 99.96 % is not all of them.
        let places = share > 0.99 && share < 1 ? 2 : 1
        return fixed(share * 100, places: places) + " %"
    }

    package static func seconds(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        switch abs(value) {
        case 0: return "0 s"
        case ..<0.001: return fixed(value * 1e6, places: 0) + " µs"
        case ..<1: return fixed(value * 1e3, places: value < 0.01 ? 1 : 0) + " ms"
        case ..<120: return fixed(value, places: value < 10 ? 2 : 1) + " s"
        case ..<7200: return fixed(value / 60, places: 1) + " min"
        case ..<172_800: return fixed(value / 3600, places: 1) + " h"
        default: return fixed(value / 86_400, places: 1) + " d"
        }
    }

    package static func bytes(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        switch abs(value) {
        case ..<1000: return fixed(value, places: value == value.rounded() ? 0 : 1) + " B"
        case ..<1e6: return fixed(value / 1e3, places: 1) + " kB"
        case ..<1e9: return fixed(value / 1e6, places: 1) + " MB"
        default: return fixed(value / 1e9, places: 2) + " GB"
        }
    }

    package static func count(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        return fixed(value, places: value == value.rounded() ? 0 : 2)
    }

    package static func quantity(_ quantity: Quantity) -> String {
        switch quantity.unit {
        case .share: percent(quantity.value)
        case .seconds: seconds(quantity.value)
        case .bytes: bytes(quantity.value)
        case .bytesPerSecond: bytes(quantity.value) + "/s"
        case .count: count(quantity.value)
        case .ratio: decimal(quantity.value) + " ×"
        case .joules: decimal(quantity.value) + " J"
        }
    }

    package static func wanted(_ wanted: Wanted) -> String {
        let sign =
            switch wanted.relation {
            case .atLeast: "≥ "
            case .atMost: "≤ "
            case .exactly: "= "
            }
        return sign + quantity(wanted.quantity)
    }

    /// A time of the simulated world, from microseconds: `01:30:00`, `2 d 03:15:00`.
    package static func clock(_ microseconds: UInt64) -> String {
        let seconds = microseconds / 1_000_000
        func two(_ value: UInt64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let clock = "\(two(seconds / 3600 % 24)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
        return seconds < 86_400 ? clock : "\(seconds / 86_400) d \(clock)"
    }

    /// Rounded half away from zero, thousands set apart by commas.
    static func fixed(_ value: Double, places: Int) -> String {
        guard abs(value) < 1e15 else { return "\(value)" }
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let scaled = UInt64((abs(value) * scale).rounded())
        let unit = UInt64(scale)
        var digits = String(scaled / unit)
        var grouped = ""
        while digits.count > 3 {
            grouped = "," + digits.suffix(3) + grouped
            digits.removeLast(3)
        }
        var text = (value < 0 && scaled > 0 ? "−" : "") + digits + grouped
        if places > 0 {
            let fraction = String(scaled % unit)
            text += "." + String(repeating: "0", count: places - fraction.count) + fraction
        }
        return text
    }
}

/// Rows of cells under one another.
package enum TextTable {
    /// Cells of the columns in `leading` begin at the column, all others end there.
    package static func aligned(_ rows: [[String]], leading: Set<Int>) -> String {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(0) }
                widths[column] = max(widths[column], cell.count)
            }
        }
        var text = ""
        for row in rows {
            var line = ""
            for (column, cell) in row.enumerated() {
                let gap = String(repeating: " ", count: widths[column] - cell.count)
                line += (column == 0 ? "" : "  ") + (leading.contains(column) ? cell + gap : gap + cell)
            }
            while line.last == " " { line.removeLast() }
            text += line + "\n"
        }
        return text
    }
}
