import FoundationEssentials

/// Names a request until its answer. Absent in a request that wants none.
package enum RequestID: Hashable, Sendable, Codable {
    case number(Int64)
    /// At most 128 bytes.
    case text(String)
    /// In the answer to a line whose id could not be read.
    case null

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let number = try? container.decode(Int64.self) {
            self = .number(number)
        } else {
            guard let text = try? container.decode(String.self), text.utf8.count <= 128 else {
                throw DecodingError.dataCorruptedError(
                    in: container,
                    debugDescription: "it is a whole number of 64 bits, or a string of at most 128 bytes")
            }
            self = .text(text)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .number(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        case .null: try container.encodeNil()
        }
    }
}

/// Lines of the control socket: one JSON object of JSON-RPC 2.0 and a newline.
package enum ControlLine {
    /// Bytes of a line, its newline not counted.
    package static let longest = 1 << 20

    package static func request(_ request: some ControlRequest, id: RequestID) throws -> [UInt8] {
        try encode(Request(id: id, method: type(of: request).method.rawValue, params: request))
    }

    package static func result(_ result: some Encodable, id: RequestID) throws -> [UInt8] {
        try encode(Answer(id: id, result: result))
    }

    package static func failure(_ error: ControlError, id: RequestID) throws -> [UInt8] {
        try encode(Failure(id: id, error: error))
    }

    package static func notification(_ notification: ControlNotification) throws -> [UInt8] {
        switch notification {
        case .message(let entry): try encode(Note(method: notification.name, params: entry))
        case .event(let entry): try encode(Note(method: notification.name, params: entry))
        case .dropped(let notice): try encode(Note(method: notification.name, params: notice))
        }
    }

    /// Bytes `value` takes as JSON.
    package static func byteCount(of value: some Encodable) throws -> Int { try encode(value).count - 1 }

    private static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(value)) + [UInt8(ascii: "\n")]
    }

    private struct Request<Parameters: Encodable>: Encodable {
        var jsonrpc = "2.0"
        var id: RequestID
        var method: String
        var params: Parameters
    }

    private struct Answer<Result: Encodable>: Encodable {
        var jsonrpc = "2.0"
        var id: RequestID
        var result: Result
    }

    private struct Failure: Encodable {
        var jsonrpc = "2.0"
        var id: RequestID
        var error: ControlError
    }

    private struct Note<Parameters: Encodable>: Encodable {
        var jsonrpc = "2.0"
        var method: String
        var params: Parameters
    }
}

/// What a node tells a client unasked.
package enum ControlNotification: Hashable, Sendable {
    case message(InboxEntry)
    case event(EventEntry)
    case dropped(DroppedNotice)

    package static let names = ["inbox.message", "events.event", "control.dropped"]

    package var name: String {
        switch self {
        case .message: Self.names[0]
        case .event: Self.names[1]
        case .dropped: Self.names[2]
        }
    }
}
