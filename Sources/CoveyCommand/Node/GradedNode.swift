import CoveyControl

/// A node that was asked first how old its log is. Where it is not fresh, one line on the standard error says so before
/// anything is done, and what is withheld (protocol.md §1.9); JSON answers carry the grade.
struct GradedNode {
    let client: ControlClient
    let status: StatusResult
    /// `fresh`, `stale` or `stranded`.
    var staleness: String { status.staleness }

    init(_ client: ControlClient) throws {
        self.client = client
        status = try client.call(NodeStatus())
        if let banner = Self.banner(status.staleness, heard: status.authorityHeard) { Output.note(banner) }
    }

    /// Nil while the log is fresh.
    static func banner(_ staleness: String, heard: Time?) -> String? {
        let withheld: String
        switch staleness {
        case "stale": withheld = "no first contacts, no bulk mail, no wipe orders"
        case "stranded": withheld = "only the log and revocations move, what is written waits, and no mail comes"
        default: return nil
        }
        let since = heard.map { "since \(CalendarText.local($0))" } ?? "ever"
        return "the log is \(staleness), no authority was heard of \(since): \(withheld); see covey doctor"
    }

    func answer<Value: Encodable>(_ value: Value, _ text: (Value) -> String) -> GradedAnswer<Value> {
        GradedAnswer(value: value, staleness: staleness, text: text(value))
    }
}

/// What a node answered, with the grade of its log.
struct GradedAnswer<Value: Encodable>: Answer {
    private enum Key: String, CodingKey { case staleness }

    let value: Value
    let staleness: String
    let text: String

    func encode(to encoder: any Encoder) throws {
        try value.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(staleness, forKey: .staleness)
    }
}
