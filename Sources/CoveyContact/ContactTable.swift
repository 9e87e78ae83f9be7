/// Contacts in a table: lines of values between commas, the first line naming the columns, in any order.
///
///     time,a,b,state[,link]        state is up or down, or 1 or 0; lines by ascending time
///     start,end,a,b[,link]         lines in any order; contacts of a pair that overlap are one
///
/// Times are seconds, `a` and `b` numbers of hosts from 0, `link` the name of a kind of link.
package struct ContactTable: Sendable {
    package let trace: ContactTrace
    /// Names of the kinds of link, by the numbers that changes have them by; empty without such a column.
    package let links: [String]

    private enum Column: String {
        case time, a, b, state, start, end, link
    }

    /// - Parameter nodes: how many hosts there are; the highest number found, plus one, when not said.
    package init(_ file: TraceFile, nodes: Int? = nil) throws(TraceError) {
        var lines = TraceLines(file, separator: .comma)
        let columns = try Self.header(&lines)
        let hasSpans = columns.contains(.start)
        let highest = min(nodes ?? TraceLimits.nodes, TraceLimits.nodes) - 1
        var links: [String] = []
        var numbers: [String: UInt16] = [:]
        var changes: [ContactChange] = []
        var spans: [ContactSpans.Span] = []
        var top = -1
        var last: UInt64 = 0
        while lines.nextLine() {
            var row = ContactSpans.Span(start: 0, end: 0, a: 0, b: 0, link: 0)
            var isUp = false
            for column in columns {
                switch column {
                case .time, .start: row.start = try lines.time()
                case .end: row.end = try lines.time()
                case .a: row.a = UInt32(try lines.number("a host", highest: highest))
                case .b: row.b = UInt32(try lines.number("a host", highest: highest))
                case .state:
                    let field = lines.field()
                    isUp = lines.says(field, "up") || lines.says(field, "1")
                    guard isUp || lines.says(field, "down") || lines.says(field, "0") else {
                        throw lines.error(.expected("up or down", found: lines.text(field)))
                    }
                case .link:
                    let name = lines.text(lines.field())
                    guard !name.isEmpty else { throw lines.error(.expected("a kind of link", found: "")) }
                    guard links.count < Int(UInt16.max) else {
                        throw lines.error(.outOfRange("the number of kinds of link", highest: Int(UInt16.max)))
                    }
                    if numbers[name] == nil {
                        numbers[name] = UInt16(links.count)
                        links.append(name)
                    }
                    row.link = numbers[name] ?? 0
                }
            }
            try lines.endOfLine()
            guard row.a != row.b else { throw lines.error(.itself) }
            top = max(top, Int(row.a), Int(row.b))
            if hasSpans {
                guard row.start < row.end else {
                    throw lines.error(.expected("an end after the start", found: "\(row.end / 1_000_000) s"))
                }
                spans.append(row)
            } else {
                guard row.start >= last else { throw lines.error(.notSorted) }
                last = row.start
                changes.append(ContactChange(time: row.start, a: row.a, b: row.b, link: row.link, isUp: isUp))
            }
        }
        let count = nodes ?? top + 1
        trace = hasSpans ? ContactSpans.trace(spans, nodes: count) : ContactTrace(nodes: count, changes: changes)
        self.links = links
    }

    private static func header(_ lines: inout TraceLines) throws(TraceError) -> [Column] {
        var columns: [Column] = []
        guard lines.nextLine() else { throw lines.error(.expected("the names of columns", found: "")) }
        while lines.hasField {
            let name = lines.text(lines.field())
            guard let column = Column(rawValue: name) else {
                throw lines.error(.unsupported("a column named '\(name)'"))
            }
            guard !columns.contains(column) else { throw lines.error(.unexpected(name)) }
            columns.append(column)
        }
        let needed: [Column] = columns.contains(.start) ? [.start, .end, .a, .b] : [.time, .a, .b, .state]
        for column in needed where !columns.contains(column) {
            throw lines.error(.expected("a column named \(column.rawValue)", found: ""))
        }
        for column in columns where column != .link && !needed.contains(column) {
            throw lines.error(.unexpected(column.rawValue))
        }
        return columns
    }
}
