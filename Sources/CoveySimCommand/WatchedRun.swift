import CoveyReport
import CoveyScenario
import Synchronization

/// A run with a progress bar: simulated time, how many times faster than life, and what is left to wait.
enum WatchedRun {
    private final class Bar: Sendable {
        let bar: Mutex<ProgressBar>
        init(_ bar: ProgressBar) { self.bar = Mutex(bar) }
    }

    static func run(
        _ scenario: Scenario, seed: UInt64?, options: ScenarioRun.Options, isQuiet: Bool
    ) throws -> ScenarioRun.Outcome {
        let total = scenario.duration.seconds
        let bar = Bar(ProgressBar(scenario.name, total: total, isQuiet: isQuiet))
        let start = Usage.processor
        var options = options
        options.progress = { now in
            let seconds = Double(now) / 1e6
            func text() -> String {
                let used = max(Usage.processor - start, 0.001)
                return "\(Figure.seconds(seconds)) of \(Figure.seconds(total))  \(Figure.decimal(seconds / used))x"
            }
            bar.bar.withLock { $0.update(seconds, text()) }
        }
        defer { bar.bar.withLock { $0.finish() } }
        return try ScenarioRun(scenario, options: options).run(seed: seed)
    }
}
