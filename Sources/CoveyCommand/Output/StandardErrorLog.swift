import CoveyControl
import FoundationEssentials
import Glibc
import Logging

/// Log lines on the standard error: text for people, one JSON object a line for programs.
struct StandardErrorLog: LogHandler {
    let format: Configuration.LogFormat
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    init(_ format: Configuration.LogFormat, level: Logger.Level) {
        self.format = format
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { _, new in new }.mapValues { "\($0)" }
        let line = Self.line(
            format, seconds: Int64(time(nil)), level: event.level, message: event.message.description, fields: fields)
        _ = Output.write(line + "\n", to: STDERR_FILENO)
    }

    private struct Line: Encodable {
        let time: String
        let level: String
        let message: String
        let fields: [String: String]
    }

    static func line(
        _ format: Configuration.LogFormat, seconds: Int64, level: Logger.Level, message: String,
        fields: [String: String]
    ) -> String {
        let time = RFC3339.text(secondsSince1970: seconds)
        switch format {
        case .text:
            // One event is one line, whatever a name in it holds.
            return "\(time) \(level.rawValue) \(Output.harmless(message).replacing("\n", with: " "))"
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let line = Line(time: time, level: level.rawValue, message: message, fields: fields)
            guard let data = try? encoder.encode(line) else { preconditionFailure("a log line has only texts") }
            return String(decoding: data, as: UTF8.self)
        }
    }
}
