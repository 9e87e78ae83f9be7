import ArgumentParser
import CoveyControl

struct InboxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "inbox", abstract: "Messages received.")

    @Flag(name: .shortAndLong, help: "Go on, and show each message as it comes.")
    var follow = false

    @Option(help: "Only messages after this number.")
    var after: UInt64 = 0

    @Option(help: "At most so many.")
    var limit: Int?

    @OptionGroup var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        if let limit {
            guard limit > 0 else { throw Complaint(.usage, "--limit is \(limit); it takes at least 1") }
            guard !follow else { throw Complaint(.usage, "--limit and --follow exclude each other; give one of them") }
        }
        let client = try node.connect()
        if follow { return try show(following: client) }
        var after = after
        var left = limit ?? Int.max
        var more = true
        while more, left > 0 {
            let page = try client.call(InboxList(after: after, limit: min(left, ControlMethod.defaultPage)))
            for message in page.messages { try show(message) }
            left -= page.messages.count
            more = page.more && !page.messages.isEmpty
            after = page.messages.last?.sequence ?? after
        }
    }

    private func show(following client: ControlClient) throws {
        _ = try client.call(InboxSubscribe(after: after))
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
        let answer = NodeAnswer(message) { message in
            let lines = Output.harmless(message.text).replacing("\n", with: "\n    ")
            let mark = message.senderSinceRevoked ? " (sender since revoked)" : ""
            return
                "\(message.sequence)  \(CalendarText.local(message.sent))  \(Output.harmless(message.label))\(mark): \(lines)"
        }
        try answer.show(asJSON: output.json)
    }
}
