import CUV
import CoveyCore
import Glibc

/// A peer that is known by name: looked up again before each dial (sync-routing.md §1.3).
package struct HostName: Hashable, Sendable {
    package var host: String
    package var port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }
}

/// One question to the system's resolver, asked on libuv's threads.
final class NameLookup {
    private let port: UInt16
    private var found: ((Result<[SocketAddress], UVError>) -> Void)?
    private let request: UnsafeMutablePointer<uv_getaddrinfo_t>

    private init(port: UInt16, found: @escaping (Result<[SocketAddress], UVError>) -> Void) {
        self.port = port
        self.found = found
        request = .allocate(capacity: 1)
    }

    deinit { request.deallocate() }

    /// Tells the addresses in the order of the system, at least one, or why there is none; never before this returns.
    static func begin(
        _ name: HostName, on loop: Loop, found: @escaping (Result<[SocketAddress], UVError>) -> Void
    ) throws {
        let lookup = NameLookup(port: name.port, found: found)
        lookup.request.pointee.data = Unmanaged.passRetained(lookup).toOpaque()
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        let code = uv_getaddrinfo(loop.raw, lookup.request, lookupEnded, name.host, nil, &hints)
        if code < 0 {
            Unmanaged.passUnretained(lookup).release()
            throw UVError(code)
        }
    }

    fileprivate func end(_ code: Int32, _ list: UnsafeMutablePointer<addrinfo>?) {
        var addresses: [SocketAddress] = []
        var next = code == 0 ? list : nil
        while let entry = next?.pointee {
            next = entry.ai_next
            guard var address = SocketAddress(UnsafePointer(entry.ai_addr)) else { continue }
            address.port = port
            addresses.append(address)
        }
        let found = found
        self.found = nil
        found?(addresses.isEmpty ? .failure(code == 0 ? .noAddress : UVError(code)) : .success(addresses))
    }
}

private func lookupEnded(
    _ request: UnsafeMutablePointer<uv_getaddrinfo_t>?, _ code: Int32, _ list: UnsafeMutablePointer<addrinfo>?
) {
    let lookup = Unmanaged<NameLookup>.fromOpaque(request.unsafelyUnwrapped.pointee.data).takeRetainedValue()
    defer { uv_freeaddrinfo(list) }
    lookup.end(code, list)
}
