package import CoveyCrypto

/// A JSON text as a tree, for vector files only: integers, no fractions, no escapes beyond those of RFC 8259.
///
/// Accessors trap when a field is not what the test says it is: a vector file that is not read as written would
/// otherwise be a test that asserts nothing.
package enum JSON: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    /// A field of an object; `.null` when it is absent.
    package subscript(name: String) -> JSON {
        guard case .object(let fields) = self else { fatalError("\(kind) has no field \(name)") }
        return fields[name] ?? .null
    }

    /// An item of an array.
    package subscript(index: Int) -> JSON { items[index] }

    package var items: [JSON] {
        guard case .array(let items) = self else { fatalError("\(kind) is not an array") }
        return items
    }

    /// The fields of an object, by name in ascending order.
    package var fields: [(name: String, value: JSON)] {
        guard case .object(let fields) = self else { fatalError("\(kind) is not an object") }
        return fields.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    }

    package var string: String {
        guard case .string(let text) = self else { fatalError("\(kind) is not a string") }
        return text
    }

    package var int: Int {
        guard case .integer(let number) = self else { fatalError("\(kind) is not an integer") }
        return number
    }

    package var bool: Bool {
        guard case .bool(let value) = self else { fatalError("\(kind) is not true or false") }
        return value
    }

    /// The bytes of a string of hexadecimal digits.
    package var bytes: [UInt8] {
        guard let bytes = [UInt8](hex: string) else { fatalError("\(string) is not hexadecimal") }
        return bytes
    }

    /// The bytes of a string of hexadecimal digits, as a value of fixed size.
    package func octets<Octets: FixedOctets>(as: Octets.Type = Octets.self) -> Octets {
        guard let octets = Octets(bytes) else { fatalError("\(string) has not \(Octets.byteCount) bytes") }
        return octets
    }

    /// The bytes of a string of hexadecimal digits, as a key.
    package func key<Key: SecretKey>(as: Key.Type = Key.self) -> Key { Key(copying: bytes.span.bytes) }

    package var isNull: Bool { self == .null }

    private var kind: String {
        switch self {
        case .null: "an absent field"
        case .bool: "a truth value"
        case .integer: "an integer"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
