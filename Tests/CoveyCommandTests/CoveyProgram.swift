import Foundation
import Testing

/// The built `covey`, run as people run it: a process of its own in a directory of its own.
struct CoveyProgram {
    struct Outcome {
        let status: Int32
        let output: String
        let complaint: String

        /// The answer of `--json`.
        func json() throws -> [String: Any] {
            try #require(JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
        }
    }

    /// Beside the bundle of the tests.
    static let executable: URL = {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("covey")
    }()

    /// Seconds that a command may take on a busy machine.
    static let patience: TimeInterval = 120

    let directory: URL

    init() throws {
        // Short: the path of a socket has at most 107 bytes.
        let name = "covey-" + UUID().uuidString.prefix(8)
        directory = FileManager.default.temporaryDirectory.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(at: directory) }

    func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: directory.appendingPathComponent(name))
    }

    func bytes(of name: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: directory.appendingPathComponent(name)))
    }

    func mode(of name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path(name))
        return try #require(attributes[.posixPermissions] as? Int)
    }

    func process(_ arguments: [String], environment: [String: String] = [:]) -> Process {
        let process = Process()
        process.executableURL = Self.executable
        process.arguments = arguments
        process.currentDirectoryURL = directory
        process.environment = ["HOME": directory.path, "PATH": "/usr/bin:/bin", "TZ": "UTC"]
            .merging(environment) { $1 }
        return process
    }

    /// Runs to the end. Output goes through files, so that no pipe can fill.
    ///
    /// - Parameters:
    ///   - input: what it reads on its standard input.
    ///   - typed: what a person types at the terminal that it reads instead.
    func run(
        _ arguments: [String], of executable: URL = Self.executable, environment: [String: String] = [:],
        input: String? = nil, typed: String? = nil
    ) throws -> Outcome {
        let process = process(arguments, environment: environment)
        process.executableURL = executable
        let id = UUID().uuidString
        let (out, err) = (path("out-\(id)"), path("err-\(id)"))
        for file in [out, err] { try Data().write(to: URL(fileURLWithPath: file)) }
        let handles = try [out, err].map { try FileHandle(forWritingTo: URL(fileURLWithPath: $0)) }
        // A Process keeps them for longer than it lives: hundreds of runs would use up the descriptors of the tests.
        defer { for handle in handles { try? handle.close() } }
        process.standardOutput = handles[0]
        process.standardError = handles[1]
        try write(input ?? "", to: "in-\(id)")
        let source = try FileHandle(forReadingFrom: URL(fileURLWithPath: path("in-\(id)")))
        defer { try? source.close() }
        let terminal = try typed.map(PseudoTerminal.init(typing:))
        process.standardInput = terminal?.line ?? source
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        try process.run()
        guard ended.wait(timeout: .now() + Self.patience) == .success else {
            process.terminate()
            Issue.record("covey \(arguments.joined(separator: " ")) did not end")
            return Outcome(status: -1, output: "", complaint: "")
        }
        return Outcome(
            status: process.terminationStatus, output: try String(contentsOfFile: out, encoding: .utf8),
            complaint: try String(contentsOfFile: err, encoding: .utf8))
    }

    /// Runs what must succeed without a word of complaint.
    @discardableResult
    func succeed(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation) throws -> Outcome {
        try succeed(arguments: arguments, sourceLocation: sourceLocation)
    }

    @discardableResult
    func succeed(arguments: [String], sourceLocation: SourceLocation = #_sourceLocation) throws -> Outcome {
        let outcome = try run(arguments)
        #expect(outcome.status == 0, "\(arguments): \(outcome.complaint)", sourceLocation: sourceLocation)
        #expect(outcome.complaint.isEmpty, "\(outcome.complaint)", sourceLocation: sourceLocation)
        return outcome
    }

    /// Runs what must fail: one line that says these words, and this status.
    func fail(
        _ arguments: String..., status: Int32, saying words: String..., environment: [String: String] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try fail(
            arguments: arguments, status: status, saying: words, environment: environment,
            sourceLocation: sourceLocation)
    }

    func fail(
        arguments: [String], status: Int32, saying words: [String], environment: [String: String] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let outcome = try run(arguments, environment: environment)
        #expect(outcome.status == status, "\(arguments): \(outcome.complaint)", sourceLocation: sourceLocation)
        let lines = outcome.complaint.split(separator: "\n")
        #expect(lines.count == 1, "one line: \(outcome.complaint)", sourceLocation: sourceLocation)
        #expect(lines.first?.hasPrefix("covey: ") ?? false, sourceLocation: sourceLocation)
        for word in words {
            #expect(outcome.complaint.contains(word), "\(outcome.complaint)", sourceLocation: sourceLocation)
        }
        #expect(outcome.output.isEmpty, sourceLocation: sourceLocation)
    }
}
