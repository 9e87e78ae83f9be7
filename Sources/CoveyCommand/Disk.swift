import CoveyCrypto
import Glibc

/// Files that a command reads and writes, with errors in the words of a person.
enum Disk {
    enum Bounds {
        /// Bytes of the largest file a command takes in: a log of many years.
        static let file = 64 << 20
        /// Bytes of a configuration file.
        static let configuration = 1 << 20
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Whether two paths name one file that is there.
    static func isSame(_ path: String, _ other: String) -> Bool {
        var (one, two) = (stat(), stat())
        guard stat(path, &one) == 0, stat(other, &two) == 0 else { return false }
        return one.st_dev == two.st_dev && one.st_ino == two.st_ino
    }

    /// The whole file; nil when there is none.
    static func readIfThere(_ path: String, most: Int = Bounds.file) throws -> [UInt8]? {
        // A pipe without a writer would be waited for; it is refused below.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw cannot("read", path, errno)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw cannot("read", path, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Complaint(.io, "cannot read \(path): it is not a file") }
        let size = Int(status.st_size)
        guard size <= most else {
            throw Complaint(.failed, "\(path) has \(size) bytes, more than the \(most) that such a file may have")
        }
        // All the room from the start: an array that grows would leave secrets behind in the old place.
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let got = Glibc.read(descriptor, buffer.baseAddress! + count, size - count)
                if got < 0, errno == EINTR { continue }
                if got < 0 { failure = errno }
                if got <= 0 { return }
                count += got
            }
        }
        guard failure == 0 else { throw cannot("read", path, failure) }
        return bytes
    }

    static func read(_ path: String, most: Int = Bounds.file) throws -> [UInt8] {
        guard let bytes = try readIfThere(path, most: most) else { throw cannot("read", path, ENOENT) }
        return bytes
    }

    /// Before something is signed that a new file is to hold: whether `create` could write it.
    static func checkNew(_ path: String) throws {
        guard !exists(path) else {
            throw Complaint(.cannotCreate, "\(path) exists already; choose another name or move it away")
        }
        var status = stat()
        let parent = directory(of: path)
        guard stat(parent, &status) == 0 else { throw cannot("create", path, errno) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw cannot("create", path, ENOTDIR) }
        guard access(parent, W_OK | X_OK) == 0 else { throw cannot("create", path, errno) }
    }

    /// Writes a new file that only its owner may read. An existing one is left as it is.
    static func create(_ path: String, _ bytes: [UInt8]) throws {
        try checkNew(path)
        try write(path, bytes) { temporary in
            guard link(temporary, path) == 0 else {
                let cause = errno
                // Some file systems of sticks and phones have no hard links.
                if cause == EPERM || cause == EOPNOTSUPP || cause == EMLINK, !exists(path) {
                    return rename(temporary, path) == 0 ? 0 : errno
                }
                return cause
            }
            unlink(temporary)
            return 0
        }
    }

    /// Writes a file that only its owner may read, in place of the one that may be there.
    static func replace(_ path: String, _ bytes: [UInt8]) throws {
        try write(path, bytes) { rename($0, path) == 0 ? 0 : errno }
    }

    static func remove(_ path: String) throws {
        guard unlink(path) == 0 || errno == ENOENT else { throw cannot("remove", path, errno) }
    }

    /// Makes a directory for its owner alone, and those above it.
    static func makeDirectory(_ path: String) throws {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/" + part
            guard mkdir(made, 0o700) == 0 || errno == EEXIST else { throw cannot("create", made, errno) }
        }
    }

    /// The names of the files in a directory that end so, sorted.
    static func names(in path: String, ending: String) throws -> [String] {
        guard let stream = opendir(path) else { throw cannot("read", path, errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(ending) { names.append(name) }
        }
        return names.sorted()
    }

    /// All of the bytes outlast a power cut before the name does. `place` gives the file its name, or an `errno`.
    private static func write(_ path: String, _ bytes: [UInt8], place: (String) -> Int32) throws {
        let temporary = "\(path).\(getpid()).new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw cannot("create", path, errno) }
        var failure: Int32 = 0
        bytes.withUnsafeBytes { raw in
            var done = 0
            while done < raw.count {
                let count = Glibc.write(descriptor, raw.baseAddress! + done, raw.count - done)
                if count < 0, errno == EINTR { continue }
                if count < 0 { return failure = errno }
                done += count
            }
        }
        if failure == 0, fsync(descriptor) != 0 { failure = errno }
        close(descriptor)
        if failure == 0 { failure = place(temporary) }
        guard failure == 0 else {
            unlink(temporary)
            throw cannot("create", path, failure)
        }
        let parent = open(directory(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if parent >= 0 {
            fsync(parent)
            close(parent)
        }
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func cannot(_ action: String, _ path: String, _ code: Int32) -> Complaint {
        let text = "cannot \(action) \(path): "
        switch code {
        case ENOENT where action == "read": return Complaint(.io, text + "there is no such file")
        case ENOENT: return Complaint(.cannotCreate, text + "its directory does not exist; make it first")
        case EACCES, EPERM:
            return Complaint(.permission, text + "you may not; check the owner and mode of it and its directory")
        case EROFS: return Complaint(.cannotCreate, text + "the file system is read-only; choose another place")
        case EEXIST: return Complaint(.cannotCreate, text + "it exists already; choose another name or move it away")
        case ENOSPC, EDQUOT: return Complaint(.io, text + "the disk is full; make room and try again")
        case ENOTDIR: return Complaint(.cannotCreate, text + "a part of the path is no directory")
        default:
            return Complaint(action == "create" ? .cannotCreate : .io, text + String(cString: strerror(code)))
        }
    }
}
