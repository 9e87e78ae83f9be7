package import CoveyCrypto

/// An IP address and port, IPv4 as an IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2).
package struct SocketAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var host: Octets16
    package var port: UInt16
    /// The interface a link-local address belongs to, 0 for others. Never leaves the machine.
    package var scope: UInt32

    package init(host: Octets16, port: UInt16, scope: UInt32 = 0) {
        self.host = host
        self.port = port
        self.scope = scope
    }

    package init(v4 a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8, port: UInt16) {
        let bytes = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, a, b, c, d]
        self.init(host: Octets16(copying: bytes.span.bytes), port: port)
    }

    package var isV4: Bool {
        let bytes = host.array
        return bytes[0..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
    }

    package var isLoopback: Bool {
        let bytes = host.array
        return isV4 ? bytes[12] == 127 : bytes[0..<15].allSatisfy { $0 == 0 } && bytes[15] == 1
    }

    package var isLinkLocal: Bool {
        let bytes = host.array
        return isV4 ? bytes[12] == 169 && bytes[13] == 254 : bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.host != right.host ? left.host < right.host : left.port < right.port
    }

    package var description: String { isV4 ? "\(hostText):\(port)" : "[\(hostText)]:\(port)" }

    /// The host alone, as the system reads it: IPv6 with its longest run of zeros, the first of several, as `::`
    /// (RFC 5952 §4).
    package var hostText: String {
        let bytes = host.array
        if isV4 { return bytes[12...].map(String.init).joined(separator: ".") }
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        var longest = 0..<0
        for start in groups.indices {
            let end = groups[start...].firstIndex { $0 != 0 } ?? groups.count
            if end - start > max(1, longest.count) { longest = start..<end }
        }
        func text(_ range: Range<Int>) -> String {
            groups[range].map { String($0, radix: 16) }.joined(separator: ":")
        }
        if longest.isEmpty { return text(groups.indices) }
        return "\(text(0..<longest.lowerBound))::\(text(longest.upperBound..<groups.count))"
    }
}
