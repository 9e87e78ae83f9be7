import CoveyCrypto
import Glibc

/// What this program is.
enum Build {
    static let version = "0.1.0"

    /// SHA-256 of the running executable, as a release manifest would name it. Zero when it cannot be read.
    static var hash: Octets32 {
        let descriptor = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return Octets32() }
        defer { close(descriptor) }
        var hash = SHA256()
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { room.deallocate() }
        while true {
            let count = read(descriptor, room.baseAddress, room.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return Octets32() }
            if count == 0 { return hash.finish() }
            hash.update(UnsafeRawBufferPointer(rebasing: room[..<count]).bytes)
        }
    }
}
