import Glibc

/// Where a user is told what went wrong.
enum StandardError {
    static func tell(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
