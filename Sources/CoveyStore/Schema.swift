import CoveyNode

/// The tables of `store.sqlite` and how an older file becomes a newer one.
///
/// Values are sealed; what stands in the clear is the hash a row is found by, and the number of a sequence.
enum Schema {
    /// "covy": told apart from other programs' files by SQLite's application id.
    static let application: Int64 = 0x636F_7679

    /// One step a version. A step that was released is never changed.
    private static let steps: [[String]] = [
        (KeyedTable.allCases.map { name(of: $0) } + SecretTable.allCases.map { name(of: $0) }).map {
            "CREATE TABLE \($0) (row BLOB PRIMARY KEY NOT NULL, record BLOB NOT NULL) STRICT"
        }
            + SequenceTable.allCases.map {
                "CREATE TABLE \(name(of: $0)) (sequence INTEGER PRIMARY KEY, record BLOB NOT NULL) STRICT"
            }
            + [
                "CREATE TABLE single (id INTEGER PRIMARY KEY, record BLOB NOT NULL) STRICT",
                "PRAGMA application_id = \(application)",
            ]
    ]

    /// The table of `SingleRecord`.
    static let single = "single"

    static func name(of table: KeyedTable) -> String { "keyed_\(table.rawValue)" }
    static func name(of table: SecretTable) -> String { "keyed_\(table.rawValue)" }
    static func name(of table: SequenceTable) -> String { "sequence_\(table.rawValue)" }

    /// Brings the file to this version.
    static func migrate(_ database: Database) throws {
        let version = try database.integer("PRAGMA user_version")
        let application = try database.integer("PRAGMA application_id")
        guard version <= steps.count else {
            throw StoreError.newer(
                "\(database.path) has version \(version), this program knows \(steps.count): run the newer program")
        }
        let isNew = try version == 0 && application == 0 && database.integer("SELECT count(*) FROM sqlite_schema") == 0
        guard isNew || application == Self.application else {
            throw StoreError.damaged("\(database.path) is not a store of Covey: \(StoreAdvice.restore)")
        }
        guard version < steps.count else { return }
        try database.transaction {
            for step in steps[Int(version)...] {
                for sql in step { try database.run(sql) }
            }
            try database.run("PRAGMA user_version = \(steps.count)")
        }
    }
}
