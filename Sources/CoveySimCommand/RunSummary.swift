import CoveyReport

/// What one run found, for people.
struct RunSummary {
    var result: RunResult

    var text: String {
        var lines = [head]
        for option in result.options { lines.append("  \(option.name) = \(option.text)") }
        if let stopped = result.stopped { lines.append("stopped: \(stopped)") }
        lines.append("")
        lines.append(delivery)
        if !result.assertions.isEmpty {
            lines.append(contentsOf: result.assertions.map(Self.line))
            lines.append("")
        }
        if !result.measures.isEmpty {
            lines += measures
            lines.append("")
        }
        lines += result.notes.map { "note: \($0)" }
        lines.append("digest \(result.traceDigest)")
        lines.append("processor \(Figure.seconds(result.cost.cpuSeconds))")
        if let replay = result.replay { lines.append("replay: \(replay)") }
        return lines.joined(separator: "\n")
    }

    private var head: String {
        let level =
            result.semantics == .own ? result.level.rawValue : "\(result.level.rawValue), \(result.semantics.rawValue)"
        return "\(result.name)  seed \(result.seed)  level \(level)  \(result.hosts) hosts  "
            + "\(Figure.seconds(result.simulatedSeconds)) simulated"
    }

    private var delivery: String {
        let head = ["class", "written", "delivered", "oracle", "of oracle", "half in", "95 % in", "oracle half in"]
        let rows = result.delivery.map { row in
            [
                row.name, "\(row.created)", "\(row.delivered)", "\(row.reachable)",
                row.shareOfOracle.map(Figure.percent) ?? "–", row.delays.map { Figure.seconds($0.p50) } ?? "–",
                row.delays.map { Figure.seconds($0.p95) } ?? "–",
                row.oracleDelays.map { Figure.seconds($0.p50) } ?? "–",
            ]
        }
        return TextTable.aligned([head] + rows, leading: [0])
    }

    private static let mostMeasures = 24

    /// What was measured besides, as the times in which revocations spread; the result file has all of it.
    private var measures: [String] {
        let shown = result.measures.prefix(Self.mostMeasures).map { "\($0.name): \(Figure.quantity($0.quantity))" }
        let rest = result.measures.count - shown.count
        return shown + (rest > 0 ? ["and \(rest) more measures in the result file"] : [])
    }

    /// `✗ deliveryVsOracle normal: 91.0 %, wanted ≥ 95.0 %, first at 01:30:00 on north.3: …`
    static func line(_ assertion: AssertionResult) -> String {
        let mark =
            switch assertion.verdict {
            case .passed: "✓"
            case .failed: "✗"
            case .expectedMiss: "~ known miss:"
            case .surprisingPass: "! surprise:"
            case .notJudged: "? not judged:"
            }
        var line = "\(mark) \(assertion.name)"
        var parts: [String] = []
        if let measured = assertion.measured { parts.append(Figure.quantity(measured)) }
        if let wanted = assertion.wanted { parts.append("wanted \(Figure.wanted(wanted))") }
        if let first = assertion.firstViolation {
            parts.append("first at \(Figure.clock(first.time))" + (first.host.map { " on \($0)" } ?? ""))
        }
        if !parts.isEmpty { line += ": " + parts.joined(separator: ", ") }
        if let because = assertion.because { line += ": \(because)" }
        return line
    }
}

extension RunResult {
    /// All held, and nothing that was not expected to.
    var isAsExpected: Bool { succeeded && !assertions.contains { $0.verdict == .surprisingPass } }
}
