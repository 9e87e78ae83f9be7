import CoveyCore

extension ByteReader {
    /// What is left, as rows of one size.
    ///
    /// - Parameters:
    ///   - size: bytes of a row.
    ///   - least: rows there must be.
    ///   - most: rows that one frame may hold.
    ///   - read: takes exactly one row.
    mutating func rows<Row>(
        of size: Int, least: Int = 1, most: Int, _ read: (inout ByteReader) throws(Malformed) -> Row
    ) throws(Malformed) -> [Row] {
        guard remaining >= least * size, remaining.isMultiple(of: size) else { throw .truncated }
        guard remaining / size <= most else { throw .oversized }
        var rows: [Row] = []
        rows.reserveCapacity(remaining / size)
        while !isAtEnd { rows.append(try read(&self)) }
        return rows
    }
}
