import FoundationEssentials
import Glibc

/// What a command found or did: text for people, JSON for programs.
protocol Answer: Encodable {
    var text: String { get }
}

extension Answer {
    /// One object on one line.
    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else { preconditionFailure("an answer has only plain values") }
        return String(decoding: data, as: UTF8.self)
    }

    func show(asJSON: Bool) throws { try Output.line(asJSON ? json : text) }
}

/// What a node answered, with the text that people get of it.
struct NodeAnswer<Value: Encodable>: Answer {
    let value: Value
    let text: String

    init(_ value: Value, _ text: (Value) -> String) {
        self.value = value
        self.text = text(value)
    }

    func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
}
