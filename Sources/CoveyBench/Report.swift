import Glibc

/// One line of output: a JSON object whose first fields say what was measured.
struct Report {
    private var text = "{\"peer\":\"covey\""

    init(_ measure: String) { self["measure"] = measure }

    subscript(name: String) -> String {
        get { preconditionFailure("a report is written, not read") }
        set { text += ",\"\(name)\":\"\(newValue)\"" }
    }

    mutating func set(_ name: String, _ value: Int) { text += ",\"\(name)\":\(value)" }

    /// Rounded to `digits` behind the point.
    mutating func set(_ name: String, _ value: Double, digits: Int) {
        text += ",\"\(name)\":\(Self.decimal(value, digits: digits))"
    }

    /// Leaves at once: whoever follows the lines sees each when it is printed.
    func print() {
        Swift.print(text + "}")
        fflush(nil)
    }

    static func decimal(_ value: Double, digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let rounded = (value.magnitude * scale).rounded()
        let whole = (rounded / scale).rounded(.down)
        let rest = String(Int(rounded - whole * scale))
        let sign = value < 0 ? "-" : ""
        if digits == 0 { return sign + String(Int(whole)) }
        return sign + String(Int(whole)) + "." + String(repeating: "0", count: max(0, digits - rest.count)) + rest
    }
}
