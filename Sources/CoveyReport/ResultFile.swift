import FoundationEssentials

/// The files a run leaves, as deterministic JSON: keys sorted, so that equal values are equal bytes.
package enum ResultFile {
    package enum Problem: Error, Hashable, CustomStringConvertible {
        case unreadable(path: String)
        case tooLarge(path: String, bytes: Int)
        case foreign(path: String, reason: String)
        case schema(path: String, found: Int, known: Int)
        case unwritable(path: String)

        package var description: String {
            switch self {
            case .unreadable(let path): "\(path): cannot be read"
            case .tooLarge(let path, let bytes):
                "\(path): \(bytes) bytes; at most \(RecordingBounds.fileBytes) are read"
            case .foreign(let path, let reason): "\(path): \(reason)"
            case .schema(let path, let found, let known):
                "\(path): written by schema \(found); this version reads schema \(known)"
            case .unwritable(let path): "\(path): cannot be written"
            }
        }
    }

    package static func encoded(_ value: some Encodable, pretty: Bool = false) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting =
            pretty ? [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes] : [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return [UInt8](try encoder.encode(value))
    }

    package static func write(_ result: RunResult, to path: String) throws {
        try write(try encoded(result, pretty: true) + [UInt8(ascii: "\n")], to: path)
    }

    package static func write(_ recording: Recording, to path: String) throws {
        try write(try encoded(recording) + [UInt8(ascii: "\n")], to: path)
    }

    package static func write(_ sweep: SweepResult, to path: String) throws {
        try write(try encoded(sweep, pretty: true) + [UInt8(ascii: "\n")], to: path)
    }

    /// Whole or not at all: a reader never sees half a file.
    package static func write(_ bytes: [UInt8], to path: String) throws {
        do { try Data(bytes).write(to: URL(filePath: path), options: .atomic) } catch {
            throw Problem.unwritable(path: path)
        }
    }

    package static func readResult(_ path: String) throws -> RunResult { try read(path, known: RunResult.schema) }

    package static func readRecording(_ path: String) throws -> Recording { try read(path, known: Recording.schema) }

    package static func readSweep(_ path: String) throws -> SweepResult { try read(path, known: SweepResult.schema) }

    /// A file that `merge` takes: one run, or a sweep of many.
    package static func readAny(_ path: String) throws -> SweepResult {
        if try kinds(path).rows != nil { return try readSweep(path) }
        return SweepResult([try readResult(path)])
    }

    private struct Kinds: Decodable {
        var schema: Int?
        var rows: [Ignored]?
    }

    private struct Ignored: Decodable {
        init(from decoder: any Decoder) {}
    }

    private static func kinds(_ path: String) throws -> Kinds { try decode(path, try contents(path)) }

    private static func read<Value: Decodable>(_ path: String, known: Int) throws -> Value {
        let data = try contents(path)
        let found: Kinds = try decode(path, data)
        guard let schema = found.schema else { throw Problem.foreign(path: path, reason: "names no schema") }
        guard schema == known else { throw Problem.schema(path: path, found: schema, known: known) }
        return try decode(path, data)
    }

    private static func contents(_ path: String) throws -> Data {
        guard let data = try? Data(contentsOf: URL(filePath: path)) else { throw Problem.unreadable(path: path) }
        guard data.count <= RecordingBounds.fileBytes else { throw Problem.tooLarge(path: path, bytes: data.count) }
        return data
    }

    private static func decode<Value: Decodable>(_ path: String, _ data: Data) throws -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do { return try decoder.decode(Value.self, from: data) } catch let error as DecodingError {
            throw Problem.foreign(path: path, reason: Self.sentence(error))
        } catch { throw Problem.foreign(path: path, reason: "is not JSON") }
    }

    private static func sentence(_ error: DecodingError) -> String {
        func place(_ path: [any CodingKey]) -> String {
            var text = ""
            for key in path {
                if let index = key.intValue {
                    text += "[\(index)]"
                } else {
                    text += (text.isEmpty ? "" : ".") + key.stringValue
                }
            }
            return text.isEmpty ? "the file" : text
        }
        switch error {
        case .keyNotFound(let key, let context): return "\(place(context.codingPath)) lacks \(key.stringValue)"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return "\(place(context.codingPath)) is of the wrong type"
        case .dataCorrupted(let context):
            return context.codingPath.isEmpty ? "is not JSON" : "\(place(context.codingPath)) is not understood"
        @unknown default: return "is not understood"
        }
    }
}
