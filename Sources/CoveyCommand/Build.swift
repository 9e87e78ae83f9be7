import CoveyCore
import CoveyCrypto
import Glibc

/// What this program is.
enum Build {
    static let version = "0.1.0"

    /// 2026-01-01: a clock that stands before it is wrong.
    static let written = Minute(29_453_760)

    /// SHA-256 of the running executable, as a release manifest names it; nil when it cannot be read. A file put in its
    /// place since does not change it.
    static var running: Octets32? { try? hash(of: "/proc/self/exe") }

    /// The same, zero when it cannot be read.
    static var hash: Octets32 { running ?? Octets32() }

    static func hash(of path: String) throws -> Octets32 {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Disk.cannot("read", path, errno) }
        defer { close(descriptor) }
        var hash = SHA256()
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { room.deallocate() }
        while true {
            let count = read(descriptor, room.baseAddress, room.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Disk.cannot("read", path, errno) }
            if count == 0 { return hash.finish() }
            hash.update(UnsafeRawBufferPointer(rebasing: room[..<count]).bytes)
        }
    }
}
