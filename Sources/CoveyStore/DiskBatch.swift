import CoveyCore
import CoveyCrypto
import CoveyNode
import Glibc

/// What turns wrote, on its way to the disk.
///
/// Written in this order, so that a crash anywhere leaves the commit before or the commit after:
/// the frames behind the committed end of their segments, flushed; then one transaction with the records and the new ends;
/// then the files of forgotten segments are unlinked. A frame that is the whole batch needs no transaction.
final class DiskBatch: CommitBatch, @unchecked Sendable {
    let appends: [SegmentAppend]
    let overlay: Overlay
    let removed: [SegmentName]
    private let writer: DiskWriter

    init(appends: [SegmentAppend], overlay: Overlay, removed: [SegmentName], writer: DiskWriter) {
        self.appends = appends
        self.overlay = overlay
        self.removed = removed
        self.writer = writer
    }

    func write() throws {
        try writer.write(appends)
        try writer.commit(overlay, appends, removed)
        writer.unlink(removed)
    }
}

/// The half of the store that writes. Owned by the one batch that is being written; nothing here is touched meanwhile.
final class DiskWriter {
    /// Bytes sealed before they go to the file: few calls, and still in the cache when they are copied.
    private static let chunk = 1 << 20

    private let paths: StorePaths
    private let database: Database
    private let sealer: RecordSealer
    private var nonces: NoncePool
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: DiskWriter.chunk, alignment: 64)
    private var statements: [String: Statement] = [:]
    /// As the last commit left the segments, and as the database has it.
    private var table: SegmentTable
    private var written: SegmentTable

    init(
        _ paths: StorePaths, _ database: Database, _ sealer: RecordSealer, _ random: any RandomSource,
        _ table: SegmentTable
    ) {
        self.table = table
        written = table
        self.paths = paths
        self.database = database
        self.sealer = sealer
        nonces = NoncePool(random)
    }

    deinit { buffer.deallocate() }

    // MARK: Segments

    /// Writes and flushes every frame. What could not be written whole is taken away again, as far as the disk lets us.
    func write(_ appends: [SegmentAppend]) throws {
        var isNew = false
        for (index, append) in appends.enumerated() {
            do {
                let file = try File(paths.file(of: append.name), O_WRONLY | O_CREAT)
                try write(append, to: file)
                try file.synchronizeData()
                isNew = isNew || append.offset == 0
            } catch {
                for written in appends[...index] {
                    try? File(paths.file(of: written.name), O_WRONLY).truncate(to: written.offset)
                }
                throw error
            }
        }
        if isNew { try Directory.synchronize(paths.segments) }
    }

    private func write(_ append: SegmentAppend, to file: borrowing File) throws {
        var rows: [UInt8] = []
        rows.reserveCapacity(append.head.rows)
        let head = append.head.encoded
        var offset = append.offset
        var filled = 0
        head.withUnsafeBytes { buffer.copyMemory(from: $0) }
        filled += head.count

        /// A place for the next `count` bytes of the frame.
        func place(_ count: Int) throws -> UnsafeMutableRawBufferPointer {
            if filled + count > buffer.count { try flush() }
            defer { filled += count }
            return UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<filled + count])
        }
        func flush() throws {
            try file.write(UnsafeRawBufferPointer(rebasing: buffer[..<filled]), at: offset)
            offset += filled
            filled = 0
        }

        switch append.content {
        case .rows(let pending):
            for mail in pending.mail {
                sealer.sealEnvelope(
                    mail.bytes, mail.row.record.id, nonce: nonces.take(), to: try place(mail.row.bodySize))
                mail.row.append(to: &rows)
            }
            for ghost in pending.ghosts { ghost.append(to: &rows) }
        case .moved(let source, let length, let offsets):
            let old = try File(paths.file(of: source), O_RDONLY)
            var bodies: [(offset: Int, size: Int)] = []
            _ = try SegmentScan<MailRow>(sealer: sealer).read(old, length: length) { row, offset in
                guard offsets.contains(offset) else { return }
                bodies.append((offset, row.bodySize))
                row.append(to: &rows)
            }
            for body in bodies {
                let bytes = try old.read(body.size, at: body.offset)
                let room = try place(body.size)
                bytes.withUnsafeBytes { room.copyMemory(from: $0) }
            }
        }
        let sealed = sealer.seal(rows, in: append.name.kind.table, at: head, nonce: nonces.take())
        if sealed.count <= buffer.count {
            let room = try place(sealed.count)
            sealed.withUnsafeBytes { room.copyMemory(from: $0) }
            try flush()
        } else {
            try flush()
            try sealed.withUnsafeBytes { try file.write($0, at: offset) }
            offset += sealed.count
        }
        precondition(offset == append.end, "a frame is as long as its head says")
    }

    func unlink(_ segments: [SegmentName]) {
        // A file that stays is not in the database, and goes at the next start.
        for segment in segments { _ = Glibc.unlink(paths.file(of: segment)) }
    }

    // MARK: Records

    func commit(_ overlay: Overlay, _ appends: [SegmentAppend], _ removed: [SegmentName]) throws {
        var table = table
        table.apply(appends, removing: removed)
        if appends.contains(where: \.head.isWholeBatch) {
            self.table = table
            return
        }
        try database.transaction {
            for table in KeyedTable.allCases {
                guard let changes = overlay.keyed[table] else { continue }
                for (key, value) in changes {
                    try set(.keyed(table), Schema.name(of: table), key, value.map { KeyedRecord(key: key, value: $0) })
                }
            }
            for table in SecretTable.allCases {
                guard let changes = overlay.secrets[table] else { continue }
                for (key, value) in changes {
                    try set(
                        .secret(table), Schema.name(of: table), key, value.map { SecretRecord(key: key, value: $0) })
                }
            }
            for table in SequenceTable.allCases {
                guard let changes = overlay.sequences[table] else { continue }
                for (sequence, value) in changes { try set(table, sequence, value) }
            }
            guard table != written else { return }
            try set(.segments, table.encoded)
        }
        self.table = table
        written = table
    }

    private func set(_ id: SingleRecord, _ value: [UInt8]) throws {
        let statement = try prepared("UPDATE \(Schema.single) SET record = ? WHERE id = ?")
        try statement.bind(1, sealer.seal(value, in: .single, at: [id.rawValue], nonce: nonces.take()))
        try statement.bind(2, Int64(id.rawValue))
        try statement.run()
    }

    private func set(
        _ table: SealedTable, _ name: String, _ key: [UInt8], _ record: (some FoundRecord)?
    ) throws {
        let row = sealer.row(of: key, in: table)
        guard let record else {
            let statement = try prepared("DELETE FROM \(name) WHERE row = ?")
            try statement.bind(1, row)
            return try statement.run()
        }
        let statement = try prepared(
            """
            INSERT INTO \(name) (row, record) VALUES (?, ?)
            ON CONFLICT (row) DO UPDATE SET record = excluded.record
            """)
        try statement.bind(1, row)
        let nonce = nonces.take()
        try statement.bind(2, record.withPlaintext { sealer.seal($0, in: table, at: row.array, nonce: nonce) })
        try statement.run()
    }

    private func set(_ table: SequenceTable, _ sequence: UInt64, _ value: [UInt8]?) throws {
        let name = Schema.name(of: table)
        guard let value else {
            let statement = try prepared("DELETE FROM \(name) WHERE sequence = ?")
            try statement.bind(1, Int64(sequence))
            return try statement.run()
        }
        let statement = try prepared(
            """
            INSERT INTO \(name) (sequence, record) VALUES (?, ?)
            ON CONFLICT (sequence) DO UPDATE SET record = excluded.record
            """)
        try statement.bind(1, Int64(sequence))
        try statement.bind(
            2, sealer.seal(value, in: .sequence(table), at: sequence.place, nonce: nonces.take()))
        try statement.run()
    }

    private func prepared(_ sql: String) throws -> Statement {
        if let statement = statements[sql] { return statement }
        let statement = try database.prepare(sql)
        statements[sql] = statement
        return statement
    }
}

