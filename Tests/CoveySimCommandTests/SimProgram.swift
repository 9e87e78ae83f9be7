import CoveyReport
import Foundation
import Testing

/// The built `covey-sim`, run as people run it: a process of its own in a directory of its own.
struct SimProgram {
    struct Outcome {
        let status: Int32
        let output: String
        let complaint: String
    }

    /// Beside the bundle of the tests.
    static let executable: URL = {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("covey-sim")
    }()

    /// Of this checkout.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Seconds that a command may take on a busy machine.
    static let patience: TimeInterval = 240

    let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent(
            "covey-sim-tests-" + UUID().uuidString.prefix(8))
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(at: directory) }

    func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: directory.appendingPathComponent(name))
    }

    func text(of name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }

    func result(_ name: String) throws -> RunResult { try ResultFile.readResult(path(name)) }

    func sweep(_ name: String) throws -> SweepResult { try ResultFile.readSweep(path(name)) }

    /// Runs the command, or another program, to its end. Output goes through files, so that no pipe can fill.
    func run(
        _ arguments: [String], program: URL = SimProgram.executable, environment: [String: String] = [:]
    ) throws -> Outcome {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.currentDirectoryURL = directory
        process.environment = ["HOME": directory.path, "PATH": "/usr/bin:/bin", "TZ": "UTC"]
            .merging(environment) { $1 }
        let id = UUID().uuidString
        let (out, err) = (path("out-\(id)"), path("err-\(id)"))
        for file in [out, err] { try Data().write(to: URL(fileURLWithPath: file)) }
        let handles = try [out, err].map { try FileHandle(forWritingTo: URL(fileURLWithPath: $0)) }
        // A Process keeps them for longer than it lives: hundreds of runs would use up the descriptors of the tests.
        defer { for handle in handles { try? handle.close() } }
        process.standardOutput = handles[0]
        process.standardError = handles[1]
        process.standardInput = FileHandle.nullDevice
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        try process.run()
        guard ended.wait(timeout: .now() + Self.patience) == .success else {
            process.terminate()
            Issue.record("\(program.lastPathComponent) \(arguments.joined(separator: " ")) did not end")
            return Outcome(status: -1, output: "", complaint: "")
        }
        return Outcome(
            status: process.terminationStatus, output: try String(contentsOfFile: out, encoding: .utf8),
            complaint: try String(contentsOfFile: err, encoding: .utf8))
    }

    /// Runs what must end with this status, and gives what it said.
    @discardableResult
    func run(
        _ arguments: String..., status: Int32 = 0, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        let outcome = try run(arguments)
        #expect(
            outcome.status == status, "\(arguments): \(outcome.output)\(outcome.complaint)",
            sourceLocation: sourceLocation)
        if status == 0 { #expect(outcome.complaint.isEmpty, sourceLocation: sourceLocation) }
        return outcome
    }
}
