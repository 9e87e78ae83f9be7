import CoveyReport
import CoveyScenario
import Glibc

/// Cuts a failing run down to what its failure needs: faults, hosts, messages, then time, again and again until nothing
/// more can go. Each question is a run in a process of its own.
struct Shrinking {
    struct Counts: Equatable {
        var faults: Int
        var hosts: Int
        var messages: Int
        var duration: TimeSpan

        init(_ kept: Reduction.Kept) {
            faults = kept.deeds.count
            hosts = kept.hosts.count
            messages = kept.letters.count
            duration = kept.duration
        }
    }

    struct Found {
        var failure: Failure
        /// In a sentence, as the run that is left shows it.
        var reason: String
        var before: Counts
        var after: Counts
        var runs: Int
        /// Whether there was time to ask all questions.
        var isFinished: Bool
        /// The scenario that is left, with a head of comments.
        var text: String

        var summary: String {
            "faults \(before.faults) → \(after.faults), hosts \(before.hosts) → \(after.hosts), "
                + "messages \(before.messages) → \(after.messages), time \(before.duration) → \(after.duration)"
        }
    }

    enum Refusal: Error, CustomStringConvertible {
        case nothingFails
        case doesNotFail(String)
        case refused(String)
        case notWithoutChance

        var description: String {
            switch self {
            case .nothingFails: "nothing failed with this seed: there is nothing to cut down"
            case .doesNotFail(let name): "“\(name)” did not fail with this seed"
            case .refused(let why): why
            case .notWithoutChance:
                "written out without chance, the run does not fail in this way: it cannot be cut down"
            }
        }
    }

    private let file: String
    private let seed: UInt64
    private let choice: RunChoice
    private let folder: String
    private let until: Double
    private let isQuiet: Bool
    private var runs = 0
    private var asked: [Reduction.Kept: Bool] = [:]
    private var isOutOfTime = false

    /// - Parameters:
    ///   - folder: for what is only looked at in between.
    ///   - minutes: after which no more questions are asked.
    init(file: String, seed: UInt64, choice: RunChoice, folder: String, minutes: Double, isQuiet: Bool) {
        self.file = file
        self.seed = seed
        self.choice = choice
        self.folder = folder
        self.isQuiet = isQuiet
        until = Clock.seconds + minutes * 60
    }

    /// - Parameters:
    ///   - assertion: which failure is kept; nil: the first.
    ///   - kept: where the scenario will be, for its comment.
    mutating func run(assertion: String?, kept place: String?) throws -> Found {
        let scenario = try ScenarioFile.read(file).scenario
        let drawn = try scenario.drawn(seed: seed).scenario
        let expansion = Expansion(drawn, seed: seed)
        let level = choice.level(of: drawn)
        let whole = try SeedRun(file: file, seed: seed, choice: choice, folder: folder + "/whole").run()
        if case .refused(let why) = whole { throw Refusal.refused(why) }
        let failure = try assertion.map(Failure.assertion) ?? Failure(whole) ?? { throw Refusal.nothingFails }()
        guard failure.isShown(by: whole) else { throw Refusal.doesNotFail("\(failure)") }

        // That one has left its trace of calls; of the others nobody reads it, and it takes long.
        setenv("SWIFT_BACKTRACE", "enable=no", 1)
        var reduction = try Reduction(expansion, level: level)
        var kept = reduction.everything
        let before = Counts(kept)
        if try !fails(kept, reduction, failure, level) {
            reduction = Reduction(keepingContactsOf: expansion)
            kept = reduction.everything
            asked = [:]
            guard try fails(kept, reduction, failure, level) else { throw Refusal.notWithoutChance }
        }
        while true {
            let counts = Counts(kept)
            try cut(&kept, \.deeds, "faults", reduction, failure, level)
            if reduction.dropsHosts { try cut(&kept, \.hosts, "hosts", reduction, failure, level) }
            try cut(&kept, \.letters, "messages", reduction, failure, level)
            try shorten(&kept, reduction, failure, level)
            if isOutOfTime || counts == Counts(kept) { break }
        }
        write("")
        // The last that was asked need not be the last that failed.
        let ending = try ending(kept, reduction, failure, level)
        var found = Found(
            failure: failure, reason: failure.reason(ending), before: before, after: Counts(kept), runs: runs,
            isFinished: !isOutOfTime, text: "")
        found.text = text(found, scenario, kept, reduction, level, place)
        return found
    }

