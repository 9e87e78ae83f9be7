/// Rows under each other, columns filled with spaces.
enum Columns {
    static func text(_ rows: [[String]]) -> String {
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { at in rows.map { at < $0.count ? $0[at].count : 0 }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (at, cell) in row.enumerated() {
                line += cell
                if at + 1 < row.count { line += String(repeating: " ", count: widths[at] - cell.count + 2) }
            }
            return line
        }.joined(separator: "\n")
    }
}
