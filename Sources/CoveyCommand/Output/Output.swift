import Glibc

enum Output {
    /// Writes a line at once, so that whoever reads a pipe has it.
    static func line(_ text: String) throws {
        guard !text.isEmpty else { return }
        guard write(text + "\n", to: STDOUT_FILENO) else {
            throw Complaint(.io, "cannot write the answer: \(String(cString: strerror(errno)))")
        }
    }

    /// To whoever watches, besides the answer. Nothing can be done when it cannot be written.
    static func note(_ text: String) { _ = write("covey: " + text + "\n", to: STDERR_FILENO) }

    static func write(_ text: String, to descriptor: Int32) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var done = 0
            while done < bytes.count {
                let count = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
                if count < 0, errno == EINTR { continue }
                if count < 0 { return false }
                done += count
            }
            return true
        }
    }

    /// Somebody else's text, without what could command the terminal or turn the direction of a line.
    static func harmless(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isFormat = (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
            let isControl = scalar.properties.generalCategory == .control && scalar != "\n" && scalar != "\t"
            scalars.append(isFormat || isControl ? "\u{FFFD}" : scalar)
        }
        return String(scalars)
    }
}
