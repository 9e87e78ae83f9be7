/// LEB128: seven bits a byte, low ones first, the shortest form only, at most nine bytes (sync-routing.md §2.5).
package enum Varint {
    /// Nine bytes hold 63 bits.
    package static let most: UInt64 = 1 << 63 - 1

    /// Bytes that `value` takes.
    package static func byteCount(_ value: UInt64) -> Int {
        max(1, (UInt64.bitWidth - value.leadingZeroBitCount + 6) / 7)
    }
}

extension ByteReader {
    /// Longer than nine bytes is `oversized`; a form that is not the shortest is `value(0)`.
    @_lifetime(self: copy self)
    package mutating func varint() throws(Malformed) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 63 {
            let byte = try u8()
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 {
                guard byte != 0 || shift == 0 else { throw .value(0) }
                return value
            }
            shift += 7
        }
        throw .oversized
    }
}

extension [UInt8] {
    package mutating func append(varint value: UInt64) {
        precondition(value <= Varint.most, "a varint has at most 63 bits")
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }
}
