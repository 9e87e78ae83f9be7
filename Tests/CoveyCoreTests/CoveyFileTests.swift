import CoveyCore
import CoveyCrypto
import Testing

@Suite("Files of objects")
struct CoveyFileTests {
    static let mesh = MeshID(copying: Blake2b.hash256([1].span.bytes, personal: .genesis).array.span.bytes)

    static func mistake(in bytes: [UInt8]) -> CoveyFileError? {
        do {
            _ = try CoveyFile(parsing: bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test("a file of any kind comes back as it was written", arguments: CoveyFile.Kind.allCases)
    func roundTrip(kind: CoveyFile.Kind) throws {
        let file = CoveyFile(kind: kind, mesh: Self.mesh, content: [1, 2, 3])
        #expect(try CoveyFile(parsing: file.bytes) == file)
        #expect(try file.content(kind, of: Self.mesh) == [1, 2, 3])
        #expect(file.bytes.count == 44)
        #expect(Array(file.bytes[..<8]) == Array("COVEYF01".utf8))
        #expect(file.bytes[8] == kind.rawValue)
    }

    @Test("not ours, a newer version, an unknown kind, another mesh, another kind, cut off: six different sentences")
    func sentences() throws {
        let file = CoveyFile(kind: .invitation, mesh: Self.mesh, content: [1])
        var newer = file.bytes
        newer[7] = UInt8(ascii: "2")
        #expect(Self.mistake(in: newer) == .newerVersion)
        var unknown = file.bytes
        unknown[8] = 77
        #expect(Self.mistake(in: unknown) == .unknownKind(77))
        #expect(Self.mistake(in: Array("#!/bin/sh\necho this is something else entirely".utf8)) == .notOurs)
        #expect(throws: CoveyFileError.anotherMesh(Self.mesh)) { try file.content(.invitation, of: MeshID()) }
        #expect(throws: CoveyFileError.otherKind(.invitation, wanted: .request)) { try file.content(.request) }
        let all: [CoveyFileError] = [
            .notOurs, .newerVersion, .truncated, .unknownKind(77), .otherKind(.invitation, wanted: .request),
            .anotherMesh(Self.mesh), .damaged(.trailing),
        ]
        #expect(Set(all.map(\.description)).count == all.count)
        #expect(all.allSatisfy { $0.description.hasSuffix(".") })
    }

    @Test("a file cut off anywhere in its head is cut off, not something else")
    func truncation() {
        let file = CoveyFile(kind: .welcome, mesh: Self.mesh, content: [1])
        for size in 0..<42 { #expect(Self.mistake(in: Array(file.bytes[..<size])) == .truncated) }
        #expect(CoveyFileError(Malformed.truncated) == .truncated)
        #expect(CoveyFileError(Malformed.trailing) == .damaged(.trailing))
    }

    @Test("a version before the first was never written")
    func versionZero() {
        var file = CoveyFile(kind: .welcome, mesh: Self.mesh, content: [1]).bytes
        file[7] = UInt8(ascii: "0")
        #expect(Self.mistake(in: file) == .notOurs)
        file[7] = UInt8(ascii: "A")
        #expect(Self.mistake(in: file) == .notOurs)
    }

    @Test("a log file gives back its entries in their order, and an empty one gives none")
    func log() throws {
        let founding = try Founding.found(
            name: "Log", profile: .standard, random: SeededRandom(seed: 10), now: Minute(29_000_000))
        let entries = founding.entries.map(\.signed)
        let file = CoveyFile.log(entries, mesh: founding.mesh)
        #expect(try CoveyFile(parsing: file.bytes).log(of: founding.mesh) == entries)
        #expect(try CoveyFile.log([], mesh: founding.mesh).log(of: founding.mesh) == [])
        #expect(try CoveyFile(parsing: CoveyFile.log([], mesh: founding.mesh).bytes).content.isEmpty)
    }

    @Test("22: a log file cut between its entries is shorter, cut elsewhere is an error")
    func logTruncation() throws {
        let founding = try Founding.found(
            name: "Log", profile: .standard, random: SeededRandom(seed: 11), now: Minute(29_000_000))
        let entries = founding.entries.map(\.signed)
        let whole = CoveyFile.log(entries, mesh: founding.mesh)
        let first = 4 + entries[0].bytes.count
        for size in 0..<whole.content.count {
            let cut = CoveyFile(kind: .log, mesh: founding.mesh, content: Array(whole.content[..<size]))
            if size == 0 || size == first {
                #expect(try cut.log(of: founding.mesh) == Array(entries[..<(size == 0 ? 0 : 1)]))
            } else {
                #expect(throws: CoveyFileError.truncated) { try cut.log(of: founding.mesh) }
            }
        }
        let noise = CoveyFile(kind: .log, mesh: founding.mesh, content: [0, 0, 0, 3, 0, 0, 0])
        #expect(throws: CoveyFileError.damaged(.signatures)) { try noise.log(of: founding.mesh) }
    }
}
