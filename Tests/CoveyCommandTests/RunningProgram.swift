import Foundation
import Testing

/// A `covey` that goes on: its lines are waited for, never slept for.
final class RunningProgram {
    enum Stream: Int, CaseIterable { case output, log }

    /// Seconds that a line may take to come on a busy machine.
    static let patience: TimeInterval = 60

    private let process: Process
    private let pipes = Stream.allCases.map { _ in Pipe() }
    private var bytes: [[UInt8]] = [[], []]
    private var isOpen = [true, true]
    private let ended = DispatchSemaphore(value: 0)

    init(_ program: CoveyProgram, _ arguments: [String], at terminal: PseudoTerminal? = nil) throws {
        process = program.process(arguments)
        process.standardInput = terminal?.line ?? FileHandle.nullDevice
        process.standardOutput = pipes[Stream.output.rawValue]
        process.standardError = pipes[Stream.log.rawValue]
        process.terminationHandler = { [ended] _ in ended.signal() }
        try process.run()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    /// The first whole line that holds `text`, as soon as it is there.
    func line(
        _ stream: Stream, containing text: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        let end = Date(timeIntervalSinceNow: Self.patience)
        while true {
            if let line = lines(of: stream).first(where: { $0.contains(text) }) { return line }
            guard try read(until: end) else {
                let seen = Stream.allCases.flatMap(lines).joined(separator: "\n")
                Issue.record("no line with \(text) came; there is:\n\(seen)", sourceLocation: sourceLocation)
                throw CancellationError()
            }
        }
    }

    /// Everything it wrote until now, in whole lines.
    func text(of stream: Stream) throws -> String {
        while try read(until: Date()) {}
        return lines(of: stream).joined(separator: "\n")
    }

    /// Asks it to end as a service is asked, and gives its exit status when it has.
    func stop() throws -> Int32 {
        kill(process.processIdentifier, SIGTERM)
        return try waitForEnd()
    }

    func waitForEnd() throws -> Int32 {
        let end = Date(timeIntervalSinceNow: Self.patience)
        while try read(until: end) {}
        guard ended.wait(timeout: .now() + max(0, end.timeIntervalSinceNow)) == .success else {
            Issue.record("it did not end:\n\(Stream.allCases.flatMap(lines).joined(separator: "\n"))")
            return -1
        }
        return process.terminationStatus
    }

    private func lines(of stream: Stream) -> [String] {
        String(decoding: bytes[stream.rawValue], as: UTF8.self).components(separatedBy: "\n").dropLast()
    }

    /// Takes what comes next. False when nothing came in time, or nothing can come any more.
    private func read(until end: Date) throws -> Bool {
        let open = Stream.allCases.filter { isOpen[$0.rawValue] }
        guard !open.isEmpty else { return false }
        var waiting = open.map {
            pollfd(fd: pipes[$0.rawValue].fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
        }
        let milliseconds = Int32(clamping: Int((max(0, end.timeIntervalSinceNow) * 1000).rounded(.up)))
        guard poll(&waiting, nfds_t(waiting.count), milliseconds) > 0 else { return false }
        for (stream, state) in zip(open, waiting) where state.revents != 0 {
            var piece = [UInt8](repeating: 0, count: 65_536)
            let count = Foundation.read(state.fd, &piece, piece.count)
            if count > 0 { bytes[stream.rawValue] += piece[..<count] } else { isOpen[stream.rawValue] = false }
        }
        return true
    }
}
