import CoveyCrypto
import CoveyVectors
import Testing

@Suite("Argon2id")
struct Argon2idTests {
    @Test("a passphrase at the least cost gives the key OpenSSL gives")
    func own() throws {
        for row in try RFC.rows("argon2id") {
            var typed = row["passphrase"].bytes
            let passphrase = try #require(Passphrase(taking: &typed))
            #expect(typed.isEmpty)
            let cost = try #require(Argon2id.Cost(passes: row["passes"].int, kibibytes: row["kibibytes"].int))
            let key = try Argon2id.key(from: passphrase, salt: row["salt"].octets(), cost: cost)
            #expect(key.isEqual(to: row["key"].key()))
        }
    }

    @Test("the ten raw hashes of the outside suite come out", .needsShared)
    func outside() throws {
        let rows = try VectorFile.shared("argon2id_raw.json").rows()
        for row in rows {
            let salt = try #require(Octets16(row["salt"].string.utf8))
            let hash = try Argon2id.hash(
                Array(row["passwd"].string.utf8), salt: salt, passes: row["iters"].int,
                kibibytes: row["maxmem"].int, outputSize: row["dgst_len"].int)
            #expect(hash == row["pwhash"].bytes)
        }
        print("Argon2id: \(rows.count)")
        #expect(rows.count == 10)
    }

    @Test("a cost below 64 MiB and 2 passes, or above 1 GiB and 10, cannot be said (protocol.md §6)")
    func bounds() {
        let mebibyte = 1024
        #expect(Argon2id.Cost(passes: 2, kibibytes: 64 * mebibyte) == .least)
        #expect(Argon2id.Cost(passes: 3, kibibytes: 256 * mebibyte) == .standard)
        #expect(Argon2id.Cost(passes: 10, kibibytes: 1024 * mebibyte) != nil)
        #expect(Argon2id.Cost(passes: 1, kibibytes: 64 * mebibyte) == nil)
        #expect(Argon2id.Cost(passes: 2, kibibytes: 64 * mebibyte - 1) == nil)
        #expect(Argon2id.Cost(passes: 11, kibibytes: 64 * mebibyte) == nil)
        #expect(Argon2id.Cost(passes: 2, kibibytes: 1024 * mebibyte + 1) == nil)
        #expect(Argon2id.Cost(passes: .max, kibibytes: .max) == nil)
        #expect(Argon2id.Cost(passes: -1, kibibytes: -1) == nil)
    }

    @Test("a passphrase is not empty, at most 1024 bytes, and what was typed is wiped either way")
    func passphrase() {
        for (count, good) in [(0, false), (1, true), (64, true), (65, true), (1024, true), (1025, false)] {
            var typed = [UInt8](repeating: 0x61, count: count)
            #expect((Passphrase(taking: &typed) != nil) == good, "\(count) bytes")
            #expect(typed.isEmpty)
        }
    }
}