/// Records of which there is one each, made with the store.
enum SingleRecord: UInt8, CaseIterable {
    /// Empty: whether it opens tells whether the key is the right one.
    case proof = 1
    /// The `SegmentTable`.
    case segments = 2
}

/// A record that is found by a key. Its plaintext is `key size u16 | key | value`.
protocol FoundRecord {
    func withPlaintext<Result>(_ body: (RawSpan) -> Result) -> Result
}

struct KeyedRecord: FoundRecord {
    let key: [UInt8]
    let value: [UInt8]

    init(key: [UInt8], value: [UInt8]) {
        self.key = key
        self.value = value
    }

    /// Nil when the size does not fit.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 2 else { return nil }
        let size = Int(bytes[0]) << 8 | Int(bytes[1])
        guard bytes.count >= 2 + size else { return nil }
        key = Array(bytes[2..<2 + size])
        value = Array(bytes[(2 + size)...])
    }

    func withPlaintext<Result>(_ body: (RawSpan) -> Result) -> Result {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(2 + key.count + value.count)
        bytes.append(UInt8(key.count >> 8))
        bytes.append(UInt8(key.count & 0xFF))
        bytes += key
        bytes += value
        return body(bytes.span.bytes)
    }
}

/// The same with a secret for a value, which is a secret in the plaintext, too.
struct SecretRecord: FoundRecord {
    let key: [UInt8]
    let value: SecretBytes

    init(key: [UInt8], value: SecretBytes) {
        self.key = key
        self.value = value
    }

    /// Nil when the size does not fit.
    init?(_ plaintext: SecretBytes) {
        let parts: (key: [UInt8], value: SecretBytes)? = plaintext.exposing { bytes in
            guard bytes.byteCount > 2 else { return nil }
            let size = bytes.withUnsafeBytes { Int($0[0]) << 8 | Int($0[1]) }
            guard bytes.byteCount > 2 + size else { return nil }
            return (
                [UInt8](copying: bytes.extracting(2..<2 + size)),
                SecretBytes(copying: bytes.extracting(droppingFirst: 2 + size))
            )
        }
        guard let parts else { return nil }
        (key, value) = parts
    }

    func withPlaintext<Result>(_ body: (RawSpan) -> Result) -> Result {
        SecretBytes(byteCount: 2 + key.count + value.byteCount) { plaintext in
            plaintext.append(bigEndian: UInt16(key.count))
            plaintext.append(key)
            plaintext.append(value)
        }.exposing(body)
    }
}

extension UInt64 {
    /// The number as eight bytes, big-endian: the place of a record in a sequence.
    var place: [UInt8] { withUnsafeBytes(of: bigEndian) { [UInt8]($0) } }
}
