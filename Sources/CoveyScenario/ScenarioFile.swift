import Glibc

/// Scenario files on disk.
package enum ScenarioFile {
    /// Reads and checks a file. A file that is not there is a problem like any other.
    package static func read(_ path: String) throws(ScenarioProblems) -> ScenarioReader.Reading {
        var reading = try ScenarioReader(file: path).read(text(path))
        reading.scenario.folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        return reading
    }

    package static func text(_ path: String) throws(ScenarioProblems) -> String {
        guard let file = fopen(path, "rb") else { throw ScenarioProblems(path, 1, "", "cannot be opened: \(reason())") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&piece, 1, piece.count, file)
            if count == 0 { break }
            bytes += piece[..<count]
            guard bytes.count <= ScenarioBounds.fileBytes else {
                throw ScenarioProblems(path, 1, "", "is larger than \(ScenarioBounds.fileBytes) bytes")
            }
        }
        guard ferror(file) == 0 else { throw ScenarioProblems(path, 1, "", "cannot be read: \(reason())") }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ScenarioProblems(path, 1, "", "is not UTF-8")
        }
        return text
    }

    package static func write(_ text: String, to path: String) throws(ScenarioProblems) {
        guard let file = fopen(path, "wb") else { throw ScenarioProblems(path, 1, "", "cannot be made: \(reason())") }
        let bytes = Array(text.utf8)
        let count = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, count == bytes.count else {
            throw ScenarioProblems(path, 1, "", "cannot be written: \(reason())")
        }
    }

    private static func reason() -> String { String(cString: strerror(errno)) }
}
