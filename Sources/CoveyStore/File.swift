import CoveyNode
import Glibc

/// An open file, closed when the value goes. Offsets and sizes are in bytes.
///
/// Every call is made again after a signal, and a short read or write is carried on.
struct File: ~Copyable {
    let descriptor: Int32
    let name: String

    /// - Parameter mode: permission bits, when `flags` make the file.
    init(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws {
        name = path
        while true {
            let opened = Glibc.open(path, flags | O_CLOEXEC, mode)
            if opened >= 0 {
                descriptor = opened
                return
            }
            if errno != EINTR { throw StoreError(errno: errno, "open", path) }
        }
    }

    deinit { _ = Glibc.close(descriptor) }

    func size() throws -> Int { Int(try status().st_size) }

    func status() throws -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw StoreError(errno: errno, "look at", name) }
        return status
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
            if count < 0 {
                if errno == EINTR { continue }
                throw StoreError(errno: errno, "write", name)
            }
            done += count
        }
    }

    /// - Returns: the bytes at `offset`; fewer than `count` only where the file ends.
    func read(_ count: Int, at offset: Int) throws -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = pread(descriptor, buffer.baseAddress! + filled, count - filled, off_t(offset + filled))
                if got < 0 {
                    if errno == EINTR { continue }
                    failure = errno
                    return
                }
                if got == 0 { return }
                filled += got
            }
        }
        guard failure == 0 else { throw StoreError(errno: failure, "read", name) }
        return bytes
    }

    func truncate(to size: Int) throws {
        while ftruncate(descriptor, off_t(size)) != 0 {
            if errno != EINTR { throw StoreError(errno: errno, "cut", name) }
        }
    }

    /// The bytes, and the size if it grew, outlast a power cut.
    func synchronizeData() throws {
        while fdatasync(descriptor) != 0 {
            if errno != EINTR { throw StoreError(errno: errno, "flush", name) }
        }
    }

    func synchronize() throws {
        while fsync(descriptor) != 0 {
            if errno != EINTR { throw StoreError(errno: errno, "flush", name) }
        }
    }
}

/// A directory's entries.
enum Directory {
    /// Names made, renamed or removed in it outlast a power cut.
    static func synchronize(_ path: String) throws {
        try File(path, O_RDONLY | O_DIRECTORY).synchronize()
    }

    /// Makes it, with mode 0700, unless it is there.
    static func make(_ path: String) throws {
        guard mkdir(path, 0o700) != 0, errno != EEXIST else { return }
        throw StoreError(errno: errno, "make", path)
    }

    /// Whether names can be made in it.
    static func checkWritable(_ path: String) throws {
        guard access(path, W_OK | X_OK) == 0 else { throw StoreError(errno: errno, "write in", path) }
    }

    /// All names but `.` and `..`, sorted.
    static func names(in path: String) throws -> [String] {
        guard let stream = opendir(path) else { throw StoreError(errno: errno, "list", path) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
