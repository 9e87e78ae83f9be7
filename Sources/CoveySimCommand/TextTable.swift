/// Rows of text with their columns under each other.
struct TextTable {
    private var rows: [[String]]
    private let rightAligned: Set<Int>

    init(_ head: [String], rightAligned: Set<Int>) {
        rows = [head]
        self.rightAligned = rightAligned
    }

    mutating func add(_ row: [String]) {
        precondition(row.count == rows[0].count, "every row has a cell for each column")
        rows.append(row)
    }

    func text(indent: String = "") -> String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = indent
            for (column, cell) in row.enumerated() {
                let space = String(repeating: " ", count: widths[column] - cell.count)
                line += (column == 0 ? "" : "  ") + (rightAligned.contains(column) ? space + cell : cell + space)
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }
}
