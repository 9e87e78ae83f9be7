import Foundation
import Logging
import Testing

@testable import CoveyCommand

@Suite("Log lines")
struct LogLineTests {
    @Test("text is one line, whatever a name holds; JSON has the fields")
    func lines() throws {
        let text = StandardErrorLog.line(
            .text, seconds: 0, level: .notice, message: "a message from \u{1B}[1mben\nmallory",
            fields: ["event": "delivered"])
        #expect(text == "1970-01-01T00:00:00Z notice a message from \u{FFFD}[1mben mallory")
        let json = StandardErrorLog.line(
            .json, seconds: 0, level: .info, message: "a\nb", fields: ["event": "delivered"])
        #expect(!json.contains("\n"))
        let object = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        #expect(object["level"] as? String == "info")
        #expect((object["fields"] as? [String: String]) == ["event": "delivered"])
    }
}
