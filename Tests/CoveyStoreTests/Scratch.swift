import CoveyCore
import CoveyCrypto
import CoveyNode
import CoveyStoreChild
import Glibc
import Testing

@testable import CoveyStore

/// All suites run one after another: between fork and exec a child shares the locks of directories that other tests open.
@Suite(.serialized)
enum StoreTests {}

/// A directory that is there as long as the value is.
final class Scratch {
    let path: String

    init() {
        var template = Array("/tmp/covey-store-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { fatalError("a test can make a directory") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        for name in (try? Directory.names(in: path)) ?? [] {
            let inner = path + "/" + name
            if unlink(inner) != 0 { remove(inner) }
        }
        rmdir(path)
    }

    func open(_ key: SymmetricKey = testKey, patience: Int32 = 2000) throws -> DiskStore {
        try DiskStore(
            in: HomeDirectory(path), key: key, random: SeededRandom(seed: 7, stream: "nonces"), patience: patience)
    }

    func segments(_ suffix: String = "") -> [String] {
        ((try? Directory.names(in: path + "/segments")) ?? []).filter { $0.hasSuffix(suffix) }
    }

    func read(_ name: String) throws -> [UInt8] {
        let file = try File(path + "/" + name, O_RDONLY)
        return try file.read(file.size(), at: 0)
    }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        let file = try File(path + "/" + name, O_WRONLY | O_CREAT)
        try file.truncate(to: 0)
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
    }
}

let testKey = Turns.key

/// Everything a store shows of itself.
struct Contents: Equatable {
    var keyed: [[[UInt8]]] = []
    var sequences: [[[UInt8]]] = []
    var numbers: [[UInt64]] = []
    var held: [EnvelopeRecord] = []
    var bodies: [[UInt8]?] = []
    var ghosts: [Ghost] = []

    init(of store: any Store) throws {
        for table in KeyedTable.allCases {
            let all = try store.all(table)
            keyed.append(all.map(\.key) + all.map(\.value))
        }
        for table in SecretTable.allCases {
            let all = try store.all(table)
            keyed.append(all.map(\.key) + all.map { $0.value.exposing { [UInt8](copying: $0) } })
        }
        for table in SequenceTable.allCases {
            let rows = try store.records(table, after: 0, limit: .max)
            numbers.append(rows.map(\.sequence))
            sequences.append(rows.map(\.value))
        }
        (held, ghosts) = try store.known()
        bodies = try held.map { try store.envelope($0.id) }
    }
}
