package import CoveyCore
import Glibc

extension SocketAddress {
    /// All addresses of a host, in the order in which the system would try them; none when nobody knows it.
    ///
    /// Blocks while it asks the network, unless `isNumeric`: then a name is nothing that it knows. Called before a run.
    package static func lookUp(_ host: String, port: UInt16, isNumeric: Bool = false) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = isNumeric ? AI_NUMERICHOST : 0
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next {
            if let address = SocketAddress(entry.pointee.ai_addr), !addresses.contains(address) {
                addresses.append(address)
            }
            next = entry.pointee.ai_next
        }
        return addresses
    }
}
