internal import Glibc

/// A vector file that could not be read, with its path.
package struct VectorFileMissing: Error {
    package var path: String
}

/// A JSON file of vectors: one of the shared folder, or one of ours under Tests/Vectors.
package struct VectorFile: Sendable {
    package let path: String

    package init(path: String) { self.path = path }

    /// One of our own, committed with the package.
    package static func own(_ name: String) -> VectorFile {
        VectorFile(path: Shared.packageRoot + "/Tests/Vectors/" + name)
    }

    /// One of the outside suites (protocol.md §7.1); tests that use it carry the trait `.needsShared`.
    package static func shared(_ name: String) -> VectorFile {
        VectorFile(path: Shared.folder + "/vectors/" + name)
    }

    package var isPresent: Bool { access(path, R_OK) == 0 }

    package func bytes() throws -> [UInt8] {
        guard let file = fopen(path, "r") else { throw VectorFileMissing(path: path) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        let pieceSize = 65536
        while true {
            let piece = [UInt8](unsafeUninitializedCapacity: pieceSize) { buffer, count in
                count = fread(buffer.baseAddress, 1, pieceSize, file)
            }
            bytes += piece
            if piece.count < pieceSize { return bytes }
        }
    }

    package func json() throws -> JSON { try JSONParser.parse(try bytes()) }

    /// The rows of an outside suite: its field `tests`.
    package func rows() throws -> [JSON] { try json()["tests"].items }
}

/// What the independent reference wrote: every format of the protocol once (protocol.md §7.1).
package enum Golden {
    package static let file = VectorFile.own("golden.json")

    package static func json() throws -> JSON { try file.json() }
}
