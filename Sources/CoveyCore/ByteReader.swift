package import CoveyCrypto

/// Reads big-endian integers and inline values off a span, checking bounds, allocating nothing.
package struct ByteReader: ~Escapable {
    private var rest: RawSpan

    package enum Failure: Error, Equatable, Sendable { case truncated }

    @_lifetime(copy bytes)
    package init(_ bytes: RawSpan) { rest = bytes }

    package var isAtEnd: Bool { rest.isEmpty }
    package var remaining: Int { rest.byteCount }

    @_lifetime(self: copy self)
    package mutating func u8() throws(Failure) -> UInt8 {
        guard rest.byteCount >= 1 else { throw .truncated }
        let value = rest.unsafeLoad(as: UInt8.self)
        rest = rest.extracting(droppingFirst: 1)
        return value
    }

    @_lifetime(self: copy self)
    package mutating func u16() throws(Failure) -> UInt16 {
        guard rest.byteCount >= 2 else { throw .truncated }
        let value = UInt16(bigEndian: rest.unsafeLoadUnaligned(as: UInt16.self))
        rest = rest.extracting(droppingFirst: 2)
        return value
    }

    @_lifetime(self: copy self)
    package mutating func u32() throws(Failure) -> UInt32 {
        guard rest.byteCount >= 4 else { throw .truncated }
        let value = UInt32(bigEndian: rest.unsafeLoadUnaligned(as: UInt32.self))
        rest = rest.extracting(droppingFirst: 4)
        return value
    }

    @_lifetime(self: copy self)
    package mutating func u64() throws(Failure) -> UInt64 {
        guard rest.byteCount >= 8 else { throw .truncated }
        let value = UInt64(bigEndian: rest.unsafeLoadUnaligned(as: UInt64.self))
        rest = rest.extracting(droppingFirst: 8)
        return value
    }

    @_lifetime(self: copy self)
    package mutating func octets<Value: FixedOctets>(_: Value.Type = Value.self) throws(Failure) -> Value {
        guard rest.byteCount >= Value.byteCount else { throw .truncated }
        let value = Value(copying: rest.extracting(first: Value.byteCount))
        rest = rest.extracting(droppingFirst: Value.byteCount)
        return value
    }

    @_lifetime(copy self)
    @_lifetime(self: copy self)
    package mutating func span(_ count: Int) throws(Failure) -> RawSpan {
        guard count >= 0, rest.byteCount >= count else { throw .truncated }
        let value = rest.extracting(first: count)
        rest = rest.extracting(droppingFirst: count)
        return value
    }

    @_lifetime(self: copy self)
    package mutating func bytes(_ count: Int) throws(Failure) -> [UInt8] {
        guard count >= 0, rest.byteCount >= count else { throw .truncated }
        let value = [UInt8](copying: rest.extracting(first: count))
        rest = rest.extracting(droppingFirst: count)
        return value
    }
}

extension [UInt8] {
    package mutating func append(u16 value: UInt16) {
        append(UInt8(truncatingIfNeeded: value >> 8))
        append(UInt8(truncatingIfNeeded: value))
    }

    package mutating func append(u32 value: UInt32) {
        append(u16: UInt16(truncatingIfNeeded: value >> 16))
        append(u16: UInt16(truncatingIfNeeded: value))
    }

    package mutating func append(u64 value: UInt64) {
        append(u32: UInt32(truncatingIfNeeded: value >> 32))
        append(u32: UInt32(truncatingIfNeeded: value))
    }
}
