import CoveyQR
import Glibc

/// The window that a person looks at.
struct Terminal {
    let columns: Int
    let lines: Int
    /// Whether somebody can press a key.
    let isAsked: Bool

    /// Lines below a code: which of several it is, what it is, and the cursor.
    static let caption = 3
    /// Thousandths of a second that one code of several is shown.
    static let pace: Int32 = 300

    init(columns: Int, lines: Int, isAsked: Bool) {
        self.columns = columns
        self.lines = lines
        self.isAsked = isAsked
    }

    /// Nil when the answer goes to a file or a pipe.
    static var current: Terminal? {
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        var window = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0 else {
            return nil
        }
        return Terminal(
            columns: Int(window.ws_col), lines: Int(window.ws_row), isAsked: isatty(STDIN_FILENO) == 1)
    }

    /// The codes that this window has room for; without a window, those of 80 columns.
    static func shape(for terminal: Terminal?) throws -> CodeShape {
        guard let terminal else { return CodeShape(version: 13, level: .low) }
        let shape = CodeShape(columns: terminal.columns, lines: terminal.lines - caption, level: .low)
        guard let shape else {
            let least = TerminalDrawing.size(
                modules: CodeShape(version: CodeBounds.smallestVersion, level: .low).modules)
            throw Complaint(
                .failed,
                "this terminal has \(terminal.columns) columns and \(terminal.lines) lines, and a code needs \(least.columns) and \(least.lines + caption); enlarge it, make its letters smaller, or write an image with --png FILE"
            )
        }
        return shape
    }

    /// Shows the codes: one as it is, several in turn until Enter is pressed, or one below the other where nobody can.
    static func show(_ matrices: [CodeMatrix], ink: TerminalDrawing.Ink, caption: String, on terminal: Terminal?) throws
    {
        let isMoving = matrices.count > 1 && terminal?.isAsked == true
        // A line that is wider than the window would become two, and the next frame be drawn at the wrong place.
        let caption = String(caption.prefix(terminal?.columns ?? caption.count))
        let frames = matrices.enumerated().map { index, matrix in
            let place = "code \(index + 1) of \(matrices.count)" + (isMoving ? "  (Enter ends)" : "")
            return TerminalDrawing.lines(matrix, ink: ink) + (matrices.count == 1 ? [] : [place]) + [caption]
        }
        guard isMoving else {
            for frame in frames { try Output.line(frame.joined(separator: "\n")) }
            return
        }
        var index = 0
        repeat {
            // Each frame is drawn over the one before.
            let up = index == 0 ? "" : "\u{1B}[\(frames[0].count)A"
            try Output.line(up + frames[index % frames.count].joined(separator: "\u{1B}[K\n") + "\u{1B}[K")
            index += 1
        } while try !isEnterPressed(within: pace)
    }

    private static func isEnterPressed(within milliseconds: Int32) throws -> Bool {
        var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, milliseconds) > 0 else { return false }
        var typed = [UInt8](repeating: 0, count: 256)
        return read(STDIN_FILENO, &typed, typed.count) <= 0 || typed.contains(UInt8(ascii: "\n"))
    }
}
