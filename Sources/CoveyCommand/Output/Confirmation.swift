import Glibc

/// Asks a person before something is done that cannot be taken back.
enum Confirmation {
    private static let longestAnswer = 64

    /// - Parameter refused: what did not happen, when the answer is no.
    static func ask(
        _ lines: [String], _ question: String, yes: Bool, refused: String = "nothing was signed",
        option: String = "--yes"
    ) throws {
        if yes { return }
        guard isGiven(lines.joined(separator: "\n") + "\n" + question) else {
            throw Complaint(.failed, "\(refused); answer yes, or give \(option)")
        }
    }

    /// Whether somebody types yes.
    ///
    /// - Parameter wait: milliseconds that the answer may take; for ever without it.
    static func isGiven(_ question: String, within wait: Int32 = -1) -> Bool {
        _ = Output.write(question + " [yes/no] ", to: STDERR_FILENO)
        var typed: [UInt8] = []
        // One by one: what follows the line is the answer to another question.
        while typed.count < longestAnswer {
            var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, wait) > 0 else { return false }
            var byte: UInt8 = 0
            guard read(STDIN_FILENO, &byte, 1) > 0, byte != UInt8(ascii: "\n") else { break }
            typed.append(byte)
        }
        return ["y", "yes"].contains(String(decoding: typed, as: UTF8.self).lowercased())
    }
}
