import ArgumentParser
import CoveyControl

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "What is about to go wrong, and what to do about it.",
        discussion: "The exit status is 1 when something is urgent.")

    @OptionGroup var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let client = try node.connect()
        var result = try client.call(NodeExamine())
        // A node knows its own file no better than whoever asks it.
        let build = ReleaseStanding(Build.hash, in: try client.call(ReleaseList()).releases)
        if let finding = build.finding { result.findings.append(finding) }
        try NodeAnswer(result, Self.text).show(asJSON: output.json)
        let urgent = result.findings.count { $0.isUrgent }
        if urgent > 0 { throw Complaint(.failed, "\(urgent) of these are urgent; begin with the first") }
    }

    private static func text(_ result: FindingsResult) -> String {
        guard !result.findings.isEmpty else { return "nothing needs looking after" }
        return result.findings.map { finding in
            "\(finding.isUrgent ? "urgent" : "soon  ")  \(Output.harmless(finding.text))\n"
                + "        \(Output.harmless(finding.advice))"
        }.joined(separator: "\n")
    }
}
