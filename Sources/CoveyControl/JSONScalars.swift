import FoundationEssentials

/// Bytes, as base64 in JSON (RFC 4648 §4).
package struct Base64: Hashable, Sendable, Codable {
    package var bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let data = Data(base64Encoded: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected base64")
        }
        bytes = [UInt8](data)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Data(bytes).base64EncodedString())
    }
}

/// An id, as lower-case hex in JSON.
package struct Hex: Hashable, Sendable, Codable, CustomStringConvertible {
    package var bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Nil when `text` has an odd length or other characters; capitals are read too.
    package init?(_ text: String) {
        func digit(_ character: UInt8) -> UInt8? {
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
            default: nil
            }
        }
        let characters = Array(text.utf8)
        guard characters.count.isMultiple(of: 2) else { return nil }
        bytes = []
        for at in stride(from: 0, to: characters.count, by: 2) {
            guard let high = digit(characters[at]), let low = digit(characters[at + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
    }

    package var description: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let value = Hex(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected hex digits")
        }
        self = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// A moment, as RFC 3339 in JSON.
package struct Time: Hashable, Sendable, Codable, CustomStringConvertible {
    package var secondsSince1970: Int64

    package init(secondsSince1970: Int64) { self.secondsSince1970 = secondsSince1970 }

    package var description: String { RFC3339.text(secondsSince1970: secondsSince1970) }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let seconds = RFC3339.seconds(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "expected a time like 2026-11-21T22:40:00Z")
        }
        secondsSince1970 = seconds
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
