import Glibc

/// One line of output: a JSON object whose first field says what was measured.
struct Figures {
    private var text: String

    init(_ measure: String) { text = "{\"measure\":\"\(measure)\"" }

    mutating func set(_ name: String, _ value: Int) { text += ",\"\(name)\":\(value)" }

    mutating func set(_ name: String, _ value: UInt64) { text += ",\"\(name)\":\(value)" }

    mutating func set(_ name: String, _ value: String) { text += ",\"\(name)\":\"\(value)\"" }

    /// Rounded to thousandths.
    mutating func set(_ name: String, _ value: Double) {
        let thousandths = Int((value * 1_000).rounded())
        let rest = String(thousandths.magnitude % 1_000)
        let sign = thousandths < 0 ? "-" : ""
        text += ",\"\(name)\":\(sign)\(thousandths.magnitude / 1_000)."
        text += String(repeating: "0", count: 3 - rest.count) + rest
    }

    /// Leaves at once: whoever follows the lines sees each when it is printed.
    func print() {
        Swift.print(text + "}")
        fflush(nil)
    }
}
