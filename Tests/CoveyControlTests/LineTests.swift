import CoveyControl
import Testing

@Suite("Control lines")
struct LineTests {
    private func read(_ line: String) -> (id: RequestID?, call: Result<ControlCall, ControlError>) {
        ControlCall.read(Array(line.utf8))
    }

    private func refusal(_ line: String) -> (id: RequestID?, error: ControlError?) {
        let (id, call) = read(line)
        guard case .failure(let error) = call else { return (id, nil) }
        return (id, error)
    }

    @Test("a request is read with its parameters, and numbers that are absent have their defaults")
    func requests() {
        let send = read(#"{"jsonrpc":"2.0","id":"a","method":"message.send","params":{"to":"bob","text":"hé\n"}}"#)
        #expect(send.id == .text("a"))
        #expect(send.call == .success(.messageSend(MessageSend(to: "bob", text: "hé\n"))))
        let list = read(#"{"jsonrpc":"2.0","id":7,"method":"inbox.list"}"#)
        #expect(list.id == .number(7))
        #expect(list.call == .success(.inboxList(after: 0, limit: 100)))
        let page = read(
            #"{"jsonrpc":"2.0","id":7,"method":"log.list","params":{"after":18446744073709551615,"limit":500}}"#)
        #expect(page.call == .success(.logList(after: .max, limit: 500)))
        let silent = read(#"{"jsonrpc":"2.0","method":"node.stop","params":{}}"#)
        #expect(silent.id == nil)
        #expect(silent.call == .success(.nodeStop))
    }

    @Test("what the client writes is what the node reads")
    func roundTrip() throws {
        let submit = LogSubmit(
            objects: [Base64([1, 2, 3]), Base64([])],
            epochKeys: [EpochKeyEntry(entry: Hex([0xAB, 0xCD]), key: Base64([9]))])
        var line = try ControlLine.request(submit, id: .number(3))
        #expect(line.removeLast() == UInt8(ascii: "\n"))
        let (id, call) = ControlCall.read(line)
        #expect(id == .number(3))
        #expect(call == .success(.logSubmit(submit)))
    }

    @Test(
        "each wrong line has its code, its kind and the id to answer to",
        arguments: [
            ("", -32700, "null"), ("{", -32700, "null"), ("hello", -32700, "null"), (#"{"id":1}x"#, -32700, "null"),
            ("[]", -32600, "null"), (#"[{"jsonrpc":"2.0","id":1,"method":"node.status"}]"#, -32600, "null"),
            ("17", -32600, "null"), (#"{"jsonrpc":"2.0","id":1}"#, -32600, "1"),
            (#"{"jsonrpc":"2.0","id":{},"method":"node.status"}"#, -32600, "null"),
            (#"{"jsonrpc":"2.0","id":1.5,"method":"node.status"}"#, -32600, "null"),
            (#"{"jsonrpc":"2.0","method":5}"#, -32600, "null"),
            (#"{"jsonrpc":"2.0","id":1,"method":5}"#, -32600, "1"),
            (#"{"jsonrpc":"2.0","id":1,"method":"node.status","params":[]}"#, -32602, "1"),
            (#"{"jsonrpc":"2.0","id":1,"method":"node.status","params":null}"#, -32602, "1"),
            ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"inbox.list\",\"params\":{\"after\":1 1}}", -32700, "null"),
            (#"{"id":1,"method":"node.status"}"#, -32600, "1"),
            (#"{"jsonrpc":"1.0","id":1,"method":"node.status"}"#, -32600, "1"),
            (#"{"jsonrpc":"2.0","id":1,"method":"node.explode"}"#, -32601, "1"),
            (#"{"jsonrpc":"2.0","id":1,"method":"node.status","params":{"x":1}}"#, -32602, "1"),
            (#"{"jsonrpc":"2.0","id":1,"method":"message.send","params":{"to":"a"}}"#, -32602, "1"),
            (#"{"jsonrpc":"2.0","id":1,"method":"message.send"}"#, -32602, "1"),
            (#"{"jsonrpc":"2.0","id":1,"method":"message.send","params":{"to":1,"text":"t"}}"#, -32602, "1"),
            (#"{"jsonrpc":"2.0","id":1,"method":"inbox.list","params":{"after":-1}}"#, -32602, "1"),
            (#"{"jsonrpc":"2.0","id":1,"method":"inbox.list","params":{"limit":0}}"#, -32602, "1"),
            (#"{"jsonrpc":"2.0","id":1,"method":"inbox.list","params":{"limit":501}}"#, -32602, "1"),
            (#"{"jsonrpc":"2.0","id":1,"method":"log.submit","params":{"objects":["?"]}}"#, -32602, "1"),
        ])
    func refusals(line: String, code: Int, id: String) throws {
        let answer = refusal(line)
        let error = try #require(answer.error)
        #expect(error.code == code)
        #expect(error.kind.code == code)
        #expect(!error.hint.isEmpty)
        #expect(answer.id == (id == "null" ? .null : .number(1)))
    }

    @Test("a refusal says what was wrong and what is right, briefly")
    func sentences() {
        #expect(
            refusal(#"{"jsonrpc":"2.0","id":1,"method":"message.send","params":{"to":1,"text":"t"}}"#).error
                == ControlError(.invalidParameters, "params.to has the wrong type", hint: "expected a string"))
        #expect(
            refusal(#"{"jsonrpc":"2.0","id":1,"method":"message.send","params":{"text":"t"}}"#).error
                == ControlError(
                    .invalidParameters, #"message.send needs the parameter "to""#,
                    hint: "an exact label, or at least six hex digits that begin a device id"))
        for number in ["-1", "1.5", "100000000000000000000000000000"] {
            #expect(
                refusal(#"{"jsonrpc":"2.0","id":1,"method":"inbox.list","params":{"limit":5,"after":\#(number)}}"#)
                    .error
                    == ControlError(
                        .invalidParameters, "params.after is out of range",
                        hint: "a whole number: only what comes after this number; 0 when absent"))
        }
        for id in ["1.5", "true", "100000000000000000000000000000"] {
            #expect(
                refusal(#"{"jsonrpc":"2.0","id":\#(id),"method":"node.status"}"#).error
                    == ControlError(
                        .invalidRequest, "id cannot be read",
                        hint: "it is a whole number of 64 bits, or a string of at most 128 bytes"))
        }
        var line = Array(#"{"jsonrpc":"2.0","id":1,"method":"message.send","params":{"to":"a","text":"t"}}"#.utf8)
        line[line.count - 4] = 0xFF
        let (_, call) = ControlCall.read(line)
        guard case .failure(let error) = call else {
            Issue.record("a line that is no UTF-8 text is refused")
            return
        }
        #expect(error.kind == .parse && error.message == "the line is no UTF-8 text")
        let long = String(repeating: "y", count: 5_000)
        let unknown = refusal(#"{"jsonrpc":"2.0","id":1,"method":"\#(long)"}"#).error
        #expect((unknown?.message.utf8.count ?? .max) < 120)
    }

    @Test("JSON nested without end is refused")
    func nesting() {
        #expect(refusal(String(repeating: "[", count: 100_000)).error?.kind == .parse)
    }

    @Test("answers, errors and notifications are one line each, with fixed bytes")
    func answers() throws {
        func text(_ line: [UInt8]) -> String { String(decoding: line, as: UTF8.self) }
        #expect(
            try text(ControlLine.result(SendResult(id: Hex([0x0B, 0x5A]), state: "sealed"), id: .number(1)))
                == #"{"id":1,"jsonrpc":"2.0","result":{"id":"0b5a","state":"sealed"}}"# + "\n")
        #expect(
            try text(ControlLine.failure(ControlError(.notFound, "nobody is called x", hint: "look"), id: .null))
                == ##"{"error":{"code":-32001,"data":{"hint":"look","kind":"notFound"},"message":"nobody is called x"},"##
                + ##""id":null,"jsonrpc":"2.0"}"## + "\n")
        let entry = InboxEntry(
            sequence: 1, id: Hex([1]), from: Hex([2]), label: "a/b", sent: Time(secondsSince1970: 0),
            received: Time(secondsSince1970: 60), text: "one\ntwo", standing: "fine", revoked: nil)
        let line = try text(ControlLine.notification(.message(entry)))
        #expect(
            line.hasPrefix(#"{"jsonrpc":"2.0","method":"inbox.message","params":{"from":"02","id":"01","label":"a/b""#))
        #expect(line.split(separator: "\n").count == 1)
        #expect(line.contains(#""text":"one\ntwo""#))
    }
}

@Suite("Times in the control API")
struct TimeTests {
    @Test(
        "moments are written in UTC, and read back",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"),
            (1_795_300_800, "2026-11-21T22:40:00Z"), (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"), (-62_167_219_200, "0000-01-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ])
    func known(seconds: Int64, text: String) {
        #expect(RFC3339.text(secondsSince1970: seconds) == text)
        #expect(RFC3339.seconds(text) == seconds)
    }

    @Test("each day of four centuries is the day after the one before")
    func days() {
        var last = ""
        for day in Int64(-200 * 366)...Int64(200 * 366) {
            let text = RFC3339.text(secondsSince1970: day * 86_400)
            #expect(text > last)
            #expect(RFC3339.seconds(text) == day * 86_400)
            last = text
        }
    }

    @Test(
        "other forms and days that do not exist are not read",
        arguments: [
            "", "2026-11-21", "2026-11-21T22:40:00", "2026-11-21 22:40:00Z", "2026-11-21T22:40:00+00:00",
            "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2O26-01-01T00:00:00Z",
        ])
    func wrong(text: String) { #expect(RFC3339.seconds(text) == nil) }
}
