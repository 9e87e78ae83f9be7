import CoveyControl
import CoveyCore
import CoveyNode
import CoveyUV
import Glibc
import Testing

@Suite("What is refused, in words")
struct RefusalTextTests {
    @Test("the documented codes of refusals are the codes, with the sentences that people read")
    func documented() throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let file = try #require(fopen("/\(root)/docs/control-api.md", "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, file))
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.contains("\n" + Refusal.Code.markdown + "\n"), "it should hold:\n\(Refusal.Code.markdown)")
    }

    @Test("the feed gives a code to programs and a sentence to people, and neither holds a name of the source")
    func feed() {
        let address = SocketAddress(v4: 192, 0, 2, 7, port: 26117)
        let event = EventEntry(
            .refused(address, .handshake(.notAdmitted(.attenuation(.quota)))), at: Time(secondsSince1970: 0))
        #expect(event.fields == ["address": "192.0.2.7:26117", "cause": "certificateRights"])
        #expect(event.text.hasPrefix("refused 192.0.2.7:26117: certificates that grant nothing here"))
        #expect(event.text.hasSuffix(": its authority has as many devices as it may; revoke one first"))
        #expect(
            Refusal.logEntry(.malformed(.missing(3))).detail == "it is malformed: it lacks field 3")
        let down = EventEntry(.linkDown(DeviceID(), .notAdmitted), at: Time(secondsSince1970: 0))
        #expect(down.fields["reason"] == "notAdmitted" && !down.text.contains("notAdmitted"))
    }
}
