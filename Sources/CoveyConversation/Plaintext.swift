package import CoveyCore
import CoveyCrypto

/// First 16 bytes of the id of the root log's head: what the sender knew of the membership (protocol.md §4.5).
package struct LogReference: FixedOctets {
    private var octets = Octets16()
    package init() {}
}

/// What a message says, before it is sealed and after it was opened (protocol.md §4.5).
///
///     01 msg_id 16 | 02 conv_id 16 | 03 sent 4 | 04 kind 1 | 05 log_ref 16
///     06? reply_to 16 | 07? disappear_after u32 min | 08? purge_secret 16 | 09? body
package struct Plaintext: Sendable, Equatable {
    package enum Content: Sendable, Equatable {
        /// UTF-8 of any characters; who shows it must not let it control a terminal.
        case text(String)
        /// A body that another part of the node reads.
        case other(OtherKind, [UInt8])
    }

    package enum OtherKind: UInt8, CaseIterable, Sendable {
        case receipt = 2
        case attachment = 3
        case groupEpoch = 4
        case pairPrekeys = 5
        case sessionControl = 6
        case admin = 7
        case selfSync = 8
    }

    /// Names the message between sender and recipient; a message is shown once per sender device and id.
    package var id: MessageID
    package var conversation: ConversationID
    /// What the sender claims.
    package var sent: Minute
    package var logReference: LogReference
    package var replyTo: MessageID?
    /// Minutes after which it is to disappear.
    package var disappearAfter: UInt32?
    package var content: Content

    private static let text: UInt8 = 1
    private static let schema = ObjectSchema(
        .plaintext, most: ConversationBounds.plaintext,
        [
            FieldRule(0x01, .exact(16)), FieldRule(0x02, .exact(16)), FieldRule(0x03, .exact(4)),
            FieldRule(0x04, .exact(1)), FieldRule(0x05, .exact(16)), FieldRule(0x06, .exact(16), required: false),
            FieldRule(0x07, .exact(4), required: false), FieldRule(0x08, .exact(16), required: false),
            FieldRule(0x09, .bytes(most: ConversationBounds.plaintext), required: false),
        ])

    package init(
        id: MessageID, conversation: ConversationID, sent: Minute, logReference: LogReference,
        replyTo: MessageID? = nil, disappearAfter: UInt32? = nil, content: Content
    ) {
        self.id = id
        self.conversation = conversation
        self.sent = sent
        self.logReference = logReference
        self.replyTo = replyTo
        self.disappearAfter = disappearAfter
        self.content = content
    }

    /// Reads one object, and the purge secret of the envelope it came in.
    package static func parse(_ bytes: [UInt8]) throws(Malformed) -> (plaintext: Plaintext, purge: PurgeSecret?) {
        let object = try CanonicalObject(parsing: bytes, schema: schema)
        let kind = object.u8(0x04)
        let body = object[0x09] ?? []
        let content: Content
        if kind == text {
            guard let text = String(validating: body, as: UTF8.self) else { throw .text(0x09) }
            content = .text(text)
        } else if let other = OtherKind(rawValue: kind) {
            content = .other(other, Array(body))
        } else {
            throw .value(0x04)
        }
        let plaintext = Plaintext(
            id: object.octets(0x01), conversation: object.octets(0x02), sent: Minute(object.u32(0x03)),
            logReference: object.octets(0x05), replyTo: object.has(0x06) ? object.octets(0x06) : nil,
            disappearAfter: object.has(0x07) ? object.u32(0x07) : nil, content: content)
        return (plaintext, object.has(0x08) ? object.octets(0x08) : nil)
    }

    /// The bytes to seal. `purge` is that of the envelope; only kind 1 envelopes carry it.
    package func encoded(purge: PurgeSecret?) -> [UInt8] {
        var writer = CanonicalWriter(.plaintext)
        writer.field(0x01, id)
        writer.field(0x02, conversation)
        writer.field(0x03, u32: sent.value)
        switch content {
        case .text: writer.field(0x04, u8: Self.text)
        case .other(let kind, _): writer.field(0x04, u8: kind.rawValue)
        }
        writer.field(0x05, logReference)
        if let replyTo { writer.field(0x06, replyTo) }
        if let disappearAfter { writer.field(0x07, u32: disappearAfter) }
        if let purge { writer.field(0x08, purge) }
        let body =
            switch content {
            case .text(let text): Array(text.utf8)
            case .other(_, let bytes): bytes
            }
        if !body.isEmpty { writer.field(0x09, bytes: body) }
        return writer.bytes
    }

    /// Bytes of the encoding without those of the body itself, purge secret included.
    var overhead: Int {
        let fixed = 4 + (3 + 16) + (3 + 16) + (3 + 4) + (3 + 1) + (3 + 16) + (3 + 16) + 3
        return fixed + (replyTo == nil ? 0 : 3 + 16) + (disappearAfter == nil ? 0 : 3 + 4)
    }

    var bodySize: Int {
        switch content {
        case .text(let text): text.utf8.count
        case .other(_, let bytes): bytes.count
        }
    }
}
