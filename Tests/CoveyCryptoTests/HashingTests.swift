import CoveyCrypto
import CoveyVectors
import Testing

@Suite("Hashes and codes")
struct HashingTests {
    @Test("SHA-256 of nothing and of abc, whole and in parts")
    func sha256() throws {
        for row in try RFC.rows("sha256") {
            let message = row["message"].bytes
            #expect(SHA256.hash(message.span.bytes) == row["digest"].octets())
            var parts = SHA256()
            for byte in message { parts.update([byte].span.bytes) }
            #expect(parts.finish() == row["digest"].octets())
        }
    }

    @Test("the codes of RFC 4231 come out, SHA-256 and SHA-512")
    func hmacRFC() throws {
        let rows = try RFC.rows("hmac")
        #expect(rows.count == 6)
        for row in rows {
            let (key, message) = (row["key"].bytes, row["message"].bytes)
            #expect(HMACSHA256.code(message.span.bytes, key: key.span.bytes) == row["sha256"].octets())
            #expect(HMACSHA512.code(message.span.bytes, key: key.span.bytes) == row["sha512"].octets())
        }
    }

    @Test("Wycheproof HMAC-SHA-256 and HMAC-SHA-512: 174 each, the tag cut to its length", .needsShared)
    func hmacWycheproof() throws {
        for (name, long) in [("wp_hmac_sha256.json", false), ("wp_hmac_sha512.json", true)] {
            var counts = (valid: 0, refused: 0)
            for row in try VectorFile.shared(name).rows() {
                let (key, message, tag) = (row["key"].bytes, row["msg"].bytes, row["tag"].bytes)
                let code =
                    long
                    ? HMACSHA512.code(message.span.bytes, key: key.span.bytes).array
                    : HMACSHA256.code(message.span.bytes, key: key.span.bytes).array
                #expect(tag.count == row["bits"].int / 8)
                let same = Array(code.prefix(tag.count)) == tag
                #expect(same == (row["r"].string == "v"), "\(name) row \(row["id"].int)")
                if same { counts.valid += 1 } else { counts.refused += 1 }
            }
            print("\(name): \(counts.valid) valid, \(counts.refused) refused")
            #expect(counts == (66, 108))
        }
    }

    @Test("a code in parts is the code of the whole, and a code that is a key has the same bytes")
    func hmacParts() {
        let random = SeededRandom(seed: 7)
        let key = SymmetricKey(from: random)
        let message = random.bytes(200)
        let whole = key.exposing { HMACSHA256.code(message.span.bytes, key: $0) }
        var parts = HMACSHA256(key: key)
        parts.update(message.span.bytes.extracting(first: 77))
        parts.update(message.span.bytes.extracting(droppingFirst: 77))
        #expect(parts.finish() == whole)
        var again = HMACSHA256(key: key)
        again.update(message.span.bytes)
        #expect(again.finishKey().exposing { Octets32(copying: $0) } == whole)
        #expect(equalInConstantTime(whole, whole))
        #expect(!equalInConstantTime(whole, Octets32()))
    }

    @Test("BLAKE2b-512 of abc is what RFC 7693 says")
    func blake2bRFC() throws {
        for row in try RFC.rows("blake2b") {
            let digest = try Blake2b.hash(
                row["message"].bytes, key: [], salt: Octets16(), personal: Octets16(), outputSize: 64)
            #expect(digest == row["digest"].bytes)
        }
    }

    @Test("the 512 known answers of BLAKE2b, keyed and not", .needsShared)
    func blake2bKnownAnswers() throws {
        let rows = try VectorFile.shared("blake2b.json").rows()
        for row in rows {
            let digest = try Blake2b.hash(
                row["in"].bytes, key: row["key"].bytes, salt: Octets16(), personal: Octets16(), outputSize: 64)
            #expect(digest == row["out"].bytes)
        }
        print("BLAKE2b: \(rows.count)")
        #expect(rows.count == 512)
    }

    @Test("the 40 answers of BLAKE2b with salt and personalisation", .needsShared)
    func blake2bSaltPersonal() throws {
        let rows = try VectorFile.shared("blake2b_salt_personal.json").rows()
        for row in rows {
            let digest = try Blake2b.hash(
                row["in"].bytes, key: row["key"].bytes, salt: padded(row["salt"].bytes),
                personal: padded(row["personal"].bytes), outputSize: row["len"].int)
            #expect(digest == row["out"].bytes)
        }
        print("BLAKE2b with salt and personalisation: \(rows.count)")
        #expect(rows.count == 40)
    }

    private func padded(_ bytes: [UInt8]) throws -> Octets16 {
        try #require(Octets16(bytes + [UInt8](repeating: 0, count: 16 - bytes.count)))
    }

    @Test("a label is the personalisation, zero padded; labels, keys and sizes give unlike digests")
    func labels() throws {
        let message = Array("message".utf8)
        let label = try padded(Array("covey1:devid".utf8))
        let plain = Blake2b.hash256(message.span.bytes, personal: "covey1:devid")
        #expect(
            try Blake2b.hash(message, key: [], salt: Octets16(), personal: label, outputSize: 32) == plain.array)
        let key = SymmetricKey(from: SeededRandom(seed: 8))
        let digests: Set<String> = [
            plain.hex,
            Blake2b.hash256(message.span.bytes, personal: "covey1:cert").hex,
            Blake2b.hash256(message.span.bytes, personal: "covey1:devid", key: key).hex,
        ]
        #expect(digests.count == 3)
        #expect(Blake2b.hash128(message.span.bytes, personal: "covey1:devid").array != Array(plain.array.prefix(16)))
    }

    @Test("a digest of no bytes or of more than 64, and a key of more than 64, are refused")
    func blake2bBounds() {
        for size in [0, 65] {
            #expect(throws: CryptoFailure.length) {
                try Blake2b.hash([], key: [], salt: Octets16(), personal: Octets16(), outputSize: size)
            }
        }
        #expect(throws: CryptoFailure.length) {
            try Blake2b.hash(
                [], key: [UInt8](repeating: 1, count: 65), salt: Octets16(), personal: Octets16(), outputSize: 32)
        }
    }

    @Test("SipHash-2-4 gives the answers of its paper's appendix for fifteen bytes and for none")
    func sipHash() throws {
        let key = try #require(Octets16(0..<16))
        let message = [UInt8](0..<15)
        #expect(SipHash(key: key).hash(message.span.bytes).hex == "e545be4961ca29a1")
        #expect(SipHash(key: key).hash([UInt8]().span.bytes).hex == "310e0edd47db6f72")
    }

    @Test("the golden device ids are the labelled hash of mesh and keys (protocol.md §1.1)")
    func goldenDeviceID() throws {
        let golden = try Golden.json()
        for device in golden["devices"].items {
            let keys = ["SIG", "LNK", "MSG"].flatMap { device[$0].bytes }
            let input = golden["genesis"]["mesh_id"].bytes + keys
            let hash = Blake2b.hash256(input.span.bytes, personal: "covey1:devid")
            #expect(Octets16(prefixOf: hash) == device["device_id"].octets())
        }
    }
}
