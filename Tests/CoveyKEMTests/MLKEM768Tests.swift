import CoveyCrypto
import CoveyKEM
import CoveyVectors
import Testing

@Suite("ML-KEM-768")
struct MLKEM768Tests {
    private let kem: any KEM = MLKEM768()
    private let random = SeededRandom(seed: 1)

    @Test("what is encapsulated to a key is decapsulated with its private half, and each time it is another secret")
    func roundTrip() throws {
        let key = KEMPrivateKey(from: random)
        let publicKey = try kem.publicKey(of: key)
        let first = try kem.encapsulate(to: publicKey, random: random)
        let second = try kem.encapsulate(to: publicKey, random: random)
        #expect(try kem.decapsulate(first.ciphertext, with: key).isEqual(to: first.secret))
        #expect(try kem.decapsulate(second.ciphertext, with: key).isEqual(to: second.secret))
        #expect(!first.secret.isEqual(to: second.secret))
        let other = KEMPrivateKey(from: random)
        #expect(try !kem.decapsulate(first.ciphertext, with: other).isEqual(to: first.secret))
    }

    @Test("the golden seed has the golden bundle's public key, and opens the golden first message's ciphertext")
    func golden() throws {
        let golden = try Golden.json()
        let bob = try #require(golden["devices"].items.first { $0["name"].string == "bob" })
        let key: KEMPrivateKey = bob["pq_seed"].key()
        let (publicKey, body) = (try kem.publicKey(of: key).bytes, golden["bundle"]["body"].bytes)
        #expect(body.indices.contains { body[$0...].starts(with: publicKey) })
        let ciphertext = try #require(KEMCiphertext(golden["pqxdh"]["ct"].bytes))
        #expect(try kem.decapsulate(ciphertext, with: key).isEqual(to: golden["pqxdh"]["ss"].key()))
    }

    @Test("rejection 12: a public key with a coefficient of q or more is refused, at either end of the vector")
    func coefficient() throws {
        let good = try kem.publicKey(of: KEMPrivateKey(from: random)).bytes
        // q = 3329 = 0xd01. Twelve bits a coefficient: the first is b0 | (b1 & 15) << 8; the last (of 768, before the
        // 32 bytes of rho) is b1150 >> 4 | b1151 << 4.
        for value in [3329, 3330, 4095] {
            var first = good
            first[0] = UInt8(value & 0xff)
            first[1] = first[1] & 0xf0 | UInt8(value >> 8)
            var last = good
            last[1150] = last[1150] & 0x0f | UInt8(value & 0x0f) << 4
            last[1151] = UInt8(value >> 4)
            for bytes in [first, last] {
                let key = try #require(KEMPublicKey(bytes))
                #expect(throws: CryptoFailure.badPublicKey) { try kem.encapsulate(to: key, random: random) }
            }
        }
        var least = good
        least[0] = 0x00
        least[1] = least[1] & 0xf0 | 0x0d
        // 3328 is the largest that is allowed.
        let key = try #require(KEMPublicKey(least))
        #expect(try kem.encapsulate(to: key, random: random).ciphertext.bytes.count == 1088)
    }

    @Test("rejection 12: a public key or a ciphertext of another length is none")
    func length() {
        for count in [0, 1183, 1185] { #expect(KEMPublicKey([UInt8](repeating: 0, count: count)) == nil) }
        for count in [0, 1087, 1089] { #expect(KEMCiphertext([UInt8](repeating: 0, count: count)) == nil) }
    }

    @Test("rejection 12: an altered ciphertext gives another secret, always the same one, and the cipher refuses it")
    func implicitRejection() throws {
        let key = KEMPrivateKey(from: random)
        let sent = try kem.encapsulate(to: try kem.publicKey(of: key), random: random)
        let nonce = Nonce24.random(from: random)
        let (plaintext, ad) = (Array("first message".utf8), [UInt8]())
        let sealed = XChaCha20Poly1305.seal(plaintext.span.bytes, ad: ad.span.bytes, nonce: nonce, key: sent.secret)
        for at in stride(from: 0, to: 1088, by: 64) {
            var bytes = sent.ciphertext.bytes
            bytes[at] ^= 1
            let altered = try #require(KEMCiphertext(bytes))
            let secret = try kem.decapsulate(altered, with: key)
            #expect(!secret.isEqual(to: sent.secret))
            #expect(try kem.decapsulate(altered, with: key).isEqual(to: secret))
            #expect(throws: CryptoFailure.authentication) {
                try XChaCha20Poly1305.open(sealed.span.bytes, ad: ad.span.bytes, nonce: nonce, key: secret)
            }
        }
    }

    @Test("Wycheproof: a hundred seeds have the public keys told", .needsShared)
    func keygen() throws {
        let rows = try VectorFile.shared("wp_mlkem_768_keygen_seed.json").rows()
        for row in rows {
            let key = try kem.publicKey(of: row["seed"].key())
            #expect(key.bytes == row["ek"].bytes, "row \(row["id"].int)")
        }
        print("ML-KEM-768 key generation: \(rows.count)")
        #expect(rows.count == 100)
    }

    @Test(
        "Wycheproof: 153 ciphertexts decapsulate, 40 with a ciphertext or a seed of another length are refused",
        .needsShared)
    func decapsulation() throws {
        var counts = (equal: 0, refused: 0)
        for row in try VectorFile.shared("wp_mlkem_768.json").rows() {
            let seed = row["seed"].bytes
            let ciphertext = KEMCiphertext(row["c"].bytes)
            guard seed.count == KEMPrivateKey.byteCount, let ciphertext else {
                #expect(row["r"].string == "i", "row \(row["id"].int)")
                counts.refused += 1
                continue
            }
            let secret = try kem.decapsulate(ciphertext, with: KEMPrivateKey(copying: seed.span.bytes))
            #expect(secret.isEqual(to: row["K"].key()), "row \(row["id"].int)")
            #expect(row["r"].string == "v", "row \(row["id"].int)")
            counts.equal += 1
        }
        print("ML-KEM-768 decapsulation: \(counts.equal) equal, \(counts.refused) refused")
        #expect(counts == (153, 40))
    }

    @Test("Wycheproof: of 265 public keys 133 are taken and 132 refused", .needsShared)
    func encapsulationKeys() throws {
        var counts = (taken: 0, refused: 0)
        for row in try VectorFile.shared("wp_mlkem_768_ek_check.json").rows() {
            let key = KEMPublicKey(row["ek"].bytes)
            let sent = key.flatMap { try? kem.encapsulate(to: $0, random: random) }
            #expect((sent != nil) == (row["r"].string == "v"), "row \(row["id"].int)")
            if sent != nil { counts.taken += 1 } else { counts.refused += 1 }
        }
        print("ML-KEM-768 public keys: \(counts.taken) taken, \(counts.refused) refused")
        #expect(counts == (133, 132))
    }
}
