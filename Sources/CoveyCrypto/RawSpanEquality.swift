extension RawSpan {
    /// Compares in words; not for secrets, as its time tells where the two part.
    @inlinable
    package func isEqual(to other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        return withUnsafeBytes { own in
            other.withUnsafeBytes { other in
                let words = own.count / 8
                var difference: UInt64 = 0
                for word in 0..<words {
                    difference |=
                        own.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self)
                        ^ other.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self)
                }
                for at in words * 8..<own.count { difference |= UInt64(own[at] ^ other[at]) }
                return difference == 0
            }
        }
    }
}
