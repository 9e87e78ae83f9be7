import CoveyReport
import FoundationEssentials

/// Directories that results go to.
enum Folder {
    static func make(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch { throw ResultFile.Problem.unwritable(path: path) }
    }

    /// One that is gone when `body` is over.
    static func temporary<T>(_ body: (String) throws -> T) throws -> T {
        let path = FileManager.default.temporaryDirectory.path + "/covey-sim-\(UUID().uuidString.prefix(8))"
        try make(path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    /// The folder of a file; empty: the current one.
    static func of(_ file: String) -> String { file.lastIndex(of: "/").map { String(file[..<$0]) } ?? "" }

    static func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }
}
