package import CoveyCrypto

/// The type byte of a canonical object, and of every signature over one (protocol.md §0.4, appendix C).
package enum ObjectType: UInt8, Sendable, CaseIterable {
    case genesis = 0x00
    case deviceCertificate = 0x01
    case authorityCertificate = 0x02
    case request = 0x03
    case logEntry = 0x04
    case suspend = 0x05
    case renewRequest = 0x06
    case abuse = 0x07
    case revokeNote = 0x08
    case invitation = 0x09
    case welcome = 0x0A
    case draft = 0x0B
    case authorityRequest = 0x0C
    case lockRecord = 0x0D
    case membershipProof = 0x0E
    case authPayload = 0x10
    case bundle = 0x20
    case plaintext = 0x30
    case groupOperation = 0x31
    case groupEpoch = 0x32
    case announcement = 0x40
    /// Signed under the context of the same number.
    case wipeReceipt = 0xF3
}

/// Why bytes are not the object they should be. The peer learns none of it; we count and log it.
package enum Malformed: Error, Hashable, Sendable, CustomStringConvertible {
    case truncated
    case notAnObject
    case wrongType
    case unknownVersion(UInt8)
    case oversized
    case tagOrder
    case unknownCritical(UInt8)
    case missing(UInt8)
    case width(UInt8)
    case text(UInt8)
    case trailing
    case value(UInt8)
    case signatures

    /// For people, behind the name of the object.
    package var description: String {
        switch self {
        case .truncated: "it ends too early"
        case .notAnObject: "it is no object of a mesh"
        case .wrongType: "it is an object of another kind"
        case .unknownVersion(let number): "it is of version \(number), which this program does not know"
        case .oversized: "it is larger than it may be"
        case .tagOrder: "its fields are out of order"
        case .unknownCritical(let tag): "it has field \(tag), which this program would have to know"
        case .missing(let tag): "it lacks field \(tag)"
        case .width(let tag): "field \(tag) has a wrong length"
        case .text(let tag): "field \(tag) is no proper text"
        case .trailing: "something follows its end"
        case .value(let tag): "field \(tag) has a value that it may not have"
        case .signatures: "its list of signatures is malformed"
        }
    }
}

/// What may stand in a field.
package struct FieldRule: Sendable {
    package enum Width: Sendable {
        /// Exactly so many bytes.
        case exact(Int)
        /// A list of fixed-size items, from `least` to `most` of them.
        case items(size: Int, least: Int, most: Int)
        /// A list of `len u16 | item`.
        case list(least: Int, most: Int)
        /// UTF-8, NFC, no control characters, at most so many bytes.
        case text(most: Int)
        /// Anything, at most so many bytes.
        case bytes(most: Int)
    }

    package let tag: UInt8
    package let width: Width
    package let isRequired: Bool
    /// Only `zones` and `label` are written with length 0; everywhere else a field without value is absent.
    package let mayBeEmpty: Bool

    package init(_ tag: UInt8, _ width: Width, required: Bool = true, mayBeEmpty: Bool = false) {
        self.tag = tag
        self.width = width
        self.isRequired = required
        self.mayBeEmpty = mayBeEmpty
    }
}

/// The fields an object has, and how large it may be.
package struct ObjectSchema: Sendable {
    package let type: ObjectType
    /// Bytes, head included.
    package let most: Int
    /// Ascending by tag.
    package let rules: [FieldRule]

    package init(_ type: ObjectType, most: Int = 4096, _ rules: [FieldRule]) {
        self.type = type
        self.most = most
        self.rules = rules
    }
}

