internal import CSodium

/// A fixed number of bytes held inline: no heap, no reference count, cheap to hash and to compare.
///
/// A conforming type is a struct of integers without gaps, zero when made by `init()`; its bytes are its memory.
/// Order is the order of the bytes, so it is the same on every machine.
///
/// The protocol itself is marked for use from inlined code, or other rooms would call all of this unspecialised.
@usableFromInline
package protocol FixedOctets: Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
    init()
}

extension FixedOctets {
    @inlinable
    package static var byteCount: Int { MemoryLayout<Self>.size }

    /// Nil when `bytes` has another length.
    package init?(_ bytes: some Sequence<UInt8>) {
        self.init()
        // Arrays and their slices, which is nearly all, are copied in one piece.
        var whole = Self()
        let isWhole = bytes.withContiguousStorageIfAvailable { source -> Bool in
            guard source.count == Self.byteCount else { return false }
            withUnsafeMutableBytes(of: &whole) { $0.copyMemory(from: UnsafeRawBufferPointer(source)) }
            return true
        }
        if let isWhole {
            guard isWhole else { return nil }
            self = whole
            return
        }
        let filled = withUnsafeMutableBytes(of: &self) { own -> Bool in
            var at = 0
            for byte in bytes {
                guard at < own.count else { return false }
                own[at] = byte
                at += 1
            }
            return at == own.count
        }
        guard filled else { return nil }
    }

    /// Copies `bytes`, which has exactly `byteCount` bytes.
    @inlinable
    package init(copying bytes: RawSpan) {
        precondition(bytes.byteCount == Self.byteCount, "the span has the length of the type")
        self.init()
        bytes.withUnsafeBytes { source in
            withUnsafeMutableBytes(of: &self) { $0.copyMemory(from: source) }
        }
    }

    /// The first bytes of a longer value, as the protocol takes a `device_id` from a hash.
    @inlinable
    package init(prefixOf longer: some FixedOctets) {
        precondition(Self.byteCount <= MemoryLayout.size(ofValue: longer), "a prefix is not longer than the value")
        self = withUnsafeBytes(of: longer) { $0.loadUnaligned(as: Self.self) }
    }

    package init?(hex text: String) {
        guard let bytes = [UInt8](hex: text) else { return nil }
        self.init(bytes)
    }

    @inlinable
    package func withSpan<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let copy = self
        return try withUnsafeBytes(of: copy) { (raw) throws(Failure) -> Result in try body(raw.bytes) }
    }

    @inlinable
    package mutating func withMutableSpan<Result>(_ body: (inout MutableRawSpan) -> Result) -> Result {
        withUnsafeMutableBytes(of: &self) { raw in
            var span = raw.mutableBytes
            return body(&span)
        }
    }

    /// In words, as ids are compared at every lookup.
    @inlinable
    package static func == (left: Self, right: Self) -> Bool {
        withUnsafeBytes(of: left) { a in withUnsafeBytes(of: right) { b in a.bytes.isEqual(to: b.bytes) } }
    }

    package var array: [UInt8] { withSpan { [UInt8](copying: $0) } }

    package var hex: String { array.hex }

    package var description: String { hex }

    package var isZero: Bool { self == Self() }

    package static func < (left: Self, right: Self) -> Bool {
        withUnsafeBytes(of: left) { a in
            withUnsafeBytes(of: right) { b in
                for at in 0..<a.count where a[at] != b[at] { return a[at] < b[at] }
                return false
            }
        }
    }

    package static func random(from source: any RandomSource) -> Self {
        var value = Self()
        value.withMutableSpan { source.fill(&$0) }
        return value
    }
}

package struct Octets8: FixedOctets {
    private var a: UInt64 = 0
    package init() {}
}

package struct Octets16: FixedOctets {
    private var a: UInt64 = 0
    private var b: UInt64 = 0
    package init() {}
}

package struct Octets24: FixedOctets {
    private var a: UInt64 = 0
    private var b: UInt64 = 0
    private var c: UInt64 = 0
    package init() {}
}

package struct Octets32: FixedOctets {
    private var a: UInt64 = 0
    private var b: UInt64 = 0
    private var c: UInt64 = 0
    private var d: UInt64 = 0
    package init() {}
}

package struct Octets64: FixedOctets {
    private var low = Octets32()
    private var high = Octets32()
    package init() {}
}

extension [UInt8] {
    package init(copying bytes: RawSpan) {
        self = bytes.withUnsafeBytes { [UInt8]($0) }
    }

    @inlinable
    package mutating func append(_ octets: some FixedOctets) {
        Swift.withUnsafeBytes(of: octets) { self.append(contentsOf: $0) }
    }

    package mutating func append(copying bytes: RawSpan) {
        bytes.withUnsafeBytes { self.append(contentsOf: $0) }
    }

    /// Nil unless `text` is an even number of hexadecimal digits.
    package init?(hex text: String) {
        let digits = text.utf8
        guard digits.count.isMultiple(of: 2) else { return nil }
        self.init()
        reserveCapacity(digits.count / 2)
        var high: UInt8?
        for digit in digits {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = digit - UInt8(ascii: "A") + 10
            default: return nil
            }
            if let first = high {
                append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
    }

    package var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(count * 2)
        for byte in self {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Overwrites bytes that held a secret on their way between a file or a frame and guarded memory.
    ///
    /// Other arrays that share the storage would keep theirs: hold such bytes in one variable only, and reserve their
    /// room before they are written, or a growing array leaves them behind. What is handed on is `SecretBytes`.
    package mutating func wipe() {
        let written = withUnsafeBytes { $0.baseAddress }
        withUnsafeMutableBytes { raw in
            assert(
                raw.isEmpty || raw.baseAddress.map { UnsafeRawPointer($0) } == written,
                "bytes that are wiped are held in one variable")
            if let base = raw.baseAddress { sodium_memzero(base, raw.count) }
        }
        removeAll()
    }
}
