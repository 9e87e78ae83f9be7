import CUV
package import CoveyCore
import Glibc

extension SocketAddress {
    /// An address as people write it, a link-local one with its interface: `192.0.2.9`, `fe80::1%eth0`. Nil for a name.
    package init?(numericHost host: String, port: UInt16) {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICHOST
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0, let entry = list?.pointee else { return nil }
        defer { freeaddrinfo(list) }
        guard var address = SocketAddress(UnsafePointer(entry.ai_addr)) else { return nil }
        address.port = port
        self = address
    }
}