/// An object in canonical encoding, checked against its schema.
///
///     0x63 0x31 | type u8 | version u8 | field*        field = tag u8 | len u16 | value[len]
///
/// Tags ascend strictly; an unknown tag below 0x80 is refused, one above is ignored but stays signed. The bytes are kept
/// as received: hashes and signatures are over them, nothing is ever encoded again to be verified (protocol.md §0.4).
package struct CanonicalObject: Sendable, Equatable {
    private let fields: CanonicalFields

    package init(parsing bytes: [UInt8], schema: ObjectSchema) throws(Malformed) {
        try self.init(parsing: bytes[...], schema)
    }

    /// The body of a signed object. Its bytes are not copied.
    package init(parsing signed: Signed, schema: ObjectSchema) throws(Malformed) {
        try self.init(parsing: signed.bytes[signed.bodyRange], schema)
    }

    private init(parsing bytes: ArraySlice<UInt8>, _ schema: ObjectSchema) throws(Malformed) {
        guard bytes.count <= schema.most else { throw .oversized }
        guard bytes.count >= 4 else { throw .truncated }
        let start = bytes.startIndex
        guard bytes[start] == 0x63, bytes[start + 1] == 0x31 else { throw .notAnObject }
        guard bytes[start + 2] == schema.type.rawValue else { throw .wrongType }
        guard bytes[start + 3] == 1 else { throw .unknownVersion(bytes[start + 3]) }
        fields = try CanonicalFields(parsing: bytes[(start + 4)...], rules: schema.rules)
    }

    /// The validated fields; all accessors below follow from the schema.
    package subscript(tag: UInt8) -> ArraySlice<UInt8>? { fields[tag] }
    package func has(_ tag: UInt8) -> Bool { fields[tag] != nil }
    package func octets<Value: FixedOctets>(_ tag: UInt8, as: Value.Type = Value.self) -> Value { fields.octets(tag) }
    package func u8(_ tag: UInt8) -> UInt8 { UInt8(fields.integer(tag)) }
    package func u16(_ tag: UInt8) -> UInt16 { UInt16(fields.integer(tag)) }
    package func u32(_ tag: UInt8) -> UInt32 { UInt32(fields.integer(tag)) }
    package func u64(_ tag: UInt8) -> UInt64 { fields.integer(tag) }
    package func bytes(_ tag: UInt8) -> [UInt8] { fields.bytes(tag) }
    /// As `bytes`, not copied.
    func slice(_ tag: UInt8) -> ArraySlice<UInt8> { fields.slice(tag) }
    package func text(_ tag: UInt8) -> String { fields.text(tag) }
    package func items<Value: FixedOctets>(_ tag: UInt8, of: Value.Type = Value.self) -> [Value] { fields.items(tag) }
    package func list(_ tag: UInt8) -> [[UInt8]] { fields.list(tag) }
}

