package import CoveyContact
import CoveyCore
import CoveyCrypto
package import CoveyReport
import CoveySimulator
import Glibc

/// Runs a scenario with one seed at one level, judges it, and says what came of it.
package struct ScenarioRun {
    package struct Options: Sendable {
        /// Nil: the level the scenario asks for, else the full one.
        package var level: DetailLevel?
        /// The ONE's are rules for contacts alone: the level is that of contacts.
        package var semantics = Semantics.own
        /// Keeps a line for each event of the nodes, to find the first in which two runs differ.
        package var keepsTrace = false
        /// For the level of contacts.
        package var router = ContactRouter.flood
        /// Keeps what the pages of a report show.
        package var records = true
        /// Told how far the run is: simulated microseconds.
        package var progress: @Sendable (UInt64) -> Void = { _ in }

        package init() {}
    }

    package struct Outcome: Sendable {
        package var result: RunResult
        package var recording: Recording?
        package var expansion: Expansion
        /// Without `keepsTrace`, and at the level of contacts: empty.
        package var trace: [String] = []
    }

    private let scenario: Scenario
    private let options: Options

    package init(_ scenario: Scenario, options: Options = Options()) {
        self.scenario = scenario
        self.options = options
    }

    /// - Parameter seed: nil: the scenario's. Ranges of a swarm are drawn from it first.
    package func run(seed: UInt64? = nil) throws(ScenarioProblems) -> Outcome {
        let seed = seed ?? scenario.seed
        let draw = try scenario.drawn(seed: seed)
        var outcome = try run(Expansion(draw.scenario, seed: seed))
        outcome.result.options = draw.choices.map { NamedText(name: $0.path, text: $0.value) }
        outcome.result.scenarioHash = Self.hash(scenario)
        return outcome
    }

    /// What is left of a run after faults or letters were taken away runs by the same door.
    package func run(_ expansion: Expansion) throws(ScenarioProblems) -> Outcome {
        let scenario = expansion.scenario
        let level = options.semantics == .theONE ? .contact : options.level ?? scenario.level ?? .full
        let began = Self.cpuSeconds()
        let clock = ContinuousClock.now
        var recorder = options.records ? recorder(expansion, level) : nil
        var run: Run
        var notes: [String]
        var trace: [String] = []
        switch (level, options.semantics) {
        case (.full, _):
            let runner = try FullRunner(expansion, keepsTrace: options.keepsTrace)
            run = try runner.run(recordingInto: &recorder, progress: options.progress)
            notes = runner.notes
            trace = runner.world.traceEvents.map(\.description)
        case (.contact, .theONE):
            var runner = OneRunner(expansion, router: options.router)
            run = try runner.run(progress: options.progress)
            notes = runner.notes
            recorder = nil
        case (.contact, .own):
            var runner = ContactRunner(expansion, router: options.router)
            run = try runner.run(recordingInto: &recorder, progress: options.progress)
            notes = runner.notes
        }
        let took = ContinuousClock.now - clock
        run.evidence.wallSeconds = Double(took.microseconds) / 1e6

        var result = RunResult(
            name: scenario.name, seed: expansion.seed, level: level, semantics: options.semantics,
            scenarioHash: Self.hash(scenario),
            traceDigest: run.digest, hosts: expansion.cast.count, simulatedSeconds: scenario.duration.seconds)
        result.build = Build.name
        result.about = scenario.about.isEmpty ? nil : scenario.about
        if level == .full { result.kem = SimulatedKEM.name }
        result.counters = run.counters
        result.delivery = Self.delivery(run.evidence)
        if run.counters.delivered > 0 {
            result.overhead = Double(run.counters.relayed - run.counters.delivered) / Double(run.counters.delivered)
        }
        result.reconciliation = run.evidence.reconciliation
        result.bytesByFrame = run.evidence.bytesByFrame
        result.bytesByLink = run.evidence.wire?.bytesByLink(scenario.links.map(\.name)) ?? []
        result.bufferMaxima = run.evidence.bufferMaxima
        result.interning = run.evidence.interning
        result.fairness = Self.fairness(run.evidence, expansion)
        result.measures = Self.measures(run.evidence) + Self.spreads(run.evidence, expansion)
        result.assertions = Judge(expansion, run.evidence).results()
        result.notes = notes
        result.replay = "covey-sim run \(scenario.name).yaml --seed \(expansion.seed) --level \(level.rawValue)"
        result.cost.cpuSeconds = Self.cpuSeconds() - began
        let recording = recorder.take().map { recorder in
            let mails = run.evidence.mails
            return recorder.finish(
                at: run.evidence.duration, curves: Self.curves(run.evidence),
                oracle: { mails.indices.contains(Int($0)) ? mails[Int($0)].oracle : nil })
        }
        return Outcome(result: result, recording: recording, expansion: expansion, trace: trace)
    }

    private func recorder(_ expansion: Expansion, _ level: DetailLevel) -> Recorder {
        let cast = expansion.cast
        let hosts = (0..<UInt32(cast.count)).map {
            Recording.Host(name: cast.name($0), group: cast.group($0).name)
        }
        let frames: [String] =
            switch level {
            case .full: FrameLedger.names
            case .contact: []
            }
        return Recorder(
            duration: UInt64(expansion.scenario.duration.microseconds), hosts: hosts,
            linkKinds: expansion.scenario.links.map(\.name), frameTypes: frames)
    }

    // MARK: Figures

    /// All that was sent, then each priority that there is.
    package static func classes(_ all: [Mail]) -> [(name: String, mails: [Mail])] {
        let sent = all.filter { $0.unsent == nil && $0.isForeseen }
        var classes: [(String, [Mail])] = [("all", sent)]
        for priority in Priority.allCases {
            let mails = sent.filter { $0.priority == priority }
            if !mails.isEmpty { classes.append((priority.word, mails)) }
        }
        return classes
    }

    private static func delays(_ mails: [Mail]) -> [UInt64] {
        mails.compactMap { m in m.arrived.map { $0 - m.created } }
    }

    private static func oracleDelays(_ mails: [Mail]) -> [UInt64] {
        mails.compactMap { m in m.oracle.map { $0 - m.created } }
    }

    private static func delivery(_ evidence: Evidence) -> [ClassDelivery] {
        classes(evidence.mails).map {
            ClassDelivery(
                name: $0.name, created: $0.mails.count, delays: delays($0.mails), oracle: oracleDelays($0.mails))
        }
    }

    private static func curves(_ evidence: Evidence) -> [DeliveryCurve] {
        classes(evidence.mails).map {
            DeliveryCurve(
                name: $0.name, created: $0.mails.count, delays: delays($0.mails), oracle: oracleDelays($0.mails))
        }
    }

    private static func fairness(_ evidence: Evidence, _ expansion: Expansion) -> [Fairness] {
        var reachable = [Int](repeating: 0, count: expansion.cast.count)
        var delivered = reachable
        for mail in evidence.mails where mail.oracle != nil {
            reachable[Int(mail.from)] += 1
            if mail.arrived != nil { delivered[Int(mail.from)] += 1 }
        }
        let shares = reachable.indices.compactMap {
            reachable[$0] > 0 ? Double(delivered[$0]) / Double(reachable[$0]) : nil
        }
        var fairness = shares.isEmpty ? [] : [Fairness(name: "delivery by sender", shares: shares)]
        if let sent = evidence.sentByHost {
            fairness.append(Fairness(name: "bytes sent by host", shares: sent.map { Double($0) }))
        }
        return fairness
    }

    private static func measures(_ evidence: Evidence) -> [Measure] {
        var measures: [Measure] = []
        if let degree = evidence.largestDegree {
            measures.append(Measure(name: "links of a host, at most", quantity: Quantity(degree.value, .count)))
        }
        if let sent = evidence.sentByHost {
            let total = sent.reduce(0, +)
            measures.append(Measure(name: "bytes sent by all hosts", quantity: Quantity(Double(total), .bytes)))
        }
        if let duplicates = evidence.duplicates {
            measures.append(
                Measure(name: "envelopes that came to a host again", quantity: Quantity(Double(duplicates), .count)))
        }
        for heal in evidence.heals ?? [] {
            guard let took = heal.took else { continue }
            let name = "from the heal at \(Figure.seconds(Double(heal.at) / 1e6)) until stores agree"
            measures.append(Measure(name: name, quantity: Quantity(Double(took) / 1e6, .seconds)))
        }
        return measures
    }

    /// How long revocations took to half, nearly all and all of those who could hear of them.
    private static func spreads(_ evidence: Evidence, _ expansion: Expansion) -> [Measure] {
        (evidence.revocations ?? []).flatMap { spread -> [Measure] in
            let what =
                "revocation of \(expansion.cast.name(spread.device)) at \(Figure.seconds(Double(spread.at) / 1e6))"
            let known = Measure(
                name: "\(what): hosts that could hear of it", quantity: Quantity(Double(spread.reachable), .count))
            return [known]
                + [0.5, 0.95, 1].flatMap { share -> [Measure] in
                    let part = "\(what): known to \(Int(share * 100)) %"
                    return [
                        spread.heard(by: share).map {
                            Measure(name: part, quantity: Quantity(Double($0) / 1e6, .seconds))
                        },
                        spread.foreseen(by: share).map {
                            Measure(name: "\(part), at the earliest", quantity: Quantity(Double($0) / 1e6, .seconds))
                        },
                    ].compactMap(\.self)
                }
        }
    }

    /// Of the scenario as we write it: the same whatever its file looked like.
    package static func hash(_ scenario: Scenario) -> String {
        let bytes = Array(ScenarioWriter.write(scenario).utf8)
        return SHA256.hash(bytes.span.bytes).hex
    }

    private static func cpuSeconds() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}
