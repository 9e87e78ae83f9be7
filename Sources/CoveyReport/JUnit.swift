/// Results as JUnit XML, which every continuous integration shows: a suite a run, a case an assertion. An expected miss
/// and what nobody could judge are `skipped`, with the reason; a surprising pass is a pass that says so.
package enum JUnit {
    package static func document(_ results: [RunResult]) -> String {
        let suites = results.map(suite)
        let cases = results.flatMap(cases)
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        text +=
            "<testsuites name=\"covey-sim\" tests=\"\(cases.count)\" failures=\"\(cases.count { $0.isFailure })\" "
            + "errors=\"\(results.count { $0.stopped != nil })\" time=\"\(time(results.reduce(0) { $0 + $1.cost.cpuSeconds }))\">\n"
        text += suites.joined()
        return text + "</testsuites>\n"
    }

    private struct Case {
        var isFailure = false
        var isSkipped = false
        var element: String
    }

    private static func suite(_ result: RunResult) -> String {
        let cases = cases(result)
        let name = Markup.escaped("\(result.name) seed \(result.seed)")
        var text =
            "  <testsuite name=\"\(name)\" tests=\"\(cases.count)\" failures=\"\(cases.count { $0.isFailure })\" "
            + "errors=\"\(result.stopped == nil ? 0 : 1)\" skipped=\"\(cases.count { $0.isSkipped })\" "
            + "time=\"\(time(result.cost.cpuSeconds))\">\n"
        text += "    <properties>\n"
        for property in properties(result) {
            text +=
                "      <property name=\"\(Markup.escaped(property.name))\" value=\"\(Markup.escaped(property.text))\"/>\n"
        }
        text += "    </properties>\n"
        text += cases.map(\.element).joined()
        return text + "  </testsuite>\n"
    }

    private static func properties(_ result: RunResult) -> [NamedText] {
        var rows = [
            NamedText(name: "seed", text: "\(result.seed)"), NamedText(name: "level", text: result.level.rawValue),
            NamedText(name: "semantics", text: result.semantics.rawValue),
            NamedText(name: "scenario", text: result.scenarioHash), NamedText(name: "digest", text: result.traceDigest),
        ]
        if let kem = result.kem { rows.append(NamedText(name: "kem", text: kem)) }
        if let build = result.build { rows.append(NamedText(name: "build", text: build)) }
        if let replay = result.replay { rows.append(NamedText(name: "replay", text: replay)) }
        return rows + result.options.map { NamedText(name: "option " + $0.name, text: $0.text) }
    }

    private static func cases(_ result: RunResult) -> [Case] {
        var cases = result.assertions.map { element($0, result) }
        if let stopped = result.stopped {
            cases.append(
                Case(
                    element: opening("the run reaches its end", result)
                        + message("error", stopped, detail: result.replay)))
        }
        return cases
    }

    private static func element(_ assertion: AssertionResult, _ result: RunResult) -> Case {
        let opening = opening(assertion.name, result)
        let reason = assertion.because ?? comparison(assertion) ?? "no reason was given"
        switch assertion.verdict {
        case .passed:
            return Case(element: opening.dropping(last: 2) + "/>\n")
        case .failed:
            let detail = [comparison(assertion), place(assertion), result.replay].compactMap { $0 }
            return Case(
                isFailure: true, element: opening + message("failure", reason, detail: detail.joined(separator: "\n")))
        case .expectedMiss:
            return Case(isSkipped: true, element: opening + message("skipped", "expected miss: " + reason))
        case .notJudged:
            return Case(isSkipped: true, element: opening + message("skipped", "not judged: " + reason))
        case .surprisingPass:
            let text = Markup.escaped("passed, although the scenario does not expect it")
            return Case(element: opening + "      <system-out>\(text)</system-out>\n    </testcase>\n")
        }
    }

    /// Up to and with its `>` and line end.
    private static func opening(_ name: String, _ result: RunResult) -> String {
        "    <testcase classname=\"\(Markup.escaped(result.name))\" name=\"\(Markup.escaped(name))\" time=\"0\">\n"
    }

    private static func message(_ tag: String, _ message: String, detail: String? = nil) -> String {
        let text = Markup.escaped(message)
        guard let detail, !detail.isEmpty else { return "      <\(tag) message=\"\(text)\"/>\n    </testcase>\n" }
        return "      <\(tag) message=\"\(text)\">\(Markup.escaped(detail))</\(tag)>\n    </testcase>\n"
    }

    private static func comparison(_ assertion: AssertionResult) -> String? {
        guard let measured = assertion.measured else { return nil }
        guard let wanted = assertion.wanted else { return "measured " + Figure.quantity(measured) }
        return "measured \(Figure.quantity(measured)), wanted \(Figure.wanted(wanted))"
    }

    private static func place(_ assertion: AssertionResult) -> String? {
        assertion.firstViolation.map { violation in
            "first at \(Figure.clock(violation.time))" + (violation.host.map { " on \($0)" } ?? "")
        }
    }

    /// Seconds with milliseconds, without marks for thousands. A result from a file may say anything: what is no time is 0.
    private static func time(_ seconds: Double) -> String {
        let milliseconds = seconds >= 0 && seconds < 1e12 ? UInt64((seconds * 1000).rounded()) : 0
        let fraction = String(milliseconds % 1000)
        return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }
}

extension String {
    fileprivate func dropping(last count: Int) -> String { String(dropLast(count)) }
}
