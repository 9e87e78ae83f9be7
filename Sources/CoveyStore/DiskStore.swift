package import CoveyCore
package import CoveyCrypto
package import CoveyNode
import Glibc

/// The `Store` on disk: records in SQLite, envelopes and ghosts in append-only segments, all sealed under the device key.
///
/// Turns cost memory only. `takeBatch` hands their writes to a worker, and reads go on meanwhile: first in what was
/// gathered, then in what is being written, then on disk. A commit is one SQLite transaction, which also says up to which
/// byte each segment counts; so a crash leaves a commit exactly. A batch of nothing but mail for one segment is committed by
/// its frame alone: one flush, not two. At the start such frames count also behind that byte; what else stands there is cut.
package final class DiskStore: CommittingStore {
    private enum Limits {
        /// Bytes after which a segment is not added to any more.
        static let segment = 64 << 20
        /// Bytes of an envelope.
        static let envelope = 16384
        /// Segment files open for reading at once.
        static let openFiles = 64
        /// Bytes of a key, which its record counts in 16 bits.
        static let key = 65535
        /// A segment is rewritten when it has this many bytes and less than half of them live.
        static let rewrite = 1 << 20
    }

    /// Where the body of an envelope stands.
    private struct Location: Equatable {
        var offset: UInt64
        var segment: UInt32
        /// Bytes of the envelope.
        var size: UInt32
    }

    private final class OpenFile {
        let file: File
        var used: UInt64 = 0
        init(_ path: String) throws { file = try File(path, O_RDONLY) }
    }

    private struct Slot: Hashable {
        let kind: SegmentKind
        let hour: Hour
    }

    /// Envelopes on their way from one segment to another.
    private struct Move {
        let from: UInt32
        let to: UInt32
        var bodies: [(id: HalfID, old: Location, new: Location)]
    }

    private let home: HomeDirectory
    private let paths: StorePaths
    private let sealer: RecordSealer
    private let reader: Database
    private let writer: DiskWriter
    private var statements: [String: Statement] = [:]

    private var segments: [UInt32: Segment] = [:]
    /// The segment of each slot that is added to.
    private var open: [Slot: UInt32] = [:]
    /// The one of them that was added to last.
    private var newest: Segment?
    private var index: [HalfID: Location] = [:]
    private var files: [UInt32: OpenFile] = [:]
    private var fileUses: UInt64 = 0

    private var nextSegment: UInt32 = 1
    private var nextSequence: UInt64 = 1
    private var nextBatch: UInt64 = 1

    /// Segments with something gathered.
    private var touched: Set<UInt32> = []
    private var overlay = Overlay()
    private var removed: [SegmentName] = []
    /// Segments with much that is dead, to be looked at when a batch is taken.
    private var sparse: Set<UInt32> = []
    private var inFlight: DiskBatch?
    private var move: Move?

    /// Bytes of envelopes gathered for the next batch: a driver commits early when they are many.
    package private(set) var gatheredBytes = 0

    // MARK: Opening

    /// Opens or makes the store of a directory that this process holds.
    ///
    /// - Parameters:
    ///   - key: the device master key of the key file.
    ///   - random: for nonces; drawn from by the thread that writes batches, so it is shared with nobody.
    ///   - patience: milliseconds to wait for another process's lock on the database.
    package init(
        in home: HomeDirectory, key: SymmetricKey, random: any RandomSource = SystemRandom(), patience: Int32 = 2000
    ) throws {
        self.home = home
        paths = StorePaths(home: home.path)
        sealer = RecordSealer(key)
        // Made here, so that it is its owner's alone whatever the umask; the log and the index beside it follow its mode.
        // Before any connection: closing a file drops all locks that the process has on it.
        _ = try File(paths.database, O_RDWR | O_CREAT)
        let database = try Database(paths.database, patience: patience)
        try Schema.migrate(database)
        try database.check()
        let table = try Self.segmentTable(sealer, database, random)
        writer = DiskWriter(paths, database, sealer, random, table)
        reader = try Database(paths.database, patience: patience)
        // A writer beside this one, or a place that may not be written, is told now and not at the first mail.
        try database.transaction {}
        try Directory.make(paths.segments)
        try Directory.checkWritable(paths.segments)
        try Directory.synchronize(home.path)
        try recover(table)
    }

    /// Reads the store's own records, or makes them in a new store.
    ///
    /// The first says whether the key is the one that all others are sealed under.
    private static func segmentTable(
        _ sealer: RecordSealer, _ database: Database, _ random: any RandomSource
    ) throws -> SegmentTable {
        if try database.integer("SELECT count(*) FROM \(Schema.single)") == 0 {
            try database.transaction {
                for id in SingleRecord.allCases {
                    let make = try database.prepare("INSERT INTO \(Schema.single) (id, record) VALUES (?, ?)")
                    let nonce = Nonce24.random(from: random)
                    try make.bind(1, Int64(id.rawValue))
                    try make.bind(2, sealer.seal([], in: .single, at: [id.rawValue], nonce: nonce))
                    try make.run()
                }
            }
        }
        func read(_ id: SingleRecord) throws -> [UInt8] {
            let find = try database.prepare("SELECT record FROM \(Schema.single) WHERE id = ?")
            try find.bind(1, Int64(id.rawValue))
            guard try find.step() else {
                throw StoreError.damaged("a record of \(database.path) is missing: \(StoreAdvice.restore)")
            }
            return try sealer.open(
                find.bytes(0).span.bytes, in: .single, at: [id.rawValue], file: database.path)
        }
        do {
            _ = try read(.proof)
        } catch StoreError.damaged {
            throw StoreError.damaged(
                "\(database.path) is damaged, or sealed under another device key: put back the device.key it was made with"
            )
        }
        guard let table = SegmentTable(try read(.segments)) else {
            throw StoreError.damaged("a record of \(database.path): \(StoreAdvice.restore)")
        }
        return table
    }

    /// Learns from the segments' rows what is held; cuts and unlinks what was not committed once all else is found sound.
    private func recover(_ table: SegmentTable) throws {
        var last: [HalfID: UInt64] = [:]
        var ghosts: [HalfID: UInt64] = [:]
        for (name, length) in table.rows {
            let file = try openCommitted(name, length)
            var (end, batch) = (length, UInt64(0))
            switch name.kind {
            case .mail:
                var ids: [HalfID] = []
                func see(_ row: MailRow, _ offset: Int) {
                    let id = HalfID(prefixOf: row.record.id)
                    nextSequence = max(nextSequence, row.sequence + 1)
                    guard row.sequence >= last[id, default: 0] else { return }
                    last[id] = row.sequence
                    index[id] = Location(
                        offset: UInt64(offset), segment: name.number, size: UInt32(row.size))
                    ids.append(id)
                }
                let scan = SegmentScan<MailRow>(sealer: sealer)
                batch = try scan.read(file, length: length, visit: see)
                (end, batch) = try scan.readTail(
                    file, from: length, after: batch,
                    isSound: { row, sealed in
                        row.record.header.expiry == name.hour
                            && (try? sealer.openEnvelope(sealed, row.record.id, file: file.name)) != nil
                    }, visit: see)
                segments[name.number] = Segment(name, durable: end)
                segments[name.number]?.ids = ids
            case .ghosts:
                segments[name.number] = Segment(name, durable: end)
                batch = try SegmentScan<GhostRow>(sealer: sealer).read(file, length: length) { row, _ in
                    let id = HalfID(prefixOf: row.ghost.id)
                    nextSequence = max(nextSequence, row.sequence + 1)
                    ghosts[id] = max(ghosts[id, default: 0], row.sequence)
                }
            }
            open[Slot(kind: name.kind, hour: name.hour)] = name.number
            nextSegment = max(nextSegment, name.number + 1)
            nextBatch = max(nextBatch, batch + 1)
        }
        for (id, sequence) in ghosts where sequence > last[id, default: .max] { index[id] = nil }
        for location in index.values {
            segments[location.segment]?.live += Int(location.size) + RecordSealer.overhead
        }
        for segment in segments.values { noteIfSparse(segment) }

        for (name, length) in table.rows {
            let end = segments[name.number]?.durable ?? length
            let file = try openCommitted(name, length)
            guard try file.size() > end else { continue }
            try file.truncate(to: end)
            try file.synchronize()
        }
        let names = Set(table.rows.map(\.name.file))
        for file in try Directory.names(in: paths.segments) where SegmentName.isSegment(file) && !names.contains(file) {
            _ = unlink(paths.segments + "/" + file)
        }
    }

    private func openCommitted(_ name: SegmentName, _ length: Int) throws -> File {
        let path = paths.file(of: name)
        guard access(path, F_OK) == 0 else {
            throw StoreError.damaged("\(path) is missing: \(StoreAdvice.restore)")
        }
        let file = try File(path, O_RDWR)
        let size = try file.size()
        guard size >= length else {
            throw StoreError.damaged("\(path) has \(size) bytes of \(length): \(StoreAdvice.restore)")
        }
        return file
    }

    // MARK: Batches

    package var isDirty: Bool { !touched.isEmpty || !overlay.isEmpty || !removed.isEmpty }

    package func takeBatch() -> (any CommitBatch)? {
        precondition(inFlight == nil, "there is one batch at a time")
        guard isDirty else { return nil }
        let number = nextBatch
        nextBatch += 1
        var appends: [SegmentAppend] = []
        for segment in touched.sorted() {
            if let append = segments[segment]?.takeAppend(batch: number) { appends.append(append) }
        }
        if let append = takeMove(batch: number) { appends.append(append) }
        if appends.count == 1, appends[0].canStandAlone, overlay.isEmpty, removed.isEmpty {
            appends[0].head.isWholeBatch = true
        }
        let batch = DiskBatch(appends: appends, overlay: overlay, removed: removed, writer: writer)
        touched.removeAll(keepingCapacity: true)
        overlay = Overlay()
        removed = []
        gatheredBytes = 0
        inFlight = batch
        return batch
    }

    package func finished(_ batch: any CommitBatch) {
        guard let inFlight, inFlight === batch else { preconditionFailure("the batch was taken from this store") }
        for append in inFlight.appends { segments[append.name.number]?.finished() }
        self.inFlight = nil
        finishMove()
    }

    // MARK: Records

    package func put(_ table: KeyedTable, _ key: [UInt8], _ value: [UInt8]) throws {
        precondition(key.count <= Limits.key, "a key has at most 65535 bytes")
        overlay.set(table, key, value)
    }

    package func delete(_ table: KeyedTable, _ key: [UInt8]) throws { overlay.set(table, key, nil) }

    package func get(_ table: KeyedTable, _ key: [UInt8]) throws -> [UInt8]? {
        if let change = overlay.keyed[table]?[key] { return change }
        if let change = inFlight?.overlay.keyed[table]?[key] { return change }
        let row = sealer.row(of: key, in: .keyed(table))
        let find = try statement("SELECT record FROM \(Schema.name(of: table)) WHERE row = ?")
        defer { find.reset() }
        try find.bind(1, row)
        guard try find.step() else { return nil }
        return try record(find.bytes(0), in: table, at: row.array).value
    }

    package func all(_ table: KeyedTable) throws -> [(key: [UInt8], value: [UInt8])] {
        var found: [[UInt8]: [UInt8]] = [:]
        let list = try statement("SELECT row, record FROM \(Schema.name(of: table))")
        defer { list.reset() }
        while try list.step() {
            let record = try record(list.bytes(1), in: table, at: list.bytes(0))
            found[record.key] = record.value
        }
        for changes in [inFlight?.overlay.keyed[table], overlay.keyed[table]] {
            for (key, value) in changes ?? [:] { found[key] = value }
        }
        return found.map { (key: $0.key, value: $0.value) }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }

    package func put(_ table: SecretTable, _ key: [UInt8], _ value: SecretBytes) throws {
        precondition(key.count <= Limits.key, "a key has at most 65535 bytes")
        overlay.set(table, key, value)
    }

    package func delete(_ table: SecretTable, _ key: [UInt8]) throws { overlay.set(table, key, nil) }

    package func all(_ table: SecretTable) throws -> [(key: [UInt8], value: SecretBytes)] {
        var found: [[UInt8]: SecretBytes] = [:]
        let list = try statement("SELECT row, record FROM \(Schema.name(of: table))")
        defer { list.reset() }
        while try list.step() {
            let plaintext = try sealer.openSecret(
                list.bytes(1).span.bytes, in: table, at: list.bytes(0), file: paths.database)
            guard let record = SecretRecord(plaintext) else { throw damagedRecord }
            found[record.key] = record.value
        }
        for changes in [inFlight?.overlay.secrets[table], overlay.secrets[table]] {
            for (key, value) in changes ?? [:] { found[key] = value }
        }
        return found.map { (key: $0.key, value: $0.value) }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }

    private var damagedRecord: StoreError {
        .damaged("a record of \(paths.database): \(StoreAdvice.restore)")
    }

    private func record(_ sealed: [UInt8], in table: KeyedTable, at row: [UInt8]) throws -> KeyedRecord {
        let bytes = try sealer.open(sealed.span.bytes, in: .keyed(table), at: row, file: paths.database)
        guard let record = KeyedRecord(bytes) else { throw damagedRecord }
        return record
    }

    package func put(_ table: SequenceTable, _ sequence: UInt64, _ value: [UInt8]) throws {
        precondition(sequence <= UInt64(Int64.max), "a sequence fits SQLite's integers")
        overlay.set(table, sequence, value)
    }

    package func delete(_ table: SequenceTable, _ sequence: UInt64) throws {
        precondition(sequence <= UInt64(Int64.max), "a sequence fits SQLite's integers")
        overlay.set(table, sequence, nil)
    }

    package func records(
        _ table: SequenceTable, after: UInt64, limit: Int
    ) throws -> [(sequence: UInt64, value: [UInt8])] {
        guard limit > 0, after < UInt64(Int64.max) else { return [] }
        let changes = [inFlight?.overlay.sequences[table] ?? [:], overlay.sequences[table] ?? [:]]
        // As many more as could fall away by a deletion.
        let (wanted, isAll) = limit.addingReportingOverflow(changes[0].count + changes[1].count)
        var found: [UInt64: [UInt8]] = [:]
        let list = try statement(
            "SELECT sequence, record FROM \(Schema.name(of: table)) WHERE sequence > ? ORDER BY sequence LIMIT ?")
        defer { list.reset() }
        try list.bind(1, Int64(after))
        try list.bind(2, isAll ? Int64.max : Int64(wanted))
        while try list.step() {
            let sequence = UInt64(list.integer(0))
            found[sequence] = try sealer.open(
                list.bytes(1).span.bytes, in: .sequence(table), at: sequence.place, file: paths.database)
        }
        for change in changes {
            for (sequence, value) in change where sequence > after { found[sequence] = value }
        }
        let rows = found.map { (sequence: $0.key, value: $0.value) }.sorted { $0.sequence < $1.sequence }
        return Array(rows.prefix(limit))
    }

    private func statement(_ sql: String) throws -> Statement {
        if let statement = statements[sql] { return statement }
        let statement = try reader.prepare(sql)
        statements[sql] = statement
        return statement
    }

    // MARK: Envelopes

    package func insert(_ record: EnvelopeRecord, _ bytes: [UInt8]) throws {
        precondition(
            bytes.count >= EnvelopeHeader.byteCount && bytes.count <= Limits.envelope,
            "an envelope has 40 to 16384 bytes")
        let id = HalfID(prefixOf: record.id)
        let segment = segment(for: Slot(kind: .mail, hour: record.header.expiry))
        let offset = segment.append(MailRow(sequence: takeSequence(), size: bytes.count, record: record), bytes)
        segment.ids.append(id)
        segment.live += bytes.count + RecordSealer.overhead
        gatheredBytes += bytes.count
        let location = Location(offset: UInt64(offset), segment: segment.name.number, size: UInt32(bytes.count))
        if let before = index.updateValue(location, forKey: id) { release(before) }
    }

    package func envelope(_ id: EnvelopeID) throws -> [UInt8]? {
        guard let location = index[HalfID(prefixOf: id)], let segment = segments[location.segment] else { return nil }
        let offset = Int(location.offset)
        if offset >= segment.planned { return segment.gathered.body(at: offset) }
        if offset >= segment.durable { return segment.inFlight.body(at: offset) }
        let open = try file(of: segment.name)
        let sealed = try open.file.read(Int(location.size) + RecordSealer.overhead, at: offset)
        return try sealer.openEnvelope(sealed, id, file: open.file.name)
    }

    package func replace(_ id: EnvelopeID, with ghost: Ghost) throws {
        precondition(id == ghost.id, "a ghost takes the place of its own envelope")
        try insert(ghost)
    }

    package func insert(_ ghost: Ghost) throws {
        if let before = index.removeValue(forKey: HalfID(prefixOf: ghost.id)) {
            let hour = segments[before.segment]?.name.hour ?? ghost.expiry
            precondition(hour <= ghost.expiry, "a ghost outlives its envelope")
            release(before)
        }
        segment(for: Slot(kind: .ghosts, hour: ghost.expiry)).append(GhostRow(sequence: takeSequence(), ghost: ghost))
    }

    package func expire(upTo hour: Hour) throws {
        let ended = segments.values.filter { $0.name.kind.end(of: $0.name.hour) <= hour }
        for segment in ended.sorted(by: { $0.name < $1.name }) { forget(segment) }
    }

    package func known() throws -> (held: [EnvelopeRecord], ghosts: [Ghost]) {
        var held: [EnvelopeRecord] = []
        var ghosts: [HalfID: GhostRow] = [:]
        held.reserveCapacity(index.count)
        func see(_ row: MailRow, _ offset: Int, _ segment: SegmentName) {
            let place = Location(offset: UInt64(offset), segment: segment.number, size: UInt32(row.size))
            if index[HalfID(prefixOf: row.record.id)] == place { held.append(row.record) }
        }
        func see(_ row: GhostRow) {
            let id = HalfID(prefixOf: row.ghost.id)
            guard index[id] == nil, row.sequence > ghosts[id]?.sequence ?? 0 else { return }
            ghosts[id] = row
        }
        for segment in segments.values.sorted(by: { $0.name < $1.name }) {
            if segment.durable > 0 {
                let open = try file(of: segment.name)
                switch segment.name.kind {
                case .mail:
                    _ = try SegmentScan<MailRow>(sealer: sealer).read(open.file, length: segment.durable) {
                        see($0, $1, segment.name)
                    }
                case .ghosts:
                    _ = try SegmentScan<GhostRow>(sealer: sealer).read(open.file, length: segment.durable) { row, _ in
                        see(row)
                    }
                }
            }
            for rows in [segment.inFlight, segment.gathered] {
                for mail in rows.mail { see(mail.row, mail.offset, segment.name) }
                for ghost in rows.ghosts { see(ghost) }
            }
        }
        return (held.sorted { $0.id < $1.id }, ghosts.values.map(\.ghost).sorted { $0.id < $1.id })
    }

    // MARK: Segments

    /// The segment to add to, marked as touched.
    private func segment(for slot: Slot) -> Segment {
        let segment = openSegment(for: slot)
        if segment.gathered.isEmpty { touched.insert(segment.name.number) }
        return segment
    }

    private func openSegment(for slot: Slot) -> Segment {
        // Mail of one hour comes in a row.
        if let newest, newest.name.kind == slot.kind, newest.name.hour == slot.hour, newest.end < Limits.segment {
            return newest
        }
        if let number = open[slot], let segment = segments[number], segment.end < Limits.segment {
            newest = segment
            return segment
        }
        let segment = newSegment(for: slot)
        open[slot] = segment.name.number
        newest = segment
        return segment
    }

    private func newSegment(for slot: Slot) -> Segment {
        let segment = Segment(SegmentName(number: nextSegment, kind: slot.kind, hour: slot.hour), durable: 0)
        nextSegment += 1
        segments[segment.name.number] = segment
        return segment
    }

    private func takeSequence() -> UInt64 {
        defer { nextSequence += 1 }
        return nextSequence
    }

    /// The bytes of an envelope are not needed any more; they go with the segment, or when it is rewritten.
    private func release(_ location: Location) {
        guard let segment = segments[location.segment] else { return }
        segment.live -= Int(location.size) + RecordSealer.overhead
        noteIfSparse(segment)
    }

    /// Lets go of a segment with all it holds; its file is unlinked after the next commit.
    private func forget(_ segment: Segment) {
        let number = segment.name.number
        for id in segment.ids where index[id]?.segment == number { index[id] = nil }
        close(segment)
        segments[number] = nil
        touched.remove(number)
        sparse.remove(number)
        files[number] = nil
        if segment.isOnDisk { removed.append(segment.name) }
    }

    private func file(of segment: SegmentName) throws -> OpenFile {
        fileUses += 1
        if let file = files[segment.number] {
            file.used = fileUses
            return file
        }
        if files.count >= Limits.openFiles, let oldest = files.min(by: { $0.value.used < $1.value.used }) {
            files[oldest.key] = nil
        }
        let file = try OpenFile(paths.file(of: segment))
        file.used = fileUses
        files[segment.number] = file
        return file
    }

    // MARK: Rewriting

    private func noteIfSparse(_ segment: Segment) {
        guard segment.name.kind == .mail, segment.durable >= Limits.rewrite, segment.live < segment.durable / 2 else {
            return
        }
        sparse.insert(segment.name.number)
        // Nothing is added to it any more, so it comes to rest and can be moved.
        close(segment)
    }

    private func close(_ segment: Segment) {
        if newest === segment { newest = nil }
        let slot = Slot(kind: segment.name.kind, hour: segment.name.hour)
        if open[slot] == segment.name.number { open[slot] = nil }
    }

    /// Plans to write what lives in one sparse segment to a new one, sealed as it is.
    ///
    /// The old file stays until the batch after: reads go there as long as this one is in flight.
    private func takeMove(batch: UInt64) -> SegmentAppend? {
        guard move == nil, let number = sparse.min(), let old = segments[number], old.planned == old.durable else {
            return nil
        }
        sparse.remove(number)
        var seen: Set<HalfID> = []
        var bodies = old.ids.compactMap { id -> (id: HalfID, old: Location, new: Location)? in
            guard let place = index[id], place.segment == number, seen.insert(id).inserted else { return nil }
            return (id, place, place)
        }
        guard !bodies.isEmpty else {
            forget(old)
            return nil
        }
        bodies.sort { $0.old.offset < $1.old.offset }
        let slot = Slot(kind: .mail, hour: old.name.hour)
        let new = newSegment(for: slot)
        open[slot] = open[slot] ?? new.name.number
        var offset = FrameHead.size
        for at in bodies.indices {
            bodies[at].new.segment = new.name.number
            bodies[at].new.offset = UInt64(offset)
            offset += Int(bodies[at].old.size) + RecordSealer.overhead
        }
        let head = FrameHead(
            kind: .mail, count: bodies.count, bodies: offset - FrameHead.size, batch: batch, row: MailRow.byteCount)
        new.planMove(head)
        move = Move(from: number, to: new.name.number, bodies: bodies)
        return SegmentAppend(
            name: new.name, offset: 0, head: head,
            content: .moved(
                from: old.name, length: old.durable, offsets: Set(bodies.map { Int($0.old.offset) })))
    }

    private func finishMove() {
        guard let done = move else { return }
        move = nil
        // Both are gone when their hour has passed meanwhile.
        guard let old = segments[done.from], let new = segments[done.to] else { return }
        for body in done.bodies where index[body.id] == body.old {
            index[body.id] = body.new
            new.ids.append(body.id)
            new.live += Int(body.new.size) + RecordSealer.overhead
        }
        forget(old)
        noteIfSparse(new)
    }
}
