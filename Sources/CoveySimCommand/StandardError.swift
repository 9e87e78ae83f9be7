import Glibc

/// Where a user is told what went wrong, and how far something is.
enum StandardError {
    static func tell(_ line: String) { write(line + "\n") }

    static func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }
}
