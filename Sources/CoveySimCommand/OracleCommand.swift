import ArgumentParser
import CoveyContact
import CoveyReport
import CoveyScenario

/// `covey-sim oracle simulations/03-mule-motorbike.yaml --message m12`
struct OracleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "oracle", abstract: "Say how early each message could arrive, whoever carried it.",
        discussion: """
            Earliest arrival over the contacts that the seed makes, with partitions and hosts that are off. No policy \
            delivers more, or earlier. Messages are called m0, m1, … in the order they are written; one to everyone is \
            one to each.
            """)

    @Argument(help: "A scenario file.")
    var file: String

    @Option(help: "Decides all that is left to chance. Without it: the file's.")
    var seed: UInt64?

    @Option(help: ArgumentHelp("Also the way of this one.", valueName: "name"))
    var message: String?

    func run() throws {
        try Complaint.told {
            let scenario = try ScenarioFile.read(file).scenario
            let seed = seed ?? scenario.seed
            let expansion = Expansion(try scenario.drawn(seed: seed).scenario, seed: seed)
            let foreseen = try ContactRunner(expansion).foresee()
            if let message {
                guard let number = foreseen.messages.firstIndex(where: { $0.name == message }) else {
                    throw ValidationError(
                        "no message is called \(message): there are \(foreseen.messages.count), from m0 on")
                }
                print(way(number, foreseen, expansion.cast))
            } else {
                print("\(scenario.name)  seed \(seed)  \(expansion.cast.count) hosts\n")
                print(table(foreseen.mails), terminator: "")
            }
        }
    }

    private func table(_ mails: [Mail]) -> String {
        let head = ["class", "written", "can arrive", "share", "half in", "95 % in", "last in"]
        let rows = ScenarioRun.classes(mails).map { row($0.name, $0.mails) }
        return TextTable.aligned([head] + rows, leading: [0])
    }

    private func row(_ name: String, _ mails: [Mail]) -> [String] {
        let delays = mails.compactMap { mail in mail.oracle.map { $0 - mail.created } }
        let summary = DelaySummary(delays)
        return [
            name, "\(mails.count)", "\(delays.count)",
            mails.isEmpty ? "–" : Figure.percent(Double(delays.count) / Double(mails.count)),
            summary.map { Figure.seconds($0.p50) } ?? "–", summary.map { Figure.seconds($0.p95) } ?? "–",
            summary.map { Figure.seconds($0.maximum) } ?? "–",
        ]
    }

    private func way(_ number: Int, _ foreseen: ContactRunner.Foreseen, _ cast: Cast) -> String {
        let mail = foreseen.mails[number]
        let head =
            "\(foreseen.messages[number].name)  \(cast.name(mail.from)) to \(cast.name(mail.to))  \(mail.className)  "
            + "\(mail.bytes) bytes  written \(Figure.clock(mail.created))  expires \(Figure.clock(mail.expiry))"
        guard let arrival = foreseen.arrivals[number] else {
            return head + "\ncannot arrive: no contacts lead there in time"
        }
        return head + "\narrives \(Figure.clock(arrival.time)), after "
            + Figure.seconds(Double(arrival.time - mail.created) / 1e6)
            + "\nway: " + arrival.path.map(cast.name).joined(separator: " → ")
    }
}
