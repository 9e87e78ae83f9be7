import CSQLite
import CoveyCrypto

/// A prepared statement, used again and again. Parameters count from 1, columns from 0.
final class Statement {
    private let handle: OpaquePointer
    private let database: Database

    init(_ handle: OpaquePointer, of database: Database) {
        self.handle = handle
        self.database = database
    }

    deinit { sqlite3_finalize(handle) }

    func bind(_ index: Int32, _ value: Int64) throws { try check(sqlite3_bind_int64(handle, index, value)) }

    /// Copies: the array may go before the statement runs.
    func bind(_ index: Int32, _ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try bind(index, $0) }
    }

    func bind(_ index: Int32, _ octets: some FixedOctets) throws {
        try withUnsafeBytes(of: octets) { try bind(index, $0) }
    }

    private func bind(_ index: Int32, _ raw: UnsafeRawBufferPointer) throws {
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        try check(sqlite3_bind_blob64(handle, index, raw.baseAddress, UInt64(raw.count), transient))
    }

    /// - Returns: whether there is a row.
    func step() throws -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let status: throw database.failure(status)
        }
    }

    /// Runs a statement that has no rows, and makes it ready again.
    func run() throws {
        defer { reset() }
        while try step() {}
    }

    /// Ends the read, so that no snapshot is kept open, and makes the statement ready again.
    func reset() { sqlite3_reset(handle) }

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    func bytes(_ column: Int32) -> [UInt8] {
        guard let base = sqlite3_column_blob(handle, column) else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: base, count: Int(sqlite3_column_bytes(handle, column))))
    }

    private func check(_ status: Int32) throws {
        guard status == SQLITE_OK else { throw database.failure(status) }
    }
}
