/// Where a JSON text stops being one, in bytes from its start.
package struct JSONMistake: Error, Equatable {
    package var offset: Int
}

/// Reads the whole of a JSON text (RFC 8259), numbers without fraction or exponent.
struct JSONParser {
    private let text: [UInt8]
    private var at = 0

    static func parse(_ text: [UInt8]) throws(JSONMistake) -> JSON {
        var parser = JSONParser(text: text)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.at == text.count else { throw parser.mistake }
        return value
    }

    private init(text: [UInt8]) { self.text = text }

    private var mistake: JSONMistake { JSONMistake(offset: at) }
    private var next: UInt8 { at < text.count ? text[at] : 0 }

    private mutating func skipSpace() {
        while next == 0x20 || next == 0x0a || next == 0x0d || next == 0x09 { at += 1 }
    }

    private mutating func take(_ byte: Character) throws(JSONMistake) {
        guard next == byte.asciiValue else { throw mistake }
        at += 1
    }

    private mutating func takes(_ byte: Character) -> Bool {
        guard next == byte.asciiValue else { return false }
        at += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONMistake) -> JSON {
        guard depth < 32 else { throw mistake }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .integer(try integer())
        }
    }

    private mutating func word(_ letters: String, _ value: JSON) throws(JSONMistake) -> JSON {
        for letter in letters { try take(letter) }
        return value
    }

    private mutating func object(depth: Int) throws(JSONMistake) -> JSON {
        try take("{")
        var fields: [String: JSON] = [:]
        skipSpace()
        if takes("}") { return .object(fields) }
        repeat {
            skipSpace()
            let name = try string()
            skipSpace()
            try take(":")
            let field = try value(depth: depth + 1)
            guard fields.updateValue(field, forKey: name) == nil else { throw mistake }
            skipSpace()
        } while takes(",")
        try take("}")
        return .object(fields)
    }

    private mutating func array(depth: Int) throws(JSONMistake) -> JSON {
        try take("[")
        var items: [JSON] = []
        skipSpace()
        if takes("]") { return .array(items) }
        repeat {
            items.append(try value(depth: depth + 1))
            skipSpace()
        } while takes(",")
        try take("]")
        return .array(items)
    }

    private mutating func integer() throws(JSONMistake) -> Int {
        let start = at
        _ = takes("-")
        while (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next) { at += 1 }
        guard let number = Int(String(decoding: text[start..<at], as: UTF8.self)) else { throw mistake }
        return number
    }

    private mutating func string() throws(JSONMistake) -> String {
        try take("\"")
        var bytes: [UInt8] = []
        var start = at
        while next != UInt8(ascii: "\"") {
            guard next >= 0x20 else { throw mistake }
            guard next == UInt8(ascii: "\\") else {
                at += 1
                continue
            }
            bytes += text[start..<at]
            at += 1
            bytes += try escape()
            start = at
        }
        bytes += text[start..<at]
        at += 1
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func escape() throws(JSONMistake) -> [UInt8] {
        let letter = next
        at += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [letter]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0c]
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            guard at + 4 <= text.count,
                let unit = UInt32(String(decoding: text[at..<at + 4], as: UTF8.self), radix: 16),
                let scalar = Unicode.Scalar(unit)
            else { throw mistake }
            at += 4
            return Array(String(Character(scalar)).utf8)
        default: throw mistake
        }
    }
}
