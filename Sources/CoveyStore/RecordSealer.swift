import CoveyCore
import CoveyCrypto
import CoveyNode

/// What a record belongs to: the tables of the `Store` port, and the three this room adds.
enum SealedTable: Hashable, Sendable {
    case keyed(KeyedTable)
    case secret(SecretTable)
    case sequence(SequenceTable)
    /// The store's own single records.
    case single
    /// Envelopes in segments.
    case mail
    /// Ghosts in segments.
    case ghosts

    var number: UInt8 {
        switch self {
        case .single: 0
        case .keyed(let table): table.rawValue
        case .secret(let table): table.rawValue
        case .sequence(let table): table.rawValue
        case .mail: 64
        case .ghosts: 65
        }
    }

    static let all: [SealedTable] =
        [.single, .mail, .ghosts] + KeyedTable.allCases.map { .keyed($0) } + SecretTable.allCases.map { .secret($0) }
        + SequenceTable.allCases.map { .sequence($0) }
}

/// Seals what goes to disk and opens what comes from it (protocol.md §6).
///
///     record = nonce 24 | XChaCha20-Poly1305(key of the table, record; AD = table u8 | place | schema u8)
///
/// The key of a table is HKDF of the device master key. `place` is where the record stands: a record moved to another
/// row, table or file does not open. Used from two threads; it does not change.
final class RecordSealer: Sendable {
    /// The version of the form of records; part of what is authenticated.
    static let schema: UInt8 = 1
    /// Bytes a record has more than its plaintext.
    static let overhead = 40

    private struct Keys: Sendable {
        let seal: SymmetricKey
        let lookup: SymmetricKey
    }

    /// By table number.
    private let keys: [Keys?]

    init(_ master: SymmetricKey) {
        var keys = [Keys?](repeating: nil, count: 66)
        var material = HKDF.Material()
        material.append(master)
        let secret = HKDF.extract(salt: [UInt8]().span.bytes, material: material)
        for table in SealedTable.all {
            let info = HKDF.bytes(of: DerivationLabel.table) + [table.number]
            let pair = HKDF.expand(secret, info: info, count: 2)
            keys[Int(table.number)] = Keys(seal: pair[0], lookup: pair[1])
        }
        self.keys = keys
    }

    /// What the row of `key` is found by: a keyed hash, so that the file does not tell whom this node knows.
    func row(of key: [UInt8], in table: SealedTable) -> Octets16 {
        Blake2b.hash128(key.span.bytes, personal: "covey1:store-row", key: keys(table).lookup)
    }

    func seal(_ record: [UInt8], in table: SealedTable, at place: [UInt8], nonce: Nonce24) -> [UInt8] {
        seal(record.span.bytes, in: table, at: place, nonce: nonce)
    }

    func seal(_ record: RawSpan, in table: SealedTable, at place: [UInt8], nonce: Nonce24) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(record.byteCount + Self.overhead)
        XChaCha20Poly1305.box(
            record, ad: address(table, place).span.bytes, key: keys(table).seal, nonce: nonce, to: &out)
        return out
    }

    /// - Parameter name: of the file, for the message.
    func open(_ sealed: RawSpan, in table: SealedTable, at place: [UInt8], file name: String) throws -> [UInt8] {
        do {
            return try XChaCha20Poly1305.unbox(sealed, ad: address(table, place).span.bytes, key: keys(table).seal)
        } catch {
            throw Self.damaged(name)
        }
    }

    /// The same of a record with secrets in it: its plaintext is in guarded memory only.
    func openSecret(
        _ sealed: RawSpan, in table: SecretTable, at place: [UInt8], file name: String
    ) throws -> SecretBytes {
        let ad = address(.secret(table), place)
        do {
            return try XChaCha20Poly1305.unboxSecret(sealed, ad: ad.span.bytes, key: keys(.secret(table)).seal)
        } catch {
            throw Self.damaged(name)
        }
    }

    private static func damaged(_ name: String) -> StoreError {
        .damaged("a record of \(name) does not open: \(StoreAdvice.restore)")
    }

    /// Seals an envelope to where it will be written from: no copy, no allocation.
    ///
    /// - Parameter out: as many bytes as `bytes` and `overhead` more.
    func sealEnvelope(_ bytes: [UInt8], _ id: EnvelopeID, nonce: Nonce24, to out: UnsafeMutableRawBufferPointer) {
        precondition(out.count == bytes.count + Self.overhead, "a sealed record is 40 bytes longer than its plaintext")
        withUnsafeBytes(of: nonce) { out.copyMemory(from: $0) }
        var body = UnsafeMutableRawBufferPointer(rebasing: out[24..<24 + bytes.count]).mutableBytes
        let tag = EnvelopeAddress(id).withSpan { address in
            XChaCha20Poly1305.seal(bytes.span.bytes, to: &body, ad: address, nonce: nonce, key: keys(.mail).seal)
        }
        withUnsafeBytes(of: tag) {
            UnsafeMutableRawBufferPointer(rebasing: out[(24 + bytes.count)...]).copyMemory(from: $0)
        }
    }

    func openEnvelope(_ sealed: [UInt8], _ id: EnvelopeID, file name: String) throws -> [UInt8] {
        let key = keys(.mail).seal
        do {
            return try EnvelopeAddress(id).withSpan { try XChaCha20Poly1305.unbox(sealed.span.bytes, ad: $0, key: key) }
        } catch {
            throw StoreError.damaged("an envelope of \(name) does not open: \(StoreAdvice.restore)")
        }
    }

    private func keys(_ table: SealedTable) -> Keys {
        keys[Int(table.number)].unsafelyUnwrapped
    }

    private func address(_ table: SealedTable, _ place: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(place.count + 2)
        bytes.append(table.number)
        bytes += place
        bytes.append(Self.schema)
        return bytes
    }
}

/// The associated data of an envelope's record: its place is its id, so a segment can be rewritten without sealing anew.
///
///     table u8 | zero 6 | schema u8 | id 32
private struct EnvelopeAddress: FixedOctets {
    private var table: UInt64 = 0
    private var id = EnvelopeID()

    init() {}

    init(_ id: EnvelopeID) {
        table = (UInt64(SealedTable.mail.number) << 56 | UInt64(RecordSealer.schema)).bigEndian
        self.id = id
    }
}

/// Random nonces, drawn many at a time: the system's generator costs a call for each request.
struct NoncePool {
    private static let size = 128
    private let source: any RandomSource
    private var nonces = [Nonce24](repeating: Nonce24(), count: Self.size)
    private var next = Self.size

    init(_ source: any RandomSource) { self.source = source }

    mutating func take() -> Nonce24 {
        if next == Self.size {
            nonces.withUnsafeMutableBytes { raw in
                var span = raw.mutableBytes
                source.fill(&span)
            }
            next = 0
        }
        defer { next += 1 }
        return nonces[next]
    }
}
