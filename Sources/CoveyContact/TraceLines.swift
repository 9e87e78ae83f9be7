/// The fields of a text file, line by line, as bytes: no line and no number becomes a `String` on the way.
///
/// Empty lines and lines that begin with `#` are passed over.
package struct TraceLines {
    package enum Separator: Sendable {
        /// Any run of spaces and tabs.
        case blank
        /// One comma, with spaces around it or without.
        case comma
    }

    /// Of the line that is being read, from 1.
    package private(set) var line = 0
    private let path: String
    private let bytes: [UInt8]
    private let separator: Separator
    /// Where the next field is looked for, and the end of its line.
    private var at = 0
    private var end = 0
    private var nextLineStart = 0

    package init(_ file: TraceFile, separator: Separator = .blank) {
        path = file.path
        bytes = file.bytes
        self.separator = separator
    }

    /// Goes to the next line that says something; false at the end of the file.
    package mutating func nextLine() -> Bool {
        while nextLineStart < bytes.count {
            at = nextLineStart
            end = at
            while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
            nextLineStart = end + 1
            line += 1
            if end > at, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
            skipBlank()
            if at < end, bytes[at] != UInt8(ascii: "#") { return true }
        }
        return false
    }

    /// Whether the line has another field.
    package var hasField: Bool { at < end }

    /// The next field, where it stands in the file; empty at the end of the line.
    package mutating func field() -> Range<Int> {
        let start = at
        switch separator {
        case .blank:
            while at < end, bytes[at] > 0x20 { at += 1 }
            let field = start..<at
            skipBlank()
            return field
        case .comma:
            while at < end, bytes[at] != UInt8(ascii: ",") { at += 1 }
            var last = at
            while last > start, bytes[last - 1] <= 0x20 { last -= 1 }
            if at < end { at += 1 }
            skipBlank()
            return start..<last
        }
    }

    package func text(_ field: Range<Int>) -> String { String(decoding: bytes[field], as: UTF8.self) }

    /// Whether a field says just this, in ASCII.
    package func says(_ field: Range<Int>, _ word: StaticString) -> Bool {
        guard field.count == word.utf8CodeUnitCount else { return false }
        return word.withUTF8Buffer { letters in
            for index in 0..<letters.count where bytes[field.lowerBound + index] != letters[index] { return false }
            return true
        }
    }

    /// Seconds with a fraction or without, as microseconds, to the nearest.
    package mutating func time() throws(TraceError) -> UInt64 {
        let place = field()
        var index = place.lowerBound
        var seconds: UInt64 = 0
        while index < place.upperBound, let digit = Self.digit(bytes[index]) {
            seconds = seconds * 10 + digit
            guard seconds <= TraceLimits.seconds else {
                throw error(.outOfRange("a time", highest: Int(TraceLimits.seconds)))
            }
            index += 1
        }
        guard index > place.lowerBound else { throw error(.expected("seconds", found: text(place))) }
        var fraction: UInt64 = 0
        if index < place.upperBound, bytes[index] == UInt8(ascii: ".") {
            index += 1
            var weight: UInt64 = 100_000
            var places = 0
            while index < place.upperBound, let digit = Self.digit(bytes[index]) {
                fraction += digit * weight
                weight /= 10
                places += 1
                if places == 7, digit >= 5 { fraction += 1 }
                index += 1
            }
            guard places > 0 else { throw error(.expected("seconds", found: text(place))) }
        }
        guard index == place.upperBound else { throw error(.expected("seconds", found: text(place))) }
        return seconds * 1_000_000 + fraction
    }

    /// A whole number from 0 to `highest`.
    package mutating func number(_ what: @autoclosure () -> String, highest: Int) throws(TraceError) -> Int {
        let place = field()
        var number = 0
        for index in place {
            guard let digit = Self.digit(bytes[index]) else { throw error(.expected(what(), found: text(place))) }
            number = number * 10 + Int(digit)
            guard number <= highest else { throw error(.outOfRange(what(), highest: highest)) }
        }
        guard !place.isEmpty else { throw error(.expected(what(), found: "")) }
        return number
    }

    /// Nothing may follow on this line.
    package mutating func endOfLine() throws(TraceError) {
        guard at < end else { return }
        throw error(.unexpected(text(field())))
    }

    package func error(_ mistake: TraceError.Mistake) -> TraceError {
        TraceError(path: path, line: line, mistake: mistake)
    }

    private mutating func skipBlank() {
        while at < end, bytes[at] <= 0x20 { at += 1 }
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        let value = byte &- UInt8(ascii: "0")
        return value < 10 ? UInt64(value) : nil
    }
}
