/// HKDF (RFC 5869) with SHA-256, over secrets in guarded memory.
package enum HKDF {
    /// Bytes that go into a derivation: keys stay in their slots, public parts are spans.
    package struct Material {
        private(set) var parts: [Part] = []
        enum Part {
            case secret(Secret)
            case bytes([UInt8])
        }
        package init() {}
        package mutating func append(_ key: some SecretKey) { parts.append(.secret(key.secret)) }
        package mutating func append(_ bytes: [UInt8]) { parts.append(.bytes(bytes)) }
    }

    /// RFC 5869 §2.2. An empty salt stands for 32 zero bytes.
    package static func extract(salt: RawSpan, material: Material) -> SymmetricKey {
        var mac = HMACSHA256(key: salt)
        for part in material.parts {
            switch part {
            case .secret(let secret): secret.withSpan { mac.update($0) }
            case .bytes(let bytes): mac.update(bytes.span.bytes)
            }
        }
        return mac.finishKey()
    }

    package static func extract(salt: some FixedOctets, material: Material) -> SymmetricKey {
        salt.withSpan { extract(salt: $0, material: material) }
    }

    /// RFC 5869 §2.3, one 32-byte key a block: T(1), T(2), …
    /// - Parameter count: keys wanted, 1 to 255.
    package static func expand(_ key: SymmetricKey, info: [UInt8], count: Int) -> [SymmetricKey] {
        precondition((1...255).contains(count), "HKDF gives 1 to 255 blocks")
        var keys: [SymmetricKey] = []
        keys.reserveCapacity(count)
        for index in 1...count {
            var mac = HMACSHA256(key: key)
            if let last = keys.last { last.secret.withSpan { mac.update($0) } }
            mac.update(info.span.bytes)
            mac.update(UInt8(index))
            keys.append(mac.finishKey())
        }
        return keys
    }

    /// RFC 5869 §2.3, any length, for output that is not itself a key: nonces, tags.
    /// - Parameter byteCount: at most 255 × 32; more is refused.
    package static func expand(
        _ key: SymmetricKey, info: [UInt8], byteCount: Int
    ) throws(CryptoFailure) -> [UInt8] {
        guard (0...255 * 32).contains(byteCount) else { throw .length }
        var output: [UInt8] = []
        output.reserveCapacity(byteCount + 31)
        var last = Octets32()
        for index in stride(from: 1, to: byteCount / 32 + 2, by: 1) where output.count < byteCount {
            var mac = HMACSHA256(key: key)
            if index > 1 { mac.update(last) }
            mac.update(info.span.bytes)
            mac.update(UInt8(index))
            last = mac.finish()
            output.append(last)
        }
        output.removeLast(output.count - byteCount)
        return output
    }

    /// One 32-byte key from one key.
    package static func derive(salt: [UInt8] = [], from key: some SecretKey, info: [UInt8]) -> SymmetricKey {
        var material = Material()
        material.append(key)
        return expand(extract(salt: salt.span.bytes, material: material), info: info, count: 1)[0]
    }

    package static func derive(salt: [UInt8] = [], from key: some SecretKey, label: StaticString) -> SymmetricKey {
        derive(salt: salt, from: key, info: bytes(of: label))
    }

    package static func bytes(of label: StaticString) -> [UInt8] {
        label.withUTF8Buffer { [UInt8]($0) }
    }
}
