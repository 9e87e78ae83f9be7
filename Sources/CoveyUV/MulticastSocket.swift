import CUV
import CoveyCore
import CoveyCrypto
import Glibc

/// The discovery groups (sync-routing.md §1.1).
enum DiscoveryGroup: UInt8, CaseIterable {
    /// 239.255.109.77
    case v4
    /// ff12::6d65:7368, link scope
    case v6

    var name: String {
        switch self {
        case .v4: "239.255.109.77"
        case .v6: "ff12::6d65:7368"
        }
    }

    func address(port: UInt16, interface: UInt32) -> SocketAddress {
        switch self {
        case .v4:
            SocketAddress(v4: 239, 255, 109, 77, port: port)
        case .v6:
            SocketAddress(
                host: Octets16([0xFF, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x6D, 0x65, 0x73, 0x68]).unsafelyUnwrapped,
                port: port, scope: interface)
        }
    }
}

/// One discovery group on one interface: what is said there is heard by all members on the link, and by our own too.
final class MulticastSocket {
    let group: DiscoveryGroup
    let interface: UInt32
    private let target: SocketAddress
    private var handle: Handle<uv_udp_t>?
    fileprivate var heard: (([UInt8], SocketAddress) -> Void)?

    /// `own`: the address of this machine on the interface, of the group's family.
    init(
        _ group: DiscoveryGroup, port: UInt16, on own: InterfaceAddress, loop: Loop,
        heard: @escaping ([UInt8], SocketAddress) -> Void
    ) throws {
        self.group = group
        interface = own.index
        target = group.address(port: port, interface: own.index)
        self.heard = heard
        let handle = try Handle(holding: self) { uv_udp_init(loop.raw, $0) }
        self.handle = handle
        do {
            try join(handle.raw, own)
            try UVError.check(uv_udp_recv_start(handle.raw, giveSlab, datagramCame))
        } catch {
            close()
            throw error
        }
    }

    private func join(_ udp: UnsafeMutablePointer<uv_udp_t>, _ own: InterfaceAddress) throws {
        // Bound to the group, so unicast to the port is not heard; bound to the interface by its scope (IPv6), or by
        // hearing only own memberships (IPv4).
        let reuse = UInt32(UV_UDP_REUSEADDR.rawValue)
        try UVError.check(target.withSystemAddress { uv_udp_bind(udp, $0, reuse) })
        let place =
            switch group {
            case .v4: own.address.hostText
            case .v6: "::%\(own.name)"
            }
        if group == .v4 {
            var socket: uv_os_fd_t = -1
            var off: Int32 = 0
            try UVError.check(
                UnsafeMutableRawPointer(udp).withMemoryRebound(to: uv_handle_t.self, capacity: 1) {
                    uv_fileno($0, &socket)
                })
            if setsockopt(socket, Int32(IPPROTO_IP), IP_MULTICAST_ALL, &off, socklen_t(MemoryLayout<Int32>.size)) != 0 {
                throw UVError(-errno)
            }
        }
        try UVError.check(uv_udp_set_membership(udp, group.name, place, UV_JOIN_GROUP))
        try UVError.check(uv_udp_set_multicast_interface(udp, place))
        try UVError.check(uv_udp_set_multicast_ttl(udp, 1))
        try UVError.check(uv_udp_set_multicast_loop(udp, 1))
    }

    /// A datagram that does not leave is lost, as on the wire; the next beacon comes.
    func send(_ bytes: [UInt8]) {
        guard let handle else { return }
        bytes.withUnsafeBufferPointer { all in
            var buffer = all.uvBuffer
            _ = target.withSystemAddress { uv_udp_try_send(handle.raw, &buffer, 1, $0) }
        }
    }

    func close() {
        handle?.close()
        handle = nil
        heard = nil
    }
}

private func datagramCame(
    _ socket: UnsafeMutablePointer<uv_udp_t>?, _ count: Int, _ buffer: UnsafePointer<uv_buf_t>?,
    _ from: UnsafePointer<sockaddr>?, _ flags: UInt32
) {
    guard count > 0, count <= Bounds.datagram, flags & UInt32(UV_UDP_PARTIAL.rawValue) == 0,
        let from = SocketAddress(from)
    else { return }
    let bytes = [UInt8](UnsafeRawBufferPointer(start: buffer.unsafelyUnwrapped.pointee.base, count: count))
    owner(of: socket.unsafelyUnwrapped.pointee.data, as: MulticastSocket.self).heard?(bytes, from)
}
