import ArgumentParser
import CoveyControl
import CoveyCore

struct SuspendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suspend", abstract: "Ask in this device's name that another be kept out for some days.",
        discussion: """
            For a device that is lost while no officer can be reached. It takes another device of the same person, or two \
            members. It is then given the log and nothing else, and letters to it wait; it ends by itself after seven days \
            at most, and an officer ends it earlier. Each member may have one such request in force, and two in 30 days.
            """)

    @Argument(help: "The device, by label or by at least six digits of its id.")
    var device: String

    @Option(help: "Why: \(Reason.words).")
    var reason: String

    @Option(help: "For how many days, 1 to 7; some hours are left off, so that no two members ask alike.")
    var days = 7

    @OptionGroup var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let reason = try Reason.parse(reason)
        guard (1...7).contains(days) else { throw Complaint(.usage, "--days is \(days); it takes 1 to 7") }
        let node = try GradedNode(node.connect())
        let result = try node.client.call(ContactsSuspend(device: device, reason: reason.word, days: days))
        try node.answer(result) { Self.text($0, reason) }.show(asJSON: output.json)
    }

    private static func text(_ result: SuspendResult, _ reason: RevocationReason) -> String {
        let label = Output.harmless(result.label)
        if let end = result.suspendedUntil {
            return """
                \(label) is suspended until \(CalendarText.local(end))
                next, an officer, if it is lost for good: covey authority revoke \(label.word) --reason \(reason.word)
                """
        }
        let more = result.missing == 1 ? "one more member must ask" : "\(result.missing) more members must ask"
        return """
            asked that \(label) be kept out until \(CalendarText.local(result.asked)); it is not yet: \(more)
            next, at another member, or at another device of the same person: covey suspend \(label.word) --reason \(reason.word)
            """
    }
}

struct RevokeSelfCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke-self", abstract: "Put this device out of the mesh, for good.",
        discussion: """
            Its own key signs it, so no officer is needed, and nobody can take it back but an officer's verdict. \
            Nothing on the device is erased. To come back it is enrolled anew, in a new home, with new keys.
            """)

    @Option(help: "Why: \(Reason.words).")
    var reason = RevocationReason.retired.word

    @Option(help: "Since when the device is suspect, as 2026-11-21 or 2026-11-21T22:53:00Z.")
    var since: String?

    @Flag(help: "Revoke it without asking.")
    var yes = false

    @OptionGroup var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let reason = try Reason.parse(reason)
        let since = try since.map(Reason.since)
        let node = try GradedNode(node.connect())
        let status = node.status
        let label = Output.harmless(status.label)
        guard status.revoked == nil else { throw Complaint(.failed, "\(label) is revoked already") }
        try Confirmation.ask(
            [
                "this device, \(label) (\(LogText.short(status.device.description))), leaves the mesh \(Output.harmless(status.meshName)) for good: \(reason.word)",
                "messages that wait or come later are lost to it",
            ], "Revoke it?", yes: yes)
        let result = try node.client.call(
            NodeRevoke(
                reason: reason.word, since: since.map { Time(secondsSince1970: Int64($0.value) * 60) }))
        try node.answer(result) { result in
            let told =
                switch result.told {
                case 0: "nobody is linked now: leave the node running until it has met another device"
                case 1: "told one neighbour, who tells the others"
                default: "told \(result.told) neighbours, who tell the others"
                }
            return "revoked \(label): \(reason.word); it is no member any more\n\(told)"
        }.show(asJSON: output.json)
    }
}

/// Why a device is revoked or suspended, as it is typed.
enum Reason {
    static let words = RevocationReason.allCases.map(\.word).joined(separator: ", ")

    static func parse(_ word: String) throws -> RevocationReason {
        guard let reason = RevocationReason(word: word) else {
            throw Complaint(.usage, "--reason is \"\(word)\"; it takes \(words)")
        }
        return reason
    }

    static func since(_ text: String) throws -> Minute {
        guard let minute = CalendarText.minute(parsing: text) else {
            throw Complaint(.usage, "--since is \"\(text)\"; it takes a day such as 2026-11-21, or RFC 3339 in UTC")
        }
        guard minute <= CalendarText.now else {
            throw Complaint(.usage, "--since is \"\(text)\", which is to come; it takes a time that has passed")
        }
        return minute
    }
}
