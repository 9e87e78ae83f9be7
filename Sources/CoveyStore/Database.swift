import CSQLite
import CoveyNode
import Glibc

/// One connection to an SQLite file: write-ahead log, flushed at every commit.
///
/// Used by one thread at a time. Plain `throws`: typed throws in this place crash the optimiser (6.3.1).
final class Database {
    let path: String
    private let handle: OpaquePointer

    /// - Parameter patience: milliseconds to wait for another process's lock.
    init(_ path: String, patience: Int32) throws {
        self.path = path
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let status = sqlite3_open_v2(path, &opened, flags, nil)
        guard status == SQLITE_OK, let opened else {
            let failure = Self.failure(status, opened, path)
            sqlite3_close_v2(opened)
            throw failure
        }
        handle = opened
        sqlite3_busy_timeout(opened, patience)
        try run("PRAGMA journal_mode = WAL")
        try run("PRAGMA synchronous = FULL")
        try run("PRAGMA cell_size_check = ON")
        try run("PRAGMA secure_delete = FAST")
        try run("PRAGMA temp_store = MEMORY")
    }

    deinit { sqlite3_close_v2(handle) }

    func prepare(_ sql: String) throws -> Statement {
        var made: OpaquePointer?
        let status = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &made, nil)
        guard status == SQLITE_OK, let made else { throw failure(status) }
        return Statement(made, of: self)
    }

    /// Runs statements without parameters, and drops their rows.
    func run(_ sql: String) throws {
        let status = sqlite3_exec(handle, sql, nil, nil, nil)
        guard status == SQLITE_OK else { throw failure(status) }
    }

    /// All of `body` or nothing of it.
    func transaction(_ body: () throws -> Void) throws {
        try run("BEGIN IMMEDIATE")
        do {
            try body()
            try run("COMMIT")
        } catch {
            _ = sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
            throw error
        }
    }

    func integer(_ sql: String) throws -> Int64 {
        let statement = try prepare(sql)
        guard try statement.step() else { throw StoreError.damaged("\(path): \(sql) has no answer") }
        return statement.integer(0)
    }

    /// Reads the whole file for damage to its structure: a row that a bent page hides would be missed by nobody else.
    ///
    /// 0.2 s for 200,000 records.
    func check() throws {
        let check = try prepare("PRAGMA integrity_check(1)")
        guard try check.step(), check.bytes(0) == Array("ok".utf8) else {
            throw StoreError.damaged("\(path): \(StoreAdvice.restore)")
        }
    }

    func failure(_ status: Int32) -> StoreError { Self.failure(status, handle, path) }

    /// SQLITE_IOERR_WRITE, a macro that Swift does not see.
    private static let writeFailed = SQLITE_IOERR | 3 << 8

    private static func failure(_ status: Int32, _ handle: OpaquePointer?, _ path: String) -> StoreError {
        // At a commit SQLite calls only ENOSPC full, and leaves the number of a quota or a limit where the system put it.
        let code = errno
        let text = handle.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(status))
        switch status & 0xFF {
        case SQLITE_FULL: return .full
        case SQLITE_BUSY, SQLITE_LOCKED: return .locked
        case SQLITE_CORRUPT, SQLITE_NOTADB: return .damaged("\(path) (\(text)): \(StoreAdvice.restore)")
        case SQLITE_READONLY, SQLITE_PERM: return .permission("cannot write \(path): \(text)")
        case SQLITE_IOERR, SQLITE_CANTOPEN:
            if status == writeFailed, case .full = StoreError(errno: code, "write", path) { return .full }
            return .io("\(path): \(text)")
        default: return .io("\(path): \(text)")
        }
    }
}

/// What to do about a damaged file, in the words of every message that names one.
enum StoreAdvice {
    static let restore =
        "put back a copy, or move store.sqlite and segments away and start anew: mail held here is lost then, and membership and network key come back from the desk's machine, with covey log import ALL.log --authority DIR"
}
