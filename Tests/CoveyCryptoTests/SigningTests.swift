import CoveyCrypto
import CoveyVectors
import Testing

/// A span cannot stand inside `#expect`.
extension SigningPublicKey {
    fileprivate func verify(_ signature: Signature, over message: [UInt8]) -> Bool {
        verify(signature, over: message.span.bytes)
    }
}

@Suite("Ed25519")
struct SigningTests {
    @Test("the signatures of RFC 8032 §7.1 come out, and verify")
    func rfc() throws {
        let rows = try RFC.rows("ed25519")
        #expect(rows.count == 4)
        for row in rows {
            let key: SigningPrivateKey = row["seed"].key()
            let message = row["message"].bytes
            #expect(key.publicKey == row["public"].octets(), "\(row["from"].string)")
            let signature = key.sign(message.span.bytes)
            #expect(signature == row["signature"].octets(), "\(row["from"].string)")
            #expect(key.publicKey.verify(signature, over: message))
        }
    }

    @Test("a signature over other bytes, or with any bit changed, does not verify")
    func altered() throws {
        let key = SigningPrivateKey(from: SeededRandom(seed: 4))
        let message = Array("the bytes that were signed".utf8)
        let signature = key.sign(message.span.bytes)
        #expect(key.publicKey.verify(signature, over: message))
        for bit in 0..<512 {
            var bytes = signature.array
            bytes[bit / 8] ^= 1 << (bit % 8)
            let changed = try #require(Signature(bytes))
            #expect(!key.publicKey.verify(changed, over: message), "bit \(bit)")
        }
        let other = Array("the bytes that were not".utf8)
        #expect(!key.publicKey.verify(signature, over: other))
    }

    @Test("rejections 3 to 6: S at or above L, A or R of small order or not canonical, though the equation holds")
    func edges() throws {
        let rows = try RFC.rows("ed25519_edges")
        #expect(rows.count == 22)
        for row in rows {
            let key: SigningPublicKey = row["public"].octets()
            let message = row["message"].bytes
            let good = key.verify(row["signature"].octets(), over: message)
            #expect(good == (row["name"].string == "sound"), "\(row["name"].string): \(row["why"].string)")
        }
    }

    @Test("Wycheproof: 88 verify, 63 do not", .needsShared)
    func wycheproof() throws {
        var accepted = 0
        var refused = 0
        for row in try VectorFile.shared("wp_ed25519.json").rows() {
            let key: SigningPublicKey = row["pk"].octets()
            let message = row["msg"].bytes
            // A signature of another length does not make a `Signature`.
            let good = Signature(row["sig"].bytes).map { key.verify($0, over: message) } ?? false
            #expect(good == (row["r"].string == "v"), "row \(row["id"].int)")
            if good { accepted += 1 } else { refused += 1 }
        }
        print("Ed25519: \(accepted) accepted, \(refused) refused")
        #expect(accepted == 88)
        #expect(refused == 63)
    }

    @Test("ed25519-speccheck: of twelve edge cases only index 3 verifies", .needsShared)
    func speccheck() throws {
        let accepted = try VectorFile.shared("ed25519_speccheck.json").rows().enumerated().filter { _, row in
            let key: SigningPublicKey = row["pub_key"].octets()
            let message = row["message"].bytes
            return key.verify(row["signature"].octets(), over: message)
        }
        let rows = try VectorFile.shared("ed25519_speccheck.json").rows()
        print("Ed25519 speccheck: \(rows.count) rows, accepted \(accepted.map(\.offset))")
        #expect(rows.count == 12)
        #expect(accepted.map(\.offset) == [3])
    }
}
