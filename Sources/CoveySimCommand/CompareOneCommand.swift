import ArgumentParser
import CoveyContact
import CoveyReport

/// `covey-sim compare-one ../shared/traces`
struct CompareOneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare-one", abstract: "Run what The ONE has run, and put the two side by side.",
        discussion: """
            DIR holds expected/one-results.json and the traces, workloads and delivered lists that it names. Every \
            counter and the list of delivered messages have to be equal; mean latency within 0.001 s, with PRoPHET \
            within 0.01 s. The status is 1 when anything differs. Times are seconds of processor time, for reading \
            the files and running; The ONE's are the median of its runs.
            """)

    @Argument(help: ArgumentHelp("The folder of the results.", valueName: "dir"))
    var folder: String

    @Option(help: "Only the scenario with this id.")
    var only: String?

    @Flag(help: "Answer with JSON, one object a line.")
    var json = false

    func run() throws {
        do {
            var scenarios = try OneResultsFile.read(folder: folder)
            if let only {
                scenarios.removeAll { $0.id != only }
                if scenarios.isEmpty { throw ValidationError("no scenario of \(folder) has the id \(only)") }
            }
            guard !scenarios.isEmpty else { throw ValidationError("\(folder) has no scenario to compare with") }
            var comparisons: [OneComparison] = []
            for scenario in scenarios {
                let start = Usage.processor
                let result = try scenario.run()
                let cost = Usage.processor - start
                let comparison = OneComparison(
                    scenario, result: result, list: try scenario.delivered(), cost: cost)
                comparisons.append(comparison)
                if json { printFigures(comparison) }
            }
            if !json { printTable(comparisons) }
            guard comparisons.allSatisfy(\.isEqual) else { throw ExitCode(1) }
        } catch let error as TraceError {
            StandardError.tell("\(error)")
            throw ExitCode(error.mistake == .unreadable ? 74 : 1)
        } catch let error as OneMistake {
            StandardError.tell("\(error)")
            throw ExitCode(1)
        }
    }

    private func printFigures(_ comparison: OneComparison) {
        var figures = Figures("compare-one")
        figures.set("id", Self.plain(comparison.id))
        figures.set("equal", comparison.isEqual ? "yes" : "no")
        for row in comparison.rows {
            let name = row.name.replacing(" (s)", with: "_s").replacing(" ", with: "_")
            if let ours = Int(exactly: row.ours), let theirs = Int(exactly: row.theirs), row.tolerance == 0 {
                figures.set(name, ours)
                figures.set(name + "_theirs", theirs)
            } else {
                figures.set(name, row.ours)
                figures.set(name + "_theirs", row.theirs)
            }
        }
        figures.set("delivered_list", comparison.listDifference == nil ? "same" : "differs")
        figures.set("cpu_s", comparison.cost)
        figures.set("cpu_s_theirs", comparison.theirCost)
        figures.set("ratio", comparison.ratio)
        figures.print()
    }

    private func printTable(_ comparisons: [OneComparison]) {
        for comparison in comparisons {
            var rows = [["", "ours", "The ONE", ""]]
            for row in comparison.rows {
                rows.append([row.name, Self.short(row.ours), Self.short(row.theirs), row.isEqual ? "" : "DIFFERS"])
            }
            rows.append([
                "delivered list", comparison.listDifference == nil ? "\(comparison.listLength) same" : "",
                "\(comparison.listLength)", comparison.listDifference == nil ? "" : "DIFFERS",
            ])
            rows.append([
                "CPU (s)", Self.decimals(comparison.cost, 3), Self.decimals(comparison.theirCost, 2),
                "\(Self.decimals(comparison.ratio, 0)) times",
            ])
            print(comparison.id)
            print(TextTable.aligned(rows.map { ["  " + $0[0]] + $0.dropFirst() }, leading: [0, 3]), terminator: "")
            if let difference = comparison.listDifference { print("  \(difference)") }
        }
        let different = comparisons.filter { !$0.isEqual }.map(\.id)
        print(
            different.isEmpty
                ? "All \(comparisons.count) are equal." : "Different: " + different.joined(separator: ", "))
    }

    /// A name from a file as a JSON string can have it without escapes.
    static func plain(_ name: String) -> String {
        String(String.UnicodeScalarView(name.unicodeScalars.filter { $0.value >= 0x20 && $0 != "\"" && $0 != "\\" }))
    }

    /// As many digits as The ONE prints, and none that say nothing.
    static func short(_ value: Double) -> String {
        guard value.isFinite else { return "-" }
        var text = decimals(value, 4)
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }

    static func decimals(_ value: Double, _ places: Int) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "-" }
        var scale = 1
        for _ in 0..<places { scale *= 10 }
        let units = Int((abs(value) * Double(scale)).rounded())
        let sign = value < 0 && units > 0 ? "-" : ""
        guard places > 0 else { return "\(sign)\(units)" }
        let rest = String(units % scale)
        return "\(sign)\(units / scale)." + String(repeating: "0", count: places - rest.count) + rest
    }
}
