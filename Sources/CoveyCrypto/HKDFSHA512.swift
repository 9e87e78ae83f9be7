/// HKDF (RFC 5869) with SHA-512. The protocol has no use for it; the outside suites hold our HMAC against it.
package enum HKDFSHA512 {
    /// - Parameter byteCount: at most 255 × 64; more is refused.
    package static func derive(
        salt: [UInt8], material: [UInt8], info: [UInt8], byteCount: Int
    ) throws(CryptoFailure) -> [UInt8] {
        guard (0...255 * 64).contains(byteCount) else { throw .length }
        var extracted = HMACSHA512.code(material.span.bytes, key: salt.span.bytes).array
        defer { extracted.wipe() }
        var output: [UInt8] = []
        var last: [UInt8] = []
        var index: UInt8 = 0
        while output.count < byteCount {
            index += 1
            let block = last + info + [index]
            last = HMACSHA512.code(block.span.bytes, key: extracted.span.bytes).array
            output += last
        }
        return Array(output.prefix(byteCount))
    }
}
