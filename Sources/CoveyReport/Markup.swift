/// Text made safe to stand in XML and HTML, in content and in quoted attributes alike.
enum Markup {
    static func escaped(_ text: String) -> String {
        var escaped = ""
        escaped.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            // Attributes lose their line breaks unless these are written as numbers.
            case "\t", "\n", "\r": escaped += "&#\(scalar.value);"
            default: escaped.unicodeScalars.append(isCharacter(scalar) ? scalar : "\u{FFFD}")
            }
        }
        return escaped
    }

    /// The `Char` of XML 1.0 §2.2: anything else may not stand in a document, even escaped.
    private static func isCharacter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF: true
        default: false
        }
    }

    /// JSON that may stand inside a `script` element: no tag can end there and no comment can begin.
    static func inScript(_ json: [UInt8]) -> String {
        var safe: [UInt8] = []
        safe.reserveCapacity(json.count)
        for byte in json {
            // These stand only inside strings of JSON, where the escape means the same.
            switch byte {
            case UInt8(ascii: "<"): safe += Array(#"\u003c"#.utf8)
            case UInt8(ascii: ">"): safe += Array(#"\u003e"#.utf8)
            case UInt8(ascii: "&"): safe += Array(#"\u0026"#.utf8)
            default: safe.append(byte)
            }
        }
        return String(decoding: safe, as: UTF8.self)
    }
}
