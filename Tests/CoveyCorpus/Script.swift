import CoveyCore

/// Reads an input as steps of a story. It never fails: what is missing at the end is zero or short.
struct Script {
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { at >= bytes.count }

    mutating func u8() -> UInt8 {
        guard at < bytes.count else { return 0 }
        at += 1
        return bytes[at - 1]
    }

    mutating func u16() -> UInt16 { UInt16(u8()) << 8 | UInt16(u8()) }

    mutating func u32() -> UInt32 { UInt32(u16()) << 16 | UInt32(u16()) }

    mutating func take(_ count: Int) -> [UInt8] {
        let end = min(bytes.count, at + count)
        defer { at = end }
        return Array(bytes[at..<end])
    }

    /// `len u16 | bytes`, at most `most`.
    mutating func block(most: Int = .max) -> [UInt8] { take(min(Int(u16()), most)) }

    mutating func rest() -> [UInt8] { take(bytes.count - at) }
}

extension [UInt8] {
    /// Cut, or filled with zeros.
    func sized(_ count: Int) -> [UInt8] {
        prefix(count) + [UInt8](repeating: 0, count: Swift.max(0, count - self.count))
    }
}
