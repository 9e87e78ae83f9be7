import Glibc

/// How far a run has come: one line on a terminal that is written over, nothing where nobody watches.
struct ProgressBar {
    private let label: String
    private let total: Double
    private let isShown: Bool
    private let started: Double
    private var drawn: Double
    private var width = 0

    /// - Parameter total: what `update` counts up to: simulated seconds, or runs.
    init(_ label: String, total: Double, isQuiet: Bool = false) {
        self.label = label
        self.total = total
        isShown = !isQuiet && isatty(STDERR_FILENO) == 1
        started = Self.clock
        drawn = 0
    }

    /// At most ten times a second.
    mutating func update(_ done: Double, _ text: @autoclosure () -> String) {
        guard isShown else { return }
        let now = Self.clock
        guard now - drawn >= 0.1 else { return }
        drawn = now
        draw(Self.line(label: label, done: done, total: total, elapsed: now - started, text: text()))
    }

    mutating func finish() {
        guard isShown, width > 0 else { return }
        draw("")
        write("\r")
        width = 0
    }

    /// `01-split-town [########------------] 42 %  30h of 72h  1800x  left 0:23`
    static func line(label: String, done: Double, total: Double, elapsed: Double, text: String) -> String {
        let share = total > 0 ? min(1, max(0, done / total)) : 1
        let full = Int(share * 20)
        let bar = String(repeating: "#", count: full) + String(repeating: "-", count: 20 - full)
        var line = "\(label) [\(bar)] \(Int(share * 100)) %  \(text)"
        if share > 0, elapsed > 0.5 { line += "  left \(span(elapsed / share - elapsed))" }
        return line
    }

    /// Minutes and seconds, and hours if there are any.
    static func span(_ seconds: Double) -> String {
        let whole = Int(max(0, seconds).rounded())
        let two = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
        let minutes = whole / 60 % 60
        return whole < 3600
            ? "\(minutes):\(two(whole % 60))" : "\(whole / 3600):\(two(minutes)):\(two(whole % 60))"
    }

    private mutating func draw(_ line: String) {
        let blanks = String(repeating: " ", count: max(0, width - line.count))
        write("\r\(line)\(blanks)")
        width = line.count
    }

    private func write(_ text: String) {
        var text = text
        text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    private static var clock: Double {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1_000_000_000
    }
}
