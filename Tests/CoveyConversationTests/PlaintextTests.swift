import CoveyCore
import CoveyCrypto
import Testing

@testable import CoveyConversation

@Suite("Plaintexts")
struct PlaintextTests {
    private let random = SeededRandom(seed: 11)

    private func plaintext(_ content: Plaintext.Content) -> Plaintext {
        Plaintext(
            id: .random(from: random), conversation: .random(from: random), sent: Minute(29_000_000),
            logReference: .random(from: random), content: content)
    }

    @Test("every kind reads back as it was written, with and without what is optional")
    func roundTrip() throws {
        var contents: [Plaintext.Content] = [.text(""), .text("hello"), .text("\u{1F6F0} tab\tand line\n")]
        contents += Plaintext.OtherKind.allCases.map { .other($0, [1, 2, 3]) }
        contents.append(.other(.receipt, []))
        for content in contents {
            var written = plaintext(content)
            for purge in [nil, PurgeSecret.random(from: random)] {
                let (read, secret) = try Plaintext.parse(written.encoded(purge: purge))
                #expect(read == written)
                #expect(secret == purge)
                written.replyTo = .random(from: random)
                written.disappearAfter = 1440
            }
        }
    }

    @Test("the layout is that of the protocol")
    func layout() throws {
        let written = plaintext(.text("hi"))
        var expected: [UInt8] = [0x63, 0x31, 0x30, 1]
        expected += [0x01, 0, 16] + written.id.array
        expected += [0x02, 0, 16] + written.conversation.array
        expected += [0x03, 0, 4, 0x01, 0xBA, 0x81, 0x40]
        expected += [0x04, 0, 1, 1]
        expected += [0x05, 0, 16] + written.logReference.array
        expected += [0x09, 0, 2] + Array("hi".utf8)
        #expect(written.encoded(purge: nil) == expected)
    }

    @Test("unknown kinds, text that is not UTF-8, and objects cut short are refused")
    func refused() throws {
        let written = plaintext(.text("hi")).encoded(purge: nil)
        let kind = 4 + 19 + 19 + 7 + 3
        for unknown in [UInt8(0), 9, 255] {
            var bytes = written
            bytes[kind] = unknown
            #expect(throws: Malformed.value(4)) { try Plaintext.parse(bytes) }
        }
        var bytes = written
        bytes[bytes.count - 1] = 0xFF
        #expect(throws: Malformed.text(9)) { try Plaintext.parse(bytes) }
        for count in 0..<written.count where count != written.count - 5 {
            #expect(throws: Malformed.self) { try Plaintext.parse(Array(written[..<count])) }
        }
        // Cut before the body, it is the message with no text.
        #expect(try Plaintext.parse(Array(written.dropLast(5))).plaintext.content == .text(""))
        #expect(throws: Malformed.oversized) { try Plaintext.parse(written + [UInt8](repeating: 0, count: 16384)) }
    }
}
