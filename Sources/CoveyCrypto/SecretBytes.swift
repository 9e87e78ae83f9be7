/// Bytes with keys in them, in guarded memory: a record or a file on its way between typed keys and a sealed form.
///
/// Wiped when the last holder lets go, so whoever passes it on need not know who holds it still.
package struct SecretBytes: Sendable {
    private let secret: Secret

    init(taking secret: Secret) { self.secret = secret }

    /// `byteCount` bytes, at least one, which `write` appends from the first to the last.
    package init(byteCount: Int, _ write: (inout Writer) -> Void) {
        var writer = Writer(to: Secret(byteCount: byteCount))
        write(&writer)
        precondition(writer.count == byteCount, "secret bytes are written to their end")
        secret = writer.secret
    }

    /// Copies at least one byte. Where they come from is guarded itself, or wiped afterwards.
    package init(copying bytes: RawSpan) { secret = Secret(copying: bytes) }

    package var byteCount: Int { secret.byteCount }

    /// Shows the bytes to `body`, for sealing or to take keys out. Never log, format or keep them.
    package func exposing<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try secret.withSpan(body)
    }

    package struct Writer: ~Copyable {
        fileprivate let secret: Secret
        fileprivate var count = 0

        fileprivate init(to secret: Secret) { self.secret = secret }

        package mutating func append(copying bytes: RawSpan) {
            let start = count
            count += bytes.byteCount
            precondition(count <= secret.byteCount, "secret bytes do not grow")
            guard bytes.byteCount > 0 else { return }
            secret.withMutablePointer { out in
                bytes.withUnsafeBytes {
                    UnsafeMutableRawPointer(out + start).copyMemory(from: $0.baseAddress!, byteCount: $0.count)
                }
            }
        }

        package mutating func append(_ octets: some FixedOctets) { octets.withSpan { append(copying: $0) } }

        package mutating func append(_ key: some SecretKey) { key.exposing { append(copying: $0) } }

        package mutating func append(_ bytes: SecretBytes) { bytes.exposing { append(copying: $0) } }

        package mutating func append(_ bytes: [UInt8]) { append(copying: bytes.span.bytes) }

        package mutating func append(bigEndian integer: some FixedWidthInteger) {
            withUnsafeBytes(of: integer.bigEndian) { append(copying: $0.bytes) }
        }
    }
}
