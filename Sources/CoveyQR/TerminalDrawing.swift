/// A code in characters: each is two modules, one above the other.
package enum TerminalDrawing {
    /// What a character paints. A code is dark on light, so it depends on what the terminal paints with.
    package enum Ink: Sendable {
        /// Light letters on a dark ground: the light modules are painted.
        case light
        /// Dark letters on a light ground: the dark modules are painted.
        case dark
    }

    /// Room that a code of so many modules takes with its quiet zone.
    package static func size(modules: Int) -> (columns: Int, lines: Int) {
        let side = modules + 2 * CodeMatrix.quietZone
        return (side, (side + 1) / 2)
    }

    package static func lines(_ matrix: CodeMatrix, ink: Ink) -> [String] {
        let quiet = CodeMatrix.quietZone
        func isPainted(_ column: Int, _ row: Int) -> Bool {
            switch ink {
            case .light: !matrix.isDark(column, row)
            case .dark: matrix.isDark(column, row)
            }
        }
        return stride(from: -quiet, to: matrix.size + quiet, by: 2).map { row in
            var line = ""
            for column in -quiet..<matrix.size + quiet {
                switch (isPainted(column, row), isPainted(column, row + 1)) {
                case (true, true): line += "█"
                case (true, false): line += "▀"
                case (false, true): line += "▄"
                case (false, false): line += " "
                }
            }
            return line
        }
    }
}
