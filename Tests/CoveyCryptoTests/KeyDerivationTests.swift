import CoveyCrypto
import CoveyVectors
import Testing

@Suite("HKDF")
struct KeyDerivationTests {
    private func derive(_ ikm: [UInt8], salt: [UInt8], info: [UInt8], byteCount: Int) throws -> [UInt8] {
        var material = HKDF.Material()
        material.append(ikm)
        let extracted = HKDF.extract(salt: salt.span.bytes, material: material)
        return try HKDF.expand(extracted, info: info, byteCount: byteCount)
    }

    @Test("the keys of RFC 5869 A.1 to A.3 come out")
    func rfc() throws {
        let rows = try RFC.rows("hkdf_sha256")
        #expect(rows.count == 3)
        for row in rows {
            var material = HKDF.Material()
            material.append(row["ikm"].bytes)
            let extracted = HKDF.extract(salt: row["salt"].bytes.span.bytes, material: material)
            #expect(extracted.isEqual(to: row["prk"].key()))
            let okm = row["okm"].bytes
            #expect(try HKDF.expand(extracted, info: row["info"].bytes, byteCount: okm.count) == okm)
        }
    }

    @Test("Wycheproof HKDF-SHA-256: 83 come out, 3 are too long and refused", .needsShared)
    func wycheproof256() throws {
        var counts = (valid: 0, refused: 0)
        for row in try VectorFile.shared("wp_hkdf_sha256.json").rows() {
            let output = try? derive(
                row["ikm"].bytes, salt: row["salt"].bytes, info: row["info"].bytes, byteCount: row["size"].int)
            if row["r"].string == "v" {
                #expect(output == row["okm"].bytes, "row \(row["id"].int)")
                counts.valid += 1
            } else {
                #expect(output == nil, "row \(row["id"].int)")
                counts.refused += 1
            }
        }
        print("HKDF-SHA-256: \(counts.valid) valid, \(counts.refused) refused")
        #expect(counts == (83, 3))
    }

    @Test("Wycheproof HKDF-SHA-512: 80 come out, 3 are too long and refused", .needsShared)
    func wycheproof512() throws {
        var counts = (valid: 0, refused: 0)
        for row in try VectorFile.shared("wp_hkdf_sha512.json").rows() {
            let output = try? HKDFSHA512.derive(
                salt: row["salt"].bytes, material: row["ikm"].bytes, info: row["info"].bytes,
                byteCount: row["size"].int)
            if row["r"].string == "v" {
                #expect(output == row["okm"].bytes, "row \(row["id"].int)")
                counts.valid += 1
            } else {
                #expect(output == nil, "row \(row["id"].int)")
                counts.refused += 1
            }
        }
        print("HKDF-SHA-512: \(counts.valid) valid, \(counts.refused) refused")
        #expect(counts == (80, 3))
    }

    @Test("whole keys are the blocks of the same output")
    func blocks() throws {
        let key = SymmetricKey(from: SeededRandom(seed: 9))
        let info = Array("info".utf8)
        let keys = HKDF.expand(key, info: info, count: 6)
        let bytes = keys.flatMap { key in key.exposing { [UInt8](copying: $0) } }
        #expect(try HKDF.expand(key, info: info, byteCount: 192) == bytes)
    }

    @Test("every length up to 255 blocks is a prefix of the longest; one byte more is refused")
    func lengths() throws {
        let key = SymmetricKey(from: SeededRandom(seed: 10))
        let longest = try HKDF.expand(key, info: [], byteCount: 255 * 32)
        #expect(longest.count == 8160)
        for count in [0, 1, 31, 32, 33, 64, 65, 8159] {
            #expect(try HKDF.expand(key, info: [], byteCount: count) == Array(longest.prefix(count)))
        }
        #expect(throws: CryptoFailure.length) { try HKDF.expand(key, info: [], byteCount: 8161) }
        #expect(throws: CryptoFailure.length) { try HKDF.expand(key, info: [], byteCount: -1) }
    }

    @Test("material in parts, secret and public, is the material of the whole")
    func material() {
        let random = SeededRandom(seed: 11)
        let key = SymmetricKey(from: random)
        let salt = Octets32.random(from: random)
        var parts = HKDF.Material()
        parts.append([1, 2, 3])
        parts.append(key)
        var whole = HKDF.Material()
        whole.append([1, 2, 3] + key.exposing { [UInt8](copying: $0) })
        #expect(HKDF.extract(salt: salt, material: parts).isEqual(to: HKDF.extract(salt: salt, material: whole)))
    }

    @Test("one key from one key is extract, then one block; label, salt and key each change it")
    func derived() {
        let random = SeededRandom(seed: 12)
        let (key, other) = (SymmetricKey(from: random), SymmetricKey(from: random))
        let salt = random.bytes(20)
        var material = HKDF.Material()
        material.append(key)
        let extracted = HKDF.extract(salt: salt.span.bytes, material: material)
        let derived = HKDF.derive(salt: salt, from: key, label: "covey1:table")
        #expect(HKDF.expand(extracted, info: Array("covey1:table".utf8), count: 1)[0].isEqual(to: derived))
        #expect(!HKDF.derive(salt: salt, from: key, label: "covey1:slot").isEqual(to: derived))
        #expect(!HKDF.derive(from: key, label: "covey1:table").isEqual(to: derived))
        #expect(!HKDF.derive(salt: salt, from: other, label: "covey1:table").isEqual(to: derived))
    }

    @Test("no salt is a salt of 32 zero bytes (RFC 5869 §2.2)")
    func noSalt() {
        let key = SymmetricKey(from: SeededRandom(seed: 13))
        let zeros = [UInt8](repeating: 0, count: 32)
        #expect(HKDF.derive(from: key, info: []).isEqual(to: HKDF.derive(salt: zeros, from: key, info: [])))
    }

    @Test("the golden first message's secrets give the golden six keys (protocol.md §4.2)")
    func goldenPQXDH() throws {
        let golden = try Golden.json()["pqxdh"]
        var material = HKDF.Material()
        material.append([UInt8](repeating: 0xff, count: 32))
        for shared in golden["dh"].items { material.append(shared.key(as: SymmetricKey.self)) }
        material.append(golden["ss"].key(as: SymmetricKey.self))
        let extracted = HKDF.extract(salt: Octets32(), material: material)
        let keys = HKDF.expand(extracted, info: Array("covey1:pqxdh".utf8) + golden["T"].bytes, count: 6)
        for (key, name) in zip(keys, ["SK", "HKab", "NHKba", "TAGab", "TAGba", "confirm"]) {
            #expect(key.isEqual(to: golden[name].key()), "\(name)")
        }
    }
}
