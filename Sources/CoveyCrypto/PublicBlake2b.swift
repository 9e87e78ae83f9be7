/// BLAKE2b without a key (RFC 7693), in plain words.
///
/// For what is public and long: an envelope's id is a hash of 2 KiB, taken by every node that carries it, and
/// libsodium's takes twice as long (docs/performance.md). What may be a secret stays with libsodium: here, nothing is
/// wiped.
///
///     parameters = size u8 | key size 0 | fanout 1 | depth 1 | zero 28 | salt 16 | personal 16
package struct PublicBlake2b {
    private static let block = 128

    private var state: Words8
    /// Bytes compressed so far; a message has fewer than 2^64.
    private var count: UInt64 = 0

    /// - Parameter size: of the digest, 1 to 64 bytes; one that is shorter than 64 is a hash of its own.
    private init(size: Int, salt: Octets16, personal: Octets16) {
        let (salt, personal) = (Pair(salt), Pair(personal))
        state = Words8.initial
        state.a ^= 0x0101_0000 ^ UInt64(size)
        state.e ^= salt.low
        state.f ^= salt.high
        state.g ^= personal.low
        state.h ^= personal.high
    }

    package static func hash<Digest: FixedOctets>(
        _ bytes: RawSpan, personal: Octets16, salt: Octets16 = Octets16(), as: Digest.Type = Digest.self
    ) -> Digest {
        precondition((1...64).contains(Digest.byteCount), "the digest has 1 to 64 bytes")
        let whole = digest(bytes, size: Digest.byteCount, salt: salt, personal: personal)
        return Digest(prefixOf: whole)
    }

    /// The digest in the first `size` bytes.
    package static func digest(_ bytes: RawSpan, size: Int, salt: Octets16, personal: Octets16) -> Octets64 {
        var hash = PublicBlake2b(size: size, salt: salt, personal: personal)
        bytes.withUnsafeBytes { hash.take($0) }
        return hash.state.octets
    }

    private mutating func take(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        // The last block is compressed apart, also when it is full.
        while rest.count > Self.block, let base = rest.baseAddress {
            count += UInt64(Self.block)
            state.compress(base, count: count, isLast: false)
            rest = UnsafeRawBufferPointer(rebasing: rest[Self.block...])
        }
        count += UInt64(rest.count)
        withUnsafeTemporaryAllocation(byteCount: Self.block, alignment: 8) { last in
            _ = last.initializeMemory(as: UInt8.self, repeating: 0)
            last.copyMemory(from: rest)
            guard let base = last.baseAddress else { return }
            state.compress(UnsafeRawPointer(base), count: count, isLast: true)
        }
    }
}

/// Sixteen bytes as two words.
private struct Pair {
    let low: UInt64
    let high: UInt64

