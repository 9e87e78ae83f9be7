import ArgumentParser
import CoveyControl

struct AnnounceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "announce", abstract: "Announce to everybody.",
        discussion: "For devices whose certificate has ANNOUNCE; in an emergency URGENT is enough.")

    @Argument(help: "The announcement.")
    var words: [String]

    @Flag(help: "Before all other mail, and checked by every device that passes it on.")
    var emergency = false

    @Option(help: "Hours that it lives: 1, 6, 24, 72, 168 or 336.")
    var hours = 72

    @Option(help: "Only for one zone, 0 to 254.")
    var zone: Int?

    @Option(help: "information, advice, warning or alarm.")
    var severity = "information"

    @Flag(help: "It is an exercise, and says so.")
    var drill = false

    @Option(help: "The number of an announcement of this device that it replaces.")
    var supersedes: UInt64?

    @Flag(help: "Let an emergency go out although a former member can read it.")
    var formerMembersToo = false

    @OptionGroup var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let request = AnnouncementSend(
            text: words.joined(separator: " "), priority: emergency ? "emergency" : "normal", hours: hours, zone: zone,
            severity: severity, drill: drill, supersedes: supersedes, formerMembersToo: formerMembersToo)
        let node = try GradedNode(node.connect())
        let answer = node.answer(try node.client.call(request)) {
            $0.announcement.state == "waiting"
                ? "number \($0.announcement.sequence) waits: a former member holds the network key, "
                    + "and it leaves under the next one"
                : "announced as number \($0.announcement.sequence)"
        }
        try answer.show(asJSON: output.json)
    }
}

struct AnnouncementsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "announcements", abstract: "What was announced, and what of it counts now.")

    @Flag(help: "Also those that have ended, were replaced or cannot be trusted.")
    var all = false

    @OptionGroup var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let node = try GradedNode(node.connect())
        var list = try node.client.call(AnnouncementList())
        if !all { list.announcements.removeAll { !["current", "waiting", "contradicted"].contains($0.state) } }
        try node.answer(list, Self.text).show(asJSON: output.json)
    }

    private static func text(_ list: AnnouncementsResult) -> String {
        var lines = list.announcements.map { entry in
            let drill = entry.isDrill ? "EXERCISE " : ""
            let urgency = entry.priority == "emergency" ? "EMERGENCY " : ""
            return "\(CalendarText.local(entry.issued))  \(Output.harmless(entry.label)) \(entry.sequence)  "
                + "\(urgency)\(drill)\(entry.severity): \(Output.harmless(entry.text))\(mark(entry))"
        }
        for gap in list.missing {
            let numbers = gap.sequences.map(String.init).joined(separator: ", ")
            lines.append("missing: \(numbers) of \(Output.harmless(gap.label))")
        }
        return lines.isEmpty ? "nothing is announced" : lines.joined(separator: "\n")
    }

    private static func mark(_ entry: AnnouncementEntry) -> String {
        var marks: [String] = []
        switch entry.state {
        case "authorRevoked": marks.append("its author is revoked since")
        case "authorCompromised": marks.append("its author's device was in other hands then: look at it again")
        case "contradicted": marks.append("its author signed another text under this number: trust neither")
        case "waiting": marks.append("not sent yet, as a former member holds the network key")
        case "current": break
        default: marks.append(entry.state)
        }
        if entry.isReadByFormerMembers { marks.append("a former member can read this") }
        return marks.isEmpty ? "" : " (\(marks.joined(separator: "; ")))"
    }
}
