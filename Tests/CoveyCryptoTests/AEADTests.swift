import CoveyCrypto
import CoveyVectors
import Testing

@Suite("ChaCha20-Poly1305 and XChaCha20-Poly1305")
struct AEADTests {
    @Test("the sealed sentence of RFC 8439 §2.8.2 comes out, and opens")
    func rfc() throws {
        for row in try RFC.rows("chacha20_poly1305") {
            let (plaintext, ad) = (row["plaintext"].bytes, row["aad"].bytes)
            let key: SymmetricKey = row["key"].key()
            let nonce: Nonce12 = row["nonce"].octets()
            let sealed = ChaCha20Poly1305.seal(plaintext.span.bytes, ad: ad.span.bytes, nonce: nonce, key: key)
            #expect(sealed == row["ciphertext"].bytes + row["tag"].bytes)
            let opened = try ChaCha20Poly1305.open(sealed.span.bytes, ad: ad.span.bytes, nonce: nonce, key: key)
            #expect(opened == plaintext)
        }
    }

    @Test("Wycheproof ChaCha20-Poly1305: 256 valid, 69 refused", .needsShared)
    func wycheproofChaCha() throws {
        let counts = try run(ChaCha20Poly1305.self, "wp_chacha20_poly1305.json")
        print("ChaCha20-Poly1305: \(counts.valid) valid, \(counts.refused) refused")
        #expect(counts.valid == 256)
        #expect(counts.refused == 69)
    }

    @Test("Wycheproof XChaCha20-Poly1305: 246 valid, 69 refused", .needsShared)
    func wycheproofXChaCha() throws {
        let counts = try run(XChaCha20Poly1305.self, "wp_xchacha20_poly1305.json")
        print("XChaCha20-Poly1305: \(counts.valid) valid, \(counts.refused) refused")
        #expect(counts.valid == 246)
        #expect(counts.refused == 69)
    }

    /// A nonce of another length does not make a nonce, so it counts as refused.
    private func run<Cipher: AEAD>(_: Cipher.Type, _ name: String) throws -> (valid: Int, refused: Int) {
        var counts = (valid: 0, refused: 0)
        for row in try VectorFile.shared(name).rows() {
            let comment: Comment = "row \(row["id"].int)"
            let sealed = row["ct"].bytes + row["tag"].bytes
            let ad = row["aad"].bytes
            let key: SymmetricKey = row["key"].key()
            let nonce = Cipher.Nonce(row["iv"].bytes)
            let opened = nonce.flatMap {
                try? Cipher.open(sealed.span.bytes, ad: ad.span.bytes, nonce: $0, key: key)
            }
            guard row["r"].string == "v" else {
                #expect(opened == nil, comment)
                counts.refused += 1
                continue
            }
            let plaintext = row["msg"].bytes
            #expect(opened == plaintext, comment)
            let again = Cipher.seal(plaintext.span.bytes, ad: ad.span.bytes, nonce: try #require(nonce), key: key)
            #expect(again == sealed, comment)
            counts.valid += 1
        }
        return counts
    }

    @Test("sealing in place gives the same bytes as sealing to an array, at every length up to 130 and none")
    func inPlace() throws {
        let random = SeededRandom(seed: 5)
        let key = SymmetricKey(from: random)
        for count in 0...130 {
            let plaintext = random.bytes(count)
            let ad = random.bytes(count % 7)
            let nonce = Nonce24.random(from: random)
            let sealed = XChaCha20Poly1305.seal(plaintext.span.bytes, ad: ad.span.bytes, nonce: nonce, key: key)
            var bytes = plaintext
            let tag = bytes.withUnsafeMutableBytes { raw in
                var span = raw.mutableBytes
                return XChaCha20Poly1305.seal(inPlace: &span, ad: ad.span.bytes, nonce: nonce, key: key)
            }
            #expect(bytes + tag.array == sealed)

            try bytes.withUnsafeMutableBytes { raw in
                var span = raw.mutableBytes
                try XChaCha20Poly1305.open(inPlace: &span, tag: tag, ad: ad.span.bytes, nonce: nonce, key: key)
            }
            #expect(bytes == plaintext)
        }
    }

    @Test("one changed bit of box, associated data or key, and any cut, and the box does not open")
    func altered() throws {
        let random = SeededRandom(seed: 6)
        let key = SymmetricKey(from: random)
        let (plaintext, ad) = (random.bytes(20), random.bytes(5))
        var box: [UInt8] = []
        XChaCha20Poly1305.box(
            plaintext.span.bytes, ad: ad.span.bytes, key: key, nonce: Nonce24.random(from: random), to: &box)
        #expect(box.count == 24 + 20 + 16)
        #expect(try XChaCha20Poly1305.unbox(box.span.bytes, ad: ad.span.bytes, key: key) == plaintext)
        let secret = try XChaCha20Poly1305.unboxSecret(box.span.bytes, ad: ad.span.bytes, key: key)
        #expect(secret.exposing { [UInt8](copying: $0) } == plaintext)
        for bit in 0..<box.count * 8 {
            var changed = box
            changed[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: CryptoFailure.authentication) {
                try XChaCha20Poly1305.unbox(changed.span.bytes, ad: ad.span.bytes, key: key)
            }
            #expect(throws: CryptoFailure.authentication) {
                _ = try XChaCha20Poly1305.unboxSecret(changed.span.bytes, ad: ad.span.bytes, key: key)
            }
        }
        for count in 0..<box.count {
            let cut = Array(box.prefix(count))
            #expect(throws: count < 40 ? CryptoFailure.length : .authentication) {
                try XChaCha20Poly1305.unbox(cut.span.bytes, ad: ad.span.bytes, key: key)
            }
            #expect(throws: count < 41 ? CryptoFailure.length : .authentication) {
                _ = try XChaCha20Poly1305.unboxSecret(cut.span.bytes, ad: ad.span.bytes, key: key)
            }
        }
        let otherAD = random.bytes(5)
        #expect(throws: CryptoFailure.authentication) {
            try XChaCha20Poly1305.unbox(box.span.bytes, ad: otherAD.span.bytes, key: key)
        }
        #expect(throws: CryptoFailure.authentication) {
            try XChaCha20Poly1305.unbox(box.span.bytes, ad: ad.span.bytes, key: SymmetricKey(from: random))
        }
    }

    @Test("the nonce of a counter is four zero bytes and the counter, little-endian (Noise §12.3)")
    func counterNonce() {
        #expect(Nonce12(counter: 0).isZero)
        #expect(Nonce12(counter: 0x0102_0304_0506_0708).hex == "000000000807060504030201")
        #expect(Nonce12(counter: .max).hex == "00000000ffffffffffffffff")
    }
}