    init(_ octets: Octets16) {
        (low, high) = withUnsafeBytes(of: octets) { raw in
            (
                UInt64(littleEndian: raw.loadUnaligned(as: UInt64.self)),
                UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }
}

/// The chained value.
private struct Words8 {
    var a, b, c, d, e, f, g, h: UInt64

    /// The first 64 bits of the fractions of the square roots of the first eight primes (RFC 7693 §2.6).
    static let initial = Words8(
        a: 0x6a09_e667_f3bc_c908, b: 0xbb67_ae85_84ca_a73b, c: 0x3c6e_f372_fe94_f82b, d: 0xa54f_f53a_5f1d_36f1,
        e: 0x510e_527f_ade6_82d1, f: 0x9b05_688c_2b3e_6c1f, g: 0x1f83_d9ab_fb41_bd6b, h: 0x5be0_cd19_137e_2179)

    var octets: Octets64 {
        let words = Words8(
            a: a.littleEndian, b: b.littleEndian, c: c.littleEndian, d: d.littleEndian, e: e.littleEndian,
            f: f.littleEndian, g: g.littleEndian, h: h.littleEndian)
        return withUnsafeBytes(of: words) { Octets64(copying: $0.bytes) }
    }

    /// F of RFC 7693 §3.2: twelve rounds over the 128 bytes at `message`, which may lie anywhere.
    mutating func compress(_ message: UnsafeRawPointer, count: UInt64, isLast: Bool) {
        let start = Self.initial
        var v = Square(
            a: (a, b, c, d), b: (e, f, g, h), c: (start.a, start.b, start.c, start.d),
            d: (start.e ^ count, start.f, isLast ? ~start.g : start.g, start.h))
        // SIGMA of RFC 7693 §2.7; rounds 10 and 11 are 0 and 1 again.
        v.mix(message, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
        v.mix(message, 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
        v.mix(message, 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4)
        v.mix(message, 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8)
        v.mix(message, 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13)
        v.mix(message, 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9)
        v.mix(message, 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11)
        v.mix(message, 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10)
        v.mix(message, 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5)
        v.mix(message, 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0)
        v.mix(message, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
        v.mix(message, 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
        a ^= v.a.0 ^ v.c.0
        b ^= v.a.1 ^ v.c.1
        c ^= v.a.2 ^ v.c.2
        d ^= v.a.3 ^ v.c.3
        e ^= v.b.0 ^ v.d.0
        f ^= v.b.1 ^ v.d.1
        g ^= v.b.2 ^ v.d.2
        h ^= v.b.3 ^ v.d.3
    }
}

/// The working vector, four rows of four: all of it in locals once `mix` is inlined.
private struct Square {
    typealias Row = (UInt64, UInt64, UInt64, UInt64)
    var a, b, c, d: Row

    /// One round: columns, then diagonals. The numbers say which word of the message goes where.
    @inline(__always)
    mutating func mix(
        _ message: UnsafeRawPointer, _ i0: Int, _ i1: Int, _ i2: Int, _ i3: Int, _ i4: Int, _ i5: Int, _ i6: Int,
        _ i7: Int, _ i8: Int, _ i9: Int, _ i10: Int, _ i11: Int, _ i12: Int, _ i13: Int, _ i14: Int, _ i15: Int
    ) {
        Self.mix(&a.0, &b.0, &c.0, &d.0, word(message, i0), word(message, i1))
        Self.mix(&a.1, &b.1, &c.1, &d.1, word(message, i2), word(message, i3))
        Self.mix(&a.2, &b.2, &c.2, &d.2, word(message, i4), word(message, i5))
        Self.mix(&a.3, &b.3, &c.3, &d.3, word(message, i6), word(message, i7))
        Self.mix(&a.0, &b.1, &c.2, &d.3, word(message, i8), word(message, i9))
        Self.mix(&a.1, &b.2, &c.3, &d.0, word(message, i10), word(message, i11))
        Self.mix(&a.2, &b.3, &c.0, &d.1, word(message, i12), word(message, i13))
        Self.mix(&a.3, &b.0, &c.1, &d.2, word(message, i14), word(message, i15))
    }

    @inline(__always)
    private func word(_ message: UnsafeRawPointer, _ index: Int) -> UInt64 {
        UInt64(littleEndian: message.loadUnaligned(fromByteOffset: 8 &* index, as: UInt64.self))
    }

    /// G of RFC 7693 §3.1.
    @inline(__always)
    private static func mix(
        _ a: inout UInt64, _ b: inout UInt64, _ c: inout UInt64, _ d: inout UInt64, _ x: UInt64, _ y: UInt64
    ) {
        a = a &+ b &+ x
        d = rotated(d ^ a, 32)
        c = c &+ d
        b = rotated(b ^ c, 24)
        a = a &+ b &+ y
        d = rotated(d ^ a, 16)
        c = c &+ d
        b = rotated(b ^ c, 63)
    }

    @inline(__always)
    private static func rotated(_ word: UInt64, _ bits: UInt64) -> UInt64 {
        word &>> bits | word &<< (64 &- bits)
    }
}
