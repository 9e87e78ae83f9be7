import Testing

@testable import CoveyReport

/// A strict reader of the little XML that reports need: elements, attributes, text, and nothing else. It stops at
/// whatever XML 1.0 would not let stand.
private struct Elements {
    struct Malformed: Error { var at: String }

    private(set) var found: [(name: String, attributes: [String: String])] = []
    private var rest: Substring.UnicodeScalarView
    private var open: [String] = []

    static func parse(_ text: String) throws -> [(name: String, attributes: [String: String])] {
        var elements = Elements(rest: Substring(text).unicodeScalars)
        try elements.document()
        return elements.found
    }

    private init(rest: Substring.UnicodeScalarView) { self.rest = rest }

    private mutating func document() throws {
        try expect("<?xml version=\"1.0\" encoding=\"UTF-8\"?>")
        repeat {
            let text = try characters(until: ["<"])
            if open.isEmpty, text.contains(where: { !" \n".contains($0) }) { throw malformed }
            try tag()
        } while !open.isEmpty
        if rest.contains(where: { $0 != "\n" }) { throw malformed }
    }

    private mutating func tag() throws {
        try expect("<")
        if rest.first == "/" {
            try expect("/" + (open.popLast() ?? "") + ">")
            return
        }
        let name = try word()
        var attributes: [String: String] = [:]
        while rest.first == " " {
            try expect(" ")
            let key = try word()
            try expect("=\"")
            guard attributes.updateValue(try characters(until: ["\"", "<"]), forKey: key) == nil else {
                throw malformed
            }
            try expect("\"")
        }
        found.append((name, attributes))
        if rest.first == "/" {
            try expect("/>")
        } else {
            try expect(">")
            open.append(name)
        }
    }

    private mutating func word() throws -> String {
        let word = rest.prefix { $0.properties.isAlphabetic || $0 == "-" }
        guard !word.isEmpty else { throw malformed }
        rest = rest.dropFirst(word.count)
        return String(word)
    }

    private mutating func characters(until ends: Set<Unicode.Scalar>) throws -> String {
        var text = ""
        while let next = rest.popFirst() {
            if ends.contains(next) {
                rest = Substring(String(next) + String(rest)).unicodeScalars
                return text
            }
            switch next {
            case "&":
                let name = String(rest.prefix { $0 != ";" })
                rest = rest.dropFirst(name.unicodeScalars.count + 1)
                let named: [String: Unicode.Scalar] = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'"]
                let number = name.hasPrefix("#") ? UInt32(name.dropFirst()).flatMap(Unicode.Scalar.init) : nil
                guard let meant = named[name] ?? number else { throw malformed }
                text.unicodeScalars.append(meant)
            case "\u{9}", "\u{A}", "\u{D}", "\u{20}"..."\u{D7FF}", "\u{E000}"..."\u{FFFD}", "\u{10000}"..."\u{10FFFF}":
                if text.hasSuffix("]]"), next == ">" { throw malformed }
                text.unicodeScalars.append(next)
            default: throw malformed
            }
        }
        throw malformed
    }

    private mutating func expect(_ text: String) throws {
        guard rest.starts(with: text.unicodeScalars) else { throw malformed }
        rest = rest.dropFirst(text.unicodeScalars.count)
    }

    private var malformed: Malformed { Malformed(at: String(rest.prefix(60))) }
}

@Suite("Verdicts as JUnit XML")
struct JUnitTests {
    @Test("A run is a suite, an assertion a case; misses that are expected are skipped, not failed")
    func shape() throws {
        let run = SampleRun().result
        let elements = try Elements.parse(JUnit.document([run, Found.result(seed: 2)]))
        let suites = elements.filter { $0.name == "testsuite" }
        #expect(suites.map { $0.attributes["tests"] } == ["6", "1"])
        #expect(suites.map { $0.attributes["failures"] } == ["1", "0"])
        #expect(suites[0].attributes["skipped"] == "2")
        #expect(elements.count { $0.name == "testcase" } == 7)
        #expect(elements.count { $0.name == "failure" } == 1)
        #expect(elements.count { $0.name == "skipped" } == 2)
        #expect(elements[0].attributes["failures"] == "1")
        let replay = elements.first { $0.name == "property" && $0.attributes["name"] == "replay" }
        #expect(replay?.attributes["value"] == run.replay)
    }

    @Test("Whatever a scenario calls things, the document stays well-formed and says it unchanged")
    func escaping() throws {
        let name = "a < b && \"c\" > 'd' ]]> <!-- \u{1F41D}\nnext\tline"
        var run = Found.result(seed: 1, failing: true)
        run.name = name
        run.assertions[0].name = name
        run.assertions[0].because = name + "\u{0}\u{1B}[31m\u{FFFF}"
        run.options = [NamedText(name: name, text: name)]
        let elements = try Elements.parse(JUnit.document([run]))
        let testcase = try #require(elements.first { $0.name == "testcase" })
        #expect(testcase.attributes["name"] == name)
        #expect(testcase.attributes["classname"] == name)
        let failure = try #require(elements.first { $0.name == "failure" })
        #expect(failure.attributes["message"] == name + "\u{FFFD}\u{FFFD}[31m\u{FFFD}")
    }

    @Test("Times that no run can have taken are none", arguments: [1e308, .infinity, -1, .nan])
    func strangeTimes(seconds: Double) throws {
        var run = Found.result(seed: 1)
        run.cost.cpuSeconds = seconds
        let suite = try Elements.parse(JUnit.document([run])).first { $0.name == "testsuite" }
        #expect(suite?.attributes["time"] == "0.000")
    }

    @Test("A run that ended early is an error, whatever its assertions say")
    func stopped() throws {
        var run = Found.result(seed: 1)
        run.stopped = "more than 64 MiB on one link"
        let elements = try Elements.parse(JUnit.document([run]))
        #expect(elements.first { $0.name == "testsuite" }?.attributes["errors"] == "1")
        #expect(elements.first { $0.name == "error" }?.attributes["message"] == run.stopped)
    }
}
