import CZlib
import Glibc

/// What a file of contacts or messages may hold at most.
package enum TraceLimits {
    /// Bytes of one file, unpacked.
    package static let fileBytes = 1 << 30
    /// Hosts of one trace: the highest number is one less.
    package static let nodes = 1 << 20
    /// Bytes of the name of one message.
    package static let nameBytes = 128
    /// Bytes of one message.
    package static let messageBytes = Int(Int32.max)
    /// Seconds since the world began: a thousand years.
    package static let seconds: UInt64 = 31_557_600_000
}

/// A text file that somebody else made, plain or packed with gzip, whole in memory.
package struct TraceFile: Sendable {
    /// As the user named it, for what is said about mistakes.
    package let path: String
    package let bytes: [UInt8]

    package init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }

    /// Reads a plain file or a packed one: the first bytes tell which it is, not the name.
    /// - Throws: `TraceError` without a line.
    package init(path: String, limit: Int = TraceLimits.fileBytes) throws(TraceError) {
        // zlib opens a folder without a word and reads nothing from it.
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFDIR, let file = gzopen(path, "rb") else {
            throw TraceError(path: path, line: 0, mistake: .unreadable)
        }
        defer { gzclose(file) }
        gzbuffer(file, 1 << 17)
        var bytes: [UInt8] = []
        let piece = 1 << 18
        while true {
            let start = bytes.count
            var got: Int32 = 0
            // Grows twofold, so that a large file is not copied for every piece.
            if bytes.capacity < start + piece { bytes.reserveCapacity(max(2 * bytes.capacity, start + piece)) }
            bytes.append(
                addingCapacity: piece,
                initializingWith: { output in
                    output.withUnsafeMutableBufferPointer { free, count in
                        got = gzread(file, free.baseAddress, UInt32(piece))
                        count = max(0, Int(got))
                    }
                })
            guard got >= 0 else { throw TraceError(path: path, line: 0, mistake: .notPacked) }
            guard bytes.count <= limit else { throw TraceError(path: path, line: 0, mistake: .tooLarge(limit: limit)) }
            if got == 0 { break }
        }
        // A packed file that ends too early reads as one that is merely shorter, until it is asked.
        var code: Int32 = 0
        _ = gzerror(file, &code)
        guard code == Z_OK || code == Z_STREAM_END else {
            throw TraceError(path: path, line: 0, mistake: .notPacked)
        }
        self.init(path: path, bytes: bytes)
    }
}

/// What is wrong with a file, and where.
package struct TraceError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Mistake: Equatable, Sendable {
        case unreadable
        /// The packed bytes are damaged or end too early.
        case notPacked
        case tooLarge(limit: Int)
        /// A field is not there or is not what the format has in its place.
        case expected(String, found: String)
        /// The line goes on after its last field.
        case unexpected(String)
        /// The line is earlier than the one before it.
        case notSorted
        case outOfRange(String, highest: Int)
        /// A host would meet itself.
        case itself
        /// Two messages of one name.
        case repeated(String)
        /// A value, or a key, that this reader knows but cannot follow.
        case unsupported(String)
    }

    package var path: String
    /// From 1; 0 when it is about the whole file.
    package var line: Int
    package var mistake: Mistake

    package init(path: String, line: Int, mistake: Mistake) {
        self.path = path
        self.line = line
        self.mistake = mistake
    }

    package var description: String { (line == 0 ? path : "\(path):\(line)") + ": \(mistake)" }
}

extension TraceError.Mistake: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreadable: "this file cannot be read"
        case .notPacked: "this packed file is damaged or ends too early"
        case .tooLarge(let limit): "more than \(limit) bytes of text"
        case .expected(let what, let found): "expected \(what), found " + (found.isEmpty ? "the end" : "'\(found)'")
        case .unexpected(let found): "the line should end before '\(found)'"
        case .notSorted: "earlier than the line before it; lines are by ascending time"
        case .outOfRange(let what, let highest): "\(what) is above \(highest)"
        case .itself: "a host does not meet itself"
        case .repeated(let name): "a second message is named '\(name)'"
        case .unsupported(let what): "cannot follow \(what)"
        }
    }
}
