/// One run as one self-contained HTML file: it asks nothing of any network and opens from a disk. Figures and verdicts
/// are in the document itself; pictures are drawn by its script from the recording that stands beside them as data.
package enum ReportPage {
    /// - Parameter recording: without one the page has figures and verdicts only.
    package static func html(_ result: RunResult, _ recording: Recording?) throws -> String {
        let title = Markup.escaped("\(result.name) · seed \(result.seed)")
        var page = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="generator" content="covey-sim">
            <title>\(title)</title>
            <style>
            \(PageStyle.text)
            </style>
            </head>
            <body>

            """
        page += header(result)
        page += "<main>\n"
        page += assertions(result, linked: recording != nil)
        if let recording { page += pictures(recording) }
        page += figures(result)
        page += "</main>\n"
        page += footer(result)
        page += "<script type=\"application/json\" id=\"data\">\(try data(result, recording))</script>\n"
        page += "<script>\n\(PageScript.text)\n</script>\n</body>\n</html>\n"
        return page
    }

    private struct Data: Encodable {
        struct Assertion: Encodable {
            var name: String
            var verdict: Verdict
            var firstViolation: Violation?
        }
        struct Result: Encodable { var assertions: [Assertion] }
        var result: Result
        var recording: Recording?
        /// Places for hosts that have none.
        var layout: [Float]?
    }

    private static func data(_ result: RunResult, _ recording: Recording?) throws -> String {
        let assertions = result.assertions.map {
            Data.Assertion(name: $0.name, verdict: $0.verdict, firstViolation: $0.firstViolation)
        }
        let layout = recording.flatMap { $0.positions.isEmpty ? HostLayout($0).places : nil }
        return Markup.inScript(
            try ResultFile.encoded(
                Data(result: Data.Result(assertions: assertions), recording: recording, layout: layout)))
    }

    // MARK: The top

    private static func header(_ result: RunResult) -> String {
        let verdict: (name: String, mark: String, word: String) =
            result.stopped != nil
            ? ("failed", "✕", "Ended early") : result.succeeded ? ("passed", "✓", "Passed") : ("failed", "✕", "Failed")
        var facts = ["seed \(result.seed)", "\(result.level.rawValue) level"]
        if result.semantics == .theONE { facts.append("semantics of The ONE") }
        if let kem = result.kem { facts.append("KEM \(kem)") }
        facts.append("\(Figure.count(Double(result.hosts))) hosts")
        facts.append("\(Figure.seconds(result.simulatedSeconds)) simulated")
        var html = """
            <header class="top">
            <div class="title"><h1>\(Markup.escaped(result.name))</h1>
            <span class="verdict pill \(verdict.name)" data-mark="\(verdict.mark)">\(verdict.word)</span>
            <button type="button" id="theme" aria-label="Switch between light and dark" title="Light or dark">◐</button></div>

            """
        html += "<p class=\"facts\">" + facts.map { "<span>\(Markup.escaped($0))</span>" }.joined() + "</p>\n"
        if let about = result.about { html += "<p class=\"facts\">\(Markup.escaped(about))</p>\n" }
        if let stopped = result.stopped {
            html += "<p class=\"verdict failed\" data-mark=\"✕\">It ended early: \(Markup.escaped(stopped))</p>\n"
        }
        return html + tiles(result) + "</header>\n"
    }

    private static func tiles(_ result: RunResult) -> String {
        var tiles: [(name: String, figure: String, beside: String)] = []
        if let all = result.delivery.first(where: { $0.name == "all" }) {
            tiles.append(
                (
                    "Delivered, of oracle", all.shareOfOracle.map(Figure.percent) ?? "–",
                    "\(count(all.delivered)) of \(count(all.created)), oracle \(count(all.reachable))"
                ))
            if let delays = all.delays {
                let oracle = all.oracleDelays
                tiles.append(
                    (
                        "Median delay", Figure.seconds(delays.p50),
                        oracle.map { "oracle " + Figure.seconds($0.p50) } ?? ""
                    ))
                tiles.append(
                    (
                        "95th percentile", Figure.seconds(delays.p95),
                        oracle.map { "oracle " + Figure.seconds($0.p95) } ?? ""
                    ))
            }
        }
        if let overhead = result.overhead {
            tiles.append(("Overhead", Figure.decimal(overhead), "further copies a delivery"))
        }
        let bytes = result.bytesByFrame.reduce(0) { $0 + Double($1.bytes) }
        if bytes > 0 {
            let rate = result.simulatedSeconds > 0 ? bytes / Double(max(1, result.hosts)) / result.simulatedSeconds : 0
            tiles.append(("Traffic", Figure.bytes(bytes), Figure.bytes(rate) + "/s a host"))
        }
        let speed = result.cost.cpuSeconds > 0 ? result.simulatedSeconds / result.cost.cpuSeconds : 0
        tiles.append(
            ("CPU", Figure.seconds(result.cost.cpuSeconds), speed > 0 ? "\(Figure.decimal(speed)) × real time" : ""))
        return "<dl class=\"tiles\">\n"
            + tiles.map { tile in
                "<div class=\"tile\"><dt>\(tile.name)</dt><dd>\(tile.figure)<small>\(tile.beside)</small></dd></div>\n"
            }.joined() + "</dl>\n"
    }

    // MARK: Assertions

    /// What must be looked at first, then in the scenario's order.
    private static func urgency(_ verdict: Verdict) -> Int {
        switch verdict {
        case .failed: 0
        case .surprisingPass: 1
        case .expectedMiss: 2
        case .notJudged: 3
        case .passed: 4
        }
    }

    private static func words(_ verdict: Verdict) -> (mark: String, word: String) {
        switch verdict {
        case .passed: ("✓", "passed")
        case .failed: ("✕", "failed")
        case .expectedMiss: ("○", "expected miss")
        case .surprisingPass: ("★", "surprising pass")
        case .notJudged: ("–", "not judged")
        }
    }

    private static func assertions(_ result: RunResult, linked: Bool) -> String {
        guard !result.assertions.isEmpty else { return "" }
        let counts = [Verdict.failed, .surprisingPass, .expectedMiss, .notJudged, .passed].compactMap { verdict in
            let count = result.assertions.count { $0.verdict == verdict }
            return count > 0 ? "\(count) \(words(verdict).word)" : nil
        }
        var html = """
            <section aria-labelledby="assertions"><h2 id="assertions">Assertions</h2>
            <p class="lede">\(counts.joined(separator: ", ")).</p>
            <div class="scroll"><table class="cards"><thead><tr><th>Verdict</th><th>Assertion</th><th class="n">Measured</th>\
            <th class="n">Wanted</th><th>First violation</th><th>Because</th></tr></thead><tbody>

            """
        let sorted = result.assertions.enumerated().sorted {
            (urgency($0.element.verdict), $0.offset) < (urgency($1.element.verdict), $1.offset)
        }
        for (_, assertion) in sorted {
            let verdict = words(assertion.verdict)
            html += "<tr><td><span class=\"verdict \(assertion.verdict.rawValue)\" data-mark=\"\(verdict.mark)\">"
            html += "\(verdict.word)</span></td><td class=\"name\">\(Markup.escaped(assertion.name))</td>"
            html += cell(assertion.measured.map(Figure.quantity), label: "measured")
            html += cell(assertion.wanted.map(Figure.wanted), label: "wanted")
            html +=
                "<td data-label=\"first violation\">\(assertion.firstViolation.map { place($0, linked: linked) } ?? "")</td>"
            html += "<td class=\"because\">\(Markup.escaped(assertion.because ?? ""))</td></tr>\n"
        }
        return html + "</tbody></table></div></section>\n"
    }

    private static func cell(_ text: String?, label: String) -> String {
        "<td class=\"n\" data-label=\"\(label)\">\(Markup.escaped(text ?? ""))</td>"
    }

    private static func place(_ violation: Violation, linked: Bool) -> String {
        let text = Markup.escaped(Figure.clock(violation.time) + (violation.host.map { " · " + $0 } ?? ""))
        guard linked else { return text }
        let seconds = Double(violation.time) / 1e6
        let host = violation.host.map { "&n=" + percentEncoded($0) } ?? ""
        return "<a href=\"\(Markup.escaped("#t=\(seconds)\(host)"))\">\(text)</a>"
    }

    private static func percentEncoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return text.utf8.reduce(into: "") { encoded, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default: encoded += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
    }

    // MARK: Pictures

    /// The places the script draws in.
    private static func pictures(_ recording: Recording) -> String {
        """
        <section id="world" aria-labelledby="over-time"><h2 id="over-time">Over time</h2>
        <p class="lede">Everything below shares one clock. Drag on any picture to move it; the space bar plays, the arrow keys \
        step.</p>
        <div class="player">
        <button type="button" id="play">Play</button>
        <output id="now" for="slider">00:00:00</output>
        <input type="range" id="slider" min="0" max="10000" step="1" value="0" aria-label="Time">
        <label><span class="hidden">Speed</span><select id="speed" title="Speed"></select></label>
        </div>
        <figure><div class="row">
        <label>Colour by <select id="colour"><option value="component">who reaches whom</option>\
        <option value="group">group</option></select></label>
        <label>Host <input type="search" id="host" list="host-names" autocomplete="off" size="12"></label>
        <datalist id="host-names"></datalist>
        <span class="note" id="topology-note" role="status" aria-live="off"></span></div>
        <div class="plot stage" id="stage"><canvas id="topology" role="img" \
        aria-label="The \(recording.hosts.count) hosts and their contacts at the chosen time"></canvas></div>
        <ul class="legend" id="topology-legend"></ul><p class="note" id="places"></p></figure>
        <figure><figcaption><h3>What happened</h3><p class="note" id="lanes-note"></p></figcaption>
        <div class="plot" id="lanes"></div></figure>
        <figure><figcaption><h3>Bytes sent, by frame type</h3></figcaption>
        <div class="plot" id="bytes"></div><ul class="legend" id="bytes-legend"></ul></figure>
        <figure><figcaption><h3>Buffers</h3><span class="note">0 %</span><span class="ramp" aria-hidden="true"></span>\
        <span class="note">100 % in use</span><p class="note" id="heat-note"></p></figcaption>
        <div class="plot" id="heat"></div></figure>
        </section>
        <section aria-labelledby="delivered"><h2 id="delivered">Delivery</h2>
        <p class="lede">The share of all messages that had arrived, by time since they were written.</p>
        <div class="row"><label>Class <select id="curve-class"></select></label>
        <label><input type="checkbox" id="curve-log"> logarithmic</label></div>
        <div class="plot" id="curve"></div><ul class="legend" id="curve-legend"></ul></section>
        <section aria-labelledby="one-message"><h2 id="one-message">One message</h2>
        <p class="lede">A line is a host from when it has the message on; an arrow is the copy that brought it.</p>
        <div class="row"><button type="button" id="path-back" aria-label="Previous message">‹</button>\
        <button type="button" id="path-on" aria-label="Next message">›</button>
        <label class="grow"><span class="hidden">Message</span><select id="path-choice"></select></label>
        <label><input type="checkbox" id="path-only"> only the way to the recipient</label></div>
        <div class="plot" id="path"></div><ul class="legend" id="path-legend"></ul>
        <ol class="steps" id="path-steps"></ol><p class="note" id="path-note"></p></section>

        """
    }

    // MARK: Figures

    private static func figures(_ result: RunResult) -> String {
        var tables: [String] = []
        func table(_ title: String, _ head: [String], _ rows: [[String]]) {
            guard !rows.isEmpty else { return }
            func row(_ tag: String, _ cells: [String]) -> String {
                "<tr>"
                    + cells.enumerated().map { column, text in
                        "<\(tag)\(column > 0 ? " class=\"n\"" : "")>\(Markup.escaped(text))</\(tag)>"
                    }.joined() + "</tr>"
            }
            tables.append(
                "<div\(head.count > 5 ? " class=\"wide\"" : "")><h3>\(title)</h3><div class=\"scroll\"><table><thead>\(row("th", head))</thead><tbody>"
                    + rows.map { row("td", $0) }.joined(separator: "\n") + "</tbody></table></div></div>\n")
        }
        table(
            "Delivery by class", ["class", "created", "delivered", "oracle", "p50", "p95", "max"],
            result.delivery.map { row in
                [
                    row.name, count(row.created), count(row.delivered), count(row.reachable),
                    row.delays.map { Figure.seconds($0.p50) } ?? "–", row.delays.map { Figure.seconds($0.p95) } ?? "–",
                    row.delays.map { Figure.seconds($0.maximum) } ?? "–",
                ]
            })
        let counters = result.counters
        table(
            "Messages and copies", ["", "count"],
            [
                ("created", counters.created), ("started", counters.started), ("relayed", counters.relayed),
                ("aborted", counters.aborted), ("dropped", counters.dropped), ("removed", counters.removed),
                ("delivered", counters.delivered), ("expired", counters.expired),
            ].map { [$0.0, count($0.1)] })
        table("Frames", ["type", "frames", "bytes"], tallies(result.bytesByFrame))
        table("Links", ["kind", "frames", "bytes"], tallies(result.bytesByLink))
        table(
            "Fullest buffers", ["class", "bytes", "of quota", "host", "at"],
            result.bufferMaxima.map { row in
                let share = row.quota.map { $0 > 0 ? Figure.percent(Double(row.bytes) / Double($0)) : "–" }
                return [
                    row.name, Figure.bytes(Double(row.bytes)), share ?? "no quota", row.host, Figure.clock(row.time),
                ]
            })
        table(
            "Kept once for all hosts", ["", "distinct", "reused", "bytes saved"],
            result.interning.map { row in
                [
                    row.name, Figure.count(Double(row.kept)), Figure.count(Double(row.reused)),
                    row.bytesSaved.map { Figure.bytes(Double($0)) } ?? "–",
                ]
            })
        var measures = result.fairness.map { ["fairness of " + $0.name, Figure.fixed($0.jain, places: 3)] }
        if let spent = result.reconciliation {
            let each = spent.differences > 0 ? Figure.bytes(Double(spent.bytes) / Double(spent.differences)) : "–"
            measures.append(["reconciliation, a difference", each])
            measures.append(["reconciliation, in all", Figure.bytes(Double(spent.bytes))])
        }
        measures += result.measures.map { [$0.name, Figure.quantity($0.quantity)] }
        if let peak = result.cost.peakBytes { measures.append(["memory of the process", Figure.bytes(Double(peak))]) }
        table("Other measures", ["", ""], measures)
        table("What the seed chose", ["option", "value"], result.options.map { [$0.name, $0.text] })
        return "<section aria-labelledby=\"figures\"><h2 id=\"figures\">Figures</h2>\n<div class=\"columns\">\n"
            + tables.joined() + "</div></section>\n"
    }

    private static func tallies(_ rows: [Tally]) -> [[String]] {
        rows.map { [$0.name, Figure.count(Double($0.count)), Figure.bytes(Double($0.bytes))] }
    }

    private static func count(_ value: Int) -> String { Figure.count(Double(value)) }

    private static func footer(_ result: RunResult) -> String {
        var rows: [(String, String)] = []
        if let replay = result.replay { rows.append(("Run it again", "<code>\(Markup.escaped(replay))</code>")) }
        rows.append(("Trace digest", "<code>\(Markup.escaped(result.traceDigest))</code>"))
        rows.append(("Scenario", "<code>\(Markup.escaped(result.scenarioHash))</code>"))
        if let build = result.build { rows.append(("Build", "<code>\(Markup.escaped(build))</code>")) }
        for note in result.notes { rows.append(("Note", Markup.escaped(note))) }
        return "<footer><dl>" + rows.map { "<dt>\($0.0)</dt><dd>\($0.1)</dd>" }.joined(separator: "\n")
            + "</dl></footer>\n"
    }
}