/// Fields without the object head: inside a `CanonicalObject`, and alone as the payload of a log entry.
package struct CanonicalFields: Sendable, Equatable {
    private struct Field: Sendable, Equatable {
        let tag: UInt8
        let range: Range<Int>
    }

    private let source: ArraySlice<UInt8>
    private let found: [Field]

    /// `rules` ascend by tag, as fields do.
    package init(parsing bytes: ArraySlice<UInt8>, rules: [FieldRule]) throws(Malformed) {
        var found: [Field] = []
        found.reserveCapacity(rules.count)
        var next = 0
        var missing: UInt8?
        func pass(below tag: Int) {
            while next < rules.count, Int(rules[next].tag) < tag {
                if rules[next].isRequired, missing == nil { missing = rules[next].tag }
                next += 1
            }
        }
        var at = bytes.startIndex
        let end = bytes.endIndex
        var last = -1
        while at < end {
            guard end - at >= 3 else { throw .truncated }
            let tag = bytes[at]
            let size = Int(bytes[at + 1]) << 8 | Int(bytes[at + 2])
            at += 3
            guard Int(tag) > last else { throw .tagOrder }
            guard size <= end - at else { throw .truncated }
            last = Int(tag)
            let range = at..<at + size
            at += size
            pass(below: Int(tag))
            if next < rules.count, rules[next].tag == tag {
                try Self.check(bytes[range], rules[next])
                found.append(Field(tag: tag, range: range))
                next += 1
            } else if tag < 0x80 {
                throw .unknownCritical(tag)
            }
        }
        pass(below: .max)
        if let missing { throw .missing(missing) }
        source = bytes
        self.found = found
    }

    private static func check(_ value: ArraySlice<UInt8>, _ rule: FieldRule) throws(Malformed) {
        if value.isEmpty {
            guard rule.mayBeEmpty else { throw .width(rule.tag) }
            return
        }
        switch rule.width {
        case .exact(let size):
            guard value.count == size else { throw .width(rule.tag) }
        case .items(let size, let least, let most):
            guard value.count.isMultiple(of: size), (least...most).contains(value.count / size) else {
                throw .width(rule.tag)
            }
        case .list(let least, let most):
            var count = 0
            guard forEachItem(in: value, { _ in count += 1 }), (least...most).contains(count) else {
                throw .width(rule.tag)
            }
        case .text(let most):
            guard value.count <= most else { throw .width(rule.tag) }
            guard CanonicalText.isValid(value) else { throw .text(rule.tag) }
        case .bytes(let most):
            guard value.count <= most else { throw .width(rule.tag) }
        }
    }

    /// False when the value is no list.
    private static func forEachItem(in value: ArraySlice<UInt8>, _ body: (ArraySlice<UInt8>) -> Void) -> Bool {
        var at = value.startIndex
        while at < value.endIndex {
            guard value.endIndex - at >= 2 else { return false }
            let size = Int(value[at]) << 8 | Int(value[at + 1])
            at += 2
            guard value.endIndex - at >= size else { return false }
            body(value[at..<at + size])
            at += size
        }
        return true
    }

    package subscript(tag: UInt8) -> ArraySlice<UInt8>? {
        found.first { $0.tag == tag }.map { source[$0.range] }
    }

    func slice(_ tag: UInt8) -> ArraySlice<UInt8> {
        guard let value = self[tag] else {
            preconditionFailure("the field is required by the schema or asked for first")
        }
        return value
    }

    package func octets<Value: FixedOctets>(_ tag: UInt8) -> Value {
        Value(copying: slice(tag).span.bytes)
    }

    package func integer(_ tag: UInt8) -> UInt64 {
        let bytes = slice(tag)
        precondition(bytes.count <= 8, "the schema gives the field the width of an integer")
        return bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    package func bytes(_ tag: UInt8) -> [UInt8] { Array(slice(tag)) }

    package func text(_ tag: UInt8) -> String { String(decoding: slice(tag), as: UTF8.self) }

    package func items<Value: FixedOctets>(_ tag: UInt8) -> [Value] {
        guard let bytes = self[tag] else { return [] }
        return stride(from: bytes.startIndex, to: bytes.endIndex, by: Value.byteCount).map { start in
            guard let item = Value(bytes[start..<start + Value.byteCount]) else {
                preconditionFailure("the schema gives the list this item size")
            }
            return item
        }
    }

    package func list(_ tag: UInt8) -> [[UInt8]] {
        guard let bytes = self[tag] else { return [] }
        var items: [[UInt8]] = []
        let isList = Self.forEachItem(in: bytes) { items.append(Array($0)) }
        precondition(isList, "the schema made sure of the list")
        return items
    }
}

/// Writes fields in ascending order of their tags; an object when it has a type, a bare payload when not.
package struct CanonicalWriter {
    package private(set) var bytes: [UInt8] = []
    private var last = -1

    package init(_ type: ObjectType? = nil) {
        if let type { bytes = [0x63, 0x31, type.rawValue, 1] }
    }

    package mutating func field(_ tag: UInt8, bytes value: [UInt8]) {
        precondition(Int(tag) > last, "fields are written in ascending order")
        precondition(value.count <= 0xFFFF, "a field has at most 65535 bytes")
        last = Int(tag)
        bytes.append(tag)
        bytes.append(u16: UInt16(value.count))
        bytes.append(contentsOf: value)
    }

    package mutating func field(_ tag: UInt8, _ octets: some FixedOctets) { field(tag, bytes: octets.array) }

    package mutating func field(_ tag: UInt8, u8 value: UInt8) { field(tag, bytes: [value]) }

    package mutating func field(_ tag: UInt8, u16 value: UInt16) {
        var bytes: [UInt8] = []
        bytes.append(u16: value)
        field(tag, bytes: bytes)
    }

    package mutating func field(_ tag: UInt8, u32 value: UInt32) {
        var bytes: [UInt8] = []
        bytes.append(u32: value)
        field(tag, bytes: bytes)
    }

    package mutating func field(_ tag: UInt8, u64 value: UInt64) {
        var bytes: [UInt8] = []
        bytes.append(u64: value)
        field(tag, bytes: bytes)
    }

    package mutating func field(_ tag: UInt8, text: String) { field(tag, bytes: Array(text.utf8)) }

    /// Absent when empty.
    package mutating func field(_ tag: UInt8, items: [some FixedOctets]) {
        guard !items.isEmpty else { return }
        var value: [UInt8] = []
        for item in items { value.append(item) }
        field(tag, bytes: value)
    }

    /// Absent when empty.
    package mutating func field(_ tag: UInt8, list: [[UInt8]]) {
        guard !list.isEmpty else { return }
        var value: [UInt8] = []
        for item in list {
            value.append(u16: UInt16(item.count))
            value.append(contentsOf: item)
        }
        field(tag, bytes: value)
    }
}
