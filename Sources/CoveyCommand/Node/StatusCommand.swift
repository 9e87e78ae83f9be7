import ArgumentParser
import CoveyControl

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "status", abstract: "How the node is.")

    @OptionGroup var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let status = try node.connect().call(NodeStatus())
        try NodeAnswer(status, Self.text).show(asJSON: output.json)
    }

    private static func text(_ status: StatusResult) -> String {
        var rows = [
            ["mesh", "\(Output.harmless(status.meshName)) (\(LogText.short(status.mesh.description)))"],
            ["device", "\(Output.harmless(status.label)) (\(LogText.short(status.device.description)))"],
            [
                "certificate",
                "until \(CalendarText.local(status.certificateExpires))\(status.renewalAsked ? ", renewal asked" : "")",
            ],
            ["neighbours", "\(status.links)"],
            ["inbox", "\(status.inbox) messages"],
            ["carried", "\(status.held) envelopes, \(status.heldBytes) bytes"],
            ["log", "\(status.logEntries) entries, \(status.notes) revocations"],
            ["epoch", status.epoch.map(String.init) ?? "none"],
        ]
        if status.waiting > 0 {
            rows.append(["waiting", "\(status.waiting) messages wait for their recipient's keys"])
        }
        if status.isHolding {
            rows.append([
                "warning", "the network key is known to a revoked device; an authority must announce a new one",
            ])
        }
        switch status.staleness {
        case "stale":
            rows.append(["warning", "no authority was heard of for long; covey doctor says what to do"])
        case "stranded":
            rows.append(["warning", "no authority was heard of for too long: messages wait; see covey doctor"])
        default: break
        }
        if !status.timeIsTrusted { rows.append(["warning", "this machine's clock is not to be trusted; set it"]) }
        for (cause, count) in status.refusals.sorted(by: { $0.key < $1.key }) {
            rows.append(["refused", "\(count) × \(cause)"])
        }
        return Columns.text(rows)
    }
}
