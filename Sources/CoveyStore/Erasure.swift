import CoveyCrypto
import CoveyNode
import Glibc

/// Erases a profile: keys first, then everything else that this program put into its directory (protocol.md §6).
///
///     marker "erasing" ─ keys overwritten and removed ─ database, segments, mesh, settings removed ─ marker removed
///
/// Whoever finds the marker begins again at the keys. Files of others stay.
package enum Erasure {
    private static let single = ["mesh", "covey.toml", "control.sock"]

    package static func erase(_ home: HomeDirectory) throws {
        let marker = ProfileFile.erasing.path(in: home.path)
        try Destruction.replace(marker, [])
        // The master key and the private keys; with them everything sealed is gone.
        try Destruction.destroy([.deviceKey, .pending, .locked, .reading], in: home)
        let names = try Directory.names(in: home.path)
        let segments = home.path + "/segments"
        if names.contains("segments") {
            for name in try Directory.names(in: segments) { try Destruction.remove(segments + "/" + name) }
            try Destruction.removeDirectory(segments)
        }
        for name in names
        where name.hasPrefix("store.sqlite") || single.contains(name)
            || single.contains(where: { Destruction.isDraft(name, of: $0) })
        {
            try Destruction.remove(home.path + "/" + name)
        }
        try Directory.synchronize(home.path)
        try Destruction.remove(marker)
        try Destruction.remove(home.path + "/lock")
        // It stays when something of others is in it.
        _ = rmdir(home.path)
    }
}

/// Files that must go, and files that must be there before others go.
enum Destruction {
    /// Files of a home with what a crash left of them half written: those hold keys as well.
    static func destroy(_ files: [ProfileFile], in home: HomeDirectory) throws {
        let names = try Directory.names(in: home.path)
        for file in files {
            for name in names where name == file.rawValue || isDraft(name, of: file.rawValue) {
                try destroy(home.path + "/" + name)
            }
        }
        try Directory.synchronize(home.path)
    }

    /// `name.new` and `name.PID.new` stand beside a file while it is written.
    static func isDraft(_ name: String, of file: String) -> Bool {
        name.hasPrefix(file + ".") && name.hasSuffix(".new")
    }

    /// Overwrites a file where it stands, and removes it. Flash and copying file systems may keep the old blocks.
    static func destroy(_ path: String) throws {
        guard access(path, F_OK) == 0 || errno != ENOENT else { return }
        do {
            let file = try File(path, O_WRONLY)
            let size = try file.size()
            for _ in 0..<2 {
                let noise = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                    var span = UnsafeMutableRawBufferPointer(buffer).mutableBytes
                    SystemRandom().fill(&span)
                    count = size
                }
                try noise.withUnsafeBytes { try file.write($0, at: 0) }
                try file.synchronize()
            }
        }
        try remove(path)
    }

    static func remove(_ path: String) throws {
        guard unlink(path) == 0 || errno == ENOENT else { throw StoreError(errno: errno, "remove", path) }
    }

    static func removeDirectory(_ path: String) throws {
        guard rmdir(path) == 0 || errno == ENOENT || errno == ENOTEMPTY else {
            throw StoreError(errno: errno, "remove", path)
        }
    }

    /// A file for its owner alone, whole or not at all, that outlasts a power cut.
    static func replace(_ path: String, _ bytes: [UInt8]) throws {
        let draft = path + ".new"
        try remove(draft)
        do {
            let file = try File(draft, O_WRONLY | O_CREAT | O_EXCL)
            try bytes.withUnsafeBytes { try file.write($0, at: 0) }
            try file.synchronize()
        }
        guard rename(draft, path) == 0 else { throw StoreError(errno: errno, "make", path) }
        let end = path.lastIndex(of: "/")
        try Directory.synchronize(end.map { String(path[...$0]) } ?? ".")
    }
}
