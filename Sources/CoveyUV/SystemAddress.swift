import CUV
import CoveyCore
import CoveyCrypto
import Glibc

extension SocketAddress {
    /// Nil for families other than IPv4 and IPv6.
    init?(_ pointer: UnsafePointer<sockaddr>?) {
        guard let pointer else { return nil }
        let raw = UnsafeRawPointer(pointer)
        switch Int32(pointer.pointee.sa_family) {
        case AF_INET:
            let v4 = raw.loadUnaligned(as: sockaddr_in.self)
            let host = withUnsafeBytes(of: v4.sin_addr) { [UInt8]($0) }
            self.init(v4: host[0], host[1], host[2], host[3], port: UInt16(bigEndian: v4.sin_port))
        case AF_INET6:
            let v6 = raw.loadUnaligned(as: sockaddr_in6.self)
            let host = withUnsafeBytes(of: v6.sin6_addr) { Octets16(copying: $0.bytes) }
            self.init(host: host, port: UInt16(bigEndian: v6.sin6_port), scope: v6.sin6_scope_id)
        default:
            return nil
        }
    }

    /// Lends the address as the system writes it: an IPv4-mapped one as IPv4.
    func withSystemAddress<Result>(_ body: (UnsafePointer<sockaddr>) throws -> Result) rethrows -> Result {
        var storage = sockaddr_storage()
        return try withUnsafeMutableBytes(of: &storage) { raw in
            if isV4 {
                var v4 = sockaddr_in()
                v4.sin_family = sa_family_t(AF_INET)
                v4.sin_port = port.bigEndian
                withUnsafeMutableBytes(of: &v4.sin_addr) { $0.copyBytes(from: host.array[12...]) }
                raw.storeBytes(of: v4, as: sockaddr_in.self)
            } else {
                var v6 = sockaddr_in6()
                v6.sin6_family = sa_family_t(AF_INET6)
                v6.sin6_port = port.bigEndian
                v6.sin6_scope_id = scope
                withUnsafeMutableBytes(of: &v6.sin6_addr) { $0.copyBytes(from: host.array) }
                raw.storeBytes(of: v6, as: sockaddr_in6.self)
            }
            return try body(UnsafePointer(raw.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: sockaddr.self)))
        }
    }

    var isWildcard: Bool { isV4 ? host.array[12...].allSatisfy { $0 == 0 } : host.isZero }

    /// The same host, whatever the port and the interface.
    func hasHost(of other: SocketAddress) -> Bool { host == other.host }
}
