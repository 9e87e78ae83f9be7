import CoveyCore
import Glibc

/// One address of an interface.
struct InterfaceAddress: Hashable, Comparable {
    var name: String
    var index: UInt32
    var address: SocketAddress
    var isLoopback: Bool
    var isPointToPoint: Bool
    /// Up, and with a cable or a network. An address outlasts the loss of it, and so do connections for a while.
    var isRunning = true

    static func < (left: Self, right: Self) -> Bool {
        left.index != right.index ? left.index < right.index : left.address < right.address
    }
}

/// Which interfaces are used to be found and to find.
struct InterfaceChoice: Equatable {
    /// Names from the configuration; empty: all but the skipped ones.
    var named: [String]

    private static let skippedNames = ["lo"]
    private static let skippedPrefixes = ["docker", "veth", "br-", "virbr"]

    /// Those named of which the machine has none.
    func lacking(in all: [InterfaceAddress]) -> [String] {
        named.filter { name in !all.contains { $0.name == name } }
    }

    func uses(_ interface: InterfaceAddress) -> Bool {
        if !interface.isRunning { return false }
        if !named.isEmpty { return named.contains(interface.name) }
        return !interface.isLoopback && !interface.isPointToPoint && !Self.skippedNames.contains(interface.name)
            && !Self.skippedPrefixes.contains { interface.name.hasPrefix($0) }
    }
}

/// Asks the system for the addresses of all interfaces, in a fixed order.
///
/// `getifaddrs` and not `uv_interface_addresses`, which does not tell point-to-point links.
func systemInterfaces() -> [InterfaceAddress] {
    var first: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&first) == 0 else { return [] }
    defer { freeifaddrs(first) }
    var found: [InterfaceAddress] = []
    var next = first
    while let entry = next?.pointee {
        next = entry.ifa_next
        let flags = entry.ifa_flags
        guard let address = SocketAddress(UnsafePointer(entry.ifa_addr)) else { continue }
        let running = UInt32(IFF_UP) | UInt32(IFF_RUNNING)
        found.append(
            InterfaceAddress(
                name: String(cString: entry.ifa_name), index: if_nametoindex(entry.ifa_name), address: address,
                isLoopback: flags & UInt32(IFF_LOOPBACK) != 0,
                isPointToPoint: flags & UInt32(IFF_POINTOPOINT) != 0, isRunning: flags & running == running))
    }
    return found.sorted()
}
