import ArgumentParser
import CoveyControl
import CoveyCore
import CoveyCrypto
import CoveyNode
import CoveyUV

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "status", abstract: "How the node is.")

    @OptionGroup var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let client = try node.connect()
        let status = try client.call(NodeStatus())
        let program = try NodeProgram(of: client)
        try Shown(status: status, program: program, text: Self.text(status, program)).show(asJSON: output.json)
    }

    /// What the node answered, and which program it is.
    private struct Shown: Answer {
        private enum Key: String, CodingKey { case build, askingBuild, release }

        let status: StatusResult
        let program: NodeProgram
        let text: String

        func encode(to encoder: any Encoder) throws {
            try status.encode(to: encoder)
            var container = encoder.container(keyedBy: Key.self)
            try container.encodeIfPresent(program.build?.hex, forKey: .build)
            try container.encodeIfPresent(program.asking?.hex, forKey: .askingBuild)
            try container.encodeIfPresent(program.standing?.release?.version, forKey: .release)
        }
    }

    private static func text(_ status: StatusResult, _ program: NodeProgram) -> String {
        var rows = [
            ["mesh", "\(Output.harmless(status.meshName)) (\(LogText.short(status.mesh.description)))"],
            ["device", "\(Output.harmless(status.label)) (\(LogText.short(status.device.description)))"],
            ["certificate", certificate(status)],
            ["neighbours", "\(status.links)"],
            ["inbox", status.inbox.counting("message", "messages")],
            ["carried", "\(status.held.counting("envelope", "envelopes")), \(status.heldBytes) bytes"],
            [
                "log",
                "\(status.logEntries.counting("entry", "entries")), "
                    + status.notes.counting("revocation", "revocations"),
            ],
            ["epoch", status.epoch.map(String.init) ?? "none"],
        ]
        if let heard = heard(status) { rows.append(heard) }
        if status.quarantined > 0 {
            rows.append([
                "quarantine",
                "\(status.quarantined.counting("message", "messages")), apart from the inbox: covey quarantine",
            ])
        }
        if let text = program.text { rows.append(["program", text]) }
        if let difference = program.difference { rows.append(["warning", difference]) }
        if let reason = status.revoked {
            rows.append([
                "warning", "this device is revoked (\(reason)) and no member any more; it only passes the log on",
            ])
        } else if let end = status.suspendedUntil {
            rows.append([
                "warning", "this device is suspended until \(CalendarText.local(end)): it gets the log only",
            ])
        }
        if status.suspended > 0 {
            rows.append(["suspended", "\(status.suspended), named by covey contacts"])
        }
        if status.waiting > 0 {
            rows.append([
                "waiting", "\(status.waiting.counting("message waits", "messages wait")) for the recipient's keys",
            ])
        }
        if status.isHolding {
            rows.append([
                "warning", "the network key is known to a revoked device; an authority must announce a new one",
            ])
        }
        if let banner = GradedNode.banner(status.staleness, heard: status.authorityHeard) {
            rows.append(["warning", banner])
        }
        if !status.timeIsTrusted { rows.append(clock(behind: status.clockBehind)) }
        if status.clockSpread != nil {
            rows.append(["warning", "mail goes by members' clocks, and they do not agree: covey doctor"])
        }
        for (cause, count) in status.refusals.sorted(by: { $0.key < $1.key }) {
            // A newer node may have codes that are not known here.
            rows.append(["refused", "\(count) × \(Refusal.Code(rawValue: cause)?.sentence ?? cause)"])
        }
        return Columns.text(rows)
    }

    /// Why the machine's clock is not believed.
    private static func clock(behind minutes: Int?) -> [String] {
        guard let minutes else { return ["warning", "this machine's clock is not to be trusted; set it"] }
        let words = "this machine's clock is \(minutes.inWordsOfTime) behind the time that has come already"
        return minutes < MeshClock.Bounds.mostBehind
            ? ["clock", "\(words), and is believed again then"] : ["warning", "\(words): covey doctor"]
    }

    /// How old the newest word of an authority is; where it is too old a warning says so.
    private static func heard(_ status: StatusResult) -> [String]? {
        guard status.staleness == Staleness.fresh.rawValue, let heard = status.authorityHeard,
            let end = status.gradeEnds
        else { return nil }
        let minutes = Int(clamping: (Int64(CalendarText.now.value) * 60 - heard.secondsSince1970) / 60)
        let since = status.timeIsTrusted ? "\(max(0, minutes).inWordsOfTime) ago" : "on \(CalendarText.local(heard))"
        return ["heard", "an authority \(since): fresh until \(CalendarText.local(end))"]
    }

    private static func certificate(_ status: StatusResult) -> String {
        if status.label.isEmpty { return "none: \(NodeLog.nobodyWords)" }
        return certificate(until: status.certificateExpires, validity: status.certificateValidity)
            + (status.renewalAsked ? ", renewal asked" : "")
    }

    /// The end of a certificate, and what is to be said of that.
    static func certificate(until end: Time, validity: String) -> String {
        let standing =
            switch validity {
            case "unknown": ", and it cannot be told whether it holds now"
            case "surelyExpired": ": it has ended"
            case "notYetValid": ", and it has not begun"
            default: ""
            }
        return "until \(CalendarText.local(end))\(standing)"
    }
}
