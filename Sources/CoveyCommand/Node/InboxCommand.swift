import ArgumentParser
import CoveyControl
import CoveyCore
import CoveyNode
import CoveyStore
import CoveyUV

struct InboxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "inbox", abstract: "Messages received.")

    @Flag(name: .shortAndLong, help: "Go on, and show each message as it comes.")
    var follow = false

    @OptionGroup var pages: MessagePages
    @OptionGroup var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        try pages.check()
        guard !follow || pages.limit == nil else {
            throw Complaint(.usage, "--limit and --follow exclude each other; give one of them")
        }
        let home = try node.load().home
        if !follow, case .reading = ProfileState(of: home) { return try showStored(home) }
        let client = try GradedNode(node.connect()).client
        if follow { return try show(following: client) }
        try pages.each {
            let page = try client.call(InboxList(after: $0, limit: $1))
            return (page.messages, page.more)
        } show: { message in
            try show(message)
            return true
        }
    }

    /// Of a device that was locked, and given back for reading: no node runs there any more.
    private func showStored(_ path: String) throws {
        let home = try HomeDirectory(path)
        let file = try ReadingKeyFile(in: path)
        let store = try DiskStore(in: home, key: file.master)
        let inbox = try StoredInbox(
            store, genesis: Genesis(at: home.mesh, of: file.mesh), now: Clock.system().now)
        try pages.each {
            (try inbox.page(after: $0, limit: $1).map(InboxEntry.init), true)
        } show: { message in
            try show(message)
            return true
        }
    }

    private func show(following client: ControlClient) throws {
        _ = try client.call(InboxSubscribe(after: pages.after))
        while let notification = try client.nextNotification() {
            switch notification {
            case .message(let message): try show(message)
            case .event: break
            case .dropped(let notice):
                throw Complaint(.tryAgain, "the node ended the subscription: \(notice.reason); try again")
            }
        }
    }

    private func show(_ message: InboxEntry) throws {
        try NodeAnswer(message, MessageText.line).show(asJSON: output.json)
    }
}

/// Which messages are shown.
struct MessagePages: ParsableArguments {
    // Below zero too it is the value, and no option that does not exist.
    @Option(parsing: .unconditional, help: "Only messages after this number.")
    var after: UInt64 = 0

    @Option(parsing: .unconditional, help: "At most so many.")
    var limit: Int?

    func check() throws {
        if let limit, limit < 1 { throw Complaint(.usage, "--limit is \(limit); it takes at least 1") }
    }

    /// Asks for page after page until so many are shown, or there are no more.
    ///
    /// - Parameter show: false for one that does not count.
    func each(
        _ page: (_ after: UInt64, _ limit: Int) throws -> (messages: [InboxEntry], more: Bool),
        show: (InboxEntry) throws -> Bool
    ) throws {
        var (after, left, more) = (after, limit ?? .max, true)
        while more, left > 0 {
            let page = try page(after, min(left, ControlMethod.defaultPage))
            for message in page.messages where try show(message) { left -= 1 }
            more = page.more && !page.messages.isEmpty
            after = page.messages.last?.sequence ?? after
        }
    }
}

struct QuarantineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine", abstract: "Messages that came after their sender was revoked.",
        discussion: "They are kept apart from the inbox. Never act on one: ask its writer on another way.")

    @Flag(help: "Also those of senders that were compromised: somebody else may have written them.")
    var all = false

    @OptionGroup var pages: MessagePages
    @OptionGroup var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        try pages.check()
        let client = try node.connect()
        var shown = 0
        var hidden = 0
        try pages.each {
            let page = try client.call(QuarantineList(after: $0, limit: $1, hidden: true))
            return (page.messages, page.more)
        } show: { message in
            guard all || message.standing != "hidden" else {
                hidden += 1
                return false
            }
            try NodeAnswer(message, MessageText.line).show(asJSON: output.json)
            shown += 1
            return true
        }
        if hidden > 0 {
            Output.note("\(hidden) of compromised senders are hidden; covey quarantine --all shows them")
        } else if shown == 0, !output.json {
            try Output.line("nothing is in quarantine")
        }
    }
}

/// A message as a line, with what is known of its sender now (protocol.md §1.9).
private enum MessageText {
    static func line(_ message: InboxEntry) -> String {
        let lines = Output.harmless(message.text).replacing("\n", with: "\n    ")
        let mark = mark(message).map { " (\($0))" } ?? ""
        return
            "\(message.sequence)  \(CalendarText.local(message.sent))  \(Output.harmless(message.label))\(mark): \(lines)"
    }

    private static func mark(_ message: InboxEntry) -> String? {
        let reason = message.revoked.map { ": \($0)" } ?? ""
        switch message.standing {
        case "fine": return nil
        case "compromisedThen": return "sender was compromised at that time"
        case "quarantined": return "came after its sender was revoked\(reason)"
        case "hidden": return "came after its sender was compromised"
        default: return "sender since revoked\(reason)"
        }
    }
}
