import CoveyControl
import FoundationEssentials
import Glibc
import Testing

@Suite("Control API reference")
struct ReferenceTests {
    /// docs/control-api.md of this checkout.
    private static let path: String = {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return "/\(root)/docs/control-api.md"
    }()

    @Test("the documented methods are the methods; COVEY_WRITE_DOCS=1 writes them anew")
    func documented() throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: Self.path))
        let text = String(decoding: data, as: UTF8.self)
        let parts = text.split(separator: ControlReference.begin, omittingEmptySubsequences: false)
        let head = try #require(parts.first)
        let tail = text.split(separator: ControlReference.end, omittingEmptySubsequences: false).dropFirst().first
        if getenv("COVEY_WRITE_DOCS") != nil {
            let written = head + ControlReference.markdown + (tail ?? "\n")
            try Data(written.utf8).write(to: URL(fileURLWithPath: Self.path))
            return
        }
        #expect(text == head + ControlReference.markdown + (tail ?? ""))
    }

    @Test("every method's parameters are those its type has in JSON")
    func parameters() throws {
        func names(_ request: some ControlRequest) throws -> (ControlMethod, [String]) {
            let line = try ControlLine.request(request, id: .number(1))
            let object = try JSONDecoder().decode(Line.self, from: Data(line))
            return (type(of: request).method, object.names)
        }
        let full = [
            try names(NodeStatus()), try names(NodeVersion()), try names(NodeExamine()),
            try names(NodeRevoke(reason: "retired", since: Time(secondsSince1970: 0))), try names(NodeStop()),
            try names(PeersList()),
            try names(ContactsList(after: Hex([1]))), try names(ContactsShow(device: "a")),
            try names(ContactsSuspend(device: "a", reason: "lost", days: 1)),
            try names(MessageSend(to: "a", text: "b")),
            try names(InboxList(after: 1, limit: 2)), try names(InboxSubscribe(after: 1)),
            try names(QuarantineList(after: 1, limit: 2, hidden: true)),
            try names(
                AnnouncementSend(
                    text: "a", priority: "normal", hours: 1, zone: 2, severity: "advice", drill: true, supersedes: 1,
                    formerMembersToo: true)), try names(AnnouncementList()), try names(LogHeads()),
            try names(LogList(after: 1, limit: 2)),
            try names(LogNotes(after: Hex([1]), limit: 2)),
            try names(LogExport(after: "entry:1", limit: 2)),
            try names(
                LogSubmit(objects: [], epochKeys: [EpochKeyEntry(entry: Hex([1]), key: Base64([2]))])),
            try names(RenewalsList()), try names(ReleaseList()),
            try names(WipeDraftRequest(device: "", mode: "", reason: "", days: 1)),
            try names(WipeSign(note: Base64([]))), try names(WipeList()), try names(EventsSubscribe()),
        ]
        #expect(full.map(\.0) == ControlMethod.allCases)
        for (method, names) in full {
            #expect(names == method.description.parameters.map(\.name).sorted(), "\(method.rawValue)")
        }
    }

    private struct Line: Decodable {
        struct Name: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init?(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }
        enum Key: String, CodingKey { case params }
        var names: [String]
        init(from decoder: any Decoder) throws {
            names = try decoder.container(keyedBy: Key.self).nestedContainer(keyedBy: Name.self, forKey: .params)
                .allKeys.map(\.stringValue).sorted()
        }
    }
}