    // MARK: Questions

    private mutating func cut<Item>(
        _ kept: inout Reduction.Kept, _ part: WritableKeyPath<Reduction.Kept, [Item]>, _ name: String,
        _ reduction: Reduction, _ failure: Failure, _ level: DetailLevel
    ) throws {
        let start = kept
        kept[keyPath: part] = try DeltaDebugging.minimum(of: start[keyPath: part]) { items in
            var candidate = start
            candidate[keyPath: part] = items
            say("\(name) \(items.count)?")
            return try fails(candidate, reduction, failure, level)
        }
    }

    /// By halves, to whole seconds; of long runs to whole minutes.
    private mutating func shorten(
        _ kept: inout Reduction.Kept, _ reduction: Reduction, _ failure: Failure, _ level: DetailLevel
    ) throws {
        let step: Int64 = kept.duration > .hours(2) ? 60_000_000 : 1_000_000
        var low: Int64 = 0
        var high = (kept.duration.microseconds + step - 1) / step
        while high - low > 1 {
            let middle = (low + high) / 2
            var candidate = kept
            candidate.duration = TimeSpan(microseconds: middle * step)
            say("time \(candidate.duration)?")
            if try fails(candidate, reduction, failure, level) {
                high = middle
                kept = candidate
            } else {
                low = middle
            }
        }
    }

    private mutating func fails(
        _ kept: Reduction.Kept, _ reduction: Reduction, _ failure: Failure, _ level: DetailLevel
    ) throws -> Bool {
        if let known = asked[kept] { return known }
        // Without hosts there is no scenario, and without an answer nothing goes.
        if kept.hosts.isEmpty { return false }
        if Clock.seconds > until, runs > 0 {
            isOutOfTime = true
            return false
        }
        let answer = failure.isShown(by: try ending(kept, reduction, failure, level))
        asked[kept] = answer
        return answer
    }

    private mutating func ending(
        _ kept: Reduction.Kept, _ reduction: Reduction, _ failure: Failure, _ level: DetailLevel
    ) throws -> SeedRun.Ending {
        runs += 1
        let path = folder + "/candidate.yaml"
        try ScenarioFile.write(ScenarioWriter.write(scenario(kept, reduction, failure, level)), to: path)
        return try SeedRun(file: path, seed: seed, choice: choice, folder: folder + "/candidate").run()
    }

    private func scenario(
        _ kept: Reduction.Kept, _ reduction: Reduction, _ failure: Failure, _ level: DetailLevel
    ) -> Scenario {
        let claims: Set<String> =
            switch failure {
            case .assertion(let name): [name]
            case .stopped, .trapped: []
            }
        var scenario = reduction.scenario(kept, claims: claims)
        scenario.name += "-\(seed)"
        scenario.about = ""
        scenario.level = level
        return scenario
    }

    // MARK: What is left

    private func text(
        _ found: Found, _ whole: Scenario, _ kept: Reduction.Kept, _ reduction: Reduction, _ level: DetailLevel,
        _ place: String?
    ) -> String {
        var head = [
            "Seed \(seed) of \(whole.name) fails:", "  \(found.reason)",
            "Cut down in \(found.runs) runs\(found.isFinished ? "" : ", until the time was up"): \(found.summary).",
        ]
        let renamed = reduction.dropsHosts ? reduction.renamed(kept) : []
        if !renamed.isEmpty {
            head.append(
                "In the whole run " + renamed.map { "\($0.now) was \($0.before)" }.joined(separator: ", ") + ".")
        }
        head.append("The whole run: " + choice.replay(file, seed: seed))
        if let place { head.append("Replay: " + choice.replay(place, seed: seed)) }
        let comment = head.flatMap { $0.split(separator: "\n") }.map { "# \($0)\n" }.joined()
        return comment + ScenarioWriter.write(scenario(kept, reduction, found.failure, level))
    }

    private func say(_ question: String) { write("\(runs) runs: \(question)") }

    /// Over what stood on the line before.
    private func write(_ text: String) {
        guard !isQuiet, isatty(STDERR_FILENO) == 1 else { return }
        StandardError.write("\r\u{1B}[K" + text)
    }
}

enum Clock {
    /// Seconds since some moment.
    static var seconds: Double {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1_000_000_000
    }
}
